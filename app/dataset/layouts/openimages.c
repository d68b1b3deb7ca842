/* Open Images' labels of whole images (formats.md 3.2): ImageID,Source,LabelName,Confidence
 * with 1 for what was verified to be there and 0 for what was verified not to be. What the
 * source `machine` says is a model's, with its confidence. A file class-descriptions*.csv
 * beside it gives the labels their names. In a folder, what stands before -annotations is
 * the split. */
#include "app/dataset/csv_layout.h"
#include "app/dataset/layouts/files.h"

#include <string.h>

struct open_images {
    struct dataset *d;
    GHashTable *names; /* of labels, by what the files call them */
    struct csv *csv;
    guint image, source, label, confidence; /* columns */
};

static gboolean read_names_of(struct open_images *r, const char *path, GError **error)
{
    GError *failure = NULL;
    struct csv *csv = csv_open_plain(path, error);
    if (!csv) {
        return FALSE;
    }
    while (!failure && csv_next(csv, &failure)) {
        if (csv_n_fields(csv) != 2) {
            csv_fail(csv, 0, &failure, "this row is not a label and its name");
        } else if (*csv_field(csv, 1)) {
            char *name = csv_trimmed(csv, 1);
            dataset_add_label(r->d, name, DATASET_NO_GROUP);
            g_hash_table_insert(r->names, csv_trimmed(csv, 0), name);
        }
    }
    csv_close(&csv);
    if (failure) {
        g_propagate_error(error, failure);
    }
    return !failure;
}

static gboolean read_names(struct open_images *r, const char *folder, GError **error)
{
    g_autoptr(GPtrArray) files = files_list(folder, ".csv", FALSE, error);
    for (guint i = 0; files && i < files->len; i++) {
        g_autofree char *path = g_build_filename(folder, files->pdata[i], NULL);
        if (strstr(files->pdata[i], "class-descriptions")
            && !read_names_of(r, path, error)) {
            return FALSE;
        }
    }
    return files != NULL;
}

static gboolean read_event(const struct open_images *r, StoreEvent *event, GError **error)
{
    float confidence;
    if (!csv_number(r->csv, r->confidence, &confidence, error)) {
        return FALSE;
    }
    event->source.by_model =
        g_ascii_strcasecmp(csv_field(r->csv, r->source), "machine") == 0;
    gboolean sure = confidence == 0 || confidence == 1;
    if (!(confidence >= 0 && confidence <= 1) || (!sure && !event->source.by_model)) {
        return csv_fail(r->csv, r->confidence, error, "a confidence is 1 or 0, or between "
                        "them where a machine says it, and not %s",
                        csv_field(r->csv, r->confidence));
    }
    event->verdict = confidence > 0 ? STORE_ACCEPTED : STORE_REJECTED;
    if (event->source.by_model && confidence > 0) {
        event->source.confidence =
            g_ascii_strtod(csv_field(r->csv, r->confidence), NULL);
    }
    return TRUE;
}

static gboolean read_row(const struct open_images *r, const char *split, GError **error)
{
    StoreEvent event = DATASET_EVENT(TRUTH_POSITIVE);
    const char *image = csv_field(r->csv, r->image);
    g_autofree char *label = csv_trimmed(r->csv, r->label);
    if (!*image || !*label) {
        return csv_fail(r->csv, *image ? r->label : r->image, error, "the %s has no name",
                        *image ? "label" : "image");
    }
    if (!read_event(r, &event, error)) {
        return FALSE;
    }
    const char *name = g_hash_table_lookup(r->names, label);
    dataset_add_event(r->d, dataset_add_image(r->d, image, split),
                      dataset_add_label(r->d, name ? name : label, DATASET_NO_GROUP),
                      &event);
    return TRUE;
}

static gboolean find_columns(struct open_images *r, GError **error)
{
    static const char *const names[] = { "ImageID", "Source", "LabelName", "Confidence" };
    guint *const columns[] = { &r->image, &r->source, &r->label, &r->confidence };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        int column = csv_find(r->csv, names[i]);
        if (column < 0) {
            return csv_fail(r->csv, 0, error, "there is no column %s", names[i]);
        }
        *columns[i] = (guint)column;
    }
    return TRUE;
}

static gboolean read_file(struct open_images *r, const char *path, const char *split,
                          GError **error)
{
    GError *failure = NULL;
    r->csv = csv_open(path, error);
    if (!r->csv) {
        return FALSE;
    }
    gboolean good = find_columns(r, &failure);
    while (good && !failure && csv_next(r->csv, &failure)) {
        read_row(r, split, &failure);
    }
    csv_close(&r->csv);
    if (failure) {
        g_propagate_error(error, failure);
    }
    return !failure;
}

/* The part of a name before "-annotations", to be freed; NULL for other names. */
static char *split_of(const char *name)
{
    const char *end = strstr(name, "-annotations-");
    return end && strstr(end, "imagelabels") ? g_strndup(name, (gsize)(end - name)) : NULL;
}

static gboolean read_folder(struct open_images *r, const char *folder, GError **error)
{
    g_autoptr(GPtrArray) files = files_list(folder, ".csv", FALSE, error);
    for (guint i = 0; files && i < files->len; i++) {
        g_autofree char *split = split_of(files->pdata[i]);
        g_autofree char *path = g_build_filename(folder, files->pdata[i], NULL);
        if (split && !read_file(r, path, split, error)) {
            return FALSE;
        }
    }
    return files != NULL;
}

static gboolean matches(const struct dataset_file *file)
{
    if (!file->folder) {
        return g_str_has_prefix(file->head, "ImageID,Source,LabelName,");
    }
    g_autoptr(GPtrArray) files = files_list(file->path, ".csv", FALSE, NULL);
    for (guint i = 0; files && i < files->len; i++) {
        g_autofree char *split = split_of(files->pdata[i]);
        if (split) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean read_openimages(struct dataset *d, const char *path, GError **error)
{
    gboolean folder = g_file_test(path, G_FILE_TEST_IS_DIR);
    g_autofree char *top = folder ? g_strdup(path) : g_path_get_dirname(path);
    struct open_images r = { .d = d, .names = g_hash_table_new_full(
                                         g_str_hash, g_str_equal, g_free, g_free) };
    gboolean good = read_names(&r, top, error)
                    && (folder ? read_folder(&r, path, error)
                               : read_file(&r, path, NULL, error));
    g_hash_table_unref(r.names);
    d->summary = g_strdup("labels of Open Images");
    dataset_find_root(d, 0, top, (const char *const[]){ NULL });
    return good;
}

const struct dataset_reader dataset_openimages = {
    "openimages", "Open Images' labels of whole images: a file, or the folder of some",
    matches, read_openimages };
