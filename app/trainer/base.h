/* The model that a training begins with. */
#pragma once

#include "app/trainer/trainer.h"
#include "compute/nets/model.h"

G_BEGIN_DECLS

/* Opens options->model, or makes a new one of options->config with a tokenizer learnt from
 * the labels. The tokenizer's files stand in `folder` afterwards. */
struct model *base_open(const struct trainer_options *options,
                        const struct training_set *set, const char *folder,
                        GError **error);

G_END_DECLS
