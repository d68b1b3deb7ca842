/* FiftyOne's image classification (formats.md 3.3): labels.json and the images in
 * data/. The keys are paths without suffix; an image without labels has null. A split
 * is a data set of its own in PART/. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

static gboolean begin(ExportRun *run, GError **error)
{
    struct export_parts *parts = run->state;
    if (!export_open_parts(run, parts, "", "/labels.json", error)) {
        return FALSE;
    }
    for (guint i = 0; i < run->n_subsets; i++) {
        fputs("{\"classes\": [", parts->out[i]);
        for (guint l = 0; l < run->n_labels; l++) {
            fputs(l ? ", " : "", parts->out[i]);
            text_json_string(parts->out[i], run->labels[l].name);
        }
        fputs("],\n\"labels\": {", parts->out[i]);
    }
    return TRUE;
}

static void put_label(FILE *out, const ExportTag *tag)
{
    fprintf(out, "{\"label\": %u", tag->label);
    if (tag->known->score >= 0) {
        fputs(", \"confidence\": ", out);
        text_number(out, "%.6g", tag->known->score);
    }
    fprintf(out, ", \"attributes\": {\"state\": \"%s\", \"source\": \"%s\"}}",
            export_state_name(tag), export_source_name(tag));
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct export_parts *parts = run->state;
    FILE *out = parts->out[item->subset];
    export_next(parts, item->subset);
    text_json_string(out, item->key);
    fputs(item->n_tags > 0 ? ": [" : ": null", out);
    for (guint i = 0; i < item->n_tags; i++) {
        fputs(i ? ", " : "", out);
        put_label(out, &item->tags[i]);
    }
    fputs(item->n_tags > 0 ? "]" : "", out);
    return export_place_in_part(run, item, "", "data", error);
}

static gboolean end(ExportRun *run, GError **error)
{
    return export_close_parts(run, run->state, "\n}}\n", error);
}

const ExportFormat export_fiftyone = {
    .id = "fiftyone",
    .summary = "FiftyOne's image classification",
    .kind = EXPORT_FOLDER,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED | EXPORT_UNDECIDED,
    .scores = TRUE,
    .spreads = TRUE,
    .keyed = TRUE,
    .subset = "",
    .size = sizeof(struct export_parts),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = export_clear_state,
};
