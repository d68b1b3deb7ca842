#include "app/engine/token_cache.h"

#include "app/query/similar.h"
#include "app/store/cache.h"

#include <glib/gstdio.h>

#define CACHE_BYTES ((gint64)4 << 30)

struct token_cache {
    cache *file;
    char *image, *text;
    gsize n_tokens, n_embedding;
};

static char *usual_path(void)
{
    return g_build_filename(g_get_user_cache_dir(), "taglight", "tokens.db", NULL);
}

gint64 token_cache_disk_bytes(void)
{
    g_autofree char *path = usual_path();
    static const char *const ends[] = { "", "-wal" };
    gint64 bytes = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *file = g_strconcat(path, ends[i], NULL);
        GStatBuf info;
        bytes += g_stat(file, &info) == 0 ? info.st_size : 0;
    }
    return bytes;
}

gboolean token_cache_empty(void)
{
    g_autofree char *path = usual_path();
    cache *file = g_file_test(path, G_FILE_TEST_EXISTS) ? cache_open(path) : NULL;
    gboolean good = !file || cache_empty(file);
    cache_close(&file);
    return good;
}

token_cache *token_cache_open(const char *path, const struct token_cache_key *key)
{
    g_autofree char *usual = usual_path();
    g_autofree char *dir = g_path_get_dirname(usual);
    if (!path) {
        g_mkdir_with_parents(dir, 0700);
    }
    cache *file = cache_open(path ? path : usual);
    if (!file) {
        return NULL;
    }
    token_cache *t = g_new0(token_cache, 1);
    *t = (token_cache){ file, g_strdup(key->image), g_strdup(key->text), key->n_tokens,
                        key->n_embedding };
    return t;
}

void token_cache_close(token_cache **t)
{
    if (t && *t) {
        cache_close(&(*t)->file);
        g_free((*t)->image);
        g_free((*t)->text);
        g_clear_pointer(t, g_free);
    }
}

void token_cache_use(token_cache **t, const char *path, const struct token_cache_key *key)
{
    if (*t && g_str_equal((*t)->image, key->image) && g_str_equal((*t)->text, key->text)) {
        return;
    }
    token_cache_close(t);
    *t = token_cache_open(path, key);
}

/* Images' tokens lie under their content's hash, embeddings under their prompt. */
static const char tokens_kind[] = "tokens", query_kind[] = "query";

static const char *model_of(const token_cache *t, const char *kind)
{
    return kind == tokens_kind ? t->image : t->text;
}

static gsize bytes_of(const token_cache *t, const char *kind)
{
    return (kind == tokens_kind ? t->n_tokens : t->n_embedding) * sizeof(float);
}

static gboolean get(token_cache *t, const char *kind, const char *key, float *out)
{
    return t && cache_read(t->file, kind, key, model_of(t, kind), out, bytes_of(t, kind));
}

static void put(token_cache *t, const char *kind, const char *key, const float *values)
{
    if (t) {
        cache_put(t->file, kind, key, model_of(t, kind), values, bytes_of(t, kind),
                  CACHE_BYTES);
    }
}

gboolean token_cache_has(token_cache *t, const char *hash)
{
    return t && cache_has(t->file, tokens_kind, hash, t->image);
}

gboolean token_cache_get(token_cache *t, const char *hash, float *tokens)
{
    return get(t, tokens_kind, hash, tokens);
}

void token_cache_put(token_cache *t, const char *hash, const float *tokens)
{
    put(t, tokens_kind, hash, tokens);
}

gboolean token_cache_get_mean(token_cache *t, const char *hash, guint width, float *mean)
{
    static const char kind[] = "mean";
    gsize bytes = width * sizeof(float);
    if (!t || cache_read(t->file, kind, hash, t->image, mean, bytes)) {
        return t != NULL;
    }
    g_autofree float *tokens = g_new(float, t->n_tokens);
    if (!token_cache_get(t, hash, tokens)) {
        return FALSE;
    }
    similar_mean(tokens, (guint)(t->n_tokens / width), width, mean);
    cache_put(t->file, kind, hash, t->image, mean, bytes, CACHE_BYTES);
    return TRUE;
}

gboolean token_cache_get_query(token_cache *t, const char *prompt, float *embedding)
{
    return get(t, query_kind, prompt, embedding);
}

void token_cache_put_query(token_cache *t, const char *prompt, const float *embedding)
{
    put(t, query_kind, prompt, embedding);
}
