/* How good a model is on pictures that it does not learn from. */
#pragma once

#include "app/trainer/training_set.h"

G_BEGIN_DECLS

struct validation_params {
    const char *model;             /* a bundle */
    const struct training_set *set;
    const char *word_vectors;      /* as in struct score_set_params */
    const char *split;             /* whose pictures are asked */
    const char *device, *cache_dir;
    guint jobs;
};

/* FALSE with an error when no picture is of that split. */
gboolean validation_check(const struct training_set *set, const char *split,
                          GError **error);
/* Mean average precision, in percent, over the set's labels that a picture has. */
gboolean validation_run(const struct validation_params *params, double *out,
                        GError **error);

G_END_DECLS
