/* What models said of images: proposals, which are no decisions. */
#include "app/store/store_private.h"

gboolean store_predict(store *s, gint64 image, gint64 label, const StoreSource *source,
                       GError **error)
{
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO prediction (image, label, model, prompt, confidence)"
           " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
           " confidence = excluded.confidence,"
           " time = strftime ('%Y-%m-%dT%H:%M:%SZ', 'now')",
        error, "iittd", image, label, source->model ? source->model : "",
        source->prompt ? source->prompt : "", source->confidence);
    return store_finish(s, put, NULL, error);
}
