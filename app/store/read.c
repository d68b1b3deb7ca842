/* Streams of rows. */
#include "app/store/store_private.h"

/* Columns: file, image, label, path, hash, width, height, name, verdict, by_model, model,
 * prompt, confidence, threshold, time, author. */
gboolean store_each_row(store *s, sqlite3_stmt *list, StoreRowFunc func, gpointer user_data,
                     GError **error)
{
    int code = SQLITE_ERROR;
    gboolean more = TRUE;
    while (list && more && (code = sqlite3_step(list)) == SQLITE_ROW) {
        g_autofree char *path = store_bytes_at(list, 3);
        StoreRow row = {
            .file = sqlite3_column_int64(list, 0), .image = sqlite3_column_int64(list, 1),
            .label = sqlite3_column_int64(list, 2), .path = path,
            .hash = store_text_at(list, 4), .width = sqlite3_column_int(list, 5),
            .height = sqlite3_column_int(list, 6), .name = store_text_at(list, 7),
            .verdict = (StoreVerdict)sqlite3_column_int(list, 8),
            .by_model = sqlite3_column_int(list, 9), .model = store_text_at(list, 10),
            .prompt = store_text_at(list, 11), .confidence = store_number_at(list, 12),
            .threshold = store_number_at(list, 13), .time = store_text_at(list, 14),
            .author = store_text_at(list, 15) };
        more = func(&row, user_data);
    }
    return store_end(s, list, more ? code : SQLITE_DONE, error);
}

gboolean store_each_decision(store *s, StoreRowFunc func, gpointer user_data,
                             GError **error)
{
    return store_each_row(s, store_prepare(
        s, "SELECT p.id, i.id, l.id, p.path, i.hash, i.width, i.height, l.name, d.verdict,"
           " d.by_model, d.model, d.prompt, d.confidence, d.threshold, d.time, d.author"
           " FROM current_decision d JOIN image i ON i.id = d.image"
           " JOIN label l ON l.id = d.label JOIN image_path p ON p.image = i.id"
           " WHERE d.verdict != 0 ORDER BY p.path, l.id", error, ""), func, user_data,
        error);
}

gboolean store_each_image(store *s, StoreRowFunc func, gpointer user_data, GError **error)
{
    return store_each_row(s, store_prepare(
        s, "SELECT p.id, i.id, 0, p.path, i.hash, i.width, i.height, '', 0, 0, '', '',"
           " NULL, NULL, '', '' FROM image i JOIN image_path p ON p.image = i.id"
           " ORDER BY p.path",
        error, ""), func, user_data, error);
}

gboolean store_each_label(store *s, StoreRowFunc func, gpointer user_data, GError **error)
{
    return store_each_row(s, store_prepare(
        s, "SELECT 0, 0, l.id, '', '', 0, 0, l.name, 0, 0, '', '', NULL, NULL, '', ''"
           " FROM label l WHERE l.hidden = 0 OR EXISTS (SELECT 1 FROM current_decision d"
           " WHERE d.label = l.id AND d.verdict != 0) ORDER BY l.id", error, ""), func,
        user_data, error);
}
