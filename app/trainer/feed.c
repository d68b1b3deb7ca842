#include "app/trainer/feed.h"

#include "app/jobs/ahead.h"
#include "app/trainer/sampler.h"

#include <string.h>

#define GREY 128

/* Pictures of two epochs can be under way at once, so two orders are known. */
struct order { guint64 epoch; guint32 *images; /* [paths] */ };

struct feed {
    struct feed_params params;
    gsize bytes;             /* of one picture */
    struct ahead *ahead;     /* of struct feed_picture */
    GMutex lock;             /* guards what follows */
    struct order orders[2];  /* of even and odd epochs */
    guint8 **kept;           /* [paths]: decoded pictures, or NULL */
    guint64 kept_bytes;
};

/* Which picture of the set is number `number` of the training. */
static guint image_of(struct feed *f, guint64 number)
{
    const struct feed_params *p = &f->params;
    guint64 epoch = number / p->length;
    struct order *order = &f->orders[epoch % 2];
    g_mutex_lock(&f->lock);
    if (epoch != order->epoch) {
        sampler_order(p->seed, epoch, p->paths->len, order->images);
        order->epoch = epoch;
    }
    guint image = order->images[number % p->length];
    g_mutex_unlock(&f->lock);
    return image;
}

static guint8 *find_kept(struct feed *f, guint image)
{
    g_mutex_lock(&f->lock);
    guint8 *kept = f->kept[image];
    g_mutex_unlock(&f->lock);
    return kept;
}

/* Keeps a copy where there is room. */
static void keep(struct feed *f, guint image, const guint8 *rgb)
{
    g_mutex_lock(&f->lock);
    if (!f->kept[image] && f->kept_bytes + f->bytes <= f->params.cache_bytes) {
        f->kept[image] = g_memdup2(rgb, f->bytes);
        f->kept_bytes += f->bytes;
    }
    g_mutex_unlock(&f->lock);
}

/* The picture as the network sees it when nothing is changed; NULL when it is broken. */
static guint8 *decode(struct feed *f, guint image, GCancellable *cancellable,
                      GError **error)
{
    struct img_pixels pixels = { 0 }, fitted = { 0 };
    int side = f->params.side;
    const guint8 *kept = find_kept(f, image);
    if (kept) {
        return g_memdup2(kept, f->bytes);
    }
    gboolean good = img_decode_reduced(f->params.paths->pdata[image], IMG_MARGIN * side,
                                       cancellable, &pixels, error)
                    && img_resize(&pixels, side, side, f->params.filter, &fitted, error);
    img_clear(&pixels);
    if (good) {
        keep(f, image, fitted.rgb);
    }
    return good ? fitted.rgb : NULL;
}

static gpointer make(guint64 number, GCancellable *cancellable, gpointer data)
{
    struct feed *f = data;
    struct feed_picture *p = g_new0(struct feed_picture, 1);
    p->image = image_of(f, number);
    p->rgb = decode(f, p->image, cancellable, &p->error);
    if (p->rgb) {
        struct rng r = rng_new(f->params.seed, number, SAMPLER_PIXELS);
        augment_apply(&f->params.augment, p->rgb, f->params.side, &r);
    } else {
        p->rgb = memset(g_malloc(f->bytes), GREY, f->bytes);
    }
    return p;
}

static void item_free(gpointer item)
{
    struct feed_picture *p = item;
    g_free(p->rgb);
    g_clear_error(&p->error);
    g_free(p);
}

struct feed *feed_new(const struct feed_params *params)
{
    struct feed *f = g_new0(struct feed, 1);
    f->params = *params;
    f->bytes = 3 * (gsize)params->side * (gsize)params->side;
    f->kept = g_new0(guint8 *, params->paths->len);
    g_mutex_init(&f->lock);
    for (int i = 0; i < 2; i++) {
        f->orders[i] = (struct order){ G_MAXUINT64, g_new(guint32, params->paths->len) };
    }
    struct ahead_params ahead = { .name = "feed", .first = params->first, .end = params->end,
                                  .jobs = params->jobs, .capacity = params->ahead,
                                  .make = make, .free = item_free, .data = f };
    f->ahead = ahead_new(&ahead);
    return f;
}

gboolean feed_take(struct feed *f, struct feed_picture *out)
{
    g_autofree struct feed_picture *item = ahead_take(f->ahead, TRUE);
    if (item) {
        *out = *item;
    }
    return item != NULL;
}

void feed_free(struct feed **feed)
{
    struct feed *f = *feed;
    *feed = NULL;
    if (!f) {
        return;
    }
    ahead_free(f->ahead);
    for (guint i = 0; i < f->params.paths->len; i++) {
        g_free(f->kept[i]);
    }
    g_mutex_clear(&f->lock);
    g_free(f->orders[0].images);
    g_free(f->orders[1].images);
    g_free(f->kept);
    g_free(f);
}
