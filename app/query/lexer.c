#include "app/query/query_private.h"

#include <string.h>

static const char *const field_names[N_FIELDS] = {
    [FIELD_NONE] = "", [FIELD_NAME] = "name", [FIELD_FOLDER] = "folder",
    [FIELD_ACCEPTED] = "accepted", [FIELD_REJECTED] = "rejected",
    [FIELD_UNDECIDED] = "undecided", [FIELD_DECIDED] = "decided", [FIELD_BY] = "by",
    [FIELD_WIDTH] = "width", [FIELD_HEIGHT] = "height", [FIELD_PIXELS] = "pixels",
    [FIELD_SIZE] = "size", [FIELD_DATE] = "date", [FIELD_LABEL] = "label",
    [FIELD_SORT] = "sort", [FIELD_UNCERTAIN] = "uncertain", [FIELD_AND] = "and",
    [FIELD_OR] = "or", [FIELD_NOT] = "not",
};

enum field query_field(const struct token *token)
{
    for (int f = FIELD_NONE + 1; token->kind == TOKEN_WORD && f < N_FIELDS; f++) {
        if (g_ascii_strcasecmp(token->text, field_names[f]) == 0) {
            return (enum field)f;
        }
    }
    return FIELD_NONE;
}

const char *query_field_name(enum field field)
{
    return field_names[field];
}

guint query_column(const char *text, gsize byte)
{
    return (guint)g_utf8_pointer_to_offset(text, text + byte) + 1;
}

static gboolean ends_word(char c)
{
    return c == '\0' || g_ascii_isspace(c) || strchr("()<>=!:\"", c);
}

/* From a quote to the next; \" and \\ are a quote and a backslash. */
static void read_quoted(const char *text, struct token *t)
{
    g_autoptr(GString) words = g_string_new(NULL);
    const char *at = text + t->begin + 1;
    for (; *at && *at != '"'; at++) {
        at += *at == '\\' && (at[1] == '"' || at[1] == '\\');
        g_string_append_c(words, *at);
    }
    t->kind = TOKEN_QUOTED;
    t->open = *at != '"';
    t->end = (gsize)(at - text) + !t->open;
    t->text = g_string_free(g_steal_pointer(&words), FALSE);
}

static void read_compare(const char *text, struct token *t)
{
    const char *at = text + t->begin;
    gboolean equal = at[1] == '=';
    t->kind = TOKEN_COMPARE;
    t->end = t->begin + 1 + (equal && *at != '=');
    t->compare = *at == '=' ? COMPARE_EQUAL
                 : *at == '<' ? (equal ? COMPARE_AT_MOST : COMPARE_LESS)
                              : (equal ? COMPARE_AT_LEAST : COMPARE_MORE);
    if (*at == '!') {
        t->compare = COMPARE_OTHER; /* a lone "!" is told from it by its length */
    }
}

static void read_word(const char *text, struct token *t)
{
    const char *at = text + t->begin;
    while (!ends_word(*at)) {
        at++;
    }
    t->kind = TOKEN_WORD;
    t->end = (gsize)(at - text);
    t->text = g_strndup(text + t->begin, t->end - t->begin);
}

static void read_token(const char *text, struct token *t)
{
    char c = text[t->begin];
    t->end = t->begin + 1;
    switch (c) {
    case '\0': t->end = t->begin; t->kind = TOKEN_END; break;
    case '(': t->kind = TOKEN_OPEN; break;
    case ')': t->kind = TOKEN_CLOSE; break;
    case ':': t->kind = TOKEN_COLON; break;
    case '"': read_quoted(text, t); break;
    case '<': case '>': case '=': case '!': read_compare(text, t); break;
    default: read_word(text, t);
    }
}

static void token_clear(gpointer data)
{
    g_free(((struct token *)data)->text);
}

GArray *query_tokens(const char *text)
{
    GArray *tokens = g_array_new(FALSE, FALSE, sizeof(struct token));
    g_array_set_clear_func(tokens, token_clear);
    struct token t = { .kind = TOKEN_OPEN };
    for (gsize at = 0; t.kind != TOKEN_END; at = t.end) {
        while (g_ascii_isspace(text[at])) {
            at++;
        }
        t = (struct token){ .begin = at };
        read_token(text, &t);
        g_array_append_val(tokens, t);
    }
    return tokens;
}
