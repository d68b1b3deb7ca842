/* Image tokens and label embeddings of one model in the cache file. For one thread at a
 * time; every fault is a miss. A NULL token cache misses always and keeps nothing. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct token_cache token_cache;

/* What the values of a model lie under. Models that differ in their heads only share
 * tokens and embeddings. */
struct token_cache_key {
    const char *image, *text; /* session_keys */
    gsize n_tokens;           /* values of one image's tokens */
    gsize n_embedding;        /* those of one label; 0 for fixed labels */
};

/* Bytes on the disk of the person's cache, of every model. */
gint64 token_cache_disk_bytes(void);
/* Empties it, for every model; those who have it open find nothing in it. FALSE when it
 * cannot be written to. */
gboolean token_cache_empty(void);

/* The cache of the person, made when missing; NULL when that cannot be. `path` is NULL but
 * for tests. */
token_cache *token_cache_open(const char *path, const struct token_cache_key *key);
void token_cache_close(token_cache **t);
/* Makes *t the cache of that key: as it is when it is that one already, otherwise by
 * closing and opening. */
void token_cache_use(token_cache **t, const char *path, const struct token_cache_key *key);

/* By the hash of an image's content (library_hash). */
gboolean token_cache_has(token_cache *t, const char *hash);
gboolean token_cache_get(token_cache *t, const char *hash, float *tokens);
void token_cache_put(token_cache *t, const char *hash, const float *tokens);
/* The mean of the tokens, mean[width], kept too so that whole libraries can be gone over. */
gboolean token_cache_get_mean(token_cache *t, const char *hash, guint width, float *mean);
/* By the full prompt of a label. */
gboolean token_cache_get_query(token_cache *t, const char *prompt, float *embedding);
void token_cache_put_query(token_cache *t, const char *prompt, const float *embedding);

G_END_DECLS
