#include "app/trainer/rows.h"

#include <string.h>

#define BATCH 16

struct maker {
    const struct rows_params *params;
    struct rows *rows;
    struct session *session;
    struct nn_graph *graph;
    struct nn_shape map;    /* [BATCH,width,h,w] */
    float *pixels, *maps;
    guint images[BATCH];    /* of the batch, pictures of the set */
};

static gboolean fail(const struct nn_error *failure, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure->text);
    return FALSE;
}

void rows_to_tensor(const struct model_preprocess *p, const guint8 *rgb, float *out)
{
    gsize count = (gsize)p->size * p->size;
    for (gsize c = 0; c < 3; c++) {
        float values[256];
        for (int v = 0; v < 256; v++) {
            values[v] = ((float)v / 255.0f - p->mean[c]) / p->std[c];
        }
        for (gsize i = 0; i < count; i++) {
            out[c * count + i] = values[rgb[i * 3 + c]];
        }
    }
}

static gboolean open_encoder(struct maker *m, GError **error)
{
    struct nn_error failure = { 0 };
    guint side = model_info(m->params->model)->preprocess.size;
    struct session_params session = {
        .device = { .select = m->params->device, .cache_dir = m->params->cache_dir,
                    .family = -1, .choice = { .precision = GPU_PRECISION_F32 } } };
    struct model_inputs inputs = { .image = NN_SHAPE4(BATCH, 3, side, side) };
    if (model_forward_graph(&m->graph, m->params->model, &inputs, &failure) != NN_OK
        || session_create(&m->session, m->params->model, &session, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    m->map = nn_graph_node(m->graph, nn_graph_find(m->graph, "image.layer4"))->shape;
    m->rows->count = m->map.dim[2] * m->map.dim[3];
    m->rows->width = m->map.dim[1];
    m->pixels = g_new0(float, nn_shape_count(inputs.image));
    m->maps = g_new(float, nn_shape_count(m->map));
    return TRUE;
}

/* A map [width,h,w] to rows [h w,width]. */
static void to_rows(const struct rows *r, const float *map, float *out)
{
    for (guint t = 0; t < r->count; t++) {
        for (guint c = 0; c < r->width; c++) {
            *out++ = map[(gsize)c * r->count + t];
        }
    }
}

static gboolean encode(struct maker *m, guint n, GError **error)
{
    struct nn_error failure = { 0 };
    gsize values = (gsize)m->rows->count * m->rows->width;
    guint side = model_info(m->params->model)->preprocess.size;
    struct nn_binding in = { "image", m->pixels, (uint64_t)BATCH * 3 * side * side };
    struct nn_binding out = { "image.layer4", m->maps, nn_shape_count(m->map) };
    if (session_run(m->session, m->graph, &in, 1, &out, 1, NULL, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    for (guint i = 0; i < n; i++) {
        if (!m->rows->broken[m->images[i]]) {
            to_rows(m->rows, m->maps + i * values,
                    m->rows->values + m->images[i] * values);
        }
    }
    return TRUE;
}

static void put_picture(struct maker *m, struct feed_picture *p, guint slot)
{
    const struct model_preprocess *pre = &model_info(m->params->model)->preprocess;
    rows_to_tensor(pre, p->rgb, m->pixels + (gsize)slot * 3 * pre->size * pre->size);
    m->images[slot] = p->image;
    m->rows->broken[p->image] = p->error != NULL;
    if (p->error) {
        m->params->broken(p->error->message, m->params->data);
    }
    g_free(p->rgb);
    g_clear_error(&p->error);
}

static gboolean encode_all(struct maker *m, GCancellable *cancellable, GError **error)
{
    struct feed_params params = m->params->feed;
    params.length = params.end = params.paths->len;
    params.first = params.cache_bytes = 0;
    struct feed *feed = feed_new(&params);
    struct feed_picture picture;
    guint slot = 0, done = 0;
    gboolean good = TRUE;
    while (good && feed_take(feed, &picture)) {
        put_picture(m, &picture, slot++);
        done++;
        if (slot == BATCH || done == params.paths->len) {
            good = !g_cancellable_set_error_if_cancelled(cancellable, error)
                   && encode(m, slot, error);
            m->params->progress(done, params.paths->len, m->params->data);
            slot = 0;
        }
    }
    feed_free(&feed);
    return good;
}

gboolean rows_make(struct rows *out, const struct rows_params *params,
                   GCancellable *cancellable, GError **error)
{
    struct maker m = { .params = params, .rows = out };
    guint pictures = params->feed.paths->len;
    *out = (struct rows){ 0 };
    gboolean good = open_encoder(&m, error);
    guint64 values = (guint64)out->count * out->width * pictures;
    if (good && values * sizeof(float) <= params->memory) {
        out->values = g_new0(float, values);
        out->broken = g_new0(gboolean, pictures);
        good = encode_all(&m, cancellable, error);
    } else {
        good = FALSE;
    }
    session_destroy(&m.session);
    nn_graph_destroy(&m.graph);
    g_free(m.pixels);
    g_free(m.maps);
    if (!good) {
        rows_clear(out);
    }
    return good;
}

void rows_clear(struct rows *rows)
{
    g_free(rows->values);
    g_free(rows->broken);
    *rows = (struct rows){ 0 };
}
