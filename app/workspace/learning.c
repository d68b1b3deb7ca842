/* Tuning the model on what was decided, and going back to the one before. */
#include "app/trainer/record.h"
#include "app/trainer/trainer.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

/* A learning that runs on a thread of its own; the main thread owns it but for what says
 * otherwise. */
struct Learning {
    TlWorkspace *workspace;
    GCancellable *cancellable;
    char *model, *out, *db, *device, *cache_dir;
    double fraction;
    gint percent;       /* of the thread: the last that it told of */
};

static void learning_free(gpointer data)
{
    Learning *l = data;
    g_clear_object(&l->workspace);
    g_clear_object(&l->cancellable);
    g_free(l->model);
    g_free(l->out);
    g_free(l->db);
    g_free(l->device);
    g_free(l->cache_dir);
    g_free(l);
}

/* --- The thread -------------------------------------------------------------------------- */

typedef struct { TlWorkspace *workspace; double fraction; } Progress;

static gboolean show_progress(gpointer data)
{
    Progress *p = data;
    if (p->workspace->learning) {
        p->workspace->learning->fraction = p->fraction;
        g_signal_emit(p->workspace, workspace_signals[STATUS], 0);
    }
    g_object_unref(p->workspace);
    g_free(p);
    return G_SOURCE_REMOVE;
}

static void on_progress(const struct trainer_progress *progress, gpointer data)
{
    Learning *l = data;
    int percent = (int)(100 * progress->step / MAX(progress->steps, 1));
    if (percent == l->percent) {
        return;
    }
    l->percent = percent;
    Progress *p = g_new(Progress, 1);
    *p = (Progress){ g_object_ref(l->workspace), percent / 100.0 };
    g_idle_add(show_progress, p);
}

static void run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Learning *l = data;
    struct trainer_options o;
    struct trainer_calls calls = { .progress = on_progress, .data = l };
    enum trainer_end end = TRAINER_STOPPED;
    GError *error = NULL;
    if (g_cancellable_set_error_if_cancelled(cancellable, &error)) {
        g_task_return_error(task, error);
        return;
    }
    trainer_options_for_decisions(&o);
    o.model = l->model;
    o.out = l->out;
    o.set.path = l->db;
    o.device = l->device;
    o.cache_dir = l->cache_dir;
    if (!trainer_run(&o, &calls, cancellable, &end, &error)) {
        g_task_return_error(task, error);
    } else if (end == TRAINER_STOPPED) {
        trainer_discard(l->out);
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped");
    } else {
        g_task_return_boolean(task, TRUE);
    }
}

/* In the words of the window, where the trainer speaks of files and options. */
static void report(TlWorkspace *self, const GError *error)
{
    if (g_error_matches(error, DATASET_ERROR, DATASET_ERROR_EMPTY)) {
        workspace_report(self, _("Accept or reject some images first: there is nothing to "
                                 "learn from yet"));
    } else if (g_error_matches(error, DATASET_ERROR, DATASET_ERROR_MISSING)) {
        workspace_report(self, _("None of the images that you accepted or rejected is where "
                                 "it was"));
    } else {
        workspace_report_error(self, error);
    }
}

static void on_learnt(GObject *source, GAsyncResult *result, gpointer data)
{
    TlWorkspace *self = TL_WORKSPACE(source);
    g_autoptr(GError) error = NULL;
    gboolean good = g_task_propagate_boolean(G_TASK(result), &error);
    g_autofree char *model = g_strdup(self->learning->out);
    g_autofree char *device = g_strdup(self->learning->device);
    self->learning = NULL; /* freed with the task */
    if (good) {
        tl_workspace_load_model(self, model, device);
        g_signal_emit(self, workspace_signals[LEARNT], 0);
    } else {
        trainer_discard(model);
        report(self, error);
    }
    g_signal_emit(self, workspace_signals[STATUS], 0);
}

static void start(TlWorkspace *self)
{
    if (self->learning) {
        g_autoptr(GTask) task = g_task_new(self, self->learning->cancellable, on_learnt, NULL);
        g_task_set_check_cancellable(task, FALSE); /* what is made is made */
        g_task_set_task_data(task, self->learning, learning_free);
        g_task_run_in_thread(task, run);
    }
}

/* --- Names --------------------------------------------------------------------------------- */

/* `dir`/NAME-tuned-N, the first that there is not; NAME is that of the first model. */
static char *new_name(const char *dir, const char *model)
{
    g_autofree char *name = g_path_get_basename(model);
    char *end = strstr(name, "-tuned-");
    if (end && end > name) {
        *end = '\0';
    }
    for (guint n = 1;; n++) {
        g_autofree char *file = g_strdup_printf("%s-tuned-%u", name, n);
        g_autofree char *path = g_build_filename(dir, file, NULL);
        g_autofree char *part = g_strconcat(path, ".training", NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS)
            && !g_file_test(part, G_FILE_TEST_EXISTS)) {
            return g_steal_pointer(&path);
        }
    }
}

/* --- What a front end calls ------------------------------------------------------------------ */

void tl_workspace_learn(TlWorkspace *self, const char *models_dir)
{
    if (self->learning || !self->model) {
        return;
    }
    if (!g_str_equal(self->model->kind, "clip-decoder")) {
        workspace_report(self, _("Only a CLIP-Decoder can learn from decisions"));
        return;
    }
    Learning *l = g_new0(Learning, 1);
    l->workspace = g_object_ref(self);
    l->cancellable = g_cancellable_new();
    l->model = g_strdup(self->model_path);
    l->out = new_name(models_dir, self->model_path);
    l->db = g_strdup(self->db_path);
    l->device = g_strdup(self->device);
    l->cache_dir = g_build_filename(g_get_user_cache_dir(), "taglight", NULL);
    l->percent = -1;
    self->learning = l;
    g_signal_emit(self, workspace_signals[STATUS], 0);
    /* What was decided just now must be in the database first. */
    database_after_writes(self, start);
}

void tl_workspace_stop_learning(TlWorkspace *self)
{
    if (self->learning) {
        g_cancellable_cancel(self->learning->cancellable);
    }
}

double tl_workspace_learning(TlWorkspace *self)
{
    return self->learning ? self->learning->fraction : -1;
}

void learning_find_earlier(TlWorkspace *self)
{
    g_autofree char *base = record_base(self->model_path);
    g_clear_pointer(&self->earlier, g_free);
    if (base && g_file_test(base, G_FILE_TEST_EXISTS)) {
        self->earlier = g_steal_pointer(&base);
    }
}

const char *tl_workspace_earlier_model(TlWorkspace *self) { return self->earlier; }

void tl_workspace_go_back(TlWorkspace *self)
{
    if (self->earlier && !self->learning) {
        g_autofree char *device = g_strdup(self->device), *base = g_strdup(self->earlier);
        tl_workspace_load_model(self, base, device);
        g_signal_emit(self, workspace_signals[LEARNT], 0);
    }
}
