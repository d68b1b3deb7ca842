/* Tasks of Label Studio with predictions (formats.md 3.3): one choice control named
 * `tags` for an image named `image`. A task has one score: the lowest of its labels,
 * for the task is as sure as its least sure label. An image without labels is a task to
 * be done. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

struct tasks { guint count; };

static gboolean begin(ExportRun *run, GError **error)
{
    fputc('[', run->out);
    return TRUE;
}

/* The model that gave the first score, or "human". */
static const char *version_of(const ExportItem *item)
{
    for (guint i = 0; i < item->n_tags; i++) {
        const StoreTag *tag = item->tags[i].known;
        if (tag->score >= 0 && *tag->model) {
            return tag->model;
        }
    }
    return "human";
}

static void put_prediction(FILE *out, const ExportItem *item)
{
    double lowest = -1;
    fputs("{\"model_version\": ", out);
    text_json_string(out, version_of(item));
    fputs(", \"result\": [{\"from_name\": \"tags\", \"to_name\": \"image\", \"type\": "
          "\"choices\", \"value\": {\"choices\": [", out);
    for (guint i = 0; i < item->n_tags; i++) {
        double score = item->tags[i].known->score;
        fputs(i ? ", " : "", out);
        text_json_string(out, item->tags[i].name);
        lowest = score >= 0 && (lowest < 0 || score < lowest) ? score : lowest;
    }
    fputs("]}}]", out);
    if (lowest >= 0) {
        fputs(", \"score\": ", out);
        text_number(out, "%.6g", lowest);
    }
    fputc('}', out);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct tasks *tasks = run->state;
    fprintf(run->out, "%s\n  {\"id\": %" G_GINT64_FORMAT ", \"data\": {\"image\": ",
            tasks->count++ ? "," : "", item->known->file);
    text_json_string(run->out, item->name);
    if (export_has_split(run)) {
        fprintf(run->out, ", \"split\": \"%s\"", run->subsets[item->subset]);
    }
    fputs("}, \"predictions\": [", run->out);
    if (item->n_tags > 0) {
        put_prediction(run->out, item);
    }
    fputs("]}", run->out);
    return TRUE;
}

static gboolean end(ExportRun *run, GError **error)
{
    fputs("\n]\n", run->out);
    return TRUE;
}

const ExportFormat export_labelstudio = {
    .id = "label-studio",
    .summary = "tasks of Label Studio with predictions",
    .kind = EXPORT_FILE,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .scores = TRUE,
    .size = sizeof(struct tasks),
    .begin = begin,
    .item = put_item,
    .end = end,
};
