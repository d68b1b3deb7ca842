/* Long CSV: a row for each label of an image (formats.md 3.2). RFC 4180, UTF-8, LF. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

static void put_field(FILE *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    text_csv_field(out, valid);
}

static void put_score(FILE *out, double value)
{
    if (value >= 0) {
        text_number(out, "%.6g", value);
    }
}

static gboolean begin(ExportRun *run, GError **error)
{
    fprintf(run->out,
            "image,label,state,source,score,threshold,model,prompt,decided_at%s\n",
            export_has_split(run) ? ",split" : "");
    return TRUE;
}

static void put_row(ExportRun *run, const ExportItem *item, const ExportTag *tag)
{
    const StoreTag *known = tag->known;
    FILE *out = run->out;
    text_csv_field(out, item->name);
    fputc(',', out);
    text_csv_field(out, tag->name);
    fprintf(out, ",%s,%s,", export_state_name(tag), export_source_name(tag));
    put_score(out, known->score);
    fputc(',', out);
    put_score(out, known->threshold);
    fputc(',', out);
    put_field(out, known->model);
    fputc(',', out);
    put_field(out, known->prompt);
    fputc(',', out);
    put_field(out, known->time);
    if (export_has_split(run)) {
        fprintf(out, ",%s", run->subsets[item->subset]);
    }
    fputc('\n', out);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    for (guint i = 0; i < item->n_tags; i++) {
        put_row(run, item, &item->tags[i]);
    }
    return TRUE;
}

const ExportFormat export_csv = {
    .id = "csv",
    .summary = "a row for each label of an image, with all that is known",
    .kind = EXPORT_FILE,
    .states = EXPORT_ACCEPTED | EXPORT_REJECTED,
    .marks = EXPORT_ACCEPTED | EXPORT_REJECTED | EXPORT_UNDECIDED,
    .scores = TRUE,
    .csv = TRUE,
    .begin = begin,
    .item = put_item,
};
