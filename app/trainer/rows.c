#include "app/trainer/rows.h"

#include "app/engine/token_cache.h"
#include "app/library/library.h"
#include "compute/nets/state.h"

#define BATCH 16

struct maker {
    const struct rows_params *params;
    struct rows *rows;
    struct session *session;
    struct nn_graph *graph;
    struct nn_shape map;    /* [BATCH,width,h,w] */
    float *pixels, *maps;
    token_cache *cache;
    GPtrArray *hashes;      /* by picture: of the content, or NULL where it is known */
    GPtrArray *paths;       /* of pictures that are not known */
    GArray *images;         /* guint: which ones these are */
    guint batch[BATCH];     /* pictures of the batch */
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

/* --- What is known ------------------------------------------------------------------- */

/* Of the image encoder alone, so that another head finds the same rows. */
static char *encoder_fingerprint(const struct model *model, GError **error)
{
    const struct state *state = model_state(model);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    struct nn_error failure = { 0 };
    for (size_t i = 0; i < state_count(state); i++) {
        const struct state_entry *e = state_at(state, i);
        if (!g_str_has_prefix(e->name, "body.")) {
            continue;
        }
        g_autofree float *values = g_new(float, MAX(e->count, 1));
        if (state_read(state, e, values, &failure) != NN_OK) {
            fail(&failure, error);
            return NULL;
        }
        g_checksum_update(sum, (const guchar *)e->name, -1);
        g_checksum_update(sum, (const guchar *)values, (gssize)(e->count * sizeof *values));
    }
    g_checksum_update(sum, (const guchar *)&model_info(model)->preprocess,
                      sizeof(struct model_preprocess));
    return g_strconcat("rows/", g_checksum_get_string(sum), NULL);
}

/* Reads what the cache has, and lists the rest. */
static gboolean find_known(struct maker *m, GError **error)
{
    gsize values = (gsize)m->rows->count * m->rows->width;
    const GPtrArray *paths = m->params->feed.paths;
    g_autofree char *fingerprint = encoder_fingerprint(m->params->model, error);
    if (!fingerprint) {
        return FALSE;
    }
    struct token_cache_key key = { .image = fingerprint, .text = "", .n_tokens = values };
    m->cache = token_cache_open(m->params->cache, &key);
    for (guint i = 0; i < paths->len; i++) {
        gint64 bytes = 0;
        g_autofree char *hash = library_hash(paths->pdata[i], NULL, &bytes, NULL);
        gboolean known =
            hash && token_cache_get(m->cache, hash, m->rows->values + i * values);
        if (!known) {
            g_array_append_val(m->images, i);
            g_ptr_array_add(m->paths, paths->pdata[i]);
        }
        g_ptr_array_add(m->hashes, known ? NULL : g_steal_pointer(&hash));
    }
    return TRUE;
}

/* --- Encoding ------------------------------------------------------------------------ */

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
        guint image = m->batch[i];
        float *rows = m->rows->values + image * values;
        if (!m->rows->broken[image]) {
            to_rows(m->rows, m->maps + i * values, rows);
            if (m->hashes->pdata[image]) {
                token_cache_put(m->cache, m->hashes->pdata[image], rows);
            }
        }
    }
    return TRUE;
}

static void put_picture(struct maker *m, struct feed_picture *p, guint slot)
{
    const struct model_preprocess *pre = &model_info(m->params->model)->preprocess;
    guint image = g_array_index(m->images, guint, p->image);
    rows_to_tensor(pre, p->rgb, m->pixels + (gsize)slot * 3 * pre->size * pre->size);
    m->batch[slot] = image;
    m->rows->broken[image] = p->error != NULL;
    if (p->error) {
        m->params->broken(p->error->message, m->params->data);
    }
    g_free(p->rgb);
    g_clear_error(&p->error);
}

static gboolean encode_rest(struct maker *m, GCancellable *cancellable, GError **error)
{
    struct feed_params params = m->params->feed;
    struct feed_picture picture;
    guint slot = 0, n = m->paths->len, total = params.paths->len, done = 0;
    gboolean good = TRUE;
    params.paths = m->paths;
    params.length = params.end = n;
    params.first = params.cache_bytes = 0;
    params.augment.kinds = 0;
    struct feed *feed = feed_new(&params);
    while (good && feed_take(feed, &picture)) {
        put_picture(m, &picture, slot++);
        done++;
        if (slot == BATCH || done == n) {
            good = !g_cancellable_set_error_if_cancelled(cancellable, error)
                   && encode(m, slot, error);
            m->params->progress(total - n + done, total, m->params->data);
            slot = 0;
        }
    }
    feed_free(&feed);
    return good;
}

static gboolean make(struct maker *m, GCancellable *cancellable, GError **error)
{
    guint pictures = m->params->feed.paths->len;
    if (!open_encoder(m, error)) {
        return FALSE;
    }
    guint64 values = (guint64)m->rows->count * m->rows->width * pictures;
    if (values * sizeof(float) > m->params->memory) {
        return FALSE;
    }
    m->rows->values = g_new0(float, values);
    m->rows->broken = g_new0(gboolean, pictures);
    return find_known(m, error) && (m->paths->len == 0 || encode_rest(m, cancellable, error));
}

gboolean rows_make(struct rows *out, const struct rows_params *params,
                   GCancellable *cancellable, GError **error)
{
    *out = (struct rows){ 0 };
    struct maker m = { .params = params, .rows = out,
                       .hashes = g_ptr_array_new_with_free_func(g_free),
                       .paths = g_ptr_array_new(),
                       .images = g_array_new(FALSE, FALSE, sizeof(guint)) };
    gboolean good = make(&m, cancellable, error);
    token_cache_close(&m.cache);
    session_destroy(&m.session);
    nn_graph_destroy(&m.graph);
    g_ptr_array_unref(m.hashes);
    g_ptr_array_unref(m.paths);
    g_array_unref(m.images);
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
    g_free(rows->confidence);
    g_free(rows->broken);
    *rows = (struct rows){ 0 };
}
