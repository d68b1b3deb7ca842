#include "app/tagger/decode_queue.h"

#include "app/library/library.h"

struct slot { gboolean ready; struct decoded image; };

struct decode_queue {
    const GPtrArray *paths;
    struct img_preprocess preprocess;
    decode_known known;
    gpointer known_data;
    GCancellable *cancellable;
    GPtrArray *threads;
    guint capacity;
    GMutex lock; /* guards what follows */
    GCond room, ready;
    struct slot *slots; /* image i is in slot i % capacity */
    guint claimed;      /* images that a thread has begun */
    guint taken;
    gint64 busy_us;
};

void decoded_clear(struct decoded *d)
{
    g_free(d->hash);
    g_free(d->tensor);
    g_clear_error(&d->error);
    *d = (struct decoded){ 0 };
}

/* The next image to decode; FALSE at the end. */
static gboolean claim(struct decode_queue *q, guint *index)
{
    gboolean more = FALSE;
    g_mutex_lock(&q->lock);
    while (!g_cancellable_is_cancelled(q->cancellable) && q->claimed < q->paths->len
           && q->claimed - q->taken >= q->capacity) {
        g_cond_wait(&q->room, &q->lock);
    }
    if (!g_cancellable_is_cancelled(q->cancellable) && q->claimed < q->paths->len) {
        *index = q->claimed++;
        more = TRUE;
    }
    g_mutex_unlock(&q->lock);
    return more;
}

static struct decoded decode(const struct decode_queue *q, const char *path)
{
    struct decoded d = { .path = path };
    gsize count = 3 * (gsize)q->preprocess.size * (gsize)q->preprocess.size;
    gint64 bytes = 0;
    if (q->known) {
        /* A file that cannot be read fails below, with a better message. */
        d.hash = library_hash(path, q->cancellable, &bytes, NULL);
    }
    if (!d.hash || !q->known(d.hash, q->known_data)) {
        d.tensor = g_new(float, count);
        img_load_tensor(path, &q->preprocess, q->cancellable, d.tensor, &d.error);
    }
    return d;
}

static gpointer decode_thread(gpointer data)
{
    struct decode_queue *q = data;
    guint i;
    while (claim(q, &i)) {
        gint64 start = g_get_monotonic_time();
        struct decoded d = decode(q, q->paths->pdata[i]);
        gint64 end = g_get_monotonic_time();
        g_mutex_lock(&q->lock);
        q->slots[i % q->capacity] = (struct slot){ TRUE, d };
        q->busy_us += end - start;
        g_cond_signal(&q->ready);
        g_mutex_unlock(&q->lock);
    }
    return NULL;
}

struct decode_queue *decode_queue_new(const GPtrArray *paths,
                                      const struct img_preprocess *preprocess, guint jobs,
                                      guint capacity, decode_known known, gpointer data)
{
    struct decode_queue *q = g_new0(struct decode_queue, 1);
    q->paths = paths;
    q->preprocess = *preprocess;
    q->known = known;
    q->known_data = data;
    q->cancellable = g_cancellable_new();
    q->threads = g_ptr_array_new();
    q->capacity = capacity;
    q->slots = g_new0(struct slot, capacity);
    g_mutex_init(&q->lock);
    g_cond_init(&q->room);
    g_cond_init(&q->ready);
    for (guint i = 0; i < MIN(jobs, paths->len); i++) {
        g_ptr_array_add(q->threads, g_thread_new("decode", decode_thread, q));
    }
    return q;
}

guint decode_queue_take(struct decode_queue *q, struct decoded *out, guint most)
{
    guint n = 0;
    g_mutex_lock(&q->lock);
    while (q->taken < q->paths->len && !q->slots[q->taken % q->capacity].ready) {
        g_cond_wait(&q->ready, &q->lock);
    }
    while (n < most && q->slots[q->taken % q->capacity].ready) {
        struct slot *slot = &q->slots[q->taken++ % q->capacity];
        out[n++] = slot->image;
        *slot = (struct slot){ 0 };
    }
    g_cond_broadcast(&q->room);
    g_mutex_unlock(&q->lock);
    return n;
}

double decode_queue_seconds(struct decode_queue *q)
{
    g_mutex_lock(&q->lock);
    gint64 us = q->busy_us;
    g_mutex_unlock(&q->lock);
    return 1e-6 * (double)us;
}

void decode_queue_free(struct decode_queue *q)
{
    g_mutex_lock(&q->lock);
    g_cancellable_cancel(q->cancellable);
    g_cond_broadcast(&q->room);
    g_mutex_unlock(&q->lock);
    for (guint i = 0; i < q->threads->len; i++) {
        g_thread_join(q->threads->pdata[i]);
    }
    for (guint i = 0; i < q->capacity; i++) {
        decoded_clear(&q->slots[i].image);
    }
    g_ptr_array_unref(q->threads);
    g_object_unref(q->cancellable);
    g_mutex_clear(&q->lock);
    g_cond_clear(&q->room);
    g_cond_clear(&q->ready);
    g_free(q->slots);
    g_free(q);
}
