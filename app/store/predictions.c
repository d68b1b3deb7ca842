/* What models said of images: proposals, which are no decisions. */
#include "app/store/store_private.h"

#include <string.h>

char *store_model_mark(const char *name, const char *fingerprint)
{
    return g_strdup_printf("%s#%.8s", name, fingerprint);
}

/* One statement for all labels of an image. */
gboolean store_predict(store *s, gint64 image, const StoreQuestion *question,
                       const float *confidence, gboolean replace, GError **error)
{
    const char *sql =
        replace ? "INSERT INTO prediction (image, model, label, prompt, confidence)"
                  " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                  " confidence = excluded.confidence,"
                  " time = strftime ('%Y-%m-%dT%H:%M:%SZ', 'now')"
                : "INSERT INTO prediction (image, model, label, prompt, confidence)"
                  " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    sqlite3_stmt *put = store_prepare(s, sql, error, "it", image, question->model);
    gboolean good = put != NULL;
    for (guint i = 0; good && i < question->n; i++) {
        if (confidence[i] < 0) {
            continue;
        }
        sqlite3_bind_int64(put, 3, question->labels[i]);
        sqlite3_bind_text(put, 4, question->prompts[i], -1, SQLITE_STATIC);
        sqlite3_bind_double(put, 5, (double)confidence[i]);
        good = sqlite3_step(put) == SQLITE_DONE || store_fail(s, error);
        sqlite3_reset(put);
    }
    sqlite3_finalize(put);
    return good;
}

/* Where a label and prompt stand in a question, searched from `first` on and round; n when
 * they do not. Rows come by label, and so do most questions. */
static guint find_label(const StoreQuestion *q, gint64 label, const char *prompt, guint first)
{
    for (guint k = 0; k < q->n; k++) {
        guint i = (first + k) % q->n;
        if (q->labels[i] == label && strcmp(q->prompts[i], prompt) == 0) {
            return i;
        }
    }
    return q->n;
}

gboolean store_predicted(store *s, gint64 image, const StoreQuestion *question,
                         float *confidence)
{
    guint found = 0, next = 0;
    sqlite3_stmt *list = store_prepare(
        s, "SELECT label, prompt, confidence FROM prediction WHERE image = ? AND model = ?",
        NULL, "it", image, question->model);
    for (guint i = 0; i < question->n; i++) {
        confidence[i] = -1;
    }
    while (list && sqlite3_step(list) == SQLITE_ROW) {
        guint i = find_label(question, sqlite3_column_int64(list, 0),
                             (const char *)sqlite3_column_text(list, 1), next);
        if (i < question->n) {
            confidence[i] = (float)sqlite3_column_double(list, 2);
            found++;
            next = i + 1;
        }
    }
    sqlite3_finalize(list);
    return found == question->n;
}
