/* One-hot CSV, as Roboflow's multi-label files (formats.md 3.2): a row for each image,
 * a column for each label, 1 or 0. What is rejected and what nobody decided are 0. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#include <string.h>

struct onehot { gboolean *set; /* [n_labels], of the image at hand */ };

static gboolean begin(ExportRun *run, GError **error)
{
    struct onehot *o = run->state;
    o->set = g_new0(gboolean, MAX(run->n_labels, 1));
    fputs("filename", run->out);
    for (guint i = 0; i < run->n_labels; i++) {
        fputc(',', run->out);
        text_csv_field(run->out, run->labels[i].name);
        if (g_ascii_strcasecmp(run->labels[i].name, "split") == 0) {
            export_warn(run, EXPORT_WARN_LABEL,
                        "the label \"%s\" looks like the column that names an image's "
                        "split", run->labels[i].name);
        }
    }
    fputs(export_has_split(run) ? ",split\n" : "\n", run->out);
    return TRUE;
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct onehot *o = run->state;
    memset(o->set, 0, run->n_labels * sizeof *o->set);
    for (guint i = 0; i < item->n_tags; i++) {
        o->set[item->tags[i].label] = TRUE;
    }
    text_csv_field(run->out, item->name);
    for (guint i = 0; i < run->n_labels; i++) {
        fputs(o->set[i] ? ",1" : ",0", run->out);
    }
    if (export_has_split(run)) {
        fprintf(run->out, ",%s", run->subsets[item->subset]);
    }
    fputc('\n', run->out);
    return TRUE;
}

static void clear(ExportRun *run)
{
    g_free(((struct onehot *)run->state)->set);
}

const ExportFormat export_onehot = {
    .id = "onehot",
    .summary = "CSV with a column of 1 and 0 for each label",
    .kind = EXPORT_FILE,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .csv = TRUE,
    .size = sizeof(struct onehot),
    .begin = begin,
    .item = put_item,
    .clear = clear,
};
