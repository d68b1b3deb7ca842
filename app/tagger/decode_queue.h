/* Images decoded ahead by several threads and given out in the order of their paths.
 *
 * At most `capacity` images are being decoded or wait to be taken, so memory is bounded
 * by capacity x 12 size² bytes beside the threads' own. One thread takes. */
#pragma once

#include "app/image/image.h"

G_BEGIN_DECLS

/* One image. `error` is set, or `tensor` is F32 [3,size,size], or the image is known and
 * was not decoded. */
struct decoded {
    const char *path; /* borrowed from the queue's paths */
    char *hash;       /* of the content; NULL when the queue does not ask what is known */
    float *tensor;
    GError *error;
};

/* Whether an image of that content need not be decoded; called from the threads. */
typedef gboolean (*decode_known)(const char *hash, gpointer data);

void decoded_clear(struct decoded *d);

struct decode_queue;

/* `paths` (of char *) must outlive the queue. jobs and capacity are at least 1. `known`
 * may be NULL; then no file is hashed. */
struct decode_queue *decode_queue_new(const GPtrArray *paths,
                                      const struct img_preprocess *preprocess, guint jobs,
                                      guint capacity, decode_known known, gpointer data);
/* Waits for the next image, then takes it and those after it that are ready too, at most
 * `most`. They are the caller's, to be cleared. 0 at the end of the paths. */
guint decode_queue_take(struct decode_queue *q, struct decoded *out, guint most);
/* Seconds that the threads have spent decoding, all together. */
double decode_queue_seconds(struct decode_queue *q);
/* Stops what is being decoded and waits for the threads. */
void decode_queue_free(struct decode_queue *q);

G_END_DECLS
