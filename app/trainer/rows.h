/* What a frozen image encoder makes of every picture of a set, computed once. */
#pragma once

#include "compute/nets/model.h"

#include <gio/gio.h>

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
    const GPtrArray *paths;   /* of char *: the pictures */
    guint jobs;               /* decoding threads */
    guint64 memory;           /* most bytes of `values` */
    gboolean tokens;          /* the head's tokens, as they are cached for the window, in place
                               * of the rows that the head projects to them */
    const float *embeddings;  /* with tokens: of `labels` labels, for the confidences */
    guint labels;             /* 0: no confidences */
    void (*progress)(guint done, guint total, gpointer data);
    void (*broken)(const char *message, gpointer data);
    gpointer data;
};

/* Rows of pictures that were encoded before by an equal encoder come from the token cache,
 * the others are put there. FALSE with no error set when the rows need more memory than is
 * allowed. Blocks; callbacks come on this thread. */
gboolean rows_make(struct rows *out, const struct rows_params *params,
                   GCancellable *cancellable, GError **error);
void rows_clear(struct rows *rows);

G_END_DECLS
