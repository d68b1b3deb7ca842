/* A tagging job on a thread of its own. */
#include "app/library/library.h"
#include "app/tagger/tag_job.h"

#define PROGRESS_US 100000

struct task {
    struct tag_task_params params; /* its strings are owned */
    GPtrArray *labels;
    GMainContext *context;         /* of whoever started it */
    gint stop;
    gint64 told;                   /* µs */
};

struct report {
    struct tag_job_stats stats;
    void (*progress)(const struct tag_job_stats *stats, gpointer data);
    gpointer data;
};

static void task_free(gpointer data)
{
    struct task *t = data;
    g_free((char *)t->params.model.path);
    g_free((char *)t->params.model.device);
    g_free((char *)t->params.model.cache_dir);
    g_free((char *)t->params.db);
    g_free((char *)t->params.folder);
    g_ptr_array_unref(t->labels);
    g_main_context_unref(t->context);
    g_free(t);
}

static gboolean tell(gpointer data)
{
    struct report *r = data;
    r->progress(&r->stats, r->data);
    return G_SOURCE_REMOVE;
}

static void on_progress(const struct tag_job_stats *stats, gpointer data)
{
    struct task *t = data;
    gint64 now = g_get_monotonic_time();
    if (t->params.progress && now - t->told >= PROGRESS_US) {
        struct report r = { *stats, t->params.progress, t->params.data };
        t->told = now;
        g_main_context_invoke_full(t->context, G_PRIORITY_DEFAULT, tell,
                                   g_memdup2(&r, sizeof r), g_free);
    }
}

static void on_cancelled(GCancellable *cancellable, gpointer stop)
{
    g_atomic_int_set((gint *)stop, 1);
}

static gboolean run_job(struct task *t, const struct tag_model *model,
                        struct tag_job_stats *stats, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    struct tag_job_params params = { .model = model, .db = t->params.db,
                                     .again = t->params.again, .stop = &t->stop,
                                     .accept_above = t->params.accept_above,
                                     .progress = on_progress, .data = t };
    tag_job *job = library_scan(t->params.folder, t->params.recursive, NULL, paths, error)
                       ? tag_job_new(&params, error) : NULL;
    gboolean good = job && tag_job_run(job, paths, stats, error);
    tag_job_free(job);
    return good;
}

static void run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct task *t = data;
    struct tag_model model = { 0 };
    struct tag_job_stats *stats = g_new0(struct tag_job_stats, 1);
    GError *error = NULL;
    gulong handler = cancellable ? g_cancellable_connect(cancellable,
                                                         G_CALLBACK(on_cancelled), &t->stop,
                                                         NULL) : 0;
    g_autoptr(GPtrArray) wordings = NULL;
    gboolean good = tag_model_open(&model, &t->params.model, &error)
                    && tag_job_wordings(t->params.db, t->labels, &wordings, &error)
                    && tag_model_set_labels(&model, t->labels, wordings, NULL, &error)
                    && run_job(t, &model, stats, &error);
    tag_model_clear(&model);
    g_cancellable_disconnect(cancellable, handler);
    good = good && !g_cancellable_set_error_if_cancelled(cancellable, &error);
    if (good) {
        g_task_return_pointer(task, stats, g_free);
    } else {
        g_free(stats);
        g_task_return_error(task, error);
    }
}

void tag_task_run_async(const struct tag_task_params *params, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
    struct task *t = g_new0(struct task, 1);
    t->params = *params;
    t->params.model.path = g_strdup(params->model.path);
    t->params.model.device = g_strdup(params->model.device);
    t->params.model.cache_dir = g_strdup(params->model.cache_dir);
    t->params.db = g_strdup(params->db);
    t->params.folder = g_strdup(params->folder);
    t->labels = g_ptr_array_new_with_free_func(g_free);
    t->params.labels = t->labels;
    for (guint i = 0; i < params->labels->len; i++) {
        g_ptr_array_add(t->labels, g_strdup(params->labels->pdata[i]));
    }
    t->context = g_main_context_ref_thread_default();
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    g_task_set_check_cancellable(task, FALSE); /* the result says what came of it */
    g_task_set_task_data(task, t, task_free);
    g_task_run_in_thread(task, run);
}

gboolean tag_task_run_finish(GAsyncResult *result, struct tag_job_stats *stats,
                             GError **error)
{
    g_autofree struct tag_job_stats *got = g_task_propagate_pointer(G_TASK(result), error);
    if (got && stats) {
        *stats = *got;
    }
    return got != NULL;
}
