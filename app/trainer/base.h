/* The model that a training begins with. */
#pragma once

#include "app/trainer/trainer.h"
#include "compute/nets/model.h"

G_BEGIN_DECLS

/* A file of `folder` that may be deleted when the model is closed. */
#define BASE_ADDED "added.safetensors"

/* Opens options->model, or makes a new one of options->config with a tokenizer learnt from
 * the labels. A head, and where there is a loss for it an alignment, that the model lacks
 * is made with random weights. The tokenizer's files stand in `folder` afterwards. */
struct model *base_open(const struct trainer_options *options,
                        const struct training_set *set, const char *folder,
                        GError **error);

G_END_DECLS
