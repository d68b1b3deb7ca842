/* The scores that a model gives the images of a data set. */
#pragma once

#include "app/dataset/dataset.h"
#include "app/dataset/scores.h"
#include "compute/nets/model.h"

G_BEGIN_DECLS

struct score_set_params {
    const struct model *model;
    struct session *session;
    const struct dataset *data;
    const GArray *labels;  /* guint: indices into the data set; a model with fixed labels
                            * answers for its own, and these are not asked */
    const char *split;     /* images of others are passed over; NULL: none */
    const char *word_vectors; /* file that label embeddings come from (word_vectors.h), for a
                            * model that was trained with it; NULL: the text encoder */
    guint jobs;            /* decoding threads; 0: one less than cores */
    /* Called on this thread: an image cannot be read; so many images are done. */
    void (*broken)(const char *message, gpointer data);
    void (*progress)(guint done, guint total, gpointer data);
    gpointer user;
};

/* Images that cannot be read have no scores and are counted in *broken. NULL with an error
 * when the model or the device fails. */
struct scores *score_set(const struct score_set_params *params, guint *broken,
                         GError **error);

G_END_DECLS
