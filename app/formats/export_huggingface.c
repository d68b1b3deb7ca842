/* An image folder of Hugging Face (formats.md 3.3): metadata.jsonl beside the images, a
 * line for each. A score that is not known is null. A split is a folder of its own. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

static gboolean begin(ExportRun *run, GError **error)
{
    return export_open_parts(run, run->state, "", "/metadata.jsonl", error);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    FILE *out = ((struct export_parts *)run->state)->out[item->subset];
    fputs("{\"file_name\": ", out);
    text_json_string(out, item->name);
    fputs(", \"labels\": [", out);
    for (guint i = 0; i < item->n_tags; i++) {
        fputs(i ? ", " : "", out);
        text_json_string(out, item->tags[i].name);
    }
    fputs("], \"scores\": [", out);
    for (guint i = 0; i < item->n_tags; i++) {
        double score = item->tags[i].known->score;
        fputs(i ? ", " : "", out);
        if (score >= 0) {
            text_number(out, "%.6g", score);
        } else {
            fputs("null", out);
        }
    }
    fputs("]}\n", out);
    return export_place_in_part(run, item, "", "", error);
}

static gboolean end(ExportRun *run, GError **error)
{
    return export_close_parts(run, run->state, "", error);
}

const ExportFormat export_huggingface = {
    .id = "huggingface",
    .summary = "metadata.jsonl of a Hugging Face image folder",
    .kind = EXPORT_FOLDER,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .scores = TRUE,
    .spreads = TRUE,
    .subset = "",
    .size = sizeof(struct export_parts),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = export_clear_state,
};
