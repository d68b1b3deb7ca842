#include "app/tagger/tagger.h"

#include <string.h>

struct batch {
    guint n, good;              /* images taken; those that could be read */
    struct decoded *images;
    struct tagger_item *items;
    float *pixels;              /* [good,3,S,S] */
    float *tokens;              /* [good,T,width] */
    float *confidence;          /* [good,n_labels] */
};

static struct img_preprocess preprocess_of(const struct model_info *info)
{
    const struct model_preprocess *m = &info->preprocess;
    struct img_preprocess p = { .size = (int)m->size, .resize_size = (int)m->resize_size,
                                .fit = m->fit == MODEL_FIT_CROP ? IMG_FIT_CROP
                                                                : IMG_FIT_SQUASH,
                                .filter = m->filter == MODEL_BICUBIC ? IMG_BICUBIC
                                                                     : IMG_BILINEAR };
    memcpy(p.mean, m->mean, sizeof p.mean);
    memcpy(p.std, m->std, sizeof p.std);
    return p;
}

static double seconds_since(gint64 start)
{
    return 1e-6 * (double)(g_get_monotonic_time() - start);
}

/* Puts the readable images of the batch side by side and runs the networks on them. */
static gboolean run_networks(const struct tagger_params *p, struct batch *b, gsize count,
                             GError **error)
{
    struct nn_error failure = { 0 };
    b->good = 0;
    for (guint i = 0; i < b->n; i++) {
        const struct decoded *d = &b->images[i];
        const float *confidence = NULL;
        if (!d->error) {
            memcpy(b->pixels + b->good * count, d->tensor, count * sizeof(float));
            confidence = b->confidence + (gsize)b->good++ * p->n_labels;
        }
        b->items[i] = (struct tagger_item){ d->path, confidence, d->error };
    }
    if (b->good > 0
        && (session_encode_image(p->session, b->pixels, b->good, b->tokens, NULL, &failure)
                != NN_OK
            || session_score(p->session, b->tokens, b->good, p->embeddings, p->n_labels,
                             b->confidence, NULL, &failure) != NN_OK)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure.text);
        return FALSE;
    }
    return TRUE;
}

static void batch_init(struct batch *b, const struct tagger_params *p, guint most,
                       gsize count)
{
    gsize tokens = (gsize)session_token_count(p->session)
                   * model_info(p->model)->token_width;
    *b = (struct batch){ .images = g_new0(struct decoded, most),
                         .items = g_new0(struct tagger_item, most),
                         .pixels = g_new(float, most * count),
                         .tokens = g_new(float, most * tokens),
                         .confidence = g_new(float, (gsize)most * p->n_labels) };
}

static void batch_clear(struct batch *b)
{
    g_free(b->images);
    g_free(b->items);
    g_free(b->pixels);
    g_free(b->tokens);
    g_free(b->confidence);
}

static gboolean run_batch(const struct tagger_params *p, struct batch *b, gsize count,
                          struct tagger_stats *stats, GError **error)
{
    gint64 start = g_get_monotonic_time();
    if (!run_networks(p, b, count, error)) {
        return FALSE;
    }
    stats->device_seconds += seconds_since(start);
    stats->tagged += b->good;
    stats->broken += b->n - b->good;
    return p->put(b->items, b->n, stats, p->data, error);
}

gboolean tagger_run(const struct tagger_params *params, const GPtrArray *paths,
                    struct tagger_stats *stats, GError **error)
{
    struct img_preprocess preprocess = preprocess_of(model_info(params->model));
    gsize count = 3 * (gsize)preprocess.size * (gsize)preprocess.size;
    guint most = session_max_batch(params->session);
    guint jobs = params->jobs ? params->jobs : MAX(g_get_num_processors(), 2) - 1;
    struct batch b;
    batch_init(&b, params, most, count);
    *stats = (struct tagger_stats){ .jobs = jobs };
    gint64 start = g_get_monotonic_time();
    struct decode_queue *queue = decode_queue_new(paths, &preprocess, jobs, 2 * most + jobs);
    gboolean good = TRUE;
    while (good && !(params->stop && g_atomic_int_get(params->stop))) {
        gint64 wait = g_get_monotonic_time();
        b.n = decode_queue_take(queue, b.images, most);
        stats->wait_seconds += seconds_since(wait);
        stats->decode_seconds = decode_queue_seconds(queue);
        if (b.n == 0) {
            break;
        }
        stats->seconds = seconds_since(start);
        good = run_batch(params, &b, count, stats, error);
        for (guint i = 0; i < b.n; i++) {
            decoded_clear(&b.images[i]);
        }
    }
    decode_queue_free(queue);
    stats->seconds = seconds_since(start);
    batch_clear(&b);
    return good;
}
