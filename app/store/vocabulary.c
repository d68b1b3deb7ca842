#include "app/store/vocabulary.h"

#include "app/store/store_private.h"

#include <string.h>

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean refuse(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, STORE_ERROR, STORE_ERROR_REFUSED, text);
    return FALSE;
}

/* Runs a statement that changes something. */
static gboolean change(store *s, sqlite3_stmt *statement, GError **error)
{
    return store_finish(s, statement, NULL, error);
}

/* The label that counts. */
static gint64 target_of(store *s, gint64 label)
{
    gint64 target = 0;
    store_finish(s, store_prepare(s, "SELECT target FROM label WHERE id = ?", NULL, "i",
                                  label), &target, NULL);
    return target;
}

char *vocabulary_name(store *s, gint64 label)
{
    g_auto(GStrv) names = store_texts(
        s, store_prepare(s, "SELECT name FROM label WHERE id = ?", NULL, "i",
                         target_of(s, label)), NULL);
    return names && names[0] ? g_strdup(names[0]) : NULL;
}

/* --- Reading ------------------------------------------------------------------------- */

static void entry_free(gpointer data)
{
    VocabularyEntry *e = data;
    g_free(e->name);
    g_free(e->prompt);
    g_free(e->colour);
    g_free(e->key);
    g_free(e->note);
    g_strfreev(e->synonyms);
    g_strfreev(e->parents);
    g_strfreev(e->groups);
    g_free(e);
}

static char *text_at(sqlite3_stmt *list, int column)
{
    return g_strdup((const char *)sqlite3_column_text(list, column));
}

static gboolean load_labels(store *s, GPtrArray *entries, GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT id, name, prompt, colour, key, note, favourite, hidden FROM label"
           " WHERE stands_for IS NULL ORDER BY id", error, "");
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        VocabularyEntry *e = g_new0(VocabularyEntry, 1);
        *e = (VocabularyEntry){ .label = sqlite3_column_int64(list, 0),
                                .name = text_at(list, 1), .prompt = text_at(list, 2),
                                .colour = text_at(list, 3), .key = text_at(list, 4),
                                .note = text_at(list, 5),
                                .favourite = sqlite3_column_int(list, 6),
                                .listed = !sqlite3_column_int(list, 7) };
        g_ptr_array_add(entries, e);
    }
    return store_end(s, list, code, error);
}

const VocabularyEntry *vocabulary_entry(const GPtrArray *entries, gint64 label)
{
    guint low = 0, high = entries->len; /* they are sorted by label */
    while (low < high) {
        guint middle = low + (high - low) / 2;
        const VocabularyEntry *e = entries->pdata[middle];
        if (e->label == label) {
            return e;
        }
        if (e->label < label) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Gives each label a list of texts, at `offset` in its entry. sql: label and text, sorted
 * by label. */
static gboolean load_texts(store *s, GPtrArray *entries, gsize offset, const char *sql,
                           GError **error)
{
    sqlite3_stmt *list = store_prepare(s, sql, error, "");
    g_autoptr(GStrvBuilder) texts = g_strv_builder_new();
    gint64 label = 0;
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) != SQLITE_ERROR) {
        gint64 next = code == SQLITE_ROW ? sqlite3_column_int64(list, 0) : -1;
        const VocabularyEntry *e = next != label ? vocabulary_entry(entries, label) : NULL;
        if (e) {
            G_STRUCT_MEMBER(GStrv, (gpointer)e, offset) = g_strv_builder_end(texts);
        }
        if (code != SQLITE_ROW) {
            break;
        }
        label = next;
        g_strv_builder_add(texts, (const char *)sqlite3_column_text(list, 1));
    }
    return store_end(s, list, code, error);
}

static void fill_empty(GPtrArray *entries)
{
    for (guint i = 0; i < entries->len; i++) {
        VocabularyEntry *e = entries->pdata[i];
        e->synonyms = e->synonyms ? e->synonyms : g_new0(char *, 1);
        e->parents = e->parents ? e->parents : g_new0(char *, 1);
        e->groups = e->groups ? e->groups : g_new0(char *, 1);
    }
}

GPtrArray *vocabulary_load(store *s, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
    gboolean good =
        load_labels(s, entries, error)
        && load_texts(s, entries, G_STRUCT_OFFSET(VocabularyEntry, synonyms),
                      "SELECT stands_for, name FROM label WHERE stands_for IS NOT NULL"
                      " ORDER BY stands_for, name", error)
        && load_texts(s, entries, G_STRUCT_OFFSET(VocabularyEntry, parents),
                      "SELECT DISTINCT i.label, p.name FROM implied i JOIN label p"
                      " ON p.id = i.parent ORDER BY i.label, p.name", error)
        && load_texts(s, entries, G_STRUCT_OFFSET(VocabularyEntry, groups),
                      "SELECT DISTINCT label, name FROM exclusive ORDER BY label, name",
                      error);
    fill_empty(entries);
    return good ? g_steal_pointer(&entries) : NULL;
}

GPtrArray *vocabulary_prompts(store *s, const GPtrArray *names, GError **error)
{
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < names->len; i++) {
        g_auto(GStrv) found = store_texts(s, store_prepare(
            s, "SELECT prompt FROM label WHERE prompt IS NOT NULL AND id ="
               " (SELECT target FROM label WHERE name = ?)", error, "t", names->pdata[i]),
            error);
        if (!found) {
            return NULL;
        }
        g_ptr_array_add(prompts, g_strdup(found[0]));
    }
    return g_steal_pointer(&prompts);
}

/* 0 begins with it, 1 a later word does, 2 holds it, 3 does not; 4 and on for synonyms. */
static guint fit_of(const char *name, const char *folded)
{
    g_autofree char *text = g_utf8_casefold(name, -1);
    const char *at = strstr(text, folded);
    return !at ? 3 : at == text ? 0 : at[-1] == ' ' ? 1 : 2;
}

typedef struct { const VocabularyEntry *entry; guint fit; } Found;

static int best_first(gconstpointer left, gconstpointer right)
{
    const Found *a = left, *b = right;
    if (a->fit != b->fit) {
        return a->fit < b->fit ? -1 : 1;
    }
    if (a->entry->favourite != b->entry->favourite) {
        return a->entry->favourite ? -1 : 1;
    }
    return a->entry->label < b->entry->label ? -1 : a->entry->label > b->entry->label;
}

GPtrArray *vocabulary_search(const GPtrArray *entries, const char *text, guint most)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
    for (guint i = 0; i < entries->len; i++) {
        Found f = { entries->pdata[i], 3 };
        f.fit = fit_of(f.entry->name, folded);
        for (char **name = f.entry->synonyms; f.fit == 3 && *name; name++) {
            f.fit = fit_of(*name, folded);
        }
        if (f.fit < 3) {
            g_array_append_val(found, f);
        }
    }
    g_array_sort(found, best_first);
    GPtrArray *out = g_ptr_array_new();
    for (guint i = 0; i < found->len && i < most; i++) {
        g_ptr_array_add(out, (gpointer)g_array_index(found, Found, i).entry);
    }
    return out;
}

/* --- Checks ---------------------------------------------------------------------------- */

#define UP_FROM_LABEL \
    "up (id) AS (SELECT ?1 UNION SELECT i.parent FROM up JOIN implied i" \
    " ON i.label = up.id)"

/* A label that comes to imply itself, when parents or names of `label` have changed. */
static gboolean check_circle(store *s, gint64 label, GError **error)
{
    gint64 circle = 0;
    sqlite3_stmt *find = store_prepare(
        s, "WITH RECURSIVE up (id) AS (SELECT parent FROM implied WHERE label = ?1 UNION"
           " SELECT i.parent FROM up JOIN implied i ON i.label = up.id)"
           " SELECT 1 FROM up WHERE id = ?1", error, "i", label);
    if (!store_finish(s, find, &circle, error)) {
        return FALSE;
    }
    g_autofree char *name = circle ? vocabulary_name(s, label) : NULL;
    return !circle || refuse(error, "\"%s\" would be above and below itself", name);
}

/* A label, `label` itself or one that implies it, that comes to imply two of one group. */
static gboolean check_groups(store *s, gint64 label, GError **error)
{
    g_auto(GStrv) fault = store_texts(s, store_prepare(
        s, "WITH RECURSIVE down (id) AS (SELECT ?1 UNION SELECT i.label FROM down"
           " JOIN implied i ON i.parent = down.id),"
           " up (root, id) AS (SELECT id, id FROM down UNION SELECT up.root, i.parent"
           "  FROM up JOIN implied i ON i.label = up.id)"
           " SELECT '\"' || l.name || '\" would imply several of the group \"' || x.name"
           "  || '\", of which only one may hold' FROM up JOIN exclusive x ON x.label = up.id"
           " JOIN label l ON l.id = up.root GROUP BY up.root, x.name"
           " HAVING count (DISTINCT up.id) > 1 LIMIT 1", error, "i", label), error);
    return fault && (!fault[0] || refuse(error, "%s", fault[0]));
}

static gboolean check_name(const char *name, GError **error)
{
    if (!g_utf8_validate(name, -1, NULL)) {
        return refuse(error, "a name of a label is UTF-8 text");
    }
    for (const char *c = name; *c; c = g_utf8_next_char(c)) {
        if (g_unichar_iscntrl(g_utf8_get_char(c))) {
            return refuse(error, "a name of a label is one line of text");
        }
    }
    return *name || refuse(error, "a label must have a name");
}

static gboolean check_label(store *s, gint64 label, GError **error)
{
    return target_of(s, label) != 0
           || refuse(error, "%s: there is no label number %" G_GINT64_FORMAT, s->path, label);
}

/* --- Names ------------------------------------------------------------------------------ */

/* The row of exactly that name, and the label that it stands for. */
static gint64 row_of(store *s, const char *name, gint64 *target)
{
    gint64 row = 0;
    *target = store_find_label(s, name);
    store_finish(s, store_prepare(s, "SELECT id FROM label WHERE name = ?", NULL, "t", name),
                 &row, NULL);
    return row;
}

gint64 vocabulary_add(store *s, const char *name, GError **error)
{
    g_autofree char *text = g_strstrip(g_strdup(name));
    return check_name(text, error) ? store_put_label(s, text, NULL, error) : 0;
}

static gboolean put_alias(store *s, gint64 label, const char *name, GError **error)
{
    return change(s, store_prepare(s, "INSERT INTO label (name, stands_for, hidden)"
                                      " VALUES (?, ?, 1)", error, "ti", name, label), error);
}

static gboolean set_name(store *s, gint64 row, const char *name, GError **error)
{
    return change(s, store_prepare(s, "UPDATE label SET name = ? WHERE id = ?", error, "ti",
                                   name, row), error);
}

/* In a transaction. A name that stands for the label already changes places with its
 * name, by way of one that nobody can have given. */
static gboolean rename_to(store *s, gint64 label, const char *name, GError **error)
{
    gint64 target, row = row_of(s, name, &target);
    g_autofree char *old = vocabulary_name(s, label);
    if (row == label) {
        return TRUE;
    }
    if (row && target != label) {
        return refuse(error, "there is another label \"%s\"; merge them", name);
    }
    if (row) {
        return set_name(s, row, "\n", error) && set_name(s, label, name, error)
               && set_name(s, row, old, error);
    }
    return set_name(s, label, name, error) && put_alias(s, label, old, error);
}

gboolean vocabulary_rename(store *s, gint64 label, const char *name, GError **error)
{
    gboolean own;
    g_autofree char *text = g_strstrip(g_strdup(name));
    if (!check_name(text, error) || !check_label(s, label, error)
        || !store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gboolean good = rename_to(s, target_of(s, label), text, error);
    return store_end_own(s, own, good, error);
}

static gboolean point_to(store *s, gint64 from, gint64 into, GError **error)
{
    return change(s, store_prepare(
               s, "UPDATE label SET hidden = 0 WHERE id = ?2 AND EXISTS"
                  " (SELECT 1 FROM label WHERE id = ?1 AND hidden = 0)", error, "ii", from,
               into), error)
           && change(s, store_prepare(
                  s, "UPDATE label SET stands_for = ?2, hidden = 1 WHERE target = ?1",
                  error, "ii", from, into), error)
           && check_circle(s, into, error) && check_groups(s, into, error);
}

gboolean vocabulary_merge(store *s, gint64 from, gint64 into, GError **error)
{
    gboolean own;
    if (!check_label(s, from, error) || !check_label(s, into, error)
        || !store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gint64 a = target_of(s, from), b = target_of(s, into);
    gboolean good = a != b ? point_to(s, a, b, error)
                           : refuse(error, "these are one label already");
    return store_end_own(s, own, good, error);
}

static gboolean put_synonym(store *s, gint64 label, const char *name, GError **error)
{
    gint64 target, row = row_of(s, name, &target);
    if (row && row == target && row != label) {
        return refuse(error, "\"%s\" is a label itself; merge them", name);
    }
    if (row && target != label) {
        g_autofree char *other = vocabulary_name(s, target);
        return refuse(error, "\"%s\" stands for \"%s\"", name, other);
    }
    return row || put_alias(s, label, name, error);
}

gboolean vocabulary_add_synonym(store *s, gint64 label, const char *name, GError **error)
{
    gboolean own;
    g_autofree char *text = g_strstrip(g_strdup(name));
    if (!check_name(text, error) || !check_label(s, label, error)
        || !store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gboolean good = put_synonym(s, target_of(s, label), text, error);
    return store_end_own(s, own, good, error);
}

gboolean vocabulary_split(store *s, const char *name, GError **error)
{
    gboolean own;
    gint64 target, row = row_of(s, name, &target);
    if (row == target) {
        return refuse(error, row ? "\"%s\" is a label itself" : "there is no name \"%s\"",
                      name);
    }
    if (!store_begin_own(s, &own, error)) {
        return FALSE;
    }
    /* Its own parents may by now be below what it stood for. */
    gboolean good = change(s, store_prepare(s, "UPDATE label SET stands_for = NULL,"
                                               " hidden = 0 WHERE id = ?", error, "i", row),
                           error)
                    && check_circle(s, row, error) && check_groups(s, row, error);
    return store_end_own(s, own, good, error);
}

/* --- Looks and notes ----------------------------------------------------------------------- */

static gboolean check_colour(const char *text, GError **error)
{
    gboolean good = strlen(text) == 7 && *text == '#';
    for (const char *c = text + 1; good && *c; c++) {
        good = g_ascii_isxdigit(*c);
    }
    return good || refuse(error, "%s: a colour is written as #rrggbb", text);
}

static gboolean check_field(VocabularyField field, const char *text, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        return refuse(error, "what is said of a label is UTF-8 text");
    }
    if (field == VOCABULARY_COLOUR) {
        return check_colour(text, error);
    }
    if (field == VOCABULARY_KEY
        && (g_utf8_strlen(text, -1) != 1 || !g_unichar_isgraph(g_utf8_get_char(text)))) {
        return refuse(error, "%s: a key is one character", text);
    }
    return TRUE;
}

static gboolean set_field(store *s, gint64 label, VocabularyField field, const char *text,
                          GError **error)
{
    static const char *const sql[] = {
        [VOCABULARY_PROMPT] = "UPDATE label SET prompt = ? WHERE id = ?",
        [VOCABULARY_COLOUR] = "UPDATE label SET colour = lower (?) WHERE id = ?",
        [VOCABULARY_KEY] = "UPDATE label SET key = ? WHERE id = ?",
        [VOCABULARY_NOTE] = "UPDATE label SET note = ? WHERE id = ?",
    };
    if (field == VOCABULARY_KEY
        && !change(s, store_prepare(s, "UPDATE label SET key = NULL WHERE key = ?", error,
                                    "t", text), error)) {
        return FALSE;
    }
    return change(s, store_prepare(s, sql[field], error, "ti", text, label), error);
}

gboolean vocabulary_set(store *s, gint64 label, VocabularyField field, const char *text,
                        GError **error)
{
    gboolean own;
    text = text && *text ? text : NULL;
    if ((text && !check_field(field, text, error)) || !check_label(s, label, error)
        || !store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gboolean good = set_field(s, target_of(s, label), field, text, error);
    return store_end_own(s, own, good, error);
}

gboolean vocabulary_set_favourite(store *s, gint64 label, gboolean favourite,
                                  GError **error)
{
    return check_label(s, label, error)
           && change(s, store_prepare(s, "UPDATE label SET favourite = ? WHERE id = ?",
                                      error, "ii", (gint64)(favourite != FALSE),
                                      target_of(s, label)), error);
}

/* --- How labels hang together ------------------------------------------------------------------ */

gboolean vocabulary_add_parent(store *s, gint64 label, gint64 parent, GError **error)
{
    gboolean own;
    gint64 below = target_of(s, label), above = target_of(s, parent);
    if (!check_label(s, label, error) || !check_label(s, parent, error)) {
        return FALSE;
    }
    if (below == above) {
        return refuse(error, "a label is not its own parent");
    }
    if (!store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gboolean good = change(s, store_prepare(
                        s, "INSERT OR IGNORE INTO label_parent VALUES (?, ?)", error, "ii",
                        below, above), error)
                    && check_circle(s, below, error) && check_groups(s, below, error);
    return store_end_own(s, own, good, error);
}

gboolean vocabulary_remove_parent(store *s, gint64 label, gint64 parent, GError **error)
{
    return change(s, store_prepare(
        s, "DELETE FROM label_parent WHERE label IN (SELECT id FROM label WHERE target = ?)"
           " AND parent IN (SELECT id FROM label WHERE target = ?)", error, "ii",
        target_of(s, label), target_of(s, parent)), error);
}

gboolean vocabulary_add_to_group(store *s, gint64 label, const char *group, GError **error)
{
    gboolean own;
    g_autofree char *name = g_strstrip(g_strdup(group));
    if (!check_name(name, error) || !check_label(s, label, error)
        || !store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gint64 target = target_of(s, label);
    gboolean good = change(s, store_prepare(
                        s, "INSERT OR IGNORE INTO label_group VALUES (?, ?)", error, "ti",
                        name, target), error)
                    && check_groups(s, target, error);
    return store_end_own(s, own, good, error);
}

gboolean vocabulary_remove_from_group(store *s, gint64 label, const char *group,
                                      GError **error)
{
    return change(s, store_prepare(
        s, "DELETE FROM label_group WHERE name = ? AND label IN"
           " (SELECT id FROM label WHERE target = ?)", error, "ti", group,
        target_of(s, label)), error);
}

static gboolean put_folder(store *s, const char *folder, const gint64 *labels, guint n,
                           GError **error)
{
    gboolean good = change(s, store_prepare(s, "DELETE FROM folder_label WHERE folder = ?",
                                            error, "b", folder), error);
    for (guint i = 0; good && i < n; i++) {
        good = check_label(s, labels[i], error)
               && change(s, store_prepare(s, "INSERT INTO folder_label VALUES (?, ?, ?)",
                                          error, "bii", folder, (gint64)i, labels[i]),
                         error);
    }
    return good;
}

gboolean vocabulary_set_folder(store *s, const char *folder, const gint64 *labels, guint n,
                               GError **error)
{
    gboolean own;
    g_autofree char *whole = g_canonicalize_filename(folder, NULL);
    if (!store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gboolean good = put_folder(s, whole, labels, n, error);
    return store_end_own(s, own, good, error);
}

GArray *vocabulary_folder(store *s, const char *folder)
{
    g_autofree char *at = g_canonicalize_filename(folder, NULL);
    for (gboolean top = FALSE; !top;) {
        g_autoptr(GArray) ids = store_ids(s, store_prepare(
            s, "SELECT l.target FROM folder_label f JOIN label l ON l.id = f.label"
               " WHERE f.folder = ? GROUP BY l.target ORDER BY min (f.place)", NULL, "b",
            at), NULL);
        if (ids && ids->len > 0) {
            return g_steal_pointer(&ids);
        }
        char *parent = g_path_get_dirname(at);
        top = strcmp(parent, at) == 0;
        g_free(at);
        at = parent;
    }
    return NULL;
}

GPtrArray *vocabulary_folders(store *s, GError **error)
{
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *list = store_prepare(
        s, "SELECT DISTINCT folder FROM folder_label ORDER BY folder", error, "");
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        g_ptr_array_add(folders, store_bytes_at(list, 0));
    }
    return store_end(s, list, code, error) ? g_steal_pointer(&folders) : NULL;
}

/* --- Deciding ------------------------------------------------------------------------------------ */

/* What follows from accepting ?1: label, verdict, whether it matters only to what is
 * accepted. */
static const char when_accepted[] =
    "WITH RECURSIVE " UP_FROM_LABEL ","
    " others (id) AS (SELECT DISTINCT b.label FROM up JOIN exclusive a ON a.label = up.id"
    "  JOIN exclusive b ON b.name = a.name WHERE b.label NOT IN (SELECT id FROM up)),"
    " down (id) AS (SELECT id FROM others UNION SELECT i.label FROM down"
    "  JOIN implied i ON i.parent = down.id)"
    " SELECT id, 1, 0 FROM up WHERE id != ?1 UNION ALL SELECT id, -1, 0 FROM others"
    " UNION ALL SELECT id, -1, 1 FROM down WHERE id NOT IN (SELECT id FROM others)";
static const char when_rejected[] =
    "WITH RECURSIVE down (id) AS (SELECT ?1 UNION SELECT i.label FROM down"
    "  JOIN implied i ON i.parent = down.id) SELECT id, -1, 1 FROM down WHERE id != ?1";

typedef struct { gint64 label; StoreVerdict verdict; gboolean if_accepted; } Consequence;

static GArray *list_consequences(store *s, gint64 label, StoreVerdict verdict,
                                 GError **error)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Consequence));
    if (verdict == STORE_CLEARED) {
        return found;
    }
    sqlite3_stmt *list = store_prepare(
        s, verdict == STORE_ACCEPTED ? when_accepted : when_rejected, error, "i", label);
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        Consequence c = { sqlite3_column_int64(list, 0),
                          (StoreVerdict)sqlite3_column_int(list, 1),
                          sqlite3_column_int(list, 2) };
        g_array_append_val(found, c);
    }
    if (!store_end(s, list, code, error)) {
        g_clear_pointer(&found, g_array_unref);
    }
    return found;
}

/* What holds of the pair, and whether a person has said so. */
static StoreVerdict verdict_of(store *s, gint64 image, gint64 label, gboolean *by_person)
{
    sqlite3_stmt *find = store_prepare(
        s, "SELECT verdict, by_model FROM current_decision WHERE image = ? AND label = ?",
        NULL, "ii", image, label);
    StoreVerdict verdict = STORE_CLEARED;
    *by_person = FALSE;
    if (find && sqlite3_step(find) == SQLITE_ROW) {
        verdict = (StoreVerdict)sqlite3_column_int(find, 0);
        *by_person = !sqlite3_column_int(find, 1);
    }
    sqlite3_finalize(find);
    return verdict;
}

static char *last_event(store *s)
{
    g_auto(GStrv) events = store_texts(s, store_prepare(
        s, "SELECT event FROM decision WHERE id = last_insert_rowid ()", NULL, ""), NULL);
    return events && events[0] ? g_strdup(events[0]) : NULL;
}

/* What follows has no prompt and confidence of its own. */
static gboolean follow(store *s, gint64 image, const Consequence *c, gint64 because,
                       const char *cause, const StoreSource *source, GArray *changes,
                       GError **error)
{
    gboolean by_person;
    StoreSource own = { .by_model = source->by_model, .model = source->model,
                        .confidence = -1, .threshold = -1, .author = source->author,
                        .time = source->time };
    VocabularyChange change = { c->label, verdict_of(s, image, c->label, &by_person),
                                c->verdict, because };
    if (change.before == c->verdict || (c->if_accepted && change.before != STORE_ACCEPTED)
        || (source->by_model && by_person)) {
        return TRUE;
    }
    g_array_append_val(changes, change);
    return store_append(s, image, c->label, c->verdict, &own, 0, cause, error);
}

/* After the decision was written: what follows from it. */
static gboolean follow_all(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                           const StoreSource *source, GArray *changes, GError **error)
{
    g_autofree char *cause = last_event(s);
    g_autoptr(GArray) found = list_consequences(s, label, verdict, error);
    gboolean good = found != NULL;
    for (guint i = 0; good && i < found->len; i++) {
        good = follow(s, image, &g_array_index(found, Consequence, i), label, cause, source,
                      changes, error);
    }
    return good;
}

static gboolean decide_all(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                           const StoreSource *source, GArray *changes, GError **error)
{
    gboolean by_person;
    VocabularyChange first = { label, verdict_of(s, image, label, &by_person), verdict, 0 };
    if (!store_append(s, image, label, verdict, source, 0, NULL, error)) {
        return FALSE;
    }
    if (source->by_model && by_person) {
        return TRUE; /* the person's stands, and nothing follows */
    }
    g_array_append_val(changes, first);
    return follow_all(s, image, label, verdict, source, changes, error);
}

GArray *vocabulary_decide(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                          const StoreSource *source, GError **error)
{
    gboolean own;
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(VocabularyChange));
    if (!check_label(s, label, error) || !store_begin_own(s, &own, error)) {
        return NULL;
    }
    gboolean good = decide_all(s, image, target_of(s, label), verdict, source, changes,
                               error);
    return store_end_own(s, own, good, error) ? g_steal_pointer(&changes) : NULL;
}

gboolean vocabulary_accept_once(store *s, gint64 image, gint64 label,
                                const StoreSource *source, gboolean *added, GError **error)
{
    gboolean own, by_person;
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(VocabularyChange));
    if (!store_begin_own(s, &own, error)) {
        return FALSE;
    }
    gint64 target = target_of(s, label);
    verdict_of(s, image, target, &by_person);
    gboolean good = store_accept_once(s, image, target, source, added, error)
                    && (!*added || by_person
                        || follow_all(s, image, target, STORE_ACCEPTED, source, changes,
                                      error));
    return store_end_own(s, own, good, error);
}
