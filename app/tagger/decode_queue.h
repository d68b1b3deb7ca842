/* Images decoded ahead by several threads and given out in the order of their paths.
 *
 * At most `capacity` images are being decoded or wait to be taken, so memory is bounded
 * by capacity x 12 size² bytes beside the threads' own. One thread takes. */
#pragma once

#include "app/image/image.h"

G_BEGIN_DECLS

/* One image. `error` is set, or `tensor` is F32 [3,size,size]. */
struct decoded {
    const char *path; /* borrowed from the queue's paths */
    float *tensor;
    GError *error;
};

void decoded_clear(struct decoded *d);

struct decode_queue;

/* `paths` (of char *) must outlive the queue. jobs and capacity are at least 1. */
struct decode_queue *decode_queue_new(const GPtrArray *paths,
                                      const struct img_preprocess *preprocess, guint jobs,
                                      guint capacity);
/* Waits for the next image, then takes it and those after it that are ready too, at most
 * `most`. They are the caller's, to be cleared. 0 at the end of the paths. */
guint decode_queue_take(struct decode_queue *q, struct decoded *out, guint most);
/* Seconds that the threads have spent decoding, all together. */
double decode_queue_seconds(struct decode_queue *q);
/* Stops what is being decoded and waits for the threads. */
void decode_queue_free(struct decode_queue *q);

G_END_DECLS
