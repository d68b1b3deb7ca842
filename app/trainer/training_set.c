#include "app/trainer/training_set.h"

static gboolean fail(GError **error, DatasetError code, const char *path, const char *text)
{
    g_set_error(error, DATASET_ERROR, (int)code, "%s: %s", path, text);
    return FALSE;
}

static void add_label(struct training_set *set, guint column)
{
    g_array_append_val(set->columns, column);
    g_ptr_array_add(set->labels, (gpointer)dataset_label(set->data, column));
}

static gboolean choose_labels(struct training_set *set,
                              const struct training_set_params *p, GError **error)
{
    for (guint i = 0; !p->labels && i < dataset_n_labels(set->data); i++) {
        add_label(set, i);
    }
    g_autoptr(GPtrArray) names = p->labels ? dataset_read_lines(p->labels, error) : NULL;
    if (p->labels && !names) {
        return FALSE;
    }
    for (guint i = 0; names && i < names->len; i++) {
        int column = dataset_find_label(set->data, names->pdata[i]);
        if (column < 0) {
            g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                        "%s: the data set has no label \"%s\"", p->labels,
                        (const char *)names->pdata[i]);
            return FALSE;
        }
        if (!g_ptr_array_find(set->labels, dataset_label(set->data, (guint)column), NULL)) {
            add_label(set, (guint)column);
        }
    }
    return set->labels->len > 0 || fail(error, DATASET_ERROR_EMPTY, p->path,
                                          "there are no labels to learn");
}

static gboolean is_known(const struct training_set *set, const gint8 *truth)
{
    for (guint k = 0; k < set->columns->len; k++) {
        if (truth[g_array_index(set->columns, guint, k)] != TRUTH_UNKNOWN) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean is_wanted(const struct training_set_params *p, const char *split)
{
    return (!p->split || g_strcmp0(split, p->split) == 0)
           && (!p->kept_out || g_strcmp0(split, p->kept_out) != 0);
}

static gboolean choose_images(struct training_set *set,
                              const struct training_set_params *p, GError **error)
{
    g_autofree gint8 *truth = g_new(gint8, dataset_n_labels(set->data) + 1);
    for (guint i = 0; i < dataset_n_images(set->data); i++) {
        if (!is_wanted(p, dataset_image_split(set->data, i))) {
            continue;
        }
        dataset_truth(set->data, i, truth);
        g_autofree char *path = dataset_image_path(set->data, i);
        if (!is_known(set, truth)) {
            set->silent++;
        } else if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
            set->missing++;
        } else {
            g_array_append_val(set->images, i);
            g_ptr_array_add(set->paths, g_steal_pointer(&path));
        }
    }
    if (set->images->len > 0) {
        return TRUE;
    }
    if (set->missing > 0) {
        return fail(error, DATASET_ERROR_MISSING, p->path,
                    "none of its pictures is there; --images says where they are");
    }
    return fail(error, DATASET_ERROR_EMPTY, p->path,
                p->split ? "there is no picture of that split to learn from"
                         : "there is no picture to learn from");
}

struct training_set *training_set_open(const struct training_set_params *params,
                                       GError **error)
{
    struct dataset_options options = { params->images, params->unlisted };
    struct dataset *data = dataset_open(params->path, &options, error);
    if (!data) {
        return NULL;
    }
    struct training_set *set = g_new0(struct training_set, 1);
    *set = (struct training_set){ .data = data,
                                  .images = g_array_new(FALSE, FALSE, sizeof(guint)),
                                  .columns = g_array_new(FALSE, FALSE, sizeof(guint)),
                                  .labels = g_ptr_array_new(),
                                  .paths = g_ptr_array_new_with_free_func(g_free) };
    if (!choose_labels(set, params, error) || !choose_images(set, params, error)) {
        training_set_close(&set);
    }
    return set;
}

void training_set_close(struct training_set **set)
{
    if (!*set) {
        return;
    }
    dataset_close(&(*set)->data);
    g_array_unref((*set)->images);
    g_array_unref((*set)->columns);
    g_ptr_array_unref((*set)->labels);
    g_ptr_array_unref((*set)->paths);
    g_clear_pointer(set, g_free);
}

void training_set_targets(const struct training_set *set, guint image, float *out)
{
    g_autofree gint8 *truth = g_new(gint8, dataset_n_labels(set->data) + 1);
    dataset_truth(set->data, g_array_index(set->images, guint, image), truth);
    for (guint k = 0; k < set->columns->len; k++) {
        gint8 value = truth[g_array_index(set->columns, guint, k)];
        out[k] = value == TRUTH_POSITIVE ? 1 : value == TRUTH_NEGATIVE ? 0 : -1;
    }
}
