#include "app/query/catalogue.h"

#include "app/store/browse.h"
#include "app/store/thresholds.h"

#include <string.h>

/* What holds of an image, of any label, in bits. */
enum { ACCEPTED = 1, REJECTED = 2, BY_MODEL = 4, BY_PERSON = 8 };

struct image { const char *path, *hash; gint64 row, bytes, mtime; int width, height; };

/* A label of the query; arrays by row of the image. */
struct column {
    const char *name;
    gint64 label;        /* 0: there is none */
    double threshold;
    float *confidence;   /* -1: unknown */
    const char **time;   /* of the prediction */
    gint8 *verdict;
};

struct catalogue {
    struct query_source source;
    GArray *images;      /* of struct image */
    gsize rows;          /* rows of images are below */
    GStringChunk *texts;
    struct column *columns;
    guint n_columns;
    guint8 *any;         /* by row; NULL while nobody asks */
    GHashTable *authors; /* name -> guint8 * by row */
};

/* --- Loading --------------------------------------------------------------------------- */

static gboolean add_image(const StorePlace *place, gpointer user_data)
{
    struct catalogue *c = user_data;
    struct image image = { g_string_chunk_insert(c->texts, place->path),
                           g_string_chunk_insert(c->texts, place->hash), place->image,
                           place->bytes, place->mtime, place->width, place->height };
    c->rows = MAX(c->rows, (gsize)place->image + 1);
    g_array_append_val(c->images, image);
    return TRUE;
}

/* Images may have come since the list was read; they are not in it. */
static gboolean is_listed(const struct catalogue *c, gint64 row)
{
    return row >= 0 && (gsize)row < c->rows;
}

struct loading { struct catalogue *catalogue; struct column *column; };

/* Of several prompts what was said last counts. */
static gboolean add_judged(const StoreJudged *j, gpointer user_data)
{
    struct loading *l = user_data;
    struct column *column = l->column;
    if (!is_listed(l->catalogue, j->image)) {
        return TRUE;
    }
    const char **time = &column->time[j->image];
    column->verdict[j->image] = (gint8)j->verdict;
    if (j->confidence >= 0 && (!*time || strcmp(j->time, *time) >= 0)) {
        column->confidence[j->image] = (float)j->confidence;
        *time = g_string_chunk_insert_const(l->catalogue->texts, j->time);
    }
    return TRUE;
}

static gboolean load_column(struct catalogue *c, struct column *column, store *s,
                            const char *model, GError **error)
{
    column->label = store_find_label_like(s, column->name);
    column->confidence = g_new(float, MAX(c->rows, 1));
    column->time = g_new0(const char *, MAX(c->rows, 1));
    column->verdict = g_new0(gint8, MAX(c->rows, 1));
    for (gsize i = 0; i < c->rows; i++) {
        column->confidence[i] = -1;
    }
    if (!column->label) {
        return TRUE;
    }
    double threshold = model ? store_threshold(s, model, column->label) : -1;
    column->threshold = threshold < 0 ? STORE_DEFAULT_THRESHOLD : threshold;
    struct loading loading = { c, column };
    return store_each_judged(s, model, column->label, add_judged, &loading, error);
}

static gboolean load_columns(struct catalogue *c, store *s, const char *model,
                             const struct query *q, GError **error)
{
    const char *const *names = query_labels(q);
    c->n_columns = g_strv_length((char **)names);
    c->columns = g_new0(struct column, c->n_columns);
    gboolean good = TRUE;
    for (guint i = 0; good && i < c->n_columns; i++) {
        c->columns[i].name = g_string_chunk_insert(c->texts, names[i]);
        good = load_column(c, &c->columns[i], s, query_needs_confidence(q, i) ? model : NULL,
                           error);
    }
    return good;
}

static gboolean add_verdict(const StoreJudged *j, gpointer user_data)
{
    struct catalogue *c = user_data;
    if (!is_listed(c, j->image)) {
        return TRUE;
    }
    c->any[j->image] |= (guint8)((j->verdict > 0 ? ACCEPTED : REJECTED)
                                 | (j->by_model ? BY_MODEL : BY_PERSON));
    if (*j->author) {
        guint8 *marks = g_hash_table_lookup(c->authors, j->author);
        if (!marks) {
            marks = g_new0(guint8, c->rows);
            g_hash_table_insert(c->authors, g_strdup(j->author), marks);
        }
        marks[j->image] = 1;
    }
    return TRUE;
}

static gboolean load_verdicts(struct catalogue *c, store *s, const struct query *q,
                              GError **error)
{
    if (!query_needs_decisions(q)) {
        return TRUE;
    }
    c->any = g_new0(guint8, MAX(c->rows, 1));
    return store_each_verdict(s, add_verdict, c, error);
}

/* --- What a query asks --------------------------------------------------------------- */

static const struct image *image_at(const struct catalogue *c, guint image)
{
    return &g_array_index(c->images, struct image, image);
}

static int find_label(const char *name, gpointer data)
{
    const struct catalogue *c = data;
    for (guint i = 0; i < c->n_columns; i++) {
        if (strcmp(c->columns[i].name, name) == 0) {
            return c->columns[i].label ? (int)i : -1;
        }
    }
    return -1;
}

static const char *path_of(guint image, gpointer data)
{
    return image_at(data, image)->path;
}

static gint64 number_of(guint image, enum query_number which, gpointer data)
{
    const struct image *i = image_at(data, image);
    switch (which) {
    case QUERY_BYTES: return i->bytes;
    case QUERY_WIDTH: return i->width > 0 ? i->width : -1;
    case QUERY_HEIGHT: return i->height > 0 ? i->height : -1;
    case QUERY_TIME: return i->mtime;
    }
    g_return_val_if_reached(-1);
}

static double confidence_of(guint image, guint label, gpointer data)
{
    const struct catalogue *c = data;
    return c->columns[label].confidence[image_at(c, image)->row];
}

static double threshold_of(guint label, gpointer data)
{
    const struct catalogue *c = data;
    return c->columns[label].threshold;
}

static int verdict_of(guint image, guint label, gpointer data)
{
    const struct catalogue *c = data;
    return c->columns[label].verdict[image_at(c, image)->row];
}

static gboolean has_any(guint image, int verdict, gpointer data)
{
    const struct catalogue *c = data;
    return c->any[image_at(c, image)->row] & (verdict > 0 ? ACCEPTED : REJECTED);
}

static gboolean decided_by(guint image, const char *who, gpointer data)
{
    const struct catalogue *c = data;
    gint64 row = image_at(c, image)->row;
    if (!who || !*who) {
        return c->any[row] & (who ? BY_PERSON : BY_MODEL);
    }
    const guint8 *marks = g_hash_table_lookup(c->authors, who);
    return marks && marks[row];
}

/* --- The whole --------------------------------------------------------------------------- */

struct catalogue *catalogue_load(store *s, const char *model, const struct query *q,
                                 GError **error)
{
    struct catalogue *c = g_new0(struct catalogue, 1);
    c->images = g_array_new(FALSE, FALSE, sizeof(struct image));
    c->texts = g_string_chunk_new(1 << 16);
    c->authors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!store_each_place(s, add_image, c, error)
        || !load_columns(c, s, model, q, error) || !load_verdicts(c, s, q, error)) {
        catalogue_free(&c);
        return NULL;
    }
    c->source = (struct query_source){ c->images->len, c, find_label, path_of, number_of,
                                       confidence_of, threshold_of, verdict_of, has_any,
                                       decided_by };
    return c;
}

void catalogue_free(struct catalogue **catalogue)
{
    struct catalogue *c = *catalogue;
    for (guint i = 0; c && i < c->n_columns; i++) {
        g_free(c->columns[i].confidence);
        g_free(c->columns[i].time);
        g_free(c->columns[i].verdict);
    }
    if (c) {
        g_free(c->columns);
        g_free(c->any);
        g_array_unref(c->images);
        g_string_chunk_free(c->texts);
        g_hash_table_unref(c->authors);
        g_clear_pointer(catalogue, g_free);
    }
}

const struct query_source *catalogue_source(const struct catalogue *c)
{
    return &c->source;
}

const char *catalogue_path(const struct catalogue *c, guint image)
{
    return image_at(c, image)->path;
}

const char *catalogue_hash(const struct catalogue *c, guint image)
{
    return image_at(c, image)->hash;
}
