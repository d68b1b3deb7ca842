/* A fair start for the labels of a new model. */
#pragma once

#include "compute/train/step.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Moves and scales the projection of label embeddings to queries so that over `labels`
 * embeddings [labels,width] the queries have mean 0 and, before their ReLU, variance 1.
 *
 * A text encoder with random weights makes nearly the same of "a photo of a cat" and "a
 * photo of a boat". With queries that are alike every label asks the image encoder for the
 * same thing, and shapes are learnt after ten times as many steps or not at all. */
gboolean centre_queries(struct train_step *step, const float *embeddings, guint labels,
                        guint width, GError **error);

G_END_DECLS
