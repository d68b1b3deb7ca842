/* Joining what databases say about labels. It is collected as facts, a row a fact, whose
 * order does not depend on that of the sources; then each is brought: what is missing is
 * set, through app/store/vocabulary.h, which refuses what cannot be. */
#include "app/store/merge_private.h"

#include "app/store/thresholds.h"
#include "app/store/vocabulary.h"

#include <string.h>

/* The order in which they are brought. */
enum {
    STANDS_FOR, PROMPT, COLOUR, KEY, NOTE, FAVOURITE, PARENT, GROUP, THRESHOLD, FOLDER, FILTER
};

/* subject: a label's name, a folder or a filter's name. detail: a threshold's model. */
const char merge_vocabulary_table[] =
    "CREATE TEMP TABLE in_fact (kind INTEGER, subject, detail TEXT, value, source TEXT,"
    "  PRIMARY KEY (kind, subject, detail, value)) WITHOUT ROWID;";
const char merge_vocabulary_forget[] = "DROP TABLE IF EXISTS temp.in_fact;";

/* ?1 is the source's name, ?2 the kind. */
#define FACT(subject, detail, value, from) \
    "INSERT INTO in_fact SELECT ?2, " subject ", " detail ", " value ", ?1 FROM " from \
    " ON CONFLICT DO UPDATE SET source = min (source, excluded.source)"
/* What a name that stands for another says of itself counts for nobody. */
#define TEXT_FACT(column) \
    FACT("name", "''", column, \
         "source.label WHERE stands_for IS NULL AND " column " IS NOT NULL")

static const char *const collect[] = {
    [STANDS_FOR] = FACT("l.name", "''", "t.name", "source.label l JOIN source.label t"
                        " ON t.id = l.stands_for WHERE TRUE"),
    [PROMPT] = TEXT_FACT("prompt"),
    [COLOUR] = TEXT_FACT("colour"),
    [KEY] = TEXT_FACT("key"),
    [NOTE] = TEXT_FACT("note"),
    [FAVOURITE] = FACT("name", "''", "1", "source.label WHERE stands_for IS NULL"
                       " AND favourite"),
    [PARENT] = FACT("l.name", "''", "p.name", "(SELECT DISTINCT label, parent"
                    " FROM source.implied) i JOIN source.label l ON l.id = i.label"
                    " JOIN source.label p ON p.id = i.parent WHERE TRUE"),
    [GROUP] = FACT("l.name", "''", "x.name", "(SELECT DISTINCT name, label"
                   " FROM source.exclusive) x JOIN source.label l ON l.id = x.label"
                   " WHERE TRUE"),
    [THRESHOLD] = FACT("l.name", "h.model", "h.value", "source.threshold h"
                       " JOIN source.label l ON l.id = h.label WHERE l.stands_for IS NULL"),
    /* A set is one value: its names in order. */
    [FOLDER] = FACT("folder", "''", "names", "(SELECT folder, group_concat (name, char (10))"
                    "  OVER (PARTITION BY folder ORDER BY place ROWS BETWEEN UNBOUNDED"
                    "  PRECEDING AND UNBOUNDED FOLLOWING) AS names, row_number () OVER"
                    "  (PARTITION BY folder ORDER BY place) AS nth FROM (SELECT f.folder,"
                    "   min (f.place) AS place, t.name FROM source.folder_label f"
                    "   JOIN source.label l ON l.id = f.label JOIN source.label t"
                    "   ON t.id = l.target GROUP BY f.folder, t.id)) WHERE nth = 1"),
    [FILTER] = FACT("name", "''", "query", "source.saved_filter WHERE TRUE"),
};
G_STATIC_ASSERT(G_N_ELEMENTS(collect) == FILTER + 1);

gboolean merge_collect_vocabulary(store *into, const char *name, GError **error)
{
    gboolean good = TRUE;
    for (gsize i = 0; good && i < G_N_ELEMENTS(collect); i++) {
        good = store_finish(into, store_prepare(into, collect[i], error, "ti", name,
                                                (gint64)i), NULL, error);
    }
    return good;
}

/* --- Facts ------------------------------------------------------------------------- */

typedef struct {
    int kind;
    gint64 label; /* the one that counts here; 0: of no label */
    char *subject, *detail, *value, *source;
    double number;
} Fact;

static void fact_free(gpointer data)
{
    Fact *f = data;
    g_free(f->subject);
    g_free(f->detail);
    g_free(f->value);
    g_free(f->source);
    g_free(f);
}

/* list: kind, label, subject, detail, value and source. */
static GPtrArray *read_facts(store *s, sqlite3_stmt *list, GError **error)
{
    g_autoptr(GPtrArray) facts = g_ptr_array_new_with_free_func(fact_free);
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        Fact *f = g_new0(Fact, 1);
        *f = (Fact){ .kind = sqlite3_column_int(list, 0),
                     .label = sqlite3_column_int64(list, 1), .subject = store_bytes_at(list, 2),
                     .detail = store_bytes_at(list, 3), .number = sqlite3_column_double(list, 4),
                     .source = store_bytes_at(list, 5) };
        f->value = store_bytes_at(list, 4); /* last, for it may turn the number into text */
        g_ptr_array_add(facts, f);
    }
    return store_end(s, list, code, error) ? g_steal_pointer(&facts) : NULL;
}

/* What a label says of itself goes before what a name of it says. */
static GPtrArray *list_facts(store *s, GError **error)
{
    return read_facts(s, store_prepare(
        s, "SELECT f.kind, coalesce (l.target, 0), f.subject, f.detail, f.value, f.source"
           " FROM in_fact f LEFT JOIN label l ON l.name = f.subject AND f.kind < ?"
           " ORDER BY f.kind, l.target != l.id, f.subject, f.detail, f.value", error, "i",
        (gint64)FOLDER), error);
}

/* A name that stands for another label in one of them does here; not where another says
 * the opposite, nor where it stands for something else here. What stood for it follows. */
static GPtrArray *list_names(store *s, GError **error)
{
    return read_facts(s, store_prepare(
        s, "WITH RECURSIVE chain (name, last) AS (SELECT name, stands_for FROM in_label"
           "  WHERE stands_for IS NOT NULL UNION SELECT c.name, n.stands_for"
           "  FROM chain c JOIN in_label n ON n.name = c.last"
           "  WHERE n.stands_for IS NOT NULL)"
           " SELECT ?, 0, c.name, '', c.last, '' FROM chain c JOIN in_label n"
           " ON n.name = c.last WHERE n.stands_for IS NULL AND c.name != c.last"
           " ORDER BY c.name, c.last", error, "i", (gint64)STANDS_FOR), error);
}

/* --- Differences --------------------------------------------------------------------- */

static void difference_free(gpointer data)
{
    MergeDifference *d = data;
    g_free(d->subject);
    g_free(d->detail);
    g_free(d->kept);
    g_free(d->other);
    g_free(d->source);
    g_free(d);
}

GPtrArray *merge_differences_new(void)
{
    return g_ptr_array_new_with_free_func(difference_free);
}

/* kept: what stays instead. Returns TRUE: a difference is no failure. */
static gboolean differ(GPtrArray *differences, const Fact *f, const char *kept)
{
    static const char *const what[] = {
        [STANDS_FOR] = "stands for", [PROMPT] = "prompt", [COLOUR] = "colour", [KEY] = "key",
        [NOTE] = "note", [FAVOURITE] = "favourite", [PARENT] = "parent", [GROUP] = "group",
        [THRESHOLD] = "threshold", [FOLDER] = "folder set", [FILTER] = "filter" };
    if (!differences) {
        return TRUE;
    }
    MergeDifference *d = g_new0(MergeDifference, 1);
    *d = (MergeDifference){ what[f->kind], g_strdup(f->subject), g_strdup(f->detail),
                            g_strdup(kept), g_strdup(f->value), g_strdup(f->source) };
    g_ptr_array_add(differences, d);
    return TRUE;
}

/* Ends a call that began with SAVEPOINT fact; takes over its `failure`. What was refused is
 * taken back, and told. */
static gboolean settle(store *s, GError *failure, const Fact *f, GPtrArray *differences,
                       GError **error)
{
    if (!failure) {
        return store_execute(s, "RELEASE fact", error);
    }
    if (!g_error_matches(failure, STORE_ERROR, STORE_ERROR_REFUSED)) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    differ(differences, f, failure->message);
    g_error_free(failure);
    return store_execute(s, "ROLLBACK TO fact; RELEASE fact", error);
}

/* --- Bringing one ---------------------------------------------------------------------- */

/* The first text of a query about a fact: ?1 is its label, ?2, if it is there, its value. */
static char *look_up(store *s, const Fact *f, const char *sql)
{
    const char *types = strstr(sql, "?2") ? "it" : "i";
    g_auto(GStrv) found = store_texts(s, store_prepare(s, sql, NULL, types, f->label,
                                                       f->value), NULL);
    return found && found[0] ? g_strdup(found[0]) : NULL;
}

static gboolean bring_name(store *s, const Fact *f, GPtrArray *differences)
{
    if (store_find_label(s, f->value) == f->label) {
        return TRUE;
    }
    g_autofree char *kept = vocabulary_name(s, f->label);
    return differ(differences, f, g_strcmp0(kept, f->subject) == 0 ? "itself" : kept);
}

/* Of notes, the lines that are not there yet. NULL when all are. */
static char *join_notes(const char *kept, const char *other)
{
    g_auto(GStrv) own = g_strsplit(kept, "\n", -1), lines = g_strsplit(other, "\n", -1);
    g_autoptr(GString) text = g_string_new(kept);
    for (char **line = lines; *line; line++) {
        if (**line && !g_strv_contains((const char *const *)own, *line)) {
            g_string_append_printf(text, "\n%s", *line);
        }
    }
    return text->len > strlen(kept) ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static gboolean bring_text(store *s, const Fact *f, GPtrArray *differences, GError **error)
{
    static const struct { const char *sql; VocabularyField field; } of[] = {
        [PROMPT] = { "SELECT prompt FROM label WHERE id = ?1 AND prompt != ''",
                     VOCABULARY_PROMPT },
        [COLOUR] = { "SELECT colour FROM label WHERE id = ?1 AND colour != ''",
                     VOCABULARY_COLOUR },
        [KEY] = { "SELECT key FROM label WHERE id = ?1 AND key != ''", VOCABULARY_KEY },
        [NOTE] = { "SELECT note FROM label WHERE id = ?1 AND note != ''", VOCABULARY_NOTE },
    };
    g_autofree char *kept = look_up(s, f, of[f->kind].sql);
    g_autofree char *joined = kept && f->kind == NOTE ? join_notes(kept, f->value) : NULL;
    gboolean same = kept && (f->kind == COLOUR ? g_ascii_strcasecmp : strcmp)(kept, f->value)
                                == 0;
    if (kept && !same && f->kind != NOTE) {
        return differ(differences, f, kept);
    }
    if ((kept && !joined) || !*f->value) {
        return TRUE;
    }
    /* vocabulary_set would take it from the label that has it. */
    g_autofree char *holder = f->kind == KEY ? look_up(
        s, f, "SELECT name FROM label WHERE stands_for IS NULL AND id != ?1 AND key = ?2")
                                             : NULL;
    if (holder) {
        g_autofree char *text = g_strdup_printf("the key of \"%s\"", holder);
        return differ(differences, f, text);
    }
    return vocabulary_set(s, f->label, of[f->kind].field, joined ? joined : f->value, error);
}

static gboolean bring_favourite(store *s, const Fact *f, GError **error)
{
    g_autofree char *kept = look_up(s, f, "SELECT 1 FROM label WHERE id = ?1 AND favourite");
    return kept || vocabulary_set_favourite(s, f->label, TRUE, error);
}

static gboolean bring_parent(store *s, const Fact *f, GError **error)
{
    gint64 parent = store_find_label(s, f->value);
    g_autofree char *kept = look_up(
        s, f, "SELECT 1 FROM implied WHERE label = ?1 AND parent ="
              " (SELECT target FROM label WHERE name = ?2)");
    /* One label here: nothing is above itself. */
    return kept || parent == f->label || vocabulary_add_parent(s, f->label, parent, error);
}

static gboolean bring_group(store *s, const Fact *f, GError **error)
{
    g_autofree char *kept = look_up(
        s, f, "SELECT 1 FROM exclusive WHERE label = ?1 AND name = ?2");
    return kept || vocabulary_add_to_group(s, f->label, f->value, error);
}

static gboolean bring_threshold(store *s, const Fact *f, GPtrArray *differences,
                                GError **error)
{
    double kept = store_threshold(s, f->detail, f->label);
    if (!(f->number >= 0 && f->number <= 1)) {
        return differ(differences, f, "a threshold lies between 0 and 1");
    }
    if (kept < 0) {
        return store_set_threshold(s, f->detail, f->label, f->number, error);
    }
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(text, sizeof text, "%g", kept);
    return kept == f->number || differ(differences, f, text);
}

static GArray *labels_named(store *s, const char *lines)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_auto(GStrv) names = g_strsplit(lines, "\n", -1);
    for (char **name = names; *name; name++) {
        gint64 id = store_find_label(s, *name);
        for (guint i = 0; i < ids->len; i++) {
            id = g_array_index(ids, gint64, i) == id ? 0 : id; /* two are one here */
        }
        if (id) {
            g_array_append_val(ids, id);
        }
    }
    return ids;
}

static gboolean bring_folder(store *s, const Fact *f, GPtrArray *differences, GError **error)
{
    if (!g_path_is_absolute(f->subject)) {
        return differ(differences, f, "a folder is named from the root on");
    }
    g_autofree char *folder = g_canonicalize_filename(f->subject, NULL);
    g_autoptr(GArray) ids = labels_named(s, f->value);
    g_autoptr(GArray) kept = store_ids(s, store_prepare(
        s, "SELECT l.target FROM folder_label f JOIN label l ON l.id = f.label"
           " WHERE f.folder = ? GROUP BY l.target ORDER BY min (f.place)", error, "b",
        folder), error);
    if (!kept || kept->len == 0) {
        return kept && vocabulary_set_folder(s, folder, (const gint64 *)(gpointer)ids->data,
                                             ids->len, error);
    }
    if (kept->len == ids->len
        && memcmp(kept->data, ids->data, ids->len * sizeof(gint64)) == 0) {
        return TRUE;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < kept->len; i++) {
        g_autofree char *name = vocabulary_name(s, g_array_index(kept, gint64, i));
        g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", name);
    }
    return differ(differences, f, text->str);
}

static gboolean bring_filter(store *s, const Fact *f, GPtrArray *differences, GError **error)
{
    g_autofree char *kept = store_filter(s, f->subject);
    if (kept) {
        return strcmp(kept, f->value) == 0 || differ(differences, f, kept);
    }
    return g_utf8_validate(f->subject, -1, NULL) && g_utf8_validate(f->value, -1, NULL)
               ? store_save_filter(s, f->subject, f->value, error)
               : differ(differences, f, "a filter is UTF-8 text");
}

static gboolean bring_fact(store *s, const Fact *f, GPtrArray *differences, GError **error)
{
    switch (f->kind) {
    case STANDS_FOR: return bring_name(s, f, differences);
    case FAVOURITE: return bring_favourite(s, f, error);
    case PARENT: return bring_parent(s, f, error);
    case GROUP: return bring_group(s, f, error);
    case THRESHOLD: return bring_threshold(s, f, differences, error);
    case FOLDER: return bring_folder(s, f, differences, error);
    case FILTER: return bring_filter(s, f, differences, error);
    default: return bring_text(s, f, differences, error);
    }
}

/* --- Names that stand for others ----------------------------------------------------- */

/* The label of that name, 0 when it stands for another. */
static gint64 own_label(store *s, const char *name)
{
    gint64 id = 0;
    store_finish(s, store_prepare(s, "SELECT id FROM label WHERE name = ?"
                                     " AND stands_for IS NULL", NULL, "t", name), &id, NULL);
    return id;
}

static gboolean bring_names(store *s, gint64 *changed, GError **error)
{
    g_autoptr(GPtrArray) names = list_names(s, error);
    gboolean good = names != NULL;
    for (guint i = 0; good && i < names->len; i++) {
        const Fact *f = names->pdata[i];
        gint64 from = own_label(s, f->subject), to = own_label(s, f->value);
        GError *failure = NULL;
        if (from == 0 || to == 0) {
            continue;
        }
        if (!store_execute(s, "SAVEPOINT fact", error)) {
            return FALSE;
        }
        *changed += vocabulary_merge(s, from, to, &failure);
        /* What is refused here is told as a fact that did not come to be. */
        good = settle(s, failure, f, NULL, error);
    }
    return good;
}

/* --- All ------------------------------------------------------------------------------- */

gboolean merge_bring_vocabulary(store *into, gint64 *changed, GPtrArray *differences,
                                GError **error)
{
    g_autoptr(GPtrArray) facts = bring_names(into, changed, error) ? list_facts(into, error)
                                                                   : NULL;
    gboolean good = facts != NULL;
    for (guint i = 0; good && i < facts->len; i++) {
        GError *failure = NULL;
        int before = sqlite3_total_changes(into->db);
        if (!store_execute(into, "SAVEPOINT fact", error)) {
            return FALSE;
        }
        /* What was taken back counts among SQLite's changes, but not here. */
        if (bring_fact(into, facts->pdata[i], differences, &failure)) {
            *changed += sqlite3_total_changes(into->db) > before;
        }
        good = settle(into, failure, facts->pdata[i], differences, error);
    }
    return good;
}
