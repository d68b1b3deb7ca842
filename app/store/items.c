#include "app/store/items.h"
#include "app/store/store_private.h"

#include <string.h>

/* By name of the label, which is the same in every database: the decision before the predictions, and the newest prediction first. */
static const char tags_of_image[] =
    "SELECT d.label, l.name, d.verdict, d.by_model, d.confidence, d.threshold, d.model,"
    " d.prompt, d.author, d.time, 0 AS predicted"
    " FROM current_decision d JOIN label l ON l.id = d.label"
    " WHERE d.image = ?1 AND d.verdict != 0"
    " UNION ALL SELECT p.label, l.name, 0, 1, p.confidence, NULL, p.model, p.prompt,"
    " NULL, substr (p.time, 1, 19) || '.000Z', 1 FROM prediction p JOIN label l"
    " ON l.id = p.label WHERE p.image = ?1 AND (?2 IS NULL OR p.model = ?2"
    "  OR substr (p.model, 1, length (?2) + 1) = ?2 || '#') AND (l.hidden = 0 OR EXISTS"
    " (SELECT 1 FROM current_decision d WHERE d.image = ?1 AND d.label = p.label"
    "  AND d.verdict != 0))"
    " ORDER BY 2, 11, 10 DESC, 7, 8";

struct pass {
    store *s;
    const char *folder;
    sqlite3_stmt *tags;
    GArray *found;        /* of StoreTag */
    GStringChunk *texts;  /* of the tags of one image */
    StoreItemFunc func;
    gpointer user_data;
    GError **error;
    gboolean good;
};

static const char *text_at(struct pass *p, int column)
{
    const char *text = (const char *)sqlite3_column_text(p->tags, column);
    return text ? g_string_chunk_insert(p->texts, text) : "";
}

static void add_tag(struct pass *p)
{
    StoreTag tag = {
        .label = sqlite3_column_int64(p->tags, 0), .name = text_at(p, 1),
        .verdict = (StoreVerdict)sqlite3_column_int(p->tags, 2),
        .by_model = sqlite3_column_int(p->tags, 3), .score = store_number_at(p->tags, 4),
        .threshold = store_number_at(p->tags, 5), .predicted = -1, .model = text_at(p, 6),
        .prompt = text_at(p, 7), .author = text_at(p, 8), .time = text_at(p, 9) };
    if (sqlite3_column_int(p->tags, 10)) {
        tag.predicted = tag.score;
    }
    g_array_append_val(p->found, tag);
}

/* A prediction of a label that has a tag already: the first is the newest. */
static void add_prediction(struct pass *p, StoreTag *tag)
{
    if (tag->predicted >= 0) {
        return;
    }
    tag->predicted = store_number_at(p->tags, 4);
    if (tag->score < 0) {
        tag->score = tag->predicted;
        tag->model = text_at(p, 6);
        tag->prompt = text_at(p, 7);
    }
}

static gboolean read_tags(struct pass *p, gint64 image)
{
    int code;
    g_array_set_size(p->found, 0);
    g_string_chunk_clear(p->texts);
    sqlite3_reset(p->tags);
    sqlite3_bind_int64(p->tags, 1, image);
    while ((code = sqlite3_step(p->tags)) == SQLITE_ROW) {
        StoreTag *last = p->found->len
            ? &g_array_index(p->found, StoreTag, p->found->len - 1) : NULL;
        if (last && last->label == sqlite3_column_int64(p->tags, 0)) {
            add_prediction(p, last);
        } else {
            add_tag(p);
        }
    }
    return code == SQLITE_DONE || store_fail(p->s, p->error);
}

/* folder: NULL holds everything. */
static gboolean is_within(const char *path, const char *folder)
{
    gsize n = folder ? strlen(folder) : 0;
    while (n > 0 && folder[n - 1] == '/') {
        n--;
    }
    return !folder || (strncmp(path, folder, n) == 0 && path[n] == '/');
}

static gboolean put_item(const StoreRow *row, gpointer user_data)
{
    struct pass *p = user_data;
    if (!is_within(row->path, p->folder)) {
        return TRUE;
    }
    p->good = read_tags(p, row->image);
    if (p->good) {
        StoreItem item = { row->file, row->image, row->path, row->hash, row->width,
                           row->height, (const StoreTag *)(gpointer)p->found->data,
                           p->found->len };
        p->good = p->func(&item, p->user_data, p->error);
    }
    return p->good;
}

gboolean store_each_item(store *s, StoreItemFunc func, gpointer user_data,
                         GError **error)
{
    return store_each_item_of(s, NULL, func, user_data, error);
}

gboolean store_each_item_of(store *s, const char *model, StoreItemFunc func,
                            gpointer user_data, GError **error)
{
    return store_each_item_in(s, NULL, model, func, user_data, error);
}

gboolean store_each_item_in(store *s, const char *folder, const char *model,
                            StoreItemFunc func, gpointer user_data, GError **error)
{
    struct pass p = { .s = s, .folder = folder, .func = func, .user_data = user_data, .error = error,
                      .good = TRUE };
    p.tags = store_prepare(s, tags_of_image, error, "it", (gint64)0, model);
    if (!p.tags) {
        return FALSE;
    }
    p.found = g_array_new(FALSE, FALSE, sizeof(StoreTag));
    p.texts = g_string_chunk_new(1024);
    gboolean good = store_each_image(s, put_item, &p, error) && p.good;
    sqlite3_finalize(p.tags);
    g_array_unref(p.found);
    g_string_chunk_free(p.texts);
    return good;
}

guint store_count_items(store *s)
{
    return (guint)store_number(s, "SELECT count (*) FROM image_path");
}

gboolean store_begin_reading(store *s, GError **error)
{
    return store_execute(s, "BEGIN", error);
}

void store_end_reading(store *s)
{
    store_execute(s, "ROLLBACK", NULL);
}
