#include "app/store/likeness.h"
#include "app/store/store_private.h"

#include <string.h>

/* Columns: image, hash, path, dhash, kin. Frees the statement. */
static gboolean each(store *s, sqlite3_stmt *list, StoreLikenessFunc func,
                     gpointer user_data, GError **error)
{
    int code = SQLITE_DONE;
    gboolean good = list != NULL;
    while (good && (code = sqlite3_step(list)) == SQLITE_ROW) {
        g_autofree char *path = store_bytes_at(list, 2);
        StoreLikeness likeness = {
            .image = sqlite3_column_int64(list, 0),
            .hash = (const char *)sqlite3_column_text(list, 1), .path = path,
            .hashed = sqlite3_column_type(list, 3) != SQLITE_NULL,
            .dhash = (guint64)sqlite3_column_int64(list, 3),
            .kin = (const char *)sqlite3_column_text(list, 4) };
        good = func(&likeness, user_data, error);
    }
    if (good && code != SQLITE_DONE) {
        good = store_fail(s, error);
    }
    sqlite3_finalize(list);
    return good;
}

gboolean store_each_unlike(store *s, StoreLikenessFunc func, gpointer user_data,
                           GError **error)
{
    return each(s, store_prepare(
        s, "SELECT i.id, i.hash, p.path, NULL, NULL FROM image i JOIN image_path p"
           " ON p.image = i.id WHERE NOT EXISTS (SELECT 1 FROM image_likeness"
           " WHERE image = i.id) ORDER BY i.hash, p.path", error, ""), func, user_data,
        error);
}

gboolean store_each_likeness(store *s, StoreLikenessFunc func, gpointer user_data,
                             GError **error)
{
    return each(s, store_prepare(
        s, "SELECT i.id, i.hash, NULL, k.dhash, k.kin FROM image_likeness k"
           " JOIN image i ON i.id = k.image ORDER BY k.kin IS NULL, i.hash", error, ""),
        func, user_data, error);
}

gboolean store_put_likeness(store *s, gint64 image, const guint64 *dhash,
                            GError **error)
{
    const char *sql = dhash ? "INSERT OR IGNORE INTO image_likeness (image, dhash)"
                              " VALUES (?, ?)"
                            : "INSERT OR IGNORE INTO image_likeness (image) VALUES (?)";
    return store_finish(s, store_prepare(s, sql, error, dhash ? "ii" : "i", image,
                                         dhash ? (gint64)*dhash : 0), NULL, error);
}

gboolean store_set_kin(store *s, gint64 image, const char *kin, GError **error)
{
    return store_finish(s, store_prepare(
        s, "UPDATE image_likeness SET kin = ? WHERE image = ? AND kin IS NULL", error,
        "ti", kin, image), NULL, error);
}

char *store_kin(store *s, gint64 image)
{
    sqlite3_stmt *find = store_prepare(
        s, "SELECT kin FROM image_likeness WHERE image = ?", NULL, "i", image);
    char *kin = find && sqlite3_step(find) == SQLITE_ROW
                    ? g_strdup((const char *)sqlite3_column_text(find, 0)) : NULL;
    sqlite3_finalize(find);
    return kin;
}
