#include "app/trainer/feed.h"

#include "app/trainer/sampler.h"

#include <string.h>

#define GREY 128

struct slot { gboolean ready; struct feed_picture picture; };

struct feed {
    struct feed_params params;
    gsize bytes;             /* of one picture */
    GCancellable *cancellable;
    GPtrArray *threads;
    GMutex lock;             /* guards what follows */
    GCond room, ready;
    struct slot *slots;      /* picture i is in slot i % ahead */
    guint64 claimed, taken;  /* numbers of the next picture to begin, and to give out */
    guint64 epoch;           /* that `order` is of */
    guint32 *order;          /* [paths] */
    guint8 **kept;           /* [paths]: decoded pictures, or NULL */
    guint64 kept_bytes;
};

/* The next picture to make; FALSE at the end. *number and *image say which. */
static gboolean claim(struct feed *f, guint64 *number, guint *image)
{
    const struct feed_params *p = &f->params;
    gboolean more = FALSE;
    g_mutex_lock(&f->lock);
    while (!g_cancellable_is_cancelled(f->cancellable) && f->claimed < p->end
           && f->claimed - f->taken >= p->ahead) {
        g_cond_wait(&f->room, &f->lock);
    }
    if (!g_cancellable_is_cancelled(f->cancellable) && f->claimed < p->end) {
        *number = f->claimed++;
        guint64 epoch = *number / p->length;
        if (epoch != f->epoch) {
            sampler_order(p->seed, epoch, p->paths->len, f->order);
            f->epoch = epoch;
        }
        *image = f->order[*number % p->length];
        more = TRUE;
    }
    g_mutex_unlock(&f->lock);
    return more;
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
static guint8 *decode(struct feed *f, guint image, GError **error)
{
    struct img_pixels pixels = { 0 }, fitted = { 0 };
    int side = f->params.side;
    const guint8 *kept = find_kept(f, image);
    if (kept) {
        return g_memdup2(kept, f->bytes);
    }
    gboolean good = img_decode_reduced(f->params.paths->pdata[image], IMG_MARGIN * side,
                                       f->cancellable, &pixels, error)
                    && img_resize(&pixels, side, side, f->params.filter, &fitted, error);
    img_clear(&pixels);
    if (good) {
        keep(f, image, fitted.rgb);
    }
    return good ? fitted.rgb : NULL;
}

static struct feed_picture make(struct feed *f, guint64 number, guint image)
{
    struct feed_picture p = { .image = image };
    p.rgb = decode(f, image, &p.error);
    if (p.rgb) {
        struct scene_random r = scene_random(f->params.seed, number, SAMPLER_PIXELS);
        augment_apply(&f->params.augment, p.rgb, f->params.side, &r);
    } else {
        p.rgb = memset(g_malloc(f->bytes), GREY, f->bytes);
    }
    return p;
}

static gpointer feed_thread(gpointer data)
{
    struct feed *f = data;
    guint64 number;
    guint image;
    while (claim(f, &number, &image)) {
        struct feed_picture picture = make(f, number, image);
        g_mutex_lock(&f->lock);
        f->slots[number % f->params.ahead] = (struct slot){ TRUE, picture };
        g_cond_signal(&f->ready);
        g_mutex_unlock(&f->lock);
    }
    return NULL;
}

struct feed *feed_new(const struct feed_params *params)
{
    struct feed *f = g_new0(struct feed, 1);
    f->params = *params;
    f->bytes = 3 * (gsize)params->side * (gsize)params->side;
    f->cancellable = g_cancellable_new();
    f->threads = g_ptr_array_new();
    f->slots = g_new0(struct slot, params->ahead);
    f->order = g_new(guint32, params->paths->len);
    f->kept = g_new0(guint8 *, params->paths->len);
    f->claimed = f->taken = params->first;
    f->epoch = G_MAXUINT64;
    g_mutex_init(&f->lock);
    g_cond_init(&f->room);
    g_cond_init(&f->ready);
    for (guint i = 0; i < params->jobs; i++) {
        g_ptr_array_add(f->threads, g_thread_new("feed", feed_thread, f));
    }
    return f;
}

gboolean feed_take(struct feed *f, struct feed_picture *out)
{
    if (f->taken == f->params.end) {
        return FALSE;
    }
    g_mutex_lock(&f->lock);
    struct slot *slot = &f->slots[f->taken % f->params.ahead];
    while (!slot->ready) {
        g_cond_wait(&f->ready, &f->lock);
    }
    *out = slot->picture;
    *slot = (struct slot){ 0 };
    f->taken++;
    g_cond_broadcast(&f->room);
    g_mutex_unlock(&f->lock);
    return TRUE;
}

void feed_free(struct feed **feed)
{
    struct feed *f = *feed;
    *feed = NULL;
    if (!f) {
        return;
    }
    g_mutex_lock(&f->lock);
    g_cancellable_cancel(f->cancellable);
    g_cond_broadcast(&f->room);
    g_mutex_unlock(&f->lock);
    for (guint i = 0; i < f->threads->len; i++) {
        g_thread_join(f->threads->pdata[i]);
    }
    for (guint i = 0; i < f->params.ahead; i++) {
        g_free(f->slots[i].picture.rgb);
        g_clear_error(&f->slots[i].picture.error);
    }
    for (guint i = 0; i < f->params.paths->len; i++) {
        g_free(f->kept[i]);
    }
    g_ptr_array_unref(f->threads);
    g_object_unref(f->cancellable);
    g_mutex_clear(&f->lock);
    g_cond_clear(&f->room);
    g_cond_clear(&f->ready);
    g_free(f->slots);
    g_free(f->order);
    g_free(f->kept);
    g_free(f);
}
