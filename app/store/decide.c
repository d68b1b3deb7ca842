/* Decisions: events that are only appended. */
#include "app/store/store_private.h"

/* What is decided here and now is the newest of its pair, even where a clock was wrong and
 * where two decisions fall into one millisecond. */
#define NOW "max (strftime ('%Y-%m-%dT%H:%M:%fZ', 'now'), coalesce (strftime (" \
            " '%Y-%m-%dT%H:%M:%fZ', (SELECT max (e.time) FROM label l JOIN label n" \
            " ON n.target = l.target CROSS JOIN decision e ON e.image = ?1" \
            " AND e.label = n.id AND e.by_model = ?4 WHERE l.id = ?2)," \
            " '+0.001 seconds'), ''))"

gboolean store_append(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                      const StoreSource *source, gint64 undoes, const char *cause,
                      GError **error)
{
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO decision (image, label, verdict, by_model, model, prompt,"
           " confidence, threshold, undoes, author, time, cause, event) VALUES (?1, ?2, ?3,"
           " ?4, ?5, ?6, ?7, ?8, nullif (?9, 0), ?10, coalesce (?11, " NOW "), ?12,"
           " lower (hex (randomblob (16))))",
        error, "iiiittddittt", image, label, (gint64)verdict, (gint64)source->by_model,
        source->model, source->prompt, source->confidence, source->threshold, undoes,
        source->author, source->time, cause);
    return store_finish(s, put, NULL, error);
}

char *store_time(const char *iso8601)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) given = g_date_time_new_from_iso8601(iso8601, utc);
    g_autoptr(GDateTime) time = given ? g_date_time_to_utc(given) : NULL;
    if (!time) {
        return NULL;
    }
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(time) / 1000);
}

gboolean store_decide(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                      const StoreSource *source, GError **error)
{
    return store_append(s, image, label, verdict, source, 0, NULL, error);
}

gboolean store_accept_once(store *s, gint64 image, gint64 label, const StoreSource *source,
                           gboolean *added, GError **error)
{
    gint64 known = 0;
    sqlite3_stmt *find = store_prepare(
        s, "SELECT 1 FROM decision WHERE image = ? AND label = ? AND by_model = 1"
           " AND verdict = 1 AND model IS ? AND prompt IS ? AND threshold IS ? LIMIT 1",
        error, "iittd", image, label, source->model, source->prompt, source->threshold);
    gboolean good = store_finish(s, find, &known, error)
                    && (known || store_append(s, image, label, STORE_ACCEPTED, source, 0, NULL,
                                             error));
    if (added) {
        *added = good && !known;
    }
    return good;
}

StoreVerdict store_verdict(store *s, gint64 image, gint64 label)
{
    gint64 verdict = 0;
    sqlite3_stmt *find = store_prepare(
        s, "SELECT verdict FROM current_decision WHERE image = ? AND label = ?", NULL, "ii",
        image, label);
    store_finish(s, find, &verdict, NULL);
    return (StoreVerdict)verdict;
}

void store_verdicts(store *s, gint64 image, const gint64 *labels, guint n,
                    StoreVerdict *out)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT label, verdict FROM current_decision WHERE image = ?", NULL, "i", image);
    for (guint i = 0; i < n; i++) {
        out[i] = STORE_CLEARED;
    }
    while (list && sqlite3_step(list) == SQLITE_ROW) {
        gint64 label = sqlite3_column_int64(list, 0);
        for (guint i = 0; i < n; i++) {
            if (labels[i] == label) {
                out[i] = (StoreVerdict)sqlite3_column_int(list, 1);
            }
        }
    }
    sqlite3_finalize(list);
}
