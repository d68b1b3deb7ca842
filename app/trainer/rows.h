/* What a frozen image encoder makes of every picture of a set, computed once. */
#pragma once

#include "app/trainer/feed.h"
#include "compute/nets/model.h"

G_BEGIN_DECLS

struct rows {
    guint count, width;  /* of one picture: [count,width], the head's input */
    float *values;       /* [pictures,count,width] */
    float *confidence;   /* [pictures,labels]: what the model says; NULL unless asked for */
    gboolean *broken;    /* [pictures]: its file could not be read; the rows are zeros */
};

struct rows_params {
    const struct model *model;
    const char *device, *cache_dir;
    const char *cache;        /* file of the token cache; NULL: the person's own */
    struct feed_params feed;  /* of the pictures; what belongs to epochs is set here */
    guint64 memory;           /* most bytes of `values` */
    const float *embeddings;  /* of `labels` labels, for the confidences of tokens */
    guint labels;             /* 0: no confidences */
    void (*progress)(guint done, guint total, gpointer data);
    void (*broken)(const char *message, gpointer data);
    gpointer data;
};

/* Rows of pictures that were encoded before by an equal encoder come from the token cache,
 * the others are put there. FALSE with no error set when the rows need more memory than is
 * allowed. */
gboolean rows_make(struct rows *out, const struct rows_params *params,
                   GCancellable *cancellable, GError **error);
/* The same for the head's tokens, [count,width] as they are cached; those of pictures that
 * were encoded before come from the cache. */
gboolean rows_make_tokens(struct rows *out, const struct rows_params *params,
                          GCancellable *cancellable, GError **error);
void rows_clear(struct rows *rows);

/* rgb [side,side,3] to [3,side,side] as the model's preprocessing has it. */
void rows_to_tensor(const struct model_preprocess *p, const guint8 *rgb, float *out);

G_END_DECLS
