/* Google AutoML and Vertex CSV (formats.md 3.2): no header, ML_USE,PATH,LABEL,LABEL,…
 * The tools want paths of a bucket: --prefix gs://bucket/. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#define MAX_BYTES (100ll << 20) /* what the importer takes */

static const char *use_of(const ExportRun *run, const ExportItem *item)
{
    if (!export_has_split(run)) {
        return "UNASSIGNED";
    }
    switch (run->subsets[item->subset][1]) { /* train, val, test */
    case 'r': return "TRAIN";
    case 'a': return "VALIDATION";
    default: return "TEST";
    }
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    fprintf(run->out, "%s,", use_of(run, item));
    text_csv_field(run->out, item->name);
    for (guint i = 0; i < item->n_tags; i++) {
        fputc(',', run->out);
        text_csv_field(run->out, item->tags[i].name);
    }
    fputc('\n', run->out);
    return TRUE;
}

static gboolean end(ExportRun *run, GError **error)
{
    if (ftello(run->out) > MAX_BYTES) {
        export_warn(run, EXPORT_WARN_IMAGE,
                    "the file is larger than the 100 MB that AutoML takes; export a "
                    "folder at a time with --under");
    }
    return TRUE;
}

const ExportFormat export_automl = {
    .id = "automl",
    .summary = "Google AutoML and Vertex CSV; see --prefix",
    .kind = EXPORT_FILE,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .csv = TRUE,
    .item = put_item,
    .end = end,
};
