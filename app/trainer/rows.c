#include "app/trainer/rows.h"

#include "app/tagger/tagger.h"

#include <string.h>

struct maker {
    const struct rows_params *params;
    struct rows *rows;
    guint done;
    gint stop;   /* of the tagger */
};

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
    g_atomic_int_set((gint *)data, 1);
}

static gboolean take(const struct tagger_item *items, guint n,
                     const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct maker *m = data;
    gsize values = (gsize)m->rows->count * m->rows->width, labels = m->params->labels;
    for (guint i = 0; i < n; i++) {
        guint at = m->done++;
        m->rows->broken[at] = items[i].error != NULL;
        if (items[i].error) {
            m->params->broken(items[i].error->message, m->params->data);
        } else {
            memcpy(m->rows->values + at * values, items[i].tokens, values * sizeof(float));
        }
        if (!items[i].error && labels > 0) {
            memcpy(m->rows->confidence + at * labels, items[i].confidence,
                   labels * sizeof(float));
        }
    }
    m->params->progress(m->done, m->params->paths->len, m->params->data);
    return TRUE;
}

static token_cache *open_cache(const struct rows_params *p, struct session *session,
                               const struct rows *rows)
{
    const struct session_keys *keys = session_keys(session);
    struct token_cache_key key = { keys->image, keys->text,
                                   (gsize)rows->count * rows->width,
                                   model_info(p->model)->embedding };
    return token_cache_open(p->cache, &key);
}

static gboolean encode(struct maker *m, struct session *session,
                       GCancellable *cancellable, GError **error)
{
    const struct rows_params *p = m->params;
    token_cache *cache = open_cache(p, session, m->rows);
    struct tagger_stats stats;
    struct tagger_params tagger = { .model = p->model, .session = session, .cache = cache,
                                    .embeddings = p->embeddings, .n_labels = p->labels,
                                    .jobs = p->jobs, .stop = &m->stop, .put = take,
                                    .data = m };
    gulong handler = cancellable ? g_cancellable_connect(cancellable,
                                                         G_CALLBACK(on_cancelled), &m->stop,
                                                         NULL) : 0;
    gboolean good = tagger_run(&tagger, p->paths, &stats, error);
    g_cancellable_disconnect(cancellable, handler);
    token_cache_close(&cache);
    return good && !g_cancellable_set_error_if_cancelled(cancellable, error);
}

gboolean rows_make(struct rows *out, const struct rows_params *params,
                   GCancellable *cancellable, GError **error)
{
    struct nn_error failure = { 0 };
    struct maker m = { .params = params, .rows = out };
    struct session *session = NULL;
    guint pictures = params->paths->len;
    struct session_params options = {
        .device = { .select = params->device, .cache_dir = params->cache_dir,
                    .family = -1, .choice = { .precision = GPU_PRECISION_F32 } },
        .rows = !params->tokens };
    *out = (struct rows){ 0 };
    if (session_create(&session, params->model, &options, &failure) != NN_OK) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure.text);
        return FALSE;
    }
    out->count = session_token_count(session);
    out->width = session_token_width(session);
    guint64 values = (guint64)out->count * out->width * pictures;
    gboolean good = values * sizeof(float) <= params->memory;
    if (good) {
        out->values = g_new0(float, values);
        out->broken = g_new0(gboolean, pictures);
        out->confidence = g_new0(float, (gsize)pictures * params->labels);
        good = encode(&m, session, cancellable, error);
    }
    session_destroy(&session);
    if (!good) {
        rows_clear(out);
    }
    return good;
}

void rows_clear(struct rows *rows)
{
    g_free(rows->values);
    g_free(rows->confidence);
    g_free(rows->broken);
    *rows = (struct rows){ 0 };
}
