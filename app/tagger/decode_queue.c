#include "app/tagger/decode_queue.h"

#include "app/jobs/ahead.h"

struct decode_queue {
    const GPtrArray *paths;
    struct img_preprocess preprocess;
    decode_look look;
    gpointer look_data;
    struct ahead *ahead; /* of struct decoded */
};

void decoded_clear(struct decoded *d)
{
    identity_clear(&d->identity);
    g_free(d->tensor);
    g_clear_error(&d->error);
    *d = (struct decoded){ 0 };
}

/* What was read must be what was hashed. */
static void check_unchanged(struct decoded *d)
{
    if (d->identity.hash && !d->error && !identity_holds(&d->identity, d->path)) {
        g_autofree char *name = g_filename_display_name(d->path);
        g_set_error(&d->error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "%s: it changed while it was read", name);
    }
}

static gpointer decode(guint64 number, GCancellable *cancellable, gpointer data)
{
    const struct decode_queue *q = data;
    const char *path = q->paths->pdata[number];
    struct decoded *d = g_new0(struct decoded, 1);
    gsize count = 3 * (gsize)q->preprocess.size * (gsize)q->preprocess.size;
    d->path = path;
    d->need = q->look ? q->look(path, cancellable, &d->identity, q->look_data)
                      : DECODE_PIXELS;
    if (d->need == DECODE_PIXELS) {
        d->tensor = g_new(float, count);
        img_load_tensor(path, &q->preprocess, cancellable, d->tensor, &d->error);
        check_unchanged(d);
    }
    return d;
}

static void item_free(gpointer item)
{
    decoded_clear(item);
    g_free(item);
}

struct decode_queue *decode_queue_new(const GPtrArray *paths,
                                      const struct img_preprocess *preprocess, guint jobs,
                                      guint capacity, decode_look look, gpointer data)
{
    struct decode_queue *q = g_new0(struct decode_queue, 1);
    *q = (struct decode_queue){ paths, *preprocess, look, data, NULL };
    struct ahead_params params = { .name = "decode", .end = paths->len, .jobs = jobs,
                                   .capacity = capacity, .make = decode,
                                   .free = item_free, .data = q };
    q->ahead = ahead_new(&params);
    return q;
}

guint decode_queue_take(struct decode_queue *q, struct decoded *out, guint most)
{
    guint n = 0;
    struct decoded *item;
    while (n < most && (item = ahead_take(q->ahead, n == 0))) {
        out[n++] = *item;
        g_free(item);
    }
    return n;
}

double decode_queue_seconds(struct decode_queue *q)
{
    return ahead_seconds(q->ahead);
}

void decode_queue_free(struct decode_queue *q)
{
    ahead_free(q->ahead);
    g_free(q);
}
