/* Filter lines and prompt expressions: whatever is typed is read or refused, what is read
 * runs, and completing never leaves the line. */
#include "app/query/query.h"
#include "app/words/prompt_expression.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int find_label(const char *name, gpointer data) { return (int)strlen(name) % 3; }

static const char *path(guint image, gpointer data) { return data; }

static gint64 number(guint image, enum query_number which, gpointer data)
{
    return (gint64)image * 1000 - 1;
}

static double confidence(guint image, guint label, gpointer data)
{
    return (image + label) % 5 / 4.0 - 0.25;
}

static double threshold(guint label, gpointer data) { return 0.5; }

static int verdict(guint image, guint label, gpointer data)
{
    return (int)((image + label) % 3) - 1;
}

static gboolean any(guint image, int wanted, gpointer data) { return image % 2; }

static gboolean decided_by(guint image, const char *who, gpointer data)
{
    return image % 2 && who;
}

static void try_query(char *text)
{
    struct query_source source = { 5, text, find_label, path, number, confidence, threshold,
                                   verdict, any, decided_by };
    guint column = 0;
    g_autoptr(GError) error = NULL;
    struct query *q = query_parse(text, &column, &error);
    if (!q && (column == 0 || !error)) {
        abort();
    }
    if (q) {
        g_autoptr(GArray) found = query_run(q, &source, NULL, NULL);
        if (!found || found->len > 5) {
            abort();
        }
    }
    query_free(&q);
}

static void try_completion(const char *text, gsize cursor)
{
    static const char *const labels[] = { "boat", "rusty bicycle", NULL };
    struct query_words words = { labels, labels, labels };
    gsize start, end;
    g_autoptr(GPtrArray) got = query_complete(text, cursor, &words, 5, &start, &end);
    if (start > end || end > strlen(text) || got->len > 5) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *bytes = g_strndup((const char *)data, size);
    g_autofree char *text = g_utf8_make_valid(bytes, -1);
    try_query(text);
    for (gsize i = 0; i <= MIN(strlen(text), 64); i++) {
        try_completion(text, i);
    }
    prompt_expression_free(prompt_expression_new("a", text, "a photo of %s", NULL));
    g_autoptr(GPtrArray) labels = prompt_expression_split(text);
    return 0;
}
