#include "app/query/query_private.h"

#include <math.h>
#include <string.h>

struct run {
    const struct query *q;
    const struct query_source *source;
    guint *labels;  /* the source's number of each label */
    guint image;
};

/* --- Conditions ----------------------------------------------------------------------- */

static gboolean holds(enum compare compare, double value, double low, double high)
{
    switch (compare) {
    case COMPARE_LESS: return value < low;
    case COMPARE_AT_MOST: return value <= high;
    case COMPARE_EQUAL: return value >= low && value <= high;
    case COMPARE_AT_LEAST: return value >= low;
    case COMPARE_MORE: return value > high;
    case COMPARE_OTHER: return value < low || value > high;
    }
    g_return_val_if_reached(FALSE);
}

/* Below 0: unknown. */
static double number_of(const struct query_source *s, guint image, enum field field)
{
    if (field == FIELD_PIXELS) {
        double width = (double)s->number(image, QUERY_WIDTH, s->data);
        double height = (double)s->number(image, QUERY_HEIGHT, s->data);
        return width < 0 || height < 0 ? -1 : width * height;
    }
    return (double)s->number(image, field == FIELD_SIZE ? QUERY_BYTES
                                    : field == FIELD_DATE ? QUERY_TIME
                                    : field == FIELD_WIDTH ? QUERY_WIDTH : QUERY_HEIGHT,
                             s->data);
}

static gboolean has_number(const struct run *r, const struct node *n)
{
    double value = number_of(r->source, r->image, n->field);
    return value >= 0 && holds(n->compare, value, n->low, n->high);
}

static double confidence_of(const struct run *r, guint label)
{
    return r->source->confidence(r->image, r->labels[label], r->source->data);
}

static gboolean has_label(const struct run *r, const struct node *n)
{
    guint label = r->labels[n->label];
    int verdict = r->source->verdict(r->image, label, r->source->data);
    return verdict > 0
           || (verdict == 0 && confidence_of(r, n->label)
                                   >= r->source->threshold(label, r->source->data));
}

static gboolean has_confidence(const struct run *r, const struct node *n)
{
    double value = confidence_of(r, n->label);
    return value >= 0 && holds(n->compare, value, n->low, n->high);
}

static gboolean has_verdict(const struct run *r, const struct node *n)
{
    const struct query_source *s = r->source;
    if (n->label != NO_LABEL) {
        int verdict = s->verdict(r->image, r->labels[n->label], s->data);
        return n->verdict == VERDICT_DECIDED ? verdict != 0 : verdict == n->verdict;
    }
    if (n->verdict == 1 || n->verdict == -1) {
        return s->any(r->image, n->verdict, s->data);
    }
    gboolean decided = s->any(r->image, 1, s->data) || s->any(r->image, -1, s->data);
    return decided == (n->verdict == VERDICT_DECIDED);
}

static gboolean matches(const struct run *r, guint index)
{
    const struct query_source *s = r->source;
    const struct node *n = &g_array_index(r->q->nodes, struct node, index);
    switch (n->kind) {
    case NODE_ALL: return TRUE;
    case NODE_AND: return matches(r, n->left) && matches(r, n->right);
    case NODE_OR: return matches(r, n->left) || matches(r, n->right);
    case NODE_NOT: return !matches(r, n->left);
    case NODE_LABEL: return has_label(r, n);
    case NODE_CONFIDENCE: return has_confidence(r, n);
    case NODE_VERDICT: return has_verdict(r, n);
    case NODE_BY: return s->decided_by(r->image, n->text, s->data);
    case NODE_NAME: return match_name(n->text, s->path(r->image, s->data));
    case NODE_FOLDER: return match_folder(n->text, s->path(r->image, s->data));
    case NODE_NUMBER: return has_number(r, n);
    }
    g_return_val_if_reached(FALSE);
}

/* --- Order ---------------------------------------------------------------------------- */

/* What is found, with what it is sorted by: lower comes first, NaN last whichever way. */
struct found {
    guint image, place;
    const double *keys;  /* by sort key; of names 0 */
};

static double key_of(struct run *r, const struct sort_key *k)
{
    double value = -1;
    if (k->field == FIELD_LABEL || k->field == FIELD_UNCERTAIN) {
        value = confidence_of(r, k->label);
        if (value < 0) {
            return NAN;
        }
        value = k->field == FIELD_LABEL
                    ? -value
                    : fabs(value - r->source->threshold(r->labels[k->label],
                                                        r->source->data));
    } else if (k->field == FIELD_NAME || k->field == FIELD_FOLDER) {
        return 0;
    } else {
        value = number_of(r->source, r->image, k->field);
        if (value < 0) {
            return NAN;
        }
    }
    return k->backwards ? -value : value;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int compare_texts(const struct run *r, const struct sort_key *k, guint a, guint b)
{
    const struct query_source *s = r->source;
    /* The source may keep one path at a time. */
    g_autofree char *left = g_strdup(s->path(a, s->data));
    const char *right = s->path(b, s->data);
    int order = k->field == FIELD_NAME ? compare_names(name_of(left), name_of(right))
                                       : compare_names(left, right);
    return k->backwards ? -order : order;
}

static int compare_found(gconstpointer left, gconstpointer right, gpointer data)
{
    const struct run *r = data;
    const struct found *a = left, *b = right;
    for (guint i = 0; i < r->q->sort->len; i++) {
        const struct sort_key *k = &g_array_index(r->q->sort, struct sort_key, i);
        int order = 0;
        if (k->field == FIELD_NAME || k->field == FIELD_FOLDER) {
            order = compare_texts(r, k, a->image, b->image);
        } else if (isnan(a->keys[i]) || isnan(b->keys[i])) {
            order = isnan(a->keys[i]) - isnan(b->keys[i]);
        } else if (a->keys[i] != b->keys[i]) {
            order = a->keys[i] < b->keys[i] ? -1 : 1;
        }
        if (order != 0) {
            return order;
        }
    }
    return a->place < b->place ? -1 : a->place > b->place;
}

static void sort_found(struct run *r, GArray *images)
{
    guint n_keys = r->q->sort->len;
    if (n_keys == 0 || images->len == 0) {
        return;
    }
    g_autofree double *keys = g_new(double, (gsize)images->len * n_keys);
    g_autoptr(GArray) all = g_array_sized_new(FALSE, FALSE, sizeof(struct found),
                                              images->len);
    for (guint i = 0; i < images->len; i++) {
        double *row = keys + (gsize)i * n_keys;
        r->image = g_array_index(images, guint, i);
        for (guint k = 0; k < n_keys; k++) {
            row[k] = key_of(r, &g_array_index(r->q->sort, struct sort_key, k));
        }
        struct found found = { r->image, i, row };
        g_array_append_val(all, found);
    }
    g_array_sort_with_data(all, compare_found, r);
    for (guint i = 0; i < images->len; i++) {
        g_array_index(images, guint, i) = g_array_index(all, struct found, i).image;
    }
}

/* --- The whole ----------------------------------------------------------------------------- */

static gboolean find_labels(struct run *r, guint *column, GError **error)
{
    const char *const *labels = query_labels(r->q);
    for (guint i = 0; labels[i]; i++) {
        int label = r->source->find_label(labels[i], r->source->data);
        if (label < 0) {
            guint at = g_array_index(r->q->columns, guint, i);
            if (column) {
                *column = at;
            }
            g_set_error(error, QUERY_ERROR, QUERY_ERROR_LABEL,
                        "column %u: there is no label \"%s\"; name:%s looks for names of "
                        "files", at, labels[i], labels[i]);
            return FALSE;
        }
        r->labels[i] = (guint)label;
    }
    return TRUE;
}

GArray *query_run(const struct query *q, const struct query_source *source,
                  guint *column, GError **error)
{
    g_autofree guint *labels = g_new0(guint, q->labels->len);
    struct run r = { q, source, labels, 0 };
    if (!find_labels(&r, column, error)) {
        return NULL;
    }
    GArray *images = g_array_new(FALSE, FALSE, sizeof(guint));
    for (r.image = 0; r.image < source->images; r.image++) {
        if (matches(&r, q->root)) {
            g_array_append_val(images, r.image);
        }
    }
    sort_found(&r, images);
    return images;
}
