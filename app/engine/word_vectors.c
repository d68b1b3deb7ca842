#include "app/engine/word_vectors.h"

#include <math.h>
#include <string.h>

#define NAMED_WORDS 5 /* of those that are missing, in the message */

static GStrv words_of(const char *text)
{
    g_autofree char *lower = g_utf8_strdown(text, -1);
    GPtrArray *words = g_ptr_array_new();
    for (const char *at = lower; *at;) {
        const char *end = at;
        while (*end && (g_unichar_isalnum(g_utf8_get_char(end)) || *end == '\'')) {
            end = g_utf8_next_char(end);
        }
        if (end > at) {
            g_ptr_array_add(words, g_strndup(at, (gsize)(end - at)));
        }
        at = *end ? g_utf8_next_char(end) : end;
    }
    g_ptr_array_add(words, NULL);
    return (GStrv)g_ptr_array_free(words, FALSE);
}

/* Every word of the texts, still without a vector. */
static GHashTable *wanted_words(const char *const *texts, guint n)
{
    GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < n; i++) {
        g_auto(GStrv) parts = words_of(texts[i]);
        for (char **p = parts; *p; p++) {
            g_hash_table_insert(words, g_strdup(*p), NULL);
        }
    }
    return words;
}

static gboolean read_vector(const char *at, guint width, float *out)
{
    for (guint i = 0; i < width; i++) {
        char *end = NULL;
        double value = g_ascii_strtod(at, &end);
        if (end == at || !isfinite((float)value)) {
            return FALSE;
        }
        out[i] = (float)value;
        at = end;
    }
    return at[strspn(at, " \t\r")] == '\0';
}

/* `line` is changed. */
static gboolean take_line(char *line, guint64 number, const char *path, guint width,
                          GHashTable *words, GError **error)
{
    gsize length = strcspn(line, " \t");
    gboolean last = line[length] == '\0';
    line[length] = '\0';
    if (last || !g_hash_table_contains(words, line) || g_hash_table_lookup(words, line)) {
        return TRUE; /* also word2vec's first line, which counts */
    }
    g_autofree float *vector = g_new(float, width);
    if (!read_vector(line + length + 1, width, vector)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s:%" G_GUINT64_FORMAT
                    ": \"%.40s\" does not have %u numbers, as the model's label_width asks",
                    path, number, line, width);
        return FALSE;
    }
    g_hash_table_insert(words, g_strdup(line), g_steal_pointer(&vector));
    return TRUE;
}

static gboolean read_file(const char *path, guint width, GHashTable *words, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) raw = g_file_read(file, NULL, error);
    if (!raw) {
        return FALSE;
    }
    g_autoptr(GDataInputStream) in = g_data_input_stream_new(G_INPUT_STREAM(raw));
    g_buffered_input_stream_set_buffer_size(G_BUFFERED_INPUT_STREAM(in), 1 << 16);
    for (guint64 number = 1;; number++) {
        GError *failure = NULL;
        g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, &failure);
        if (!line) {
            if (failure) {
                g_propagate_prefixed_error(error, failure, "%s: ", path);
            }
            return failure == NULL;
        }
        if (!take_line(line, number, path, width, words, error)) {
            return FALSE;
        }
    }
}

static gboolean check_missing(const char *path, GHashTable *words, GError **error)
{
    g_autoptr(GString) missing = g_string_new(NULL);
    guint n = 0;
    GHashTableIter iter;
    gpointer word, vector;
    g_hash_table_iter_init(&iter, words);
    while (g_hash_table_iter_next(&iter, &word, &vector)) {
        if (!vector && n++ < NAMED_WORDS) {
            g_string_append_printf(missing, "%s%s", missing->len ? ", " : "", (char *)word);
        }
    }
    if (n > 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "%s: %u words of the labels have no vector: %s%s", path, n, missing->str,
                    n > NAMED_WORDS ? ", …" : "");
    }
    return n == 0;
}

gboolean word_vectors_embed(const char *path, const char *const *texts, guint n,
                            guint width, float *out, GError **error)
{
    g_autoptr(GHashTable) words = wanted_words(texts, n);
    if (!read_file(path, width, words, error) || !check_missing(path, words, error)) {
        return FALSE;
    }
    memset(out, 0, (gsize)n * width * sizeof *out);
    for (guint i = 0; i < n; i++) {
        g_auto(GStrv) parts = words_of(texts[i]);
        guint count = g_strv_length(parts);
        for (char **p = parts; *p; p++) {
            const float *vector = g_hash_table_lookup(words, *p);
            for (guint k = 0; k < width; k++) {
                out[(gsize)i * width + k] += vector[k] / (float)count;
            }
        }
    }
    return TRUE;
}
