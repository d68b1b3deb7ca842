#include "app/store/steps.h"

#include "app/store/store_private.h"
#include "app/store/vocabulary.h"

/* The decisions of the person at this machine, as the index decision_own has them. */
#define OWN "by_model = 0 AND undoes IS NULL AND author IS NULL"

/* The newest of them that follows from no other, and behind which the chain of undo and
 * redo is of even length. */
#define LAST_IN_FORCE \
    "SELECT d.id FROM decision d INDEXED BY decision_own WHERE " OWN " AND cause IS NULL AND" \
    " (WITH RECURSIVE chain (id, length) AS (SELECT d.id, 0 UNION ALL" \
    "  SELECT u.id, length + 1 FROM chain JOIN decision u ON u.undoes = chain.id)" \
    "  SELECT max (length) FROM chain) % 2 = 0 ORDER BY d.id DESC LIMIT 1"

/* What the newest undo took back that came after every decision and was not taken back;
 * where that followed from another decision, the other. */
#define LAST_TAKEN_BACK \
    "SELECT coalesce ((SELECT m.id FROM decision m WHERE m.event = r.cause), r.id)" \
    " FROM decision h JOIN decision r ON r.id =" \
    "  (WITH RECURSIVE chain (id, undoes) AS (SELECT h.id, h.undoes UNION ALL" \
    "   SELECT d.id, d.undoes FROM chain JOIN decision d ON d.id = chain.undoes)" \
    "   SELECT iif (count (*) % 2 = 0, min (id), 0) FROM chain)" \
    " WHERE h.id > coalesce ((SELECT max (id) FROM decision INDEXED BY decision_own WHERE " \
    OWN "), 0) AND h.by_model = 0 AND h.author IS NULL AND h.undoes IS NOT NULL" \
    " AND NOT EXISTS (SELECT 1 FROM decision u WHERE u.undoes = h.id)" \
    " ORDER BY h.id DESC LIMIT 1"

/* What a person said of the pair of decision `d` before it, under any of the label's
 * names. */
#define VERDICT_BEFORE \
    "coalesce ((SELECT e.verdict FROM label l JOIN label n ON n.target = l.target" \
    " JOIN decision e ON e.label = n.id WHERE l.id = d.label AND e.image = d.image" \
    " AND e.by_model = 0 AND (e.id < d.id OR e.author IS NOT NULL)" \
    " ORDER BY e.time DESC, length (e.event) DESC, e.event DESC LIMIT 1), 0)"

/* The decisions of a step with what followed from them; for each, what it is called now and
 * the end of its chain. */
#define PARTS \
    "WITH main (id) AS (SELECT ?1 UNION SELECT decision FROM step WHERE first =" \
    "  (SELECT first FROM step WHERE decision = ?1))," \
    " part (id) AS (SELECT id FROM main UNION SELECT e.id FROM main JOIN decision c" \
    "  ON c.id = main.id JOIN decision e ON e.cause = c.event)" \
    "SELECT d.id, d.image, t.id, t.name, d.verdict, " VERDICT_BEFORE "," \
    " (WITH RECURSIVE chain (id) AS (SELECT d.id UNION ALL" \
    "  SELECT u.id FROM chain JOIN decision u ON u.undoes = chain.id)" \
    "  SELECT max (id) FROM chain), d.model, d.prompt, d.confidence, d.threshold" \
    " FROM part CROSS JOIN decision d ON d.id = part.id JOIN label o ON o.id = d.label" \
    " JOIN label t ON t.id = o.target"

typedef struct {
    StoreChange change;
    StoreVerdict before;
    gint64 end;
    char *model, *prompt;
    double confidence, threshold;
} Part;

static void part_clear(gpointer data)
{
    Part *part = data;
    g_free(part->change.name);
    g_free(part->model);
    g_free(part->prompt);
}

static void change_clear(gpointer data)
{
    g_free(((StoreChange *)data)->name);
}

GArray *store_changes_new(void)
{
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(StoreChange));
    g_array_set_clear_func(changes, change_clear);
    return changes;
}

gboolean store_decide_in_step(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                              const StoreSource *source, gint64 *step, GArray *changes,
                              GError **error)
{
    gint64 before = store_number(s, "SELECT max (id) FROM decision"), id = 0;
    g_autoptr(GArray) made = vocabulary_decide(s, image, label, verdict, source, error);
    if (!made) {
        return FALSE;
    }
    for (guint i = 0; i < made->len; i++) {
        const VocabularyChange *c = &g_array_index(made, VocabularyChange, i);
        StoreChange change = { image, c->label, vocabulary_name(s, c->label), c->after };
        g_array_append_val(changes, change);
    }
    sqlite3_stmt *find = store_prepare(s, "SELECT min (id) FROM decision WHERE id > ?", error,
                                       "i", before);
    if (!store_finish(s, find, &id, error)) {
        return FALSE;
    }
    *step = *step ? *step : id;
    return store_finish(s, store_prepare(s, "INSERT INTO step (decision, first) VALUES (?, ?)",
                                         error, "ii", id, *step), NULL, error);
}

/* Of the step that decision `id` is a part of; NULL with an error. */
static GArray *read_parts(store *s, gint64 id, gboolean newest_first, GError **error)
{
    GArray *parts = g_array_new(FALSE, TRUE, sizeof(Part));
    g_array_set_clear_func(parts, part_clear);
    sqlite3_stmt *list = store_prepare(
        s, newest_first ? PARTS " ORDER BY d.id DESC" : PARTS " ORDER BY d.id", error, "i",
        id);
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        Part part = {
            { sqlite3_column_int64(list, 1), sqlite3_column_int64(list, 2),
              g_strdup((const char *)sqlite3_column_text(list, 3)),
              (StoreVerdict)sqlite3_column_int(list, 4) },
            (StoreVerdict)sqlite3_column_int(list, 5), sqlite3_column_int64(list, 6),
            g_strdup((const char *)sqlite3_column_text(list, 7)),
            g_strdup((const char *)sqlite3_column_text(list, 8)), store_number_at(list, 9),
            store_number_at(list, 10) };
        g_array_append_val(parts, part);
    }
    if (!store_end(s, list, code, error)) {
        g_clear_pointer(&parts, g_array_unref);
    }
    return parts;
}

/* Appends to each chain of the step what turns it: the verdict before it, or its own. */
static gboolean turn(store *s, gint64 id, gboolean back, GArray *changes, GError **error)
{
    g_autoptr(GArray) parts = read_parts(s, id, back, error);
    for (guint i = 0; parts && i < parts->len; i++) {
        Part *part = &g_array_index(parts, Part, i);
        StoreChange change = part->change;
        StoreSource source = { .model = back ? NULL : part->model,
                               .prompt = back ? NULL : part->prompt,
                               .confidence = back ? -1 : part->confidence,
                               .threshold = back ? -1 : part->threshold };
        change.verdict = back ? part->before : change.verdict;
        if (!store_append(s, change.image, change.label, change.verdict, &source, part->end,
                          NULL, error)) {
            return FALSE;
        }
        part->change.name = NULL; /* handed on */
        g_array_append_val(changes, change);
    }
    return parts != NULL;
}

static GArray *turn_last(store *s, const char *find, gboolean back, GError **error)
{
    g_autoptr(GArray) changes = store_changes_new();
    gint64 id = 0;
    if (!store_begin(s, error)) {
        return NULL;
    }
    if (!store_finish(s, store_prepare(s, find, error, ""), &id, error)
        || (id && !turn(s, id, back, changes, error))) {
        store_rollback(s);
        return NULL;
    }
    return store_commit(s, error) ? g_steal_pointer(&changes) : NULL;
}

GArray *store_undo(store *s, GError **error)
{
    return turn_last(s, LAST_IN_FORCE, TRUE, error);
}

GArray *store_redo(store *s, GError **error)
{
    return turn_last(s, LAST_TAKEN_BACK, FALSE, error);
}
