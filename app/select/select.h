/* Which pair of image and label a person should decide next.
 *
 * Plain arithmetic on arrays; may be called from any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Borrowed. Row-major. */
struct select_pool {
    guint images, labels, width;
    const float *confidence; /* [images,labels] in 0..1 */
    const gint8 *decided;    /* [images,labels]: not 0 where a person has decided */
    const float *features;   /* [images,width]: near for images that look alike, such as the
                              * mean of an image's tokens */
};

struct select_pair { guint image, label; };

enum select_rule {
    /* What the model is least sure of, and unlike what was decided for that label: the
     * entropy of the confidence times the distance (1 - cosine of the features, about their
     * mean) to the nearest image that was decided or chosen for the label. */
    SELECT_UNCERTAIN,
    SELECT_RANDOM, /* any open pair */
};

/* Chooses `count` open pairs, one after the other, to out[count]; fewer when fewer are
 * open. The same seed gives the same pairs; only SELECT_RANDOM depends on it. */
guint select_pairs(const struct select_pool *pool, enum select_rule rule, guint64 seed,
                   guint count, struct select_pair *out);

G_END_DECLS
