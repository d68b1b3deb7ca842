#include "app/store/browse.h"

#include "app/store/store_private.h"

#include <string.h>

gboolean store_each_place(store *s, StorePlaceFunc func, gpointer user_data, GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT p.image, p.path, i.hash, p.bytes, p.mtime, i.width, i.height"
           " FROM image_path p JOIN image i ON i.id = p.image ORDER BY p.path", error, "");
    int code = SQLITE_ERROR;
    gboolean more = TRUE;
    while (list && more && (code = sqlite3_step(list)) == SQLITE_ROW) {
        g_autofree char *path = store_bytes_at(list, 1);
        StorePlace place = { .image = sqlite3_column_int64(list, 0), .path = path,
                             .hash = (const char *)sqlite3_column_text(list, 2),
                             .bytes = sqlite3_column_int64(list, 3),
                             .mtime = sqlite3_column_int64(list, 4),
                             .width = sqlite3_column_int(list, 5),
                             .height = sqlite3_column_int(list, 6) };
        more = func(&place, user_data);
    }
    return store_end(s, list, more ? code : SQLITE_DONE, error);
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
        d->author = g_strdup(store_text_at(list, 3));
        d->prompt = g_strdup(store_text_at(list, 4));
        d->judged = (StoreJudged){ .image = sqlite3_column_int64(list, 0), .label = label,
                                   .prompt = d->prompt, .author = d->author,
                                   .confidence = said ? sqlite3_column_double(list, 5) : -1,
                                   .time = "",
                                   .verdict = (StoreVerdict)sqlite3_column_int(list, 1),
                                   .by_model = sqlite3_column_int(list, 2) };
        g_hash_table_insert(all, &d->judged.image, d);
    }
    if (!store_end(s, list, code, error)) {
        g_clear_pointer(&all, g_hash_table_unref);
    }
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
        StoreJudged j = d ? d->judged
                            : (StoreJudged){ .image = image, .label = label, .author = "" };
        if (d) {
            d->told = TRUE;
        }
        j.prompt = store_text_at(list, 1);
        j.confidence = sqlite3_column_double(list, 2);
        j.time = store_text_at(list, 3);
        *more = func(&j, user_data);
    }
    return store_end(s, list, *more ? code : SQLITE_DONE, error);
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

guint store_count_decided(store *s, gint64 label)
{
    gint64 n = 0;
    store_finish(s, store_prepare(s, "SELECT count(*) FROM current_decision WHERE label ="
                                     " (SELECT target FROM label WHERE id = ?)"
                                     " AND verdict != 0", NULL, "i", label), &n, NULL);
    return (guint)n;
}

gboolean store_each_verdict(store *s, StoreJudgedFunc func, gpointer user_data,
                            GError **error)
{
    sqlite3_stmt *list = store_prepare(
        s, "SELECT image, verdict, by_model, author, label FROM current_decision"
           " WHERE verdict != 0", error, "");
    int code = SQLITE_ERROR;
    gboolean more = TRUE;
    while (list && more && (code = sqlite3_step(list)) == SQLITE_ROW) {
        StoreJudged j = { .image = sqlite3_column_int64(list, 0),
                          .label = sqlite3_column_int64(list, 4), .prompt = "", .time = "",
                          .confidence = -1, .author = store_text_at(list, 3),
                          .verdict = (StoreVerdict)sqlite3_column_int(list, 1),
                          .by_model = sqlite3_column_int(list, 2) };
        more = func(&j, user_data);
    }
    return store_end(s, list, more ? code : SQLITE_DONE, error);
}

GStrv store_models(store *s, GError **error)
{
    return store_texts(s, store_prepare(
        s, "SELECT model FROM prediction UNION SELECT model FROM decision"
           " WHERE model IS NOT NULL AND confidence IS NOT NULL ORDER BY 1", error, ""),
        error);
}

char *store_find_model(store *s, const char *name, GError **error)
{
    g_auto(GStrv) models = store_models(s, error);
    g_autofree char *begin = g_strconcat(name, "#", NULL);
    g_autofree char *found = NULL;
    for (char **m = models; m && *m; m++) {
        if (strcmp(*m, name) == 0) {
            return g_strdup(*m);
        }
        if (g_str_has_prefix(*m, begin)) {
            if (found) {
                g_set_error(error, STORE_ERROR, STORE_ERROR_REFUSED,
                            "%s: several models were called \"%s\", such as %s and %s",
                            s->path, name, found, *m);
                return NULL;
            }
            found = g_strdup(*m);
        }
    }
    if (models && !found) {
        g_autofree char *known = g_strjoinv(", ", models);
        g_set_error(error, STORE_ERROR, STORE_ERROR_REFUSED,
                    "%s: no model \"%s\" has said anything%s%s", s->path, name,
                    *known ? "; these have: " : "", known);
    }
    return g_steal_pointer(&found);
}

gint64 store_find_label_like(store *s, const char *name)
{
    gint64 label = store_find_label(s, name);
    if (!label) {
        store_finish(s, store_prepare(
            s, "SELECT target FROM label WHERE name = ? COLLATE NOCASE ORDER BY id LIMIT 1",
            NULL, "t", name), &label, NULL);
    }
    return label;
}
