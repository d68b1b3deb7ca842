#include "app/store/written.h"
#include "app/store/store_private.h"

GPtrArray *store_written(store *s, const char *path, const char *field, GError **error)
{
    g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *list = store_prepare(
        s, "SELECT keyword FROM written_keyword WHERE path = ? AND field = ?"
           " ORDER BY keyword", error, "bt", path, field);
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        g_ptr_array_add(keywords, g_strdup((const char *)sqlite3_column_text(list, 0)));
    }
    return store_end(s, list, code, error) ? g_steal_pointer(&keywords) : NULL;
}

gboolean store_set_written(store *s, const char *path, const char *field,
                           const GPtrArray *keywords, GError **error)
{
    gboolean good = store_finish(s, store_prepare(
        s, "DELETE FROM written_keyword WHERE path = ? AND field = ?", error, "bt",
        path, field), NULL, error);
    for (guint i = 0; good && i < keywords->len; i++) {
        good = store_finish(s, store_prepare(
            s, "INSERT OR IGNORE INTO written_keyword VALUES (?, ?, ?)", error, "btt",
            path, field, keywords->pdata[i]), NULL, error);
    }
    return good;
}
