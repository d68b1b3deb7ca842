/* CSV: long, as `taglight export --format csv` writes (a row for each decision), or wide
 * (one-hot). Cells are 1 or accepted, 0 or rejected, and empty, cleared, undecided or
 * unknown. Beside them a long file may have the columns source, score, threshold, model,
 * prompt, decided_at and author; only who takes the rows one by one gets to see them. */
#include "app/dataset/csv_layout.h"
#include "app/dataset/dataset_private.h"

#include <string.h>

static gboolean matches(const struct dataset_file *file)
{
    return !file->folder;
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

/* --- What stands beside the truth ----------------------------------------------------- */

enum { SOURCE, SCORE, THRESHOLD, MODEL, PROMPT, TIME, AUTHOR, N_DETAILS };

static const char *const details[N_DETAILS] = { "source", "score", "threshold", "model",
                                                "prompt", "decided_at", "author" };

struct file {
    struct dataset *d;
    gboolean onehot;       /* wide, whatever its labels are called */
    struct csv *csv;
    struct csv_layout layout;
    int column[N_DETAILS]; /* -1: there is none */
};

static const char *detail(const struct file *f, int which)
{
    const char *text = f->column[which] < 0 ? ""
                                            : csv_field(f->csv, (guint)f->column[which]);
    return *text ? text : NULL;
}

static gboolean read_score(const struct file *f, int which, double *out, GError **error)
{
    float value;
    *out = -1;
    if (!detail(f, which)) {
        return TRUE;
    }
    if (!csv_number(f->csv, (guint)f->column[which], &value, error)) {
        return FALSE;
    }
    *out = g_ascii_strtod(detail(f, which), NULL);
    return (*out >= 0 && *out <= 1)
           || csv_fail(f->csv, (guint)f->column[which], error,
                       "a score is between 0 and 1, and this is %s", detail(f, which));
}

/* *time: to be freed, and what the event's time points to. */
static gboolean read_details(const struct file *f, StoreEvent *event, char **time,
                             GError **error)
{
    StoreSource *s = &event->source;
    const char *source = detail(f, SOURCE), *when = detail(f, TIME);
    s->by_model = source && (g_ascii_strcasecmp(source, "model") == 0
                             || g_ascii_strcasecmp(source, "machine") == 0);
    s->model = detail(f, MODEL);
    s->prompt = detail(f, PROMPT);
    s->author = detail(f, AUTHOR);
    *time = when ? store_time(when) : NULL;
    s->time = *time;
    if (when && !*time) {
        return csv_fail(f->csv, (guint)f->column[TIME], error,
                        "this is no date with a time: \"%s\"", when);
    }
    return read_score(f, SCORE, &s->confidence, error)
           && read_score(f, THRESHOLD, &s->threshold, error);
}

/* --- Rows ----------------------------------------------------------------------------- */

static gboolean read_pair(const struct file *f, guint image, GError **error)
{
    enum truth truth = TRUTH_POSITIVE;
    guint column = (guint)f->layout.label;
    g_autofree char *label = csv_trimmed(f->csv, column), *time = NULL;
    if (!*label) {
        return csv_fail(f->csv, column, error, "the label is empty");
    }
    if (f->layout.value >= 0
        && !read_truth(f->csv, (guint)f->layout.value, &truth, error)) {
        return FALSE;
    }
    StoreEvent event = DATASET_EVENT(truth);
    if (!read_details(f, &event, &time, error)) {
        return FALSE;
    }
    dataset_add_event(f->d, image, dataset_add_label(f->d, label, DATASET_NO_GROUP),
                      &event);
    return TRUE;
}

/* Negative is what pairs of a wide file are by themselves, so only who takes them one by
 * one is told of them. */
static gboolean read_cells(const struct file *f, guint image, GError **error)
{
    guint label = 0;
    for (guint i = 0; i < csv_n_fields(f->csv); i++) {
        enum truth truth;
        if (!csv_layout_is_label(&f->layout, f->csv, i)) {
            continue;
        }
        if (!read_truth(f->csv, i, &truth, error)) {
            return FALSE;
        }
        if (truth != TRUTH_NEGATIVE || f->d->scans) {
            dataset_add_filled(f->d, image, label, truth);
        }
        label++;
    }
    return TRUE;
}

static gboolean read_row(const struct file *f, GError **error)
{
    const char *name = csv_layout_image(&f->layout, f->csv, error);
    if (!name) {
        return FALSE;
    }
    guint before = f->d->images->len;
    guint image = dataset_add_image(f->d, name, split_of(f->csv, &f->layout));
    if (!f->layout.wide) {
        return read_pair(f, image, error);
    }
    if (f->d->images->len == before) {
        return csv_fail(f->csv, (guint)f->layout.image, error, "%s has a row already",
                        name);
    }
    return read_cells(f, image, error);
}

/* --- The file ------------------------------------------------------------------------- */

static void read_header(struct file *f)
{
    static const char *const values[] = { "state", "truth", "value", "target",
                                          "confidence", NULL };
    f->layout = csv_layout_find(f->csv, values);
    if (f->onehot) {
        f->layout.wide = TRUE;
        f->layout.image = 0;
    }
    for (int i = 0; i < N_DETAILS; i++) {
        f->column[i] = f->d->scans ? csv_find(f->csv, details[i]) : -1;
    }
    for (guint i = 0; f->layout.wide && i < csv_n_fields(f->csv); i++) {
        if (csv_layout_is_label(&f->layout, f->csv, i)) {
            dataset_add_label(f->d, csv_header(f->csv, i), DATASET_NO_GROUP);
        }
    }
}

static gboolean read_rows(struct dataset *d, const char *path, gboolean onehot,
                          GError **error)
{
    GError *failure = NULL;
    struct file f = { .d = d, .onehot = onehot, .csv = csv_open(path, error) };
    if (!f.csv) {
        return FALSE;
    }
    read_header(&f);
    while (!failure && csv_next(f.csv, &failure)) {
        read_row(&f, &failure);
    }
    csv_close(&f.csv);
    d->lists_all = f.layout.wide;
    d->summary = g_strdup(f.layout.wide ? "CSV with a column for each label"
                                        : "CSV with a row for each pair");
    g_autofree char *folder = g_path_get_dirname(path);
    dataset_find_root(d, 0, folder, (const char *const[]){ ".", "images", "..", NULL });
    if (failure) {
        g_propagate_error(error, failure);
    }
    return !failure;
}

static gboolean read_csv(struct dataset *d, const char *path, GError **error)
{
    return read_rows(d, path, FALSE, error);
}

/* For files whose labels are called as the columns of long ones: never found out. */
static gboolean matches_onehot(const struct dataset_file *file)
{
    return FALSE;
}

static gboolean read_onehot(struct dataset *d, const char *path, GError **error)
{
    return read_rows(d, path, TRUE, error);
}

const struct dataset_reader dataset_csv = {
    "csv", "CSV with a row for each pair, or a column for each label", matches, read_csv };
const struct dataset_reader dataset_onehot = {
    "onehot", "CSV with a column for each label, whatever the labels are called",
    matches_onehot, read_onehot };
