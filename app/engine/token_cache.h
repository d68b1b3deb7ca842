/* Image tokens and label embeddings of one model in the cache file. For one thread at a
 * time; every fault is a miss. A NULL token cache misses always and keeps nothing. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct token_cache token_cache;

/* The cache of the person, made when missing; NULL when that cannot be. `fingerprint` is
 * the model's, `n_tokens` the values of one image's tokens, `n_embedding` those of one
 * label (0 for fixed labels). `path` is NULL but for tests. */
token_cache *token_cache_open(const char *path, const char *fingerprint, gsize n_tokens,
                              gsize n_embedding);
void token_cache_close(token_cache **t);
/* Makes *t the cache of the model with that fingerprint: as it is when it is that one
 * already, otherwise by closing and opening. */
void token_cache_use(token_cache **t, const char *path, const char *fingerprint,
                     gsize n_tokens, gsize n_embedding);

/* By the hash of an image's content (library_hash). */
gboolean token_cache_has(token_cache *t, const char *hash);
gboolean token_cache_get(token_cache *t, const char *hash, float *tokens);
void token_cache_put(token_cache *t, const char *hash, const float *tokens);
/* By the full prompt of a label. */
gboolean token_cache_get_query(token_cache *t, const char *prompt, float *embedding);
void token_cache_put_query(token_cache *t, const char *prompt, const float *embedding);

G_END_DECLS
