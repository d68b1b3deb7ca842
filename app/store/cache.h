/* What can be computed again: image tokens by (content, model) and label embeddings by
 * (prompt, model). A file of its own that may be deleted at any time; a damaged one is
 * made anew. One connection per thread. Every fault is a miss, never an error; a NULL
 * cache misses always. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct cache cache;

/* NULL when no file can be made there. */
cache *cache_open(const char *path);
void cache_close(cache **c);
gboolean cache_has(cache *c, const char *kind, const char *content, const char *model);
/* Fills out[bytes] with the value last put under the key; FALSE, with `out` undefined,
 * when there is none of that size. */
gboolean cache_read(cache *c, const char *kind, const char *content, const char *model,
                    void *out, gsize bytes);
/* Keeps a copy of value[bytes]; the oldest go when the cache holds more than
 * `max_bytes`. */
void cache_put(cache *c, const char *kind, const char *content, const char *model,
               const void *value, gsize bytes, gint64 max_bytes);

/* Forgets everything and gives the room back to the disk; FALSE when that fails. */
gboolean cache_empty(cache *c);

G_END_DECLS
