#include "app/words/prompt_expression.h"

#include "app/engine/prompt_text.h"

#include <math.h>
#include <string.h>

#define MOST_PARTS 64

G_DEFINE_QUARK(prompt-expression-error-quark, prompt_expression_error)

struct parser {
    const char *text, *at;
    const char *name, *template; /* name: NULL when the text is the name too */
    GArray *parts;  /* of struct prompt_part */
    guint terms;
    GError **error;
};

static gboolean fail(const struct parser *p, const char *at, const char *what)
{
    g_set_error(p->error, PROMPT_EXPRESSION_ERROR, PROMPT_EXPRESSION_ERROR_SYNTAX,
                "%s: column %ld: %s", p->text,
                g_utf8_pointer_to_offset(p->text, at) + 1, what);
    return FALSE;
}

/* --- Reading ---------------------------------------------------------------------------- */

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct parser *p)
{
    while (is_blank(*p->at)) {
        p->at++;
    }
}

/* A sign that joins terms has blanks on both sides: "t-shirt" is a word, and so is "C++".
 * Before the first term there is nothing to have a blank on the left. */
static gboolean is_sign(const struct parser *p, const char *at)
{
    return (*at == '+' || *at == '-') && (at == p->text || is_blank(at[-1]))
           && is_blank(at[1]);
}

static gboolean ends_words(const struct parser *p, const char *at)
{
    return *at == '\0' || *at == '|' || is_sign(p, at);
}

/* The text between quotes, or NULL. */
static char *read_quoted(struct parser *p)
{
    const char *begin = p->at;
    g_autoptr(GString) words = g_string_new(NULL);
    for (p->at++; *p->at && *p->at != '"'; p->at++) {
        gboolean escape = *p->at == '\\' && (p->at[1] == '"' || p->at[1] == '\\');
        p->at += escape;
        g_string_append_c(words, *p->at);
    }
    if (*p->at != '"') {
        fail(p, begin, "this quote is not closed");
        return NULL;
    }
    p->at++;
    skip_blanks(p);
    if (!ends_words(p, p->at)) {
        fail(p, p->at, "after a quote comes a sign or the end");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&words), FALSE);
}

/* Words up to the next sign, without the blanks around them. */
static char *read_words(struct parser *p)
{
    const char *begin = p->at;
    while (!ends_words(p, p->at)) {
        p->at++;
    }
    return g_strchomp(g_strndup(begin, (gsize)(p->at - begin)));
}

/* Each {} replaced by the label's name. */
static char *fill_holes(const char *text, const char *name)
{
    g_auto(GStrv) pieces = g_strsplit(text, "{}", -1);
    return g_strjoinv(name, pieces);
}

static gboolean read_part(struct parser *p, double weight)
{
    skip_blanks(p);
    const char *begin = p->at;
    gboolean quoted = *p->at == '"';
    g_autofree char *words = quoted ? read_quoted(p) : read_words(p);
    if (!words) {
        return FALSE;
    }
    if (!*words) {
        return fail(p, begin, "here a word is missing");
    }
    if (p->parts->len == MOST_PARTS) {
        return fail(p, begin, "these are too many words for one label");
    }
    gboolean whole = !quoted && strstr(words, "{}");
    if (whole && !p->name) {
        return fail(p, begin, "{} is the name of a label, and this has no other name");
    }
    struct prompt_part part = { whole ? fill_holes(words, p->name)
                                      : prompts_fill(p->template, words), weight,
                                p->terms };
    g_array_append_val(p->parts, part);
    return TRUE;
}

/* "2:" or "0.5:" before words; 1 without. */
static gboolean read_weight(struct parser *p, double *weight)
{
    const char *begin = p->at;
    char *end = NULL;
    *weight = 1;
    if (!g_ascii_isdigit(*begin) && *begin != '.') {
        return TRUE;
    }
    double value = g_ascii_strtod(begin, &end);
    if (end == begin || *end != ':') {
        return TRUE; /* a word that begins with a digit */
    }
    if (!(value > 0 && value <= 1000)) {
        return fail(p, begin, "a weight is above 0 and at most 1000");
    }
    p->at = end + 1;
    *weight = value;
    return TRUE;
}

static gboolean read_term(struct parser *p, double sign)
{
    double weight;
    skip_blanks(p);
    if (!read_weight(p, &weight)) {
        return FALSE;
    }
    do {
        if (!read_part(p, sign * weight)) {
            return FALSE;
        }
        skip_blanks(p);
    } while (*p->at == '|' && p->at++);
    p->terms++;
    return TRUE;
}

static gboolean read_terms(struct parser *p)
{
    double sign = 1;
    skip_blanks(p);
    if (is_sign(p, p->at)) {
        sign = *p->at++ == '-' ? -1 : 1;
    }
    while (read_term(p, sign)) {
        if (!*p->at) {
            return TRUE;
        }
        sign = *p->at++ == '-' ? -1 : 1;
    }
    return FALSE;
}

/* Whether anything but words is there. A weight or a sign alone is none: only a sum has
 * use for them. */
static gboolean is_plain(const struct parser *p)
{
    if (*p->at == '"' || strstr(p->at, "{}")) {
        return FALSE;
    }
    for (const char *c = p->at; *c; c++) {
        if (*c == '|' || (c > p->at && is_sign(p, c))) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- The whole -------------------------------------------------------------------------- */

static void part_clear(gpointer data)
{
    g_free(((struct prompt_part *)data)->prompt);
}

static void append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            g_string_append_c(out, '\\');
        }
        g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

static char *make_key(const struct prompt_expression *e)
{
    if (e->n == 1) {
        return g_strdup(e->parts[0].prompt);
    }
    GString *key = g_string_new(NULL);
    for (guint i = 0; i < e->n; i++) {
        const struct prompt_part *part = &e->parts[i];
        if (i > 0 && part->term == e->parts[i - 1].term) {
            g_string_append(key, " | ");
        } else {
            char weight[G_ASCII_DTOSTR_BUF_SIZE];
            g_ascii_dtostr(weight, sizeof weight, fabs(part->weight));
            g_string_append(key, part->weight < 0 ? " - " : i > 0 ? " + " : "");
            g_string_append_printf(key, "%s:", weight);
        }
        append_quoted(key, part->prompt);
    }
    return g_string_free(g_steal_pointer(&key), FALSE);
}

static gboolean read_all(struct parser *p)
{
    skip_blanks(p);
    if (!*p->at) {
        return fail(p, p->at, "here a word is missing");
    }
    if (is_plain(p)) {
        g_autofree char *words = g_strchomp(g_strdup(p->at));
        struct prompt_part part = { prompts_fill(p->template, words), 1, 0 };
        g_array_append_val(p->parts, part);
        p->terms = 1;
        return TRUE;
    }
    return read_terms(p);
}

struct prompt_expression *prompt_expression_new(const char *name, const char *text,
                                                const char *template, GError **error)
{
    struct parser p = { .text = text ? text : name, .name = text ? name : NULL,
                        .template = template,
                        .parts = g_array_new(FALSE, FALSE, sizeof(struct prompt_part)),
                        .error = error };
    p.at = p.text;
    g_array_set_clear_func(p.parts, part_clear);
    if (!read_all(&p)) {
        g_array_unref(p.parts);
        return NULL;
    }
    struct prompt_expression *e = g_new0(struct prompt_expression, 1);
    e->n = p.parts->len;
    e->terms = p.terms;
    g_array_set_clear_func(p.parts, NULL);
    e->parts = (struct prompt_part *)(gpointer)g_array_free(p.parts, FALSE);
    e->key = make_key(e);
    return e;
}

void prompt_expression_free(struct prompt_expression *e)
{
    for (guint i = 0; e && i < e->n; i++) {
        g_free(e->parts[i].prompt);
    }
    if (e) {
        g_free(e->parts);
        g_free(e->key);
        g_free(e);
    }
}

/* --- Embeddings --------------------------------------------------------------------------- */

static double length_of(const double *row, guint width)
{
    double square = 0;
    for (guint k = 0; k < width; k++) {
        square += row[k] * row[k];
    }
    return sqrt(square);
}

/* Adds `factor` times the row, made of length 1. Returns the length that it had. */
static double add_unit(double *sum, const double *row, guint width, double factor)
{
    double length = length_of(row, width);
    for (guint k = 0; k < width && length > 0; k++) {
        sum[k] += factor * row[k] / length;
    }
    return length;
}

/* Sum of the terms, and the mean length of their parts. */
static double add_terms(const struct prompt_expression *e, const float *embeddings,
                        guint width, double *sum)
{
    g_autofree double *term = g_new0(double, width), *row = g_new(double, width);
    double length = 0;
    for (guint i = 0; i < e->n; i++) {
        for (guint k = 0; k < width; k++) {
            row[k] = embeddings[(gsize)i * width + k];
        }
        length += add_unit(term, row, width, 1) / e->n;
        if (i + 1 == e->n || e->parts[i + 1].term != e->parts[i].term) {
            add_unit(sum, term, width, e->parts[i].weight);
            memset(term, 0, width * sizeof *term);
        }
    }
    return length;
}

gboolean prompt_expression_combine(const struct prompt_expression *e,
                                   const float *embeddings, guint width, float *out,
                                   GError **error)
{
    if (e->n == 1) {
        memcpy(out, embeddings, width * sizeof *out);
        return TRUE;
    }
    g_autofree double *sum = g_new0(double, width);
    double length = add_terms(e, embeddings, width, sum), left = length_of(sum, width);
    /* What rounding leaves of "boat - boat" points nowhere. */
    if (!(left > 1e-4)) {
        g_set_error(error, PROMPT_EXPRESSION_ERROR, PROMPT_EXPRESSION_ERROR_CANCELLED_OUT,
                    "%s: the parts cancel each other out", e->key);
        return FALSE;
    }
    for (guint k = 0; k < width; k++) {
        out[k] = (float)(sum[k] * length / left);
    }
    return TRUE;
}

/* --- Lists ---------------------------------------------------------------------------------- */

static void add_label(GPtrArray *labels, const char *begin, const char *end)
{
    g_autofree char *label = g_strstrip(g_strndup(begin, (gsize)(end - begin)));
    if (*label && !g_ptr_array_find_with_equal_func(labels, label, g_str_equal, NULL)) {
        g_ptr_array_add(labels, g_steal_pointer(&label));
    }
}

/* Quotes count where words may begin; within a word they are part of it, as in 12" ruler. */
GPtrArray *prompt_expression_split(const char *list)
{
    GPtrArray *labels = g_ptr_array_new_with_free_func(g_free);
    const char *begin = list;
    gboolean quoted = FALSE;
    for (const char *c = list; *c; c++) {
        if (quoted && *c == '\\' && c[1]) {
            c++;
        } else if (*c == '"' && (quoted || c == begin || strchr(" \t|:", c[-1]))) {
            quoted = !quoted;
        } else if (*c == ',' && !quoted) {
            add_label(labels, begin, c);
            begin = c + 1;
        }
    }
    add_label(labels, begin, begin + strlen(begin));
    return labels;
}

GPtrArray *prompt_expression_take_wordings(GPtrArray *labels)
{
    GPtrArray *wordings = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < labels->len;) {
        char *label = labels->pdata[i], *sign = strstr(label, ":=");
        gboolean both = sign && sign > label && sign[2];
        g_autofree char *wording = both ? g_strstrip(g_strdup(sign + 2)) : NULL;
        guint before = 0;
        if (both) {
            *sign = '\0';
            g_strchomp(label);
        }
        g_ptr_array_find_with_equal_func(labels, label, g_str_equal, &before);
        if (before < i) {
            g_ptr_array_remove_index(labels, i);
        } else {
            g_ptr_array_add(wordings, g_steal_pointer(&wording));
            i++;
        }
    }
    return wordings;
}
