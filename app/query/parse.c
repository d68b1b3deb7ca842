/* A parser by recursive descent:
 *
 *   line      = either END
 *   either    = all { "or" all }
 *   all       = one { [ "and" ] one }          `sort:` may stand anywhere outside of
 *   one       = "not" one | "(" either ")" | condition          parentheses and `not` */
#include "app/query/query_private.h"

#include <math.h>
#include <string.h>

#define MOST_DEPTH 64
#define MOST_NODES 4096

G_DEFINE_QUARK(query-error-quark, query_error)

struct parser {
    const char *text;
    const struct token *at;
    struct query *q;
    guint depth;           /* of parentheses and `not` */
    guint *column;
    GError **error;
};

static gboolean fail(struct parser *p, const struct token *at, const char *what)
{
    guint column = query_column(p->text, at->begin);
    if (p->column) {
        *p->column = column;
    }
    g_set_error(p->error, QUERY_ERROR, QUERY_ERROR_SYNTAX, "column %u: %s", column, what);
    return FALSE;
}

/* Takes over `node`, and *out is its number. */
static gboolean add_node(struct parser *p, struct node node, guint *out)
{
    if (p->q->nodes->len == MOST_NODES) {
        g_free(node.text);
        return fail(p, p->at, "this filter is too long");
    }
    *out = p->q->nodes->len;
    g_array_append_val(p->q->nodes, node);
    return TRUE;
}

static gboolean is_word(const struct token *t)
{
    return t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED;
}

/* Whether the token after `t` follows without a blank. */
static gboolean is_joined(const struct token *t)
{
    return t[1].kind != TOKEN_END && t[1].begin == t->end;
}

/* The word after a colon, past it; NULL with an error that asks for `what`. */
static const struct token *take_value(struct parser *p, const char *what)
{
    const struct token *value = p->at;
    if (value->begin != value[-1].end || !is_word(value)) {
        fail(p, value, what);
        return NULL;
    }
    if (value->open) {
        fail(p, value, "this quote is not closed");
        return NULL;
    }
    p->at++;
    return value;
}

/* --- Labels ---------------------------------------------------------------------------- */

static guint label_number(struct parser *p, const struct token *name)
{
    GPtrArray *labels = p->q->labels;
    guint at = 0, column = query_column(p->text, name->begin);
    gboolean no = FALSE;
    if (g_ptr_array_find_with_equal_func(labels, name->text, g_str_equal, &at)) {
        return at;
    }
    g_ptr_array_add(labels, g_strdup(name->text));
    g_array_append_val(p->q->columns, column);
    g_array_append_val(p->q->confident, no);
    return labels->len - 1;
}

static void need_confidence(struct parser *p, guint label)
{
    g_array_index(p->q->confident, gboolean, label) = TRUE;
}

/* 0.6, .6 or 60% */
static gboolean read_confidence(struct parser *p, double *out)
{
    const struct token *t = p->at;
    char *end = NULL;
    double value = t->kind == TOKEN_WORD ? g_ascii_strtod(t->text, &end) : -1;
    if (end && end > t->text && strcmp(end, "%") == 0) {
        value /= 100;
    } else if (!end || end == t->text || *end) {
        return fail(p, t, "here a number is missing, such as 0.6 or 60%");
    }
    if (!(value >= 0 && value <= 1)) {
        return fail(p, t, "a confidence is between 0 and 1, or 0% and 100%");
    }
    p->at++;
    *out = value;
    return TRUE;
}

static gboolean is_lone_mark(const struct token *t)
{
    return t->compare == COMPARE_OTHER && t->end == t->begin + 1;
}

/* A label, alone or with a comparison. */
static gboolean read_label(struct parser *p, const struct token *name, guint *out)
{
    struct node node = { .kind = NODE_LABEL, .label = label_number(p, name) };
    need_confidence(p, node.label);
    if (p->at->kind == TOKEN_COMPARE) {
        if (is_lone_mark(p->at)) {
            return fail(p, p->at, "here = is missing");
        }
        node.kind = NODE_CONFIDENCE;
        node.compare = p->at++->compare;
        if (!read_confidence(p, &node.low)) {
            return FALSE;
        }
        node.high = node.low;
    }
    return add_node(p, node, out);
}

static gboolean read_verdict(struct parser *p, enum field field, guint *out)
{
    struct node node = { .kind = NODE_VERDICT, .label = NO_LABEL };
    node.verdict = field == FIELD_ACCEPTED ? 1 : field == FIELD_REJECTED ? -1
                   : field == FIELD_DECIDED ? VERDICT_DECIDED : 0;
    if (p->at->kind == TOKEN_COLON && p->at->begin == p->at[-1].end) {
        p->at++;
        const struct token *name = take_value(p, "here a label is missing");
        if (!name) {
            return FALSE;
        }
        node.label = label_number(p, name);
    }
    return add_node(p, node, out);
}

/* --- Numbers and dates ------------------------------------------------------------------ */

static double unit_of(const char *text)
{
    static const struct { const char *name; double value; } units[] = {
        { "", 1 }, { "b", 1 }, { "k", 1e3 }, { "kb", 1e3 }, { "m", 1e6 }, { "mb", 1e6 },
        { "mp", 1e6 }, { "g", 1e9 }, { "gb", 1e9 }, { "kib", 1024 }, { "mib", 1048576 },
        { "gib", 1073741824 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_ascii_strcasecmp(text, units[i].name) == 0) {
            return units[i].value;
        }
    }
    return NAN;
}

static gboolean read_number(struct parser *p, struct node *node)
{
    const struct token *t = p->at;
    char *end = NULL;
    double value = t->kind == TOKEN_WORD ? g_ascii_strtod(t->text, &end) : NAN;
    if (!end || end == t->text || !(value >= 0) || isinf(value) || isnan(unit_of(end))) {
        return fail(p, t, "here a number is missing, such as 1000 or 2.5MB");
    }
    p->at++;
    node->low = node->high = value * unit_of(end);
    return TRUE;
}

/* All digits, as many as that. */
static int read_digits(const char **at, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!g_ascii_isdigit(**at)) {
            return -1;
        }
        value = value * 10 + (**at - '0');
    }
    return value;
}

/* 2024, 2024-05 or 2024-05-31: the first second of it, and the last. */
static gboolean read_date(struct parser *p, struct node *node)
{
    const char *text = p->at->kind == TOKEN_WORD ? p->at->text : "", *at = text;
    int year = read_digits(&at, 4), month = 1, day = 1, parts = 1;
    if (year > 0 && *at == '-') {
        at++;
        month = read_digits(&at, 2);
        parts = 2;
    }
    if (parts == 2 && *at == '-') {
        at++;
        day = read_digits(&at, 2);
        parts = 3;
    }
    g_autoptr(GDateTime) first =
        year > 0 && !*at ? g_date_time_new_local(year, month, day, 0, 0, 0) : NULL;
    if (!first) {
        return fail(p, p->at, "here a date is missing, such as 2024, 2024-05 or 2024-05-31");
    }
    g_autoptr(GDateTime) next = parts == 1 ? g_date_time_add_years(first, 1)
                                : parts == 2 ? g_date_time_add_months(first, 1)
                                             : g_date_time_add_days(first, 1);
    node->low = (double)g_date_time_to_unix(first);
    node->high = next ? (double)g_date_time_to_unix(next) - 1 : INFINITY;
    p->at++;
    return TRUE;
}

static gboolean read_comparison(struct parser *p, enum field field, guint *out)
{
    struct node node = { .kind = NODE_NUMBER, .field = field, .compare = COMPARE_EQUAL };
    if (p->at->kind != TOKEN_COLON && p->at->kind != TOKEN_COMPARE) {
        return fail(p, p->at, "here a comparison is missing, such as >=");
    }
    if (p->at->kind == TOKEN_COMPARE) {
        if (is_lone_mark(p->at)) {
            return fail(p, p->at, "here = is missing");
        }
        node.compare = p->at->compare;
    }
    p->at++;
    return (field == FIELD_DATE ? read_date(p, &node) : read_number(p, &node))
           && add_node(p, node, out);
}

/* --- Texts -------------------------------------------------------------------------------- */

static gboolean read_text(struct parser *p, enum field field, guint *out)
{
    if (p->at->kind != TOKEN_COLON || p->at->begin != p->at[-1].end) {
        return fail(p, p->at, "here a colon is missing; a label of that name stands in "
                              "quotes");
    }
    p->at++;
    const struct token *value = take_value(p, "here a text is missing");
    if (!value) {
        return FALSE;
    }
    struct node node = { .kind = field == FIELD_NAME ? NODE_NAME
                                 : field == FIELD_FOLDER ? NODE_FOLDER : NODE_BY };
    gboolean plain = value->kind == TOKEN_WORD;
    if (!*value->text) {
        return fail(p, value, "here a text is missing");
    }
    if (node.kind != NODE_BY || !plain || strcmp(value->text, "model") != 0) {
        gboolean person = node.kind == NODE_BY && plain
                          && strcmp(value->text, "person") == 0;
        node.text = g_strdup(person ? "" : value->text);
    }
    gsize n = node.kind == NODE_FOLDER ? strlen(node.text) : 0;
    if (n > 1 && node.text[n - 1] == '/') {
        node.text[n - 1] = '\0';
    }
    return add_node(p, node, out);
}

/* --- Order ---------------------------------------------------------------------------------- */

static gboolean is_sortable(enum field field)
{
    return field == FIELD_NAME || field == FIELD_FOLDER || field == FIELD_WIDTH
           || field == FIELD_HEIGHT || field == FIELD_PIXELS || field == FIELD_SIZE
           || field == FIELD_DATE;
}

/* After `uncertain` or `label` comes a colon and a label. */
static gboolean read_sort_label(struct parser *p, struct sort_key *key,
                                const struct token *name)
{
    if (key->field != FIELD_NONE) {
        if (p->at->kind != TOKEN_COLON || p->at->begin != name->end) {
            return fail(p, p->at, "here a colon and a label are missing");
        }
        p->at++;
        name = take_value(p, "here a label is missing");
    }
    if (!name) {
        return FALSE;
    }
    key->field = key->field == FIELD_UNCERTAIN ? FIELD_UNCERTAIN : FIELD_LABEL;
    key->label = label_number(p, name);
    need_confidence(p, key->label);
    return TRUE;
}

/* A minus before the key, as a character of the word or alone before a quote. */
static gboolean read_sort(struct parser *p)
{
    struct sort_key key = { .label = NO_LABEL };
    p->at += 2;
    const struct token *name = take_value(p, "here is missing what to sort by");
    if (!name) {
        return FALSE;
    }
    struct token forwards = *name;
    if (name->kind == TOKEN_WORD && *name->text == '-') {
        key.backwards = TRUE;
        forwards.text++;
        if (!*forwards.text) {
            name = take_value(p, "here is missing what to sort by");
            if (!name) {
                return FALSE;
            }
            forwards = *name;
        }
    }
    key.field = query_field(&forwards);
    if (key.field != FIELD_NONE && key.field != FIELD_UNCERTAIN && key.field != FIELD_LABEL) {
        if (!is_sortable(key.field)) {
            return fail(p, name, "one cannot sort by this; a label of that name stands in "
                                 "quotes");
        }
    } else if (!read_sort_label(p, &key, &forwards)) {
        return FALSE;
    }
    g_array_append_val(p->q->sort, key);
    return TRUE;
}

/* --- Conditions ------------------------------------------------------------------------------ */

static gboolean read_label_field(struct parser *p, guint *out)
{
    if (p->at->kind != TOKEN_COLON || p->at->begin != p->at[-1].end) {
        return fail(p, p->at, "here a colon and a label are missing");
    }
    p->at++;
    const struct token *name = take_value(p, "here a label is missing");
    return name && read_label(p, name, out);
}

static gboolean read_word(struct parser *p, guint *out)
{
    const struct token *word = p->at++;
    enum field field = query_field(word);
    switch (field) {
    case FIELD_NAME: case FIELD_FOLDER: case FIELD_BY:
        return read_text(p, field, out);
    case FIELD_ACCEPTED: case FIELD_REJECTED: case FIELD_UNDECIDED: case FIELD_DECIDED:
        return read_verdict(p, field, out);
    case FIELD_WIDTH: case FIELD_HEIGHT: case FIELD_PIXELS: case FIELD_SIZE:
    case FIELD_DATE:
        return read_comparison(p, field, out);
    case FIELD_LABEL:
        return read_label_field(p, out);
    case FIELD_SORT:
        return fail(p, word, "sort: stands outside of parentheses and not after `not`");
    case FIELD_AND: case FIELD_OR:
        return fail(p, word, "before this a condition is missing");
    case FIELD_NONE: case FIELD_UNCERTAIN: case FIELD_NOT: case N_FIELDS:
        break;
    }
    if (word->open) {
        return fail(p, word, "this quote is not closed");
    }
    if (p->at->kind == TOKEN_COLON && is_joined(word)) {
        return fail(p, word, "this is no word that a colon comes after; a label with a "
                             "colon stands in quotes");
    }
    return read_label(p, word, out);
}

static gboolean read_either(struct parser *p, guint *out);

static gboolean read_one(struct parser *p, guint *out);

static gboolean read_not(struct parser *p, guint *out)
{
    struct node node = { .kind = NODE_NOT };
    p->at++;
    return read_one(p, &node.left) && add_node(p, node, out);
}

static gboolean read_parentheses(struct parser *p, guint *out)
{
    const struct token *open = p->at++;
    if (!read_either(p, out)) {
        return FALSE;
    }
    if (p->at->kind != TOKEN_CLOSE) {
        return fail(p, open, "this parenthesis is not closed");
    }
    p->at++;
    return TRUE;
}

static gboolean read_one(struct parser *p, guint *out)
{
    gboolean good;
    if (p->depth == MOST_DEPTH) {
        return fail(p, p->at, "these are too many parentheses");
    }
    p->depth++;
    if (query_field(p->at) == FIELD_NOT) {
        good = read_not(p, out);
    } else if (p->at->kind == TOKEN_OPEN) {
        good = read_parentheses(p, out);
    } else if (is_word(p->at)) {
        good = read_word(p, out);
    } else {
        good = fail(p, p->at, "here a condition is missing");
    }
    p->depth--;
    return good;
}

static gboolean is_sort(const struct token *t)
{
    return query_field(t) == FIELD_SORT && t[1].kind == TOKEN_COLON && is_joined(t);
}

static gboolean ends_all(const struct token *t)
{
    return t->kind == TOKEN_END || t->kind == TOKEN_CLOSE || query_field(t) == FIELD_OR;
}

/* *found: whether there was a condition, and not the order alone. */
static gboolean read_all(struct parser *p, guint *out, gboolean *found)
{
    *found = FALSE;
    while (!ends_all(p->at)) {
        struct node node = { .kind = NODE_AND, .left = *out };
        if (is_sort(p->at) && p->depth == 0) {
            if (!read_sort(p)) {
                return FALSE;
            }
            continue;
        }
        if (*found && query_field(p->at) == FIELD_AND) {
            p->at++;
        }
        if (is_sort(p->at) && p->depth == 0) {
            continue; /* "boat and sort:date" */
        }
        if (!read_one(p, &node.right) || (*found && !add_node(p, node, &node.right))) {
            return FALSE;
        }
        *out = node.right;
        *found = TRUE;
    }
    return TRUE;
}

static gboolean read_either(struct parser *p, guint *out)
{
    gboolean found;
    if (!read_all(p, out, &found)) {
        return FALSE;
    }
    if (!found && (p->depth > 0 || query_field(p->at) == FIELD_OR)) {
        return fail(p, p->at, "here a condition is missing");
    }
    if (!found) {
        return add_node(p, (struct node){ .kind = NODE_ALL }, out);
    }
    while (query_field(p->at) == FIELD_OR) {
        struct node node = { .kind = NODE_OR, .left = *out };
        p->at++;
        if (!read_all(p, &node.right, &found)) {
            return FALSE;
        }
        if (!found) {
            return fail(p, p->at, "here a condition is missing");
        }
        if (!add_node(p, node, out)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- The whole ---------------------------------------------------------------------------------- */

static void node_clear(gpointer data)
{
    g_free(((struct node *)data)->text);
}

static struct query *query_new(void)
{
    struct query *q = g_new0(struct query, 1);
    q->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
    g_array_set_clear_func(q->nodes, node_clear);
    q->labels = g_ptr_array_new_with_free_func(g_free);
    q->columns = g_array_new(FALSE, FALSE, sizeof(guint));
    q->confident = g_array_new(FALSE, FALSE, sizeof(gboolean));
    q->sort = g_array_new(FALSE, FALSE, sizeof(struct sort_key));
    return q;
}

void query_free(struct query **q)
{
    if (*q) {
        g_array_unref((*q)->nodes);
        g_ptr_array_unref((*q)->labels);
        g_array_unref((*q)->columns);
        g_array_unref((*q)->confident);
        g_array_unref((*q)->sort);
        g_clear_pointer(q, g_free);
    }
}

struct query *query_parse(const char *text, guint *column, GError **error)
{
    g_autoptr(GArray) tokens = query_tokens(text);
    struct parser p = { .text = text, .column = column, .error = error, .q = query_new(),
                        .at = (const struct token *)(gpointer)tokens->data };
    gboolean good = read_either(&p, &p.q->root);
    if (good && p.at->kind != TOKEN_END) {
        good = fail(&p, p.at, "this parenthesis was not opened");
    }
    if (!good) {
        query_free(&p.q);
        return NULL;
    }
    g_ptr_array_add(p.q->labels, NULL);
    return p.q;
}

const char *const *query_labels(const struct query *q)
{
    return (const char *const *)q->labels->pdata;
}

gboolean query_needs_confidence(const struct query *q, guint index)
{
    return g_array_index(q->confident, gboolean, index);
}

gboolean query_needs_decisions(const struct query *q)
{
    for (guint i = 0; i < q->nodes->len; i++) {
        const struct node *n = &g_array_index(q->nodes, struct node, i);
        if (n->kind == NODE_BY || (n->kind == NODE_VERDICT && n->label == NO_LABEL)) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean query_needs_authors(const struct query *q)
{
    for (guint i = 0; i < q->nodes->len; i++) {
        if (g_array_index(q->nodes, struct node, i).kind == NODE_BY) {
            return TRUE;
        }
    }
    return FALSE;
}
