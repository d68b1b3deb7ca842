/* The embeddings of several labels at once: which prompts the text encoder must still read,
 * and what the labels' embeddings are then. What is known already is taken from the cache,
 * labels and prompts alike. One thread at a time. */
#pragma once

#include "app/engine/token_cache.h"
#include "app/words/prompt_expression.h"

G_BEGIN_DECLS

struct prompt_batch;

/* expressions: of struct prompt_expression, borrowed while the batch lives. width: values
 * of an embedding. cache: NULL for none. */
struct prompt_batch *prompt_batch_new(const GPtrArray *expressions, guint width,
                                      token_cache *cache);
void prompt_batch_free(struct prompt_batch *b);
/* Prompts that the text encoder must read, ending with NULL; none when all is known. */
const char *const *prompt_batch_missing(const struct prompt_batch *b);
/* encoded: [missing,width], NULL for none. Fills out [expressions,width]. FALSE with an
 * error of prompt_expression_combine. */
gboolean prompt_batch_finish(const struct prompt_batch *b, const float *encoded, float *out,
                             GError **error);
/* Keeps what was encoded, and the labels' embeddings `out` of prompt_batch_finish. */
void prompt_batch_keep(const struct prompt_batch *b, const float *encoded, const float *out,
                       token_cache *cache);

G_END_DECLS
