#include "app/tagger/tagger.h"

#include <string.h>

struct shared_cache;

struct run {
    const struct tagger_params *params;
    struct img_preprocess preprocess;
    gsize pixel_values, token_values; /* of one image */
    struct shared_cache *cache;
};

struct batch {
    guint n;                    /* images taken */
    guint encoded, first_known; /* slots below and from: the rest is of broken images */
    struct decoded *images;
    struct tagger_item *items;
    guint *slot;                /* of an image in tokens and confidence */
    float *pixels;              /* [encoded,3,S,S] */
    float *tokens;              /* [n,T,width] */
    float *confidence;          /* [n,n_labels] */
};

struct img_preprocess tagger_preprocess(const struct model_info *info)
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

/* --- Cached tokens ------------------------------------------------------------------ */

/* The cache is for one thread at a time, and decoders ask it too. */
struct shared_cache { GMutex lock; token_cache *cache; };

static gboolean is_known(struct shared_cache *c, const char *hash)
{
    g_mutex_lock(&c->lock);
    gboolean known = token_cache_has(c->cache, hash);
    g_mutex_unlock(&c->lock);
    return known;
}

/* A file that cannot be read fails when it is decoded, with a better message. */
static enum decode_need look(const char *path, GCancellable *cancellable,
                             struct identity *out, gpointer data)
{
    const struct run *r = data;
    const struct tagger_params *p = r->params;
    if (p->look && !p->look(path, cancellable, out, p->data)) {
        return DECODE_NOTHING;
    }
    if (!out->hash && p->cache) {
        identity_read(path, cancellable, out, NULL);
    }
    return out->hash && is_known(r->cache, out->hash) ? DECODE_KNOWN : DECODE_PIXELS;
}

/* FALSE when they were dropped since a decoder asked. */
static gboolean read_tokens(struct shared_cache *c, const char *hash, float *tokens)
{
    g_mutex_lock(&c->lock);
    gboolean read = token_cache_get(c->cache, hash, tokens);
    g_mutex_unlock(&c->lock);
    return read;
}

static void keep_tokens(struct shared_cache *c, const char *hash, const float *tokens)
{
    g_mutex_lock(&c->lock);
    token_cache_put(c->cache, hash, tokens);
    g_mutex_unlock(&c->lock);
}

/* --- Batches ------------------------------------------------------------------------ */

/* Tokens of known images, at the end of b->tokens; an image that is known no longer is
 * decoded after all. */
static void take_known(const struct run *r, struct batch *b)
{
    guint slot = b->n;
    for (guint i = 0; i < b->n; i++) {
        struct decoded *d = &b->images[i];
        if (d->error || d->need != DECODE_KNOWN) {
            continue;
        }
        float *tokens = b->tokens + (slot - 1) * r->token_values;
        if (read_tokens(r->cache, d->identity.hash, tokens)) {
            b->slot[i] = --slot;
        } else {
            d->tensor = g_new(float, r->pixel_values);
            img_load_tensor(d->path, &r->preprocess, NULL, d->tensor, &d->error);
        }
    }
    b->first_known = slot;
}

/* Puts the decoded images side by side and encodes them. */
static gboolean encode_others(const struct run *r, struct batch *b,
                              struct nn_error *failure)
{
    b->encoded = 0;
    for (guint i = 0; i < b->n; i++) {
        if (b->images[i].tensor && !b->images[i].error) {
            memcpy(b->pixels + b->encoded * r->pixel_values, b->images[i].tensor,
                   r->pixel_values * sizeof(float));
            b->slot[i] = b->encoded++;
        }
    }
    if (b->encoded > 0
        && session_encode_image(r->params->session, b->pixels, b->encoded, b->tokens, NULL,
                                failure) != NN_OK) {
        return FALSE;
    }
    for (guint i = 0; i < b->n; i++) {
        const struct decoded *d = &b->images[i];
        if (d->tensor && d->identity.hash && !d->error) {
            keep_tokens(r->cache, d->identity.hash,
                        b->tokens + b->slot[i] * r->token_values);
        }
    }
    return TRUE;
}

/* Encoded tokens stand at the front, known ones at the end; broken images have none. */
static gboolean score(const struct run *r, struct batch *b, struct nn_error *failure)
{
    const struct tagger_params *p = r->params;
    guint ranges[2][2] = { { 0, b->encoded }, { b->first_known, b->n } };
    for (int i = 0; i < 2; i++) {
        guint first = ranges[i][0], count = ranges[i][1] - first;
        if (count > 0 && p->n_labels > 0
            && session_score(p->session, b->tokens + first * r->token_values, count,
                             p->embeddings, p->n_labels,
                             b->confidence + (gsize)first * p->n_labels, NULL,
                             failure) != NN_OK) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean run_networks(const struct run *r, struct batch *b, GError **error)
{
    struct nn_error failure = { 0 };
    take_known(r, b);
    if (!encode_others(r, b, &failure) || !score(r, b, &failure)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure.text);
        return FALSE;
    }
    for (guint i = 0; i < b->n; i++) {
        const struct decoded *d = &b->images[i];
        gboolean scored = !d->error && d->need != DECODE_NOTHING;
        gsize slot = scored ? b->slot[i] : 0;
        b->items[i] = (struct tagger_item){
            d->path, &d->identity, scored ? b->tokens + slot * r->token_values : NULL,
            scored ? b->confidence + slot * r->params->n_labels : NULL, d->error };
    }
    return TRUE;
}

/* Images of which nothing is wanted. */
static guint count_skipped(const struct batch *b)
{
    guint n = 0;
    for (guint i = 0; i < b->n; i++) {
        n += b->images[i].need == DECODE_NOTHING;
    }
    return n;
}

static void batch_init(struct batch *b, const struct run *r, guint most)
{
    *b = (struct batch){ .images = g_new0(struct decoded, most),
                         .items = g_new0(struct tagger_item, most),
                         .slot = g_new0(guint, most),
                         .pixels = g_new(float, most * r->pixel_values),
                         .tokens = g_new(float, most * r->token_values),
                         .confidence = g_new(float, (gsize)most * r->params->n_labels) };
}

static void batch_clear(struct batch *b)
{
    g_free(b->images);
    g_free(b->items);
    g_free(b->slot);
    g_free(b->pixels);
    g_free(b->tokens);
    g_free(b->confidence);
}

static gboolean run_batch(const struct run *r, struct batch *b, struct tagger_stats *stats,
                          GError **error)
{
    gint64 start = g_get_monotonic_time();
    if (!run_networks(r, b, error)) {
        return FALSE;
    }
    guint known = b->n - b->first_known, skipped = count_skipped(b);
    stats->device_seconds += seconds_since(start);
    stats->tagged += b->encoded + known;
    stats->cached += known;
    stats->skipped += skipped;
    stats->broken += b->n - b->encoded - known - skipped;
    return r->params->put(b->items, b->n, stats, r->params->data, error);
}

static gboolean run_batches(const struct run *r, struct decode_queue *queue, guint most,
                            struct tagger_stats *stats, GError **error)
{
    const struct tagger_params *p = r->params;
    struct batch b;
    batch_init(&b, r, most);
    gint64 start = g_get_monotonic_time();
    gboolean good = TRUE;
    while (good && !(p->stop && g_atomic_int_get(p->stop))) {
        gint64 wait = g_get_monotonic_time();
        b.n = decode_queue_take(queue, b.images, most);
        stats->wait_seconds += seconds_since(wait);
        stats->decode_seconds = decode_queue_seconds(queue);
        if (b.n == 0) {
            break;
        }
        stats->seconds = seconds_since(start);
        good = run_batch(r, &b, stats, error);
        for (guint i = 0; i < b.n; i++) {
            decoded_clear(&b.images[i]);
        }
    }
    stats->seconds = seconds_since(start);
    batch_clear(&b);
    return good;
}

gboolean tagger_run(const struct tagger_params *params, const GPtrArray *paths,
                    struct tagger_stats *stats, GError **error)
{
    const struct model_info *info = model_info(params->model);
    struct shared_cache cache = { .cache = params->cache };
    struct run r = { .params = params, .preprocess = tagger_preprocess(info), .cache = &cache };
    r.pixel_values = 3 * (gsize)r.preprocess.size * (gsize)r.preprocess.size;
    r.token_values = (gsize)session_token_count(params->session)
                     * session_token_width(params->session);
    guint most = session_max_batch(params->session);
    guint jobs = params->jobs ? params->jobs : MAX(g_get_num_processors(), 2) - 1;
    g_mutex_init(&cache.lock);
    *stats = (struct tagger_stats){ .jobs = jobs };
    struct decode_queue *queue =
        decode_queue_new(paths, &r.preprocess, jobs, 2 * most + jobs,
                         params->cache || params->look ? look : NULL, &r);
    gboolean good = run_batches(&r, queue, most, stats, error);
    decode_queue_free(queue);
    g_mutex_clear(&cache.lock);
    return good;
}
