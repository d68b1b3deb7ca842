/* One step's worth of a training set, as arrays for the device. */
#pragma once

#include "app/trainer/feed.h"
#include "app/trainer/rows.h"
#include "app/trainer/texts.h"
#include "compute/train/step.h"

G_BEGIN_DECLS

struct batch_params {
    const struct training_set *set;
    const struct texts *texts;
    struct img_preprocess preprocess;
    const struct rows *rows;         /* of a frozen image encoder; NULL: pixels of `feed` */
    struct feed *feed;               /* NULL with rows */
    const float *embeddings;         /* [all labels,embedding] of a frozen text encoder;
                                      * NULL: token ids */
    guint embedding;
    gboolean captions;
    gboolean all_targets;            /* of every label, for an auxiliary classifier */
    guint size, labels;              /* pictures, and labels of a step */
    guint64 length;                  /* pictures of an epoch */
    guint64 seed;
    void (*broken)(const char *message, gpointer data);
    gpointer data;
};

struct batch;

struct batch *batch_new(const struct batch_params *params);
void batch_free(struct batch **batch);
/* The batch of a step, counted from 0. `out` is valid until the next call. Of a picture
 * that cannot be read no label is known. */
gboolean batch_fill(struct batch *batch, guint64 step, struct train_batch *out,
                    GError **error);

G_END_DECLS
