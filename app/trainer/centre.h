/* A fair start for the labels of a new model. */
#pragma once

#include "app/trainer/texts.h"
#include "compute/train/step.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Moves and scales the last norm of the step's text encoder so that over the labels of
 * `texts` embeddings have mean 0 and mean square 1.
 *
 * A text encoder with random weights makes nearly the same of "a photo of a cat" and "a
 * photo of a boat". With embeddings that are alike every label asks the image encoder for
 * the same thing, and what tells them apart is learnt late or not at all. `model` is the
 * step's, as it was before its first step. Without a text encoder to train nothing is
 * changed. */
gboolean centre_texts(struct train_step *step, const struct model *model,
                      const struct texts *texts, const struct session_params *params,
                      GError **error);

G_END_DECLS
