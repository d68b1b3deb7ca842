#include "app/words/prompt_batch.h"

#include <string.h>

/* Where the embedding of a label or of one of its parts is. */
struct source {
    gboolean known;  /* at `at` of `values`; otherwise at `at` of what is encoded */
    guint at;
};

struct prompt_batch {
    const GPtrArray *expressions;
    guint width;
    GArray *values;       /* float [known,width] */
    GArray *whole;        /* struct source by label: `known` says whether it is needed */
    GArray *parts;        /* struct source by part, of labels that are not known as a whole */
    GPtrArray *missing;   /* prompts, with a NULL at the end; borrowed */
    GHashTable *asked;    /* prompt -> its number in `missing` + 1 */
};

static gboolean look_up(struct prompt_batch *b, token_cache *cache, const char *key,
                        struct source *out)
{
    guint n = b->values->len;
    g_array_set_size(b->values, n + b->width);
    *out = (struct source){ TRUE, n / b->width };
    if (token_cache_get_query(cache, key, &g_array_index(b->values, float, n))) {
        return TRUE;
    }
    g_array_set_size(b->values, n);
    return FALSE;
}

static struct source find_part(struct prompt_batch *b, token_cache *cache, char *prompt)
{
    struct source source;
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(b->asked, prompt));
    if (number == 0 && look_up(b, cache, prompt, &source)) {
        return source;
    }
    if (number == 0) {
        g_ptr_array_add(b->missing, prompt);
        number = b->missing->len;
        g_hash_table_insert(b->asked, prompt, GUINT_TO_POINTER(number));
    }
    return (struct source){ FALSE, number - 1 };
}

struct prompt_batch *prompt_batch_new(const GPtrArray *expressions, guint width,
                                      token_cache *cache)
{
    struct prompt_batch *b = g_new0(struct prompt_batch, 1);
    *b = (struct prompt_batch){ .expressions = expressions, .width = width,
                                .values = g_array_new(FALSE, FALSE, sizeof(float)),
                                .whole = g_array_new(FALSE, FALSE, sizeof(struct source)),
                                .parts = g_array_new(FALSE, FALSE, sizeof(struct source)),
                                .missing = g_ptr_array_new(),
                                .asked = g_hash_table_new(g_str_hash, g_str_equal) };
    for (guint i = 0; i < expressions->len; i++) {
        const struct prompt_expression *e = expressions->pdata[i];
        struct source whole;
        whole.known = look_up(b, cache, e->key, &whole);
        for (guint p = 0; !whole.known && p < e->n; p++) {
            struct source part = find_part(b, cache, e->parts[p].prompt);
            g_array_append_val(b->parts, part);
        }
        g_array_append_val(b->whole, whole);
    }
    g_ptr_array_add(b->missing, NULL);
    return b;
}

void prompt_batch_free(struct prompt_batch *b)
{
    if (b) {
        g_array_unref(b->values);
        g_array_unref(b->whole);
        g_array_unref(b->parts);
        g_ptr_array_unref(b->missing);
        g_hash_table_unref(b->asked);
        g_free(b);
    }
}

const char *const *prompt_batch_missing(const struct prompt_batch *b)
{
    return (const char *const *)b->missing->pdata;
}

static const float *row_of(const struct prompt_batch *b, const float *encoded,
                           const struct source *source)
{
    const float *rows = source->known ? (const float *)(gpointer)b->values->data : encoded;
    return rows + (gsize)source->at * b->width;
}

/* The rows of the parts from `first` on, side by side. */
static gboolean combine(const struct prompt_batch *b, const struct prompt_expression *e,
                        guint first, const float *encoded, float *out, GError **error)
{
    g_autofree float *rows = g_new(float, (gsize)e->n * b->width);
    for (guint p = 0; p < e->n; p++) {
        memcpy(rows + (gsize)p * b->width,
               row_of(b, encoded, &g_array_index(b->parts, struct source, first + p)),
               b->width * sizeof *rows);
    }
    return prompt_expression_combine(e, rows, b->width, out, error);
}

gboolean prompt_batch_finish(const struct prompt_batch *b, const float *encoded, float *out,
                             GError **error)
{
    guint part = 0;
    for (guint i = 0; i < b->expressions->len; i++) {
        const struct prompt_expression *e = b->expressions->pdata[i];
        const struct source *whole = &g_array_index(b->whole, struct source, i);
        float *row = out + (gsize)i * b->width;
        if (whole->known) {
            memcpy(row, row_of(b, encoded, whole), b->width * sizeof *row);
            continue;
        }
        if (!combine(b, e, part, encoded, row, error)) {
            return FALSE;
        }
        part += e->n;
    }
    return TRUE;
}

void prompt_batch_keep(const struct prompt_batch *b, const float *encoded, const float *out,
                       token_cache *cache)
{
    for (guint i = 0; b->missing->pdata[i]; i++) {
        token_cache_put_query(cache, b->missing->pdata[i], encoded + (gsize)i * b->width);
    }
    for (guint i = 0; i < b->expressions->len; i++) {
        const struct prompt_expression *e = b->expressions->pdata[i];
        if (!g_array_index(b->whole, struct source, i).known && e->n > 1) {
            token_cache_put_query(cache, e->key, out + (gsize)i * b->width);
        }
    }
}
