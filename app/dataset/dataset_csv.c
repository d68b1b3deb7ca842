/* CSV: long, as `taglight export --format csv` writes (a row for each decision), Open
 * Images' verified labels among them, or wide (one-hot). Cells are 1 or accepted, 0 or
 * rejected, and empty, cleared or unknown. */
#include "app/dataset/csv_layout.h"
#include "app/dataset/dataset_private.h"

#include <string.h>

static gboolean matches(const char *path, const char *head)
{
    return !g_file_test(path, G_FILE_TEST_IS_DIR);
}

static gboolean read_truth(const struct csv *csv, guint field, enum truth *out,
                           GError **error)
{
    static const struct { const char *word; enum truth truth; } words[] = {
        { "1", TRUTH_POSITIVE }, { "0", TRUTH_NEGATIVE }, { "", TRUTH_UNKNOWN },
        { "1.0", TRUTH_POSITIVE }, { "0.0", TRUTH_NEGATIVE },
        { "accepted", TRUTH_POSITIVE }, { "rejected", TRUTH_NEGATIVE },
        { "cleared", TRUTH_UNKNOWN }, { "unknown", TRUTH_UNKNOWN },
        { "undecided", TRUTH_UNKNOWN } };
    g_autofree char *text = g_strstrip(g_strdup(csv_field(csv, field)));
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(text, words[i].word) == 0) {
            *out = words[i].truth;
            return TRUE;
        }
    }
    return csv_fail(csv, field, error, "this is neither 1 (accepted), 0 (rejected) nor "
                    "empty (unknown): \"%s\"", text);
}

static const char *split_of(const struct csv *csv, const struct csv_layout *layout)
{
    const char *split = layout->split >= 0 ? csv_field(csv, (guint)layout->split) : "";
    return *split ? split : NULL;
}

static gboolean read_pair(struct dataset *d, const struct csv *csv,
                          const struct csv_layout *layout, guint image, GError **error)
{
    enum truth truth = TRUTH_POSITIVE;
    g_autofree char *label = g_strstrip(g_strdup(csv_field(csv, (guint)layout->label)));
    if (!*label) {
        return csv_fail(csv, (guint)layout->label, error, "the label is empty");
    }
    if (layout->value >= 0 && !read_truth(csv, (guint)layout->value, &truth, error)) {
        return FALSE;
    }
    dataset_add(d, image, dataset_add_label(d, label, DATASET_NO_GROUP), truth);
    return TRUE;
}

/* What a wide row says that is not negative, which is what pairs are by themselves. */
static gboolean read_cells(struct dataset *d, const struct csv *csv,
                           const struct csv_layout *layout, guint image, GError **error)
{
    guint label = 0;
    for (guint i = 0; i < csv_n_fields(csv); i++) {
        enum truth truth;
        if (!csv_layout_is_label(layout, i)) {
            continue;
        }
        if (!read_truth(csv, i, &truth, error)) {
            return FALSE;
        }
        if (truth != TRUTH_NEGATIVE) {
            dataset_add(d, image, label, truth);
        }
        label++;
    }
    return TRUE;
}

static gboolean read_row(struct dataset *d, const struct csv *csv,
                         const struct csv_layout *layout, GError **error)
{
    const char *name = csv_layout_image(layout, csv, error);
    if (!name) {
        return FALSE;
    }
    guint before = d->images->len;
    guint image = dataset_add_image(d, name, split_of(csv, layout));
    if (!layout->wide) {
        return read_pair(d, csv, layout, image, error);
    }
    if (d->images->len == before) {
        return csv_fail(csv, (guint)layout->image, error, "%s has a row already", name);
    }
    return read_cells(d, csv, layout, image, error);
}

static gboolean read_csv(struct dataset *d, const char *path, GError **error)
{
    static const char *const values[] = { "state", "truth", "value", "target",
                                          "confidence", NULL };
    GError *failure = NULL;
    struct csv *csv = csv_open(path, error);
    if (!csv) {
        return FALSE;
    }
    struct csv_layout layout = csv_layout_find(csv, values);
    for (guint i = 0; layout.wide && i < csv_n_fields(csv); i++) {
        if (csv_layout_is_label(&layout, i)) {
            dataset_add_label(d, csv_header(csv, i), DATASET_NO_GROUP);
        }
    }
    while (!failure && csv_next(csv, &failure)) {
        read_row(d, csv, &layout, &failure);
    }
    csv_close(&csv);
    d->lists_all = layout.wide;
    d->summary = g_strdup(layout.wide ? "CSV with a column for each label"
                                      : "CSV with a row for each pair");
    g_autofree char *folder = g_path_get_dirname(path);
    dataset_find_root(d, 0, folder, (const char *const[]){ ".", "images", "..", NULL });
    if (failure) {
        g_propagate_error(error, failure);
    }
    return !failure;
}

const struct dataset_reader dataset_csv = { "csv", matches, read_csv };
