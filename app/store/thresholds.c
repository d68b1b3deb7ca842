#include "app/store/thresholds.h"

#include "app/store/store_private.h"

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
