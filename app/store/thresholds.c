#include "app/store/thresholds.h"

#include "app/store/store_private.h"

#include <string.h>

#define TARGET "(SELECT target FROM label WHERE id = ?)"

/* --- Thresholds ------------------------------------------------------------------------ */

gboolean store_set_threshold(store *s, const char *model, gint64 label, double value,
                             GError **error)
{
    if (value < 0) {
        return store_finish(s, store_prepare(
            s, "DELETE FROM threshold WHERE model = ? AND label = " TARGET, error, "ti",
            model, label), NULL, error);
    }
    return store_finish(s, store_prepare(
        s, "INSERT INTO threshold (model, label, value) VALUES (?, " TARGET ", ?)"
           " ON CONFLICT DO UPDATE SET value = excluded.value", error, "tid", model, label,
        MIN(value, 1)), NULL, error);
}

double store_threshold(store *s, const char *model, gint64 label)
{
    sqlite3_stmt *find = store_prepare(
        s, "SELECT value FROM threshold WHERE model = ? AND label = " TARGET, NULL, "ti",
        model, label);
    double value = find && sqlite3_step(find) == SQLITE_ROW
                       ? sqlite3_column_double(find, 0) : -1;
    sqlite3_finalize(find);
    return value;
}

/* --- What was said and what was decided ---------------------------------------------------- */

struct decided {
    StoreJudged judged;
    char *prompt, *author;
    gboolean told;         /* with a prediction */
};

static void decided_free(gpointer data)
{
    struct decided *d = data;
    g_free(d->prompt);
    g_free(d->author);
    g_free(d);
}

static const char *text_at(sqlite3_stmt *list, int column)
{
    const char *text = (const char *)sqlite3_column_text(list, column);
    return text ? text : "";
}

/* Decisions on a label, by image. */
static GHashTable *load_decided(store *s, const char *model, gint64 label, GError **error)
{
    GHashTable *all = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, decided_free);
    sqlite3_stmt *list = store_prepare(
        s, "SELECT image, verdict, by_model, author, prompt, iif (model IS ?2, confidence,"
           " NULL) FROM current_decision WHERE label = ?1 AND verdict != 0", error, "it",
        label, model);
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        struct decided *d = g_new0(struct decided, 1);
        gboolean said = sqlite3_column_type(list, 5) != SQLITE_NULL;
        d->author = g_strdup(text_at(list, 3));
        d->prompt = g_strdup(text_at(list, 4));
        d->judged = (StoreJudged){ .image = sqlite3_column_int64(list, 0),
                                   .prompt = d->prompt, .author = d->author,
                                   .confidence = said ? sqlite3_column_double(list, 5) : -1,
                                   .time = "",
                                   .verdict = (StoreVerdict)sqlite3_column_int(list, 1),
                                   .by_model = sqlite3_column_int(list, 2) };
        g_hash_table_insert(all, &d->judged.image, d);
    }
    if (code != SQLITE_DONE) {
        if (list) {
            store_fail(s, error);
        }
        g_clear_pointer(&all, g_hash_table_unref);
    }
    sqlite3_finalize(list);
    return all;
}

/* Goes by image, for predictions are stored so: an index by label and model would be as
 * large as they are. */
static gboolean tell_predictions(store *s, const char *model, gint64 label,
                                 GHashTable *decided, StoreJudgedFunc func,
                                 gpointer user_data, gboolean *more, GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT p.image, p.prompt, p.confidence, p.time FROM image i"
           " CROSS JOIN prediction p ON p.image = i.id AND p.label = ?1 AND p.model = ?2",
        error, "it", label, model);
    int code = SQLITE_ERROR;
    while (list && *more && (code = sqlite3_step(list)) == SQLITE_ROW) {
        gint64 image = sqlite3_column_int64(list, 0);
        struct decided *d = g_hash_table_lookup(decided, &image);
        StoreJudged j = d ? d->judged : (StoreJudged){ .image = image, .author = "" };
        if (d) {
            d->told = TRUE;
        }
        j.prompt = text_at(list, 1);
        j.confidence = sqlite3_column_double(list, 2);
        j.time = text_at(list, 3);
        *more = func(&j, user_data);
    }
    gboolean good = list && (!*more || code == SQLITE_DONE || store_fail(s, error));
    sqlite3_finalize(list);
    return good;
}

gboolean store_each_judged(store *s, const char *model, gint64 label, StoreJudgedFunc func,
                           gpointer user_data, GError **error)
{
    gint64 target = label;
    gboolean more = TRUE;
    store_finish(s, store_prepare(s, "SELECT target FROM label WHERE id = ?", NULL, "i",
                                  label), &target, NULL);
    g_autoptr(GHashTable) decided = load_decided(s, model, target, error);
    if (!decided
        || (model && !tell_predictions(s, model, target, decided, func, user_data, &more,
                                       error))) {
        return FALSE;
    }
    GHashTableIter each;
    gpointer value;
    g_hash_table_iter_init(&each, decided);
    while (more && g_hash_table_iter_next(&each, NULL, &value)) {
        const struct decided *d = value;
        more = d->told || func(&d->judged, user_data);
    }
    return TRUE;
}

gboolean store_each_verdict(store *s, StoreJudgedFunc func, gpointer user_data,
                            GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT image, verdict, by_model, author FROM current_decision"
           " WHERE verdict != 0", error, "");
    int code = SQLITE_ERROR;
    gboolean more = TRUE;
    while (list && more && (code = sqlite3_step(list)) == SQLITE_ROW) {
        StoreJudged j = { .image = sqlite3_column_int64(list, 0), .prompt = "", .time = "",
                          .confidence = -1, .author = text_at(list, 3),
                          .verdict = (StoreVerdict)sqlite3_column_int(list, 1),
                          .by_model = sqlite3_column_int(list, 2) };
        more = func(&j, user_data);
    }
    gboolean good = list && (!more || code == SQLITE_DONE || store_fail(s, error));
    sqlite3_finalize(list);
    return good;
}

GStrv store_models(store *s, GError **error)
{
    return store_texts(s, store_prepare(
        s, "SELECT model FROM prediction UNION SELECT model FROM decision"
           " WHERE model IS NOT NULL AND confidence IS NOT NULL ORDER BY 1", error, ""),
        error);
}

/* --- Saved filters ----------------------------------------------------------------- */

gboolean store_save_filter(store *s, const char *name, const char *query, GError **error)
{
    if (!query) {
        return store_finish(s, store_prepare(s, "DELETE FROM saved_filter WHERE name = ?",
                                             error, "t", name), NULL, error);
    }
    return store_finish(s, store_prepare(
        s, "INSERT INTO saved_filter (name, query) VALUES (?, ?) ON CONFLICT DO UPDATE SET"
           " query = excluded.query", error, "tt", name, query), NULL, error);
}

GStrv store_filters(store *s, GError **error)
{
    return store_texts(s, store_prepare(s, "SELECT name FROM saved_filter ORDER BY name",
                                        error, ""), error);
}

char *store_filter(store *s, const char *name)
{
    g_auto(GStrv) found = store_texts(s, store_prepare(
        s, "SELECT query FROM saved_filter WHERE name = ?", NULL, "t", name), NULL);
    return found && found[0] ? g_strdup(found[0]) : NULL;
}
