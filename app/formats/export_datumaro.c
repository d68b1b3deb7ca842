/* Datumaro's own format (formats.md 3.3): annotations/PART.json, images in
 * images/PART/. A label's number is its place in this export's list; its name is what
 * stays. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

static void put_head(const ExportRun *run, FILE *out)
{
    fputs("{\"dm_format_version\": \"1.0\", \"info\": {},\n\"categories\": {\"label\": "
          "{\"labels\": [", out);
    for (guint i = 0; i < run->n_labels; i++) {
        fprintf(out, "%s\n  {\"name\": ", i ? "," : "");
        text_json_string(out, run->labels[i].name);
        fputs(", \"parent\": \"\", \"attributes\": []}", out);
    }
    fputs("\n], \"label_groups\": [], \"attributes\": []}},\n\"items\": [", out);
}

static gboolean begin(ExportRun *run, GError **error)
{
    struct export_parts *parts = run->state;
    if (!export_open_parts(run, parts, "annotations/", ".json", error)) {
        return FALSE;
    }
    for (guint i = 0; i < run->n_subsets; i++) {
        put_head(run, parts->out[i]);
    }
    return TRUE;
}

static void put_annotation(FILE *out, guint number, const ExportTag *tag)
{
    fprintf(out, "%s{\"id\": %u, \"type\": \"label\", \"attributes\": {",
            number ? ", " : "", number);
    if (tag->known->score >= 0) {
        fputs("\"score\": ", out);
        text_number(out, "%.6g", tag->known->score);
        fputs(", ", out);
    }
    fprintf(out,
            "\"state\": \"%s\", \"source\": \"%s\"}, \"group\": 0, \"label_id\": %u}",
            export_state_name(tag), export_source_name(tag), tag->label);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct export_parts *parts = run->state;
    FILE *out = parts->out[item->subset];
    export_next(parts, item->subset);
    fputs("  {\"id\": ", out);
    text_json_string(out, item->key);
    fputs(", \"annotations\": [", out);
    for (guint i = 0; i < item->n_tags; i++) {
        put_annotation(out, i, &item->tags[i]);
    }
    fputs("], \"image\": {\"path\": ", out);
    text_json_string(out, item->name);
    if (item->known->width > 0 && item->known->height > 0) {
        fprintf(out, ", \"size\": [%d, %d]", item->known->height, item->known->width);
    }
    fputs("}}", out);
    return export_place_in_part(run, item, "images", "", error);
}

static gboolean end(ExportRun *run, GError **error)
{
    return export_close_parts(run, run->state, "\n]}\n", error);
}

const ExportFormat export_datumaro = {
    .id = "datumaro",
    .summary = "Datumaro's own format",
    .kind = EXPORT_FOLDER,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED | EXPORT_UNDECIDED,
    .scores = TRUE,
    .spreads = TRUE,
    .keyed = TRUE,
    .subset = "default",
    .size = sizeof(struct export_parts),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = export_clear_state,
};
