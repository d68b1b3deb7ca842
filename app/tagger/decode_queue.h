/* Images decoded ahead by several threads and given out in the order of their paths.
 *
 * At most `capacity` images are being decoded or wait to be taken, so memory is bounded
 * by capacity x 12 size² bytes beside the threads' own. One thread takes. */
#pragma once

#include "app/image/image.h"
#include "app/library/identity.h"

G_BEGIN_DECLS

/* What is wanted of an image: nothing; what is known of its content already; pixels. */
enum decode_need { DECODE_NOTHING, DECODE_KNOWN, DECODE_PIXELS };

/* One image. `error` is set, or `need` says what there is: with DECODE_PIXELS `tensor` is
 * F32 [3,size,size]. */
struct decoded {
    const char *path;         /* borrowed from the queue's paths */
    struct identity identity; /* as far as the queue's `look` found it */
    enum decode_need need;
    float *tensor;
    GError *error;
};

/* Finds what an image is, and says what is wanted of it; called from the threads. */
typedef enum decode_need (*decode_look)(const char *path, GCancellable *cancellable,
                                        struct identity *out, gpointer data);

void decoded_clear(struct decoded *d);

struct decode_queue;

/* `paths` (of char *) must outlive the queue. jobs and capacity are at least 1. `look` may
 * be NULL; then every image is decoded and none is hashed. */
struct decode_queue *decode_queue_new(const GPtrArray *paths,
                                      const struct img_preprocess *preprocess, guint jobs,
                                      guint capacity, decode_look look, gpointer data);
/* Waits for the next image, then takes it and those after it that are ready too, at most
 * `most`. They are the caller's, to be cleared. 0 at the end of the paths. */
guint decode_queue_take(struct decode_queue *q, struct decoded *out, guint most);
/* Seconds that the threads have spent decoding, all together. */
double decode_queue_seconds(struct decode_queue *q);
/* Stops what is being decoded and waits for the threads. */
void decode_queue_free(struct decode_queue *q);

G_END_DECLS
