#include "app/query/query_private.h"

#include <string.h>

/* What may come at a place of the line. */
enum offer { OFFER_NOTHING = 0, OFFER_WORDS = 1, OFFER_LABELS = 2, OFFER_SORT = 4,
             OFFER_FOLDERS = 8, OFFER_AUTHORS = 16 };

struct place {
    guint offer;
    gsize begin, end;      /* the word that is replaced */
    char *typed;           /* of it, up to the cursor, its case folded */
    const char *before;    /* what is kept of it: "-" in sort:-date */
};

/* A candidate and how well it fits: lower is better. */
struct candidate { char *text; guint fit, order; };

/* --- The place ---------------------------------------------------------------------------- */

static guint offer_after_colon(const struct token *field)
{
    switch (query_field(field)) {
    case FIELD_ACCEPTED: case FIELD_REJECTED: case FIELD_UNDECIDED: case FIELD_DECIDED:
    case FIELD_LABEL: case FIELD_UNCERTAIN:
        return OFFER_LABELS;
    case FIELD_BY: return OFFER_AUTHORS;
    case FIELD_FOLDER: return OFFER_FOLDERS;
    case FIELD_SORT: return OFFER_SORT | OFFER_LABELS;
    default:
        /* sort:-uncertain:boat */
        return field->kind == TOKEN_WORD
               && g_ascii_strcasecmp(field->text, "-uncertain") == 0 ? OFFER_LABELS
                                                                     : OFFER_NOTHING;
    }
}

/* What may stand where token `index` begins. */
static guint offer_at(const GArray *tokens, guint index, gsize begin)
{
    const struct token *last =
        index > 0 ? &g_array_index(tokens, struct token, index - 1) : NULL;
    if (last && last->kind == TOKEN_COLON && last->end == begin) {
        return index > 1 ? offer_after_colon(last - 1) : OFFER_NOTHING;
    }
    if (last && last->kind == TOKEN_COMPARE) {
        return OFFER_NOTHING;
    }
    return OFFER_WORDS | OFFER_LABELS;
}

static void find_place(const char *text, gsize cursor, struct place *place)
{
    g_autoptr(GArray) tokens = query_tokens(text);
    guint i = 0;
    const struct token *t = &g_array_index(tokens, struct token, 0);
    while (t->kind != TOKEN_END
           && (t->end < cursor || (t->end == cursor && t->kind != TOKEN_WORD
                                   && !(t->kind == TOKEN_QUOTED && t->open)))) {
        t = &g_array_index(tokens, struct token, ++i);
    }
    gboolean word = (t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED)
                    && t->begin < cursor;
    place->begin = word ? t->begin : cursor;
    place->end = word ? t->end : cursor;
    place->offer = offer_at(tokens, i, place->begin);
    gsize skip = word && t->kind == TOKEN_QUOTED ? 1 : 0;
    if ((place->offer & OFFER_SORT) && word && text[place->begin] == '-') {
        place->before = "-";
        skip = 1;
    }
    g_autofree char *typed = g_strndup(text + place->begin + skip,
                                       cursor - MIN(place->begin + skip, cursor));
    g_autofree char *valid = g_utf8_make_valid(typed, -1);
    place->typed = g_utf8_casefold(valid, -1);
}

/* --- Candidates ---------------------------------------------------------------------------- */

/* How `text` fits what was typed: 0 begins with it, 1 a later word does, 2 holds it. */
static gboolean fits(const struct place *place, const char *text, guint *fit)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    const char *at = strstr(folded, place->typed);
    *fit = at == folded ? 0 : at && at[-1] == ' ' ? 1 : 2;
    return at != NULL;
}

static void add(const struct place *place, GArray *candidates, const char *text,
                gboolean quote)
{
    guint fit;
    if (fits(place, text, &fit)) {
        g_autofree char *written = quote ? query_quote(text) : g_strdup(text);
        struct candidate c = { g_strconcat(place->before, written, NULL), fit,
                               candidates->len };
        g_array_append_val(candidates, c);
    }
}

static void add_list(const struct place *place, GArray *candidates,
                     const char *const *texts)
{
    for (guint i = 0; texts && texts[i]; i++) {
        add(place, candidates, texts[i], TRUE);
    }
}

static void add_words(const struct place *place, GArray *candidates)
{
    static const char *const words[] = {
        "accepted:", "rejected:", "undecided:", "decided:", "by:", "name:", "folder:",
        "date>=", "size>=", "width>=", "height>=", "pixels>=", "label:", "sort:", "and",
        "or", "not", NULL };
    for (guint i = 0; words[i]; i++) {
        add(place, candidates, words[i], FALSE);
    }
}

static void add_sort(const struct place *place, GArray *candidates)
{
    static const char *const words[] = { "uncertain:", "date", "name", "folder", "size",
                                         "width", "height", "pixels", NULL };
    for (guint i = 0; words[i]; i++) {
        add(place, candidates, words[i], FALSE);
    }
}

static int best_first(gconstpointer left, gconstpointer right)
{
    const struct candidate *a = left, *b = right;
    if (a->fit != b->fit) {
        return a->fit < b->fit ? -1 : 1;
    }
    return a->order < b->order ? -1 : a->order > b->order;
}

static GArray *collect(const struct place *place, const struct query_words *words)
{
    static const char *const who[] = { "model", "person", NULL };
    GArray *candidates = g_array_new(FALSE, FALSE, sizeof(struct candidate));
    if (place->offer & OFFER_SORT) {
        add_sort(place, candidates);
    }
    if (place->offer & OFFER_LABELS) {
        add_list(place, candidates, words->labels);
    }
    if (place->offer & OFFER_WORDS) {
        add_words(place, candidates);
    }
    if (place->offer & OFFER_FOLDERS) {
        add_list(place, candidates, words->folders);
    }
    if (place->offer & OFFER_AUTHORS) {
        for (guint i = 0; who[i]; i++) {
            add(place, candidates, who[i], FALSE);
        }
        add_list(place, candidates, words->authors);
    }
    g_array_sort(candidates, best_first);
    return candidates;
}

GPtrArray *query_complete(const char *text, gsize cursor, const struct query_words *words,
                          guint most, gsize *start, gsize *end)
{
    struct place place = { .before = "" };
    GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
    find_place(text, MIN(cursor, strlen(text)), &place);
    g_autoptr(GArray) candidates = collect(&place, words);
    for (guint i = 0; i < candidates->len; i++) {
        struct candidate *c = &g_array_index(candidates, struct candidate, i);
        if (i < most) {
            g_ptr_array_add(out, c->text);
        } else {
            g_free(c->text);
        }
    }
    *start = place.begin;
    *end = place.end;
    g_free(place.typed);
    return out;
}

/* --- Writing ---------------------------------------------------------------------------------- */

char *query_quote(const char *label)
{
    struct token word = { .kind = TOKEN_WORD, .text = (char *)label };
    gboolean plain = *label && *label != '-' && query_field(&word) == FIELD_NONE;
    GString *quoted = g_string_new("\"");
    for (const char *c = label; *c; c++) {
        plain = plain && !g_ascii_isspace(*c) && !strchr("()<>=!:\"", *c);
        if (*c == '"' || *c == '\\') {
            g_string_append_c(quoted, '\\');
        }
        g_string_append_c(quoted, *c);
    }
    g_string_append_c(quoted, '"');
    if (plain) {
        g_string_free(quoted, TRUE);
        return g_strdup(label);
    }
    return g_string_free(quoted, FALSE);
}
