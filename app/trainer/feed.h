/* Training pictures, decoded and changed ahead of the device by several threads and given
 * out in the order of the training.
 *
 * Picture number i of the training stands in epoch i / length; which picture of the set
 * that is, and how it is changed, follows from the seed and i alone. So the same pixels
 * come out with any number of threads, and after a stop. One thread takes. */
#pragma once

#include "app/image/image.h"
#include "app/trainer/augment.h"

G_BEGIN_DECLS

struct feed_params {
    const GPtrArray *paths;   /* of char *; must outlive the feed */
    int side;                 /* pictures are squashed to side x side */
    enum img_filter filter;
    struct augment augment;
    guint64 seed;
    guint64 length;           /* pictures of an epoch, at most those of the set */
    guint64 first, end;       /* numbers of the pictures to give out */
    guint jobs, ahead;        /* threads; pictures that wait at most */
    guint64 cache_bytes;      /* of decoded pictures that are kept for later epochs */
};

struct feed_picture {
    guint image;       /* in the set */
    guint8 *rgb;       /* [side,side,3], to be freed; grey when the file is broken */
    GError *error;     /* then; to be freed */
};

struct feed;

struct feed *feed_new(const struct feed_params *params);
/* Waits for the next picture. FALSE at the end. */
gboolean feed_take(struct feed *feed, struct feed_picture *out);
/* Stops what is being decoded and waits for the threads. */
void feed_free(struct feed **feed);

G_END_DECLS
