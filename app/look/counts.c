/* Labels by what was decided, and labels that are accepted together. */
#include "app/look/look_private.h"

#include "app/store/browse.h"
#include "app/store/summary.h"
#include "app/store/thresholds.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TOGETHER 20

static guint decided(const StoreLabelCount *count)
{
    return count->accepted + count->rejected;
}

/* Most decided first, then in the order in which they were added. */
static int by_decided(gconstpointer left, gconstpointer right)
{
    const StoreLabelCount *a = *(StoreLabelCount *const *)left;
    const StoreLabelCount *b = *(StoreLabelCount *const *)right;
    if (decided(a) != decided(b)) {
        return decided(a) > decided(b) ? -1 : 1;
    }
    return a->label < b->label ? -1 : a->label > b->label;
}

static int by_accepted(gconstpointer left, gconstpointer right)
{
    const StoreLabelCount *a = *(StoreLabelCount *const *)left;
    const StoreLabelCount *b = *(StoreLabelCount *const *)right;
    if (a->accepted + a->by_model != b->accepted + b->by_model) {
        return a->accepted + a->by_model > b->accepted + b->by_model ? -1 : 1;
    }
    return a->label < b->label ? -1 : a->label > b->label;
}

gboolean look_counts(Look *look, LookTable *table, GError **error)
{
    g_autoptr(GPtrArray) counts =
        store_count_labels(look->s, look->model, look->options->threshold, error);
    if (!counts) {
        return FALSE;
    }
    guint images = store_count_images(look->s), sums[3] = { 0 };
    look_add_column(table, look, NULL, N_("label"), LOOK_TEXT);
    look_add_column(table, look, NULL, N_("accepted"), LOOK_NUMBER);
    look_add_column(table, look, NULL, N_("rejected"), LOOK_NUMBER);
    look_add_column(table, look, NULL, N_("proposed"), LOOK_NUMBER);
    look_add_column(table, look, NULL, N_("open"), LOOK_NUMBER);
    g_ptr_array_sort(counts, by_decided);
    for (guint i = 0; i < counts->len; i++) {
        const StoreLabelCount *c = counts->pdata[i];
        guint proposed = c->by_model + c->above, others = decided(c) + proposed;
        look_add_text(table, c->name);
        look_add_value(table, c->accepted);
        look_add_value(table, c->rejected);
        look_add_value(table, proposed);
        look_add_value(table, images > others ? images - others : 0);
        sums[0] += c->accepted;
        sums[1] += c->rejected;
        sums[2] += proposed;
    }
    look_set_title(table, look, N_("Labels by what was decided"));
    look_set_axes(table, look, N_("images"), NULL);
    look_set_note(table, look,
                  N_("Images: %u. Labels: %u. Accepted: %u, rejected: %u, proposed: %u."),
                  images, counts->len, sums[0], sums[1], sums[2]);
    return TRUE;
}

/* --- Together ----------------------------------------------------------------------------- */

struct accepted {
    const Look *look;
    GHashTable *of_label; /* id -> GArray of gint64: images */
};

static gboolean add_accepted(const StoreJudged *j, gpointer user_data)
{
    struct accepted *a = user_data;
    GArray *images = j->verdict == STORE_ACCEPTED
                         ? g_hash_table_lookup(a->of_label, &j->label) : NULL;
    if (images) {
        g_array_append_val(images, j->image);
    }
    return look_go_on(a->look, NULL);
}

static int by_number(gconstpointer left, gconstpointer right)
{
    gint64 a = *(const gint64 *)left, b = *(const gint64 *)right;
    return a < b ? -1 : a > b;
}

/* How many numbers two ascending arrays share. */
static guint count_shared(const GArray *a, const GArray *b)
{
    guint shared = 0;
    for (guint i = 0, j = 0; i < a->len && j < b->len;) {
        gint64 x = g_array_index(a, gint64, i), y = g_array_index(b, gint64, j);
        shared += x == y;
        i += x <= y;
        j += y <= x;
    }
    return shared;
}

static void unref_array(gpointer array)
{
    g_array_unref(array);
}

/* The images on which each of the labels is accepted, ascending; NULL on failure. */
static GHashTable *load_accepted(const Look *look, const GPtrArray *labels, GError **error)
{
    struct accepted a = { look, g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                                      unref_array) };
    for (guint i = 0; i < labels->len; i++) {
        StoreLabelCount *count = labels->pdata[i];
        g_hash_table_insert(a.of_label, &count->label,
                            g_array_new(FALSE, FALSE, sizeof(gint64)));
    }
    if (!store_each_verdict(look->s, add_accepted, &a, error) || !look_go_on(look, error)) {
        g_hash_table_unref(a.of_label);
        return NULL;
    }
    GHashTableIter each;
    gpointer images;
    g_hash_table_iter_init(&each, a.of_label);
    while (g_hash_table_iter_next(&each, NULL, &images)) {
        g_array_sort(images, by_number);
    }
    return a.of_label;
}

/* The labels that are accepted most, at most `most` of them (of StoreLabelCount). */
static GPtrArray *choose_labels(const Look *look, GError **error)
{
    GPtrArray *counts = store_count_labels(look->s, NULL, STORE_DEFAULT_THRESHOLD, error);
    guint most = look->options->most ? look->options->most : MOST_TOGETHER, n = 0;
    if (!counts) {
        return NULL;
    }
    g_ptr_array_sort(counts, by_accepted);
    while (n < MIN(counts->len, most)) {
        const StoreLabelCount *c = counts->pdata[n];
        if (c->accepted + c->by_model == 0) {
            break;
        }
        n++;
    }
    g_ptr_array_set_size(counts, (int)n);
    return counts;
}

gboolean look_together(Look *look, LookTable *table, GError **error)
{
    g_autoptr(GPtrArray) labels = choose_labels(look, error);
    g_autoptr(GHashTable) images = labels ? load_accepted(look, labels, error) : NULL;
    if (!images) {
        return FALSE;
    }
    look_add_column(table, look, NULL, N_("label"), LOOK_TEXT);
    for (guint i = 0; i < labels->len; i++) {
        const char *name = ((StoreLabelCount *)labels->pdata[i])->name;
        look_add_named_column(table, name, name, LOOK_NUMBER);
    }
    for (guint i = 0; i < labels->len; i++) {
        const StoreLabelCount *row = labels->pdata[i];
        look_add_text(table, row->name);
        for (guint j = 0; j < labels->len; j++) {
            const StoreLabelCount *column = labels->pdata[j];
            look_add_value(table, count_shared(g_hash_table_lookup(images, &row->label),
                                               g_hash_table_lookup(images, &column->label)));
        }
    }
    look_set_title(table, look, N_("Images on which both labels are accepted"));
    look_set_note(table, look, N_("Labels: %u, those that are accepted most. A square is "
                                  "the darker the larger its part of its row's label."),
                  labels->len);
    return TRUE;
}
