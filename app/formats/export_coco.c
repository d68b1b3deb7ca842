/* COCO labels as Datumaro writes and reads them: annotations without boxes
 * (formats.md 3.1), or with a box of the whole image for readers that want one.
 * Rejected labels are left out, for the format has no negatives. Ids of images and
 * categories are the store's, so that they stay from one export to the next.
 *
 * With parts: annotations/labels_PART.json, and the images in images/PART/. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

struct coco {
    struct export_parts images; /* the documents */
    struct export_parts annotations; /* what comes after the images in them */
};

static void put_pair(FILE *out, const char *name, const char *value)
{
    fprintf(out, "\"%s\": ", name);
    text_json_string(out, value);
}

static void put_head(const ExportRun *run, FILE *out)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%d");
    fprintf(out,
            "{\n\"info\": {\"description\": \"Taglight export\", \"version\": \"1.0\", "
            "\"year\": %d, \"contributor\": \"\", \"url\": \"\", "
            "\"date_created\": \"%s\"},\n"
            "\"licenses\": [{\"id\": 0, \"name\": \"\", \"url\": \"\"}],\n"
            "\"categories\": [",
            g_date_time_get_year(now), date);
    for (guint i = 0; i < run->n_labels; i++) {
        fprintf(out, "%s\n  {\"id\": %" G_GINT64_FORMAT ", ", i ? "," : "",
                run->labels[i].id);
        put_pair(out, "name", run->labels[i].name);
        fputs(", \"supercategory\": \"\"}", out);
    }
    fputs("\n],\n\"images\": [", out);
}

static gboolean begin(ExportRun *run, GError **error)
{
    struct coco *c = run->state;
    if (!run->folder) {
        c->images.out[0] = run->out;
    } else if (!export_open_parts(run, &c->images, "annotations/labels_", ".json",
                                  error)) {
        return FALSE;
    }
    for (guint i = 0; i < run->n_subsets; i++) {
        c->annotations.out[i] = tmpfile();
        if (!c->annotations.out[i]) {
            return export_io_error(g_get_tmp_dir(), error);
        }
        put_head(run, c->images.out[i]);
    }
    return TRUE;
}

static void put_annotation(ExportRun *run, const ExportItem *item, const ExportTag *tag)
{
    struct export_parts *parts = &((struct coco *)run->state)->annotations;
    const StoreItem *image = item->known;
    FILE *out = parts->out[item->subset];
    export_next(parts, item->subset);
    fprintf(out,
            "  {\"id\": %u, \"image_id\": %" G_GINT64_FORMAT
            ", \"category_id\": %" G_GINT64_FORMAT,
            parts->count[item->subset], image->file, tag->known->label);
    if (run->options->boxes) {
        fprintf(out, ", \"bbox\": [0, 0, %d, %d], \"area\": %" G_GINT64_FORMAT
                ", \"segmentation\": [], \"iscrowd\": 0", image->width, image->height,
                (gint64)image->width * image->height);
    }
    if (tag->known->score >= 0) {
        fputs(", \"score\": ", out);
        text_number(out, "%.6g", tag->known->score);
    }
    fprintf(out, ", \"attributes\": {\"state\": \"%s\", \"source\": \"%s\"}}",
            export_state_name(tag), export_source_name(tag));
}

/* A box of nothing breaks readers. */
static gboolean can_box(ExportRun *run, const ExportItem *item)
{
    gboolean sized = item->known->width > 0 && item->known->height > 0;
    if (run->options->boxes && !sized && item->n_tags > 0) {
        export_warn(run, EXPORT_WARN_IMAGE,
                    "%s: its size is not known, so its labels have no box and are "
                    "left out", item->name);
    }
    return sized || !run->options->boxes;
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct export_parts *parts = &((struct coco *)run->state)->images;
    const StoreItem *image = item->known;
    FILE *out = parts->out[item->subset];
    export_next(parts, item->subset);
    fprintf(out, "  {\"id\": %" G_GINT64_FORMAT ", ", image->file);
    put_pair(out, "file_name", item->name);
    fprintf(out,
            ", \"width\": %d, \"height\": %d, \"license\": 0, \"flickr_url\": \"\", "
            "\"coco_url\": \"\", \"date_captured\": 0}", image->width, image->height);
    gboolean tagged = can_box(run, item);
    for (guint i = 0; tagged && i < item->n_tags; i++) {
        put_annotation(run, item, &item->tags[i]);
    }
    return !run->folder || export_place_in_part(run, item, "images", "", error);
}

static gboolean end(ExportRun *run, GError **error)
{
    struct coco *c = run->state;
    for (guint i = 0; i < run->n_subsets; i++) {
        FILE *out = c->images.out[i];
        fputs("\n],\n\"annotations\": [", out);
        if (!export_append(run, out, &c->annotations.out[i], error)) {
            return FALSE;
        }
        fputs("\n]\n}\n", out);
    }
    return !run->folder || export_close_parts(run, &c->images, "", error);
}

static void clear(ExportRun *run)
{
    struct coco *c = run->state;
    export_clear_parts(&c->annotations);
    if (run->folder) {
        export_clear_parts(&c->images);
    }
}

const ExportFormat export_coco = {
    .id = "coco",
    .summary = "COCO labels as Datumaro reads them; --bbox for pycocotools",
    .kind = EXPORT_FILE,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED | EXPORT_UNDECIDED,
    .scores = TRUE,
    .parted = TRUE,
    .spreads = TRUE,
    .subset = "default",
    .size = sizeof(struct coco),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = clear,
};
