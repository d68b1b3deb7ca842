/* Open Images (formats.md 3.2): what a person verified, present (1) or absent (0), in
 * PART-annotations-human-imagelabels.csv; what a model said, with its score, in
 * PART-annotations-machine-imagelabels.csv. ImageID is the path without suffix,
 * LabelName the label; class-descriptions.csv lists the labels. Images go to PART/. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

struct openimages { struct export_parts human, machine; };

static gboolean put_classes(ExportRun *run, GError **error)
{
    FILE *out = export_open(run, "class-descriptions.csv", error);
    for (guint i = 0; out && i < run->n_labels; i++) {
        text_csv_field(out, run->labels[i].name);
        fputc(',', out);
        text_csv_field(out, run->labels[i].name);
        fputc('\n', out);
    }
    return out && export_close(run, &out, error);
}

static gboolean begin(ExportRun *run, GError **error)
{
    struct openimages *o = run->state;
    if (!put_classes(run, error)
        || !export_open_parts(run, &o->human, "", "-annotations-human-imagelabels.csv",
                              error)
        || !export_open_parts(run, &o->machine, "",
                              "-annotations-machine-imagelabels.csv", error)) {
        return FALSE;
    }
    for (guint i = 0; i < run->n_subsets; i++) {
        fputs("ImageID,Source,LabelName,Confidence\n", o->human.out[i]);
        fputs("ImageID,Source,LabelName,Confidence\n", o->machine.out[i]);
    }
    return TRUE;
}

static void put_row(ExportRun *run, const ExportItem *item, const ExportTag *tag)
{
    struct openimages *o = run->state;
    const StoreTag *known = tag->known;
    FILE *out = (known->by_model ? &o->machine : &o->human)->out[item->subset];
    text_csv_field(out, item->key);
    fputs(known->by_model ? ",machine," : ",verification,", out);
    text_csv_field(out, tag->name);
    fputc(',', out);
    if (!export_is_positive(tag)) {
        fputc('0', out);
    } else {
        text_number(out, "%.6g",
                    known->by_model && known->score >= 0 ? known->score : 1);
    }
    fputc('\n', out);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    for (guint i = 0; i < item->n_tags; i++) {
        put_row(run, item, &item->tags[i]);
    }
    return export_place_in_part(run, item, "", "", error);
}

static gboolean end(ExportRun *run, GError **error)
{
    struct openimages *o = run->state;
    return export_close_parts(run, &o->human, "", error)
           && export_close_parts(run, &o->machine, "", error);
}

static void clear(ExportRun *run)
{
    struct openimages *o = run->state;
    export_clear_parts(&o->human);
    export_clear_parts(&o->machine);
}

const ExportFormat export_openimages = {
    .id = "openimages",
    .summary = "Open Images CSV, with what was verified to be absent",
    .kind = EXPORT_FOLDER,
    .states = EXPORT_ACCEPTED | EXPORT_REJECTED,
    .marks = EXPORT_ACCEPTED | EXPORT_REJECTED,
    .scores = TRUE,
    .spreads = TRUE,
    .csv = TRUE,
    .keyed = TRUE,
    .subset = "train",
    .size = sizeof(struct openimages),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = clear,
};
