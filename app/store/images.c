/* Images, their paths, and labels. */
#include "app/store/store_private.h"

gint64 store_put_image(store *s, const StoreImage *image, GError **error)
{
    gint64 id = 0;
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO image (hash, bytes, width, height) VALUES (?, ?, ?, ?)"
           " ON CONFLICT (hash) DO UPDATE SET width = max (width, excluded.width),"
           " height = max (height, excluded.height) RETURNING id",
        error, "tiii", image->hash, image->bytes, (gint64)image->width,
        (gint64)image->height);
    if (!store_finish(s, put, &id, error)) {
        return 0;
    }
    sqlite3_stmt *path = store_prepare(
        s, "INSERT INTO image_path (path, image, bytes, mtime) VALUES (?, ?, ?, ?)"
           " ON CONFLICT (path) DO UPDATE SET image = excluded.image,"
           " bytes = excluded.bytes, mtime = excluded.mtime",
        error, "biii", image->path, id, image->bytes, image->mtime);
    return store_finish(s, path, NULL, error) ? id : 0;
}

gint64 store_put_label(store *s, const char *name, const char *prompt, GError **error)
{
    gint64 id = 0;
    sqlite3_stmt *known = store_prepare(
        s, "UPDATE label SET hidden = 0, prompt = coalesce (?2, prompt)"
           " WHERE id = (SELECT target FROM label WHERE name = ?1) RETURNING id",
        error, "tt", name, prompt);
    if (!store_finish(s, known, &id, error) || id) {
        return id;
    }
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO label (name, prompt) VALUES (?, ?) ON CONFLICT (name) DO UPDATE"
           " SET hidden = 0 RETURNING target", error, "tt", name, prompt);
    return store_finish(s, put, &id, error) ? id : 0;
}

/* The row that a query for a text gives, or 0. */
static gint64 find_row(store *s, const char *sql, const char *text)
{
    gint64 id = 0;
    store_finish(s, store_prepare(s, sql, NULL, "t", text), &id, NULL);
    return id;
}

gint64 store_find_label(store *s, const char *name)
{
    return find_row(s, "SELECT target FROM label WHERE name = ?", name);
}

gint64 store_find_image(store *s, const char *path, gint64 bytes, gint64 mtime)
{
    gint64 id = 0;
    sqlite3_stmt *find = store_prepare(
        s, "SELECT image FROM image_path WHERE path = ? AND bytes = ? AND mtime = ?", NULL,
        "bii", path, bytes, mtime);
    store_finish(s, find, &id, NULL);
    return id;
}

gint64 store_find_content(store *s, const char *hash)
{
    return find_row(s, "SELECT id FROM image WHERE hash = ?", hash);
}

char *store_image_hash(store *s, gint64 image)
{
    sqlite3_stmt *find =
        store_prepare(s, "SELECT hash FROM image WHERE id = ?", NULL, "i", image);
    char *hash = find && sqlite3_step(find) == SQLITE_ROW
                     ? g_strdup((const char *)sqlite3_column_text(find, 0)) : NULL;
    sqlite3_finalize(find);
    return hash;
}

GStrv store_labels(store *s, GError **error)
{
    return store_texts(s, store_prepare(
        s, "SELECT name FROM label WHERE hidden = 0 AND stands_for IS NULL ORDER BY id",
        error, ""), error);
}

gboolean store_hide_label(store *s, const char *name, GError **error)
{
    sqlite3_stmt *hide = store_prepare(
        s, "UPDATE label SET hidden = 1 WHERE id ="
           " (SELECT target FROM label WHERE name = ?)", error, "t", name);
    return store_finish(s, hide, NULL, error);
}

void store_image_size(store *s, gint64 image, int *width, int *height)
{
    sqlite3_stmt *find = store_prepare(s, "SELECT width, height FROM image WHERE id = ?",
                                       NULL, "i", image);
    gboolean found = find && sqlite3_step(find) == SQLITE_ROW;
    *width = found ? sqlite3_column_int(find, 0) : 0;
    *height = found ? sqlite3_column_int(find, 1) : 0;
    sqlite3_finalize(find);
}
