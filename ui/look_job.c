#include "ui/look_job.h"

#include "app/store/browse.h"

#include <glib/gi18n.h>

void look_job_free(gpointer data)
{
    LookJob *job = data;
    g_free(job->db);
    g_free(job->label);
    g_free(job->model);
    g_strfreev(job->labels);
    g_strfreev(job->models);
    look_table_free(job->table);
    g_free(job);
}

static const char *translate(const char *text)
{
    return _(text);
}

static gboolean add_label(const StoreRow *row, gpointer builder)
{
    g_strv_builder_add(builder, row->name);
    return TRUE;
}

static gboolean run_names(LookJob *job, store *s, GError **error)
{
    g_autoptr(GStrvBuilder) labels = g_strv_builder_new();
    if (!store_each_label(s, add_label, labels, error)) {
        return FALSE;
    }
    job->labels = g_strv_builder_end(labels);
    job->models = store_models(s, error);
    return job->models != NULL;
}

static gboolean run_view(LookJob *job, store *s, GCancellable *cancellable, GError **error)
{
    LookOptions o = { .label = job->label, .model = job->model, .say = translate,
                      .threshold = job->threshold, .cancellable = cancellable };
    job->table = look_build(s, job->view, &o, error);
    return job->table != NULL;
}

void look_job_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    LookJob *job = data;
    GError *error = NULL;
    store *s = store_open(job->db, STORE_READ_ONLY, &error);
    gboolean good = s && (job->names ? run_names(job, s, &error)
                                     : run_view(job, s, cancellable, &error));
    store_close(&s);
    if (good) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}
