/* From labels in plain words to label embeddings: what the window's engine and the
 * command line share. Any thread, one session at a time. */
#pragma once

#include "app/engine/prompt_text.h"
#include "compute/nets/model.h"

#include <glib.h>

G_BEGIN_DECLS

/* Tokenizes and encodes n prompts to out [n, embedding]. False with *status and *error
 * set when the model has no tokenizer or text encoder, or the device failed. */
gboolean prompts_encode(struct session *session, const struct model *model,
                        const char *const *prompts, guint n, float *out,
                        const struct nn_run_params *run, enum nn_status *status,
                        struct nn_error *error);

G_END_DECLS
