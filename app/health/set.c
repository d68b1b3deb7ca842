/* The set, from files and from data sets. */
#include "app/health/health_private.h"
#include "app/library/library.h"

#include <math.h>
#include <string.h>

HealthSet *health_set_new(void)
{
    HealthSet *set = g_new0(HealthSet, 1);
    set->images = g_array_new(FALSE, TRUE, sizeof(HealthImage));
    set->labels = g_array_new(FALSE, TRUE, sizeof(HealthLabel));
    set->pairs = g_array_new(FALSE, FALSE, sizeof(HealthPair));
    set->splits = g_ptr_array_new();
    set->texts = g_string_chunk_new(1 << 16);
    return set;
}

void health_set_free(HealthSet **set)
{
    if (*set) {
        g_array_unref((*set)->images);
        g_array_unref((*set)->labels);
        g_array_unref((*set)->pairs);
        g_ptr_array_unref((*set)->splits);
        g_string_chunk_free((*set)->texts);
        g_clear_pointer(set, g_free);
    }
}

const char *health_text(HealthSet *set, const char *text)
{
    return g_string_chunk_insert(set->texts, text);
}

HealthImage *health_image(const HealthSet *set, guint image)
{
    return &g_array_index(set->images, HealthImage, image);
}

HealthLabel *health_label(const HealthSet *set, guint label)
{
    return &g_array_index(set->labels, HealthLabel, label);
}

guint health_add_image(HealthSet *set, const char *path)
{
    HealthImage image = { .path = health_text(set, path), .split = -1 };
    g_array_append_val(set->images, image);
    return set->images->len - 1;
}

guint health_add_label(HealthSet *set, const char *name)
{
    HealthLabel label = { .name = health_text(set, name) };
    g_array_append_val(set->labels, label);
    return set->labels->len - 1;
}

/* Numbers to bits that look drawn (the last step of MurmurHash3), so that sums of them
 * tell sets of numbers apart. */
static guint64 scatter(guint64 x)
{
    x = (x + 1) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    x = (x ^ x >> 33) * G_GUINT64_CONSTANT(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * G_GUINT64_CONSTANT(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

void health_mark_image(HealthSet *set, guint image, guint label, gint8 verdict)
{
    HealthImage *i = health_image(set, image);
    if (verdict > 0) {
        i->accepted++;
        i->labels += scatter(label);
    } else {
        i->rejected++;
    }
}

void health_decide(HealthSet *set, guint image, guint label, gint8 verdict)
{
    HealthLabel *l = health_label(set, label);
    health_mark_image(set, image, label, verdict);
    if (verdict > 0) {
        l->accepted++;
        l->images += scatter(image);
    } else {
        l->rejected++;
    }
}

/* --- Files ------------------------------------------------------------------------ */

gboolean health_add_path(HealthSet *set, const char *path, GCancellable *cancellable,
                         GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    if (!library_scan(path, TRUE, cancellable, paths, error)) {
        return FALSE;
    }
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < set->images->len; i++) {
        g_hash_table_add(known, (gpointer)health_image(set, i)->path);
    }
    for (guint i = 0; i < paths->len; i++) {
        if (g_hash_table_add(known, paths->pdata[i])) {
            health_add_image(set, paths->pdata[i]);
        }
    }
    return TRUE;
}

/* --- Data sets -------------------------------------------------------------------- */

static int find_split(HealthSet *set, const char *name)
{
    for (guint i = 0; name && i < set->splits->len; i++) {
        if (strcmp(set->splits->pdata[i], name) == 0) {
            return (int)i;
        }
    }
    if (name) {
        g_ptr_array_add(set->splits, (gpointer)health_text(set, name));
    }
    return (int)set->splits->len - 1;
}

struct source { const struct dataset *data; const struct scores *scores; };

/* NaN: none. Scores may name an image by the last part of its path. */
static float find_score(const struct source *from, guint image, const char *label)
{
    const char *name = dataset_image_name(from->data, image);
    GHashTable *images = from->scores->image_of;
    guint row = GPOINTER_TO_UINT(g_hash_table_lookup(images, name));
    guint column =
        GPOINTER_TO_UINT(g_hash_table_lookup(from->scores->label_of, label));
    if (row == 0) {
        g_autofree char *path = dataset_image_path(from->data, image);
        row = GPOINTER_TO_UINT(g_hash_table_lookup(images, path));
    }
    return row && column ? scores_get(from->scores, row - 1, column - 1) : NAN;
}

/* first: the number of the data set's first label. */
static void add_truth(HealthSet *set, const struct source *from, guint number,
                      guint first, gint8 *truth)
{
    guint n = dataset_n_labels(from->data);
    g_autofree char *path = dataset_image_path(from->data, number);
    guint image = health_add_image(set, path);
    const char *split = dataset_image_split(from->data, number);
    health_image(set, image)->split = split ? find_split(set, split) : -1;
    dataset_truth(from->data, number, truth);
    for (guint l = 0; l < n; l++) {
        if (truth[l] == TRUTH_UNKNOWN) {
            continue;
        }
        health_decide(set, image, first + l, truth[l]);
        const char *label = dataset_label(from->data, l);
        float score = from->scores ? find_score(from, number, label) : NAN;
        if (!isnan(score)) {
            HealthPair pair = { image, first + l, truth[l], score };
            g_array_append_val(set->pairs, pair);
        }
    }
}

static gboolean check_scores(const struct scores *scores, GError **error)
{
    for (guint i = 0; i < scores->rows->len; i++) {
        const GArray *row = scores->rows->pdata[i];
        for (guint l = 0; l < row->len; l++) {
            float value = g_array_index(row, float, l);
            if (value < 0 || value > 1) {
                g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            "%s: the score %g is no confidence between 0 and 1",
                            (const char *)scores->images->pdata[i], (double)value);
                return FALSE;
            }
        }
    }
    return TRUE;
}

gboolean health_add_dataset(HealthSet *set, const struct dataset *data,
                            const struct scores *scores, GError **error)
{
    struct source from = { data, scores };
    guint first = set->labels->len, n = dataset_n_labels(data);
    if (scores && !check_scores(scores, error)) {
        return FALSE;
    }
    g_autofree gint8 *truth = g_new(gint8, MAX(n, 1));
    for (guint l = 0; l < n; l++) {
        health_add_label(set, dataset_label(data, l));
    }
    for (guint i = 0; i < dataset_n_images(data); i++) {
        add_truth(set, &from, i, first, truth);
    }
    return TRUE;
}
