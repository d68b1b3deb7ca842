/* Where the model looks for a label in one image. */
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

typedef struct {
    TlModelFacts *model;
    GBytes *tokens, *embedding;
    char *hash;
    guint label;
} Question;

static void question_free(gpointer data)
{
    Question *q = data;
    tl_model_facts_unref(q->model);
    g_clear_pointer(&q->tokens, g_bytes_unref);
    g_clear_pointer(&q->embedding, g_bytes_unref);
    g_free(q->hash);
    g_free(q);
}

void tl_explanation_free(TlExplanation *self)
{
    g_free(self->values);
    g_free(self);
}

void tl_explanation_area(const TlExplanation *self, int width, int height, double *x,
                         double *y, double *w, double *h)
{
    double side = self->covered * MIN(width, height);
    *w = self->covered > 0 ? side / width : 1;
    *h = self->covered > 0 ? side / height : 1;
    *x = (1 - *w) / 2;
    *y = (1 - *h) / 2;
}

/* The share of each place, against the largest. */
static TlExplanation *explanation_new(const Question *q, GBytes *attention)
{
    const float *values = g_bytes_get_data(attention, NULL);
    TlExplanation *e = g_new0(TlExplanation, 1);
    guint n = q->model->token_count, columns = (guint)lround(sqrt(n));
    float most = 0;
    e->columns = columns * columns == n ? columns : n;
    e->rows = n / e->columns;
    e->covered = q->model->crop ? (double)q->model->size / q->model->resize_size : 0;
    e->values = g_memdup2(values, n * sizeof *values);
    for (guint i = 0; i < n; i++) {
        most = MAX(most, values[i]);
    }
    for (guint i = 0; i < n && most > 0; i++) {
        e->values[i] /= most;
    }
    return e;
}

static void on_attended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;
    g_autoptr(GBytes) attention =
        tl_engine_attend_finish(TL_ENGINE(source), result, &error);
    if (error) {
        g_task_return_error(task, error);
        return;
    }
    g_task_return_pointer(task, explanation_new(g_task_get_task_data(task), attention),
                          (GDestroyNotify)tl_explanation_free);
}

static void ask(GTask *task)
{
    TlWorkspace *self = g_task_get_source_object(task);
    const Question *q = g_task_get_task_data(task);
    tl_engine_attend_async(self->engine, q->tokens, q->embedding, q->label,
                           g_task_get_cancellable(task), on_attended, g_object_ref(task));
}

/* On a thread of its own, with its own connection to the cache. */
static void read_tokens(GTask *task, gpointer source, gpointer data,
                        GCancellable *cancellable)
{
    const Question *q = data;
    gsize n = (gsize)q->model->token_count * q->model->token_width;
    token_cache *cache = NULL;
    float *tokens = g_new(float, n);
    scoring_cache(&cache, q->model);
    gboolean found = q->hash && token_cache_get(cache, q->hash, tokens);
    token_cache_close(&cache);
    if (!found) {
        g_free(tokens);
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                                _("The model has not seen this image yet"));
        return;
    }
    g_task_return_pointer(task, g_bytes_new_take(tokens, n * sizeof *tokens),
                          (GDestroyNotify)g_bytes_unref);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Question *q = g_task_get_task_data(task);
    GError *error = NULL;
    q->tokens = g_task_propagate_pointer(G_TASK(result), &error);
    if (error) {
        g_task_return_error(task, error);
        return;
    }
    ask(task);
}

void tl_workspace_explain_async(TlWorkspace *self, TlImage *image, guint label,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(self, cancellable, callback, user_data);
    const Label *asked = label < self->labels->len ? self->labels->pdata[label] : NULL;
    if (!self->model || !asked || !workspace_can_score(self, asked)) {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                                _("The model does not know this label yet"));
        return;
    }
    Question *q = g_new0(Question, 1);
    q->model = tl_model_facts_ref(self->model);
    q->embedding = asked->embedding ? g_bytes_ref(asked->embedding) : NULL;
    q->hash = g_strdup(image->hash);
    q->label = label;
    for (guint i = 0; q->model->labels[i]; i++) { /* a fixed head's own number */
        if (strcmp(q->model->labels[i], asked->name) == 0) {
            q->label = i;
        }
    }
    g_task_set_task_data(task, q, question_free);
    if (image->tokens) {
        q->tokens = g_bytes_ref(image->tokens);
        ask(task);
        return;
    }
    g_autoptr(GTask) reader = g_task_new(self, cancellable, on_read, g_object_ref(task));
    g_task_set_task_data(reader, q, NULL); /* lives with `task`, which waits for it */
    g_task_run_in_thread(reader, read_tokens);
}

TlExplanation *tl_workspace_explain_finish(TlWorkspace *self, GAsyncResult *result,
                                           GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
