/* The scores that a model gives the images of a data set: `taglight evaluate --model`. */
#pragma once

#include "app/dataset/dataset.h"
#include "app/dataset/scores.h"

G_BEGIN_DECLS

/* labels: indices (guint) into the data set. A model with fixed labels answers for its own
 * and these are not asked. Images of other splits are passed over (`split` NULL: none);
 * `word_vectors`: as in struct score_set_params. Those that cannot be read are named on standard error and counted in *broken. NULL after
 * a message when the model or the device fails. */
struct scores *evaluate_model(const char *model, const char *device,
                              const char *word_vectors,
                              const struct dataset *data, const GArray *labels,
                              const char *split, guint *broken);

G_END_DECLS
