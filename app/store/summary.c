#include "app/store/summary.h"

#include "app/store/store_private.h"

/* --- Labels ------------------------------------------------------------------------------- */

struct counting {
    GPtrArray *counts;    /* of StoreLabelCount */
    GHashTable *of_label; /* id -> StoreLabelCount */
};

static void count_free(gpointer data)
{
    StoreLabelCount *count = data;
    g_free(count->name);
    g_free(count);
}

static gboolean add_label(const StoreRow *row, gpointer user_data)
{
    struct counting *c = user_data;
    StoreLabelCount *count = g_new0(StoreLabelCount, 1);
    count->label = row->label;
    count->name = g_strdup(row->name);
    g_ptr_array_add(c->counts, count);
    g_hash_table_insert(c->of_label, &count->label, count);
    return TRUE;
}

/* The label of the row's first column, or NULL when it came meanwhile. */
static StoreLabelCount *label_at(const struct counting *c, sqlite3_stmt *list)
{
    gint64 label = sqlite3_column_int64(list, 0);
    return g_hash_table_lookup(c->of_label, &label);
}

/* What a model rejects is open: nobody has to look at it. */
static gboolean count_decided(store *s, struct counting *c, GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT label, verdict, by_model, count (*) FROM current_decision"
           " WHERE verdict != 0 GROUP BY label, verdict, by_model", error, "");
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        StoreLabelCount *count = label_at(c, list);
        gboolean accepted = sqlite3_column_int(list, 1) == STORE_ACCEPTED;
        guint n = (guint)sqlite3_column_int64(list, 3);
        if (count && sqlite3_column_int(list, 2)) {
            count->by_model = accepted ? n : count->by_model;
        } else if (count) {
            *(accepted ? &count->accepted : &count->rejected) = n;
        }
    }
    gboolean good = list && (code == SQLITE_DONE || store_fail(s, error));
    sqlite3_finalize(list);
    return good;
}

/* Of several wordings the one that was asked last counts. */
static gboolean count_above(store *s, const char *model, double threshold,
                            struct counting *c, GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT p.label, count (DISTINCT p.image) FROM prediction p LEFT JOIN threshold t"
           " ON t.model = p.model AND t.label = p.label WHERE p.model = ?1"
           " AND p.confidence >= coalesce (t.value, ?2) AND p.time = (SELECT max (q.time)"
           "  FROM prediction q WHERE q.image = p.image AND q.label = p.label"
           "  AND q.model = p.model) AND NOT EXISTS (SELECT 1 FROM current_decision d"
           "  WHERE d.image = p.image AND d.label = p.label AND d.verdict != 0)"
           " GROUP BY p.label", error, "td", model, threshold);
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        StoreLabelCount *count = label_at(c, list);
        if (count) {
            count->above = (guint)sqlite3_column_int64(list, 1);
        }
    }
    gboolean good = list && (code == SQLITE_DONE || store_fail(s, error));
    sqlite3_finalize(list);
    return good;
}

GPtrArray *store_count_labels(store *s, const char *model, double threshold, GError **error)
{
    struct counting c = { g_ptr_array_new_with_free_func(count_free),
                          g_hash_table_new(g_int64_hash, g_int64_equal) };
    gboolean good = store_each_label(s, add_label, &c, error)
                    && count_decided(s, &c, error)
                    && (!model || count_above(s, model, threshold, &c, error));
    g_hash_table_unref(c.of_label);
    if (!good) {
        g_clear_pointer(&c.counts, g_ptr_array_unref);
    }
    return c.counts;
}

guint store_count_images(store *s)
{
    return (guint)store_number(s, "SELECT count (*) FROM image");
}

char *store_newest_model(store *s, GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT model FROM prediction GROUP BY model ORDER BY max (time) DESC, model"
           " LIMIT 1", error, "");
    g_auto(GStrv) models = list ? store_texts(s, list, error) : NULL;
    return models && models[0] ? g_strdup(models[0]) : NULL;
}

/* --- Time --------------------------------------------------------------------------------- */

gboolean store_each_activity(store *s, gboolean by_hour, StoreActivityFunc func,
                             gpointer user_data, GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT substr (time, 1, ?1), by_model, coalesce (iif (by_model, model, author),"
           " ''), count (*) FROM decision WHERE undoes IS NULL AND cause IS NULL"
           " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3", error, "i", (gint64)(by_hour ? 13 : 10));
    int code = SQLITE_ERROR;
    gboolean more = TRUE;
    while (list && more && (code = sqlite3_step(list)) == SQLITE_ROW) {
        StoreActivity activity = { (const char *)sqlite3_column_text(list, 0),
                                   (const char *)sqlite3_column_text(list, 2),
                                   sqlite3_column_int(list, 1),
                                   (guint)sqlite3_column_int64(list, 3) };
        more = func(&activity, user_data);
    }
    gboolean good = list && (!more || code == SQLITE_DONE || store_fail(s, error));
    sqlite3_finalize(list);
    return good;
}
