/* What storing in f16 does to a model's confidences. Any thread. */
#pragma once

#include "compute/nets/model.h"

#include <glib.h>

G_BEGIN_DECLS

/* Differences |f16 - f32| over all confidences, which lie in 0..1. */
struct precision_effect {
    guint count;
    double largest, mean;
    guint image, label; /* of the largest */
    float f32, f16;     /* its two confidences */
};

/* Runs n_images pixels [3,S,S], one after another in memory, against the labels of a fixed
 * head or, for an open vocabulary, against n_prompts full prompts, once in each precision
 * on one device. `params` as for a session; its precision is not looked at. False with
 * *status and *error set as by session_create and prompts_encode, UNSUPPORTED where the
 * device has no f16. */
gboolean precision_compare(const struct model *model, const struct session_params *params,
                           const float *pixels, guint n_images,
                           const char *const *prompts, guint n_prompts,
                           struct precision_effect *out, enum nn_status *status,
                           struct nn_error *error);

G_END_DECLS
