/* CSV without a header, a row for each image (formats.md 3.2).
 *
 * automl: Google AutoML, Vertex and data labelling: ML_USE,PATH,LABEL,LABEL,… where ML_USE
 *         (TRAIN, VALIDATION, TEST, UNASSIGNED) may be left out before a path of a bucket.
 * list:   make-sense: PATH,[LABEL,LABEL], in quotes or not. */
#include "app/dataset/csv.h"
#include "app/dataset/dataset_private.h"

#include <string.h>

static const char *const uses[] = { "TRAIN", "VALIDATION", "TEST", "UNASSIGNED" };

/* The split that a field names, in small letters, else NULL. */
static const char *use_of(const char *field)
{
    static const char *const splits[] = { "train", "val", "test", "unassigned" };
    for (gsize i = 0; i < G_N_ELEMENTS(uses); i++) {
        if (g_ascii_strcasecmp(field, uses[i]) == 0) {
            return splits[i];
        }
    }
    return NULL;
}

/* The labels in the fields from `first` on; blank ones are none. */
static void add_labels(struct dataset *d, const struct csv *csv, guint image, guint first)
{
    for (guint i = first; i < csv_n_fields(csv); i++) {
        g_autofree char *label = csv_trimmed(csv, i);
        if (*label) {
            dataset_add(d, image, dataset_add_label(d, label, DATASET_NO_GROUP),
                        TRUTH_POSITIVE);
        }
    }
}

static gboolean read_automl_row(struct dataset *d, const struct csv *csv, GError **error)
{
    const char *use = use_of(csv_field(csv, 0));
    guint at = use ? 1 : 0;
    const char *path = at < csv_n_fields(csv) ? csv_field(csv, at) : "";
    if (!*path) {
        return csv_fail(csv, csv_n_fields(csv) - 1, error, "the row names no image");
    }
    if (!use && !strstr(path, "://")) {
        return csv_fail(csv, 0, error, "this is neither a path of a bucket nor one of "
                        "TRAIN, VALIDATION, TEST and UNASSIGNED: \"%s\"", path);
    }
    add_labels(d, csv, dataset_add_image(d, path, use), at + 1);
    return TRUE;
}

static gboolean read_list_row(struct dataset *d, const struct csv *csv, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    guint n = csv_n_fields(csv);
    if (!*csv_field(csv, 0)) {
        return csv_fail(csv, 0, error, "the image has no name");
    }
    for (guint i = 1; i < n; i++) {
        g_string_append_printf(list, "%s%s", i > 1 ? "," : "", csv_field(csv, i));
    }
    g_strstrip(list->str);
    gsize length = strlen(list->str);
    if (length < 2 || list->str[0] != '[' || list->str[length - 1] != ']') {
        return csv_fail(csv, n > 1, error, "a list of labels in [ and ] is missing");
    }
    list->str[length - 1] = '\0';
    guint image = dataset_add_image(d, csv_field(csv, 0), NULL);
    g_auto(GStrv) labels = g_strsplit(list->str + 1, ",", -1);
    for (gsize i = 0; labels[i]; i++) {
        if (*g_strstrip(labels[i])) {
            dataset_add(d, image, dataset_add_label(d, labels[i], DATASET_NO_GROUP),
                        TRUTH_POSITIVE);
        }
    }
    return TRUE;
}

static gboolean read_rows(struct dataset *d, const char *path,
                          gboolean (*read_row)(struct dataset *, const struct csv *,
                                               GError **), GError **error)
{
    GError *failure = NULL;
    struct csv *csv = csv_open_plain(path, error);
    if (!csv) {
        return FALSE;
    }
    while (!failure && csv_next(csv, &failure)) {
        read_row(d, csv, &failure);
    }
    csv_close(&csv);
    g_autofree char *folder = g_path_get_dirname(path);
    dataset_find_root(d, 0, folder, (const char *const[]){ ".", "images", "..", NULL });
    if (failure) {
        g_propagate_error(error, failure);
    }
    return !failure;
}

static gboolean matches_automl(const struct dataset_file *file)
{
    for (gsize i = 0; i < G_N_ELEMENTS(uses); i++) {
        gsize n = strlen(uses[i]);
        if (strncmp(file->head, uses[i], n) == 0
            && (file->head[n] == ',' || file->head[n] == ';')) {
            return TRUE;
        }
    }
    return g_str_has_prefix(file->head, "gs://");
}

static gboolean read_automl(struct dataset *d, const char *path, GError **error)
{
    d->summary = g_strdup("CSV of Google AutoML");
    return read_rows(d, path, read_automl_row, error);
}

/* The second field of the first line begins with a bracket. */
static gboolean matches_list(const struct dataset_file *file)
{
    const char *comma = strpbrk(file->head, ",\n");
    if (file->folder || !comma || *comma != ',') {
        return FALSE;
    }
    comma += comma[1] == '"';
    return comma[1] == '[';
}

static gboolean read_list(struct dataset *d, const char *path, GError **error)
{
    d->summary = g_strdup("CSV with a list of labels");
    return read_rows(d, path, read_list_row, error);
}

const struct dataset_reader dataset_automl = {
    "automl", "Google AutoML and Vertex: CSV without a header", matches_automl,
    read_automl };
const struct dataset_reader dataset_list = {
    "list", "make-sense: CSV of images and lists [a,b]", matches_list, read_list };
