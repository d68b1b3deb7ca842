/* CVAT for images 1.1 (formats.md 3.3): tags of whole images. Its annotations have no
 * negatives; `source` is manual or auto, and the score is an attribute. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

static gboolean begin(ExportRun *run, GError **error)
{
    FILE *out = run->out;
    fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n"
          "  <version>1.1</version>\n  <meta>\n    <task>\n      <labels>\n", out);
    for (guint i = 0; i < run->n_labels; i++) {
        fputs("        <label><name>", out);
        text_xml(out, run->labels[i].name);
        fputs("</name><type>tag</type><attributes><attribute><name>score</name>"
              "<mutable>False</mutable><input_type>text</input_type><default_value>"
              "</default_value><values></values></attribute></attributes></label>\n",
              out);
    }
    fputs("      </labels>\n    </task>\n  </meta>\n", out);
    return TRUE;
}

static void put_tag(FILE *out, const ExportTag *tag)
{
    fputs("    <tag label=\"", out);
    text_xml(out, tag->name);
    fprintf(out, "\" source=\"%s\">", tag->known->by_model ? "auto" : "manual");
    if (tag->known->score >= 0) {
        fputs("<attribute name=\"score\">", out);
        text_number(out, "%.6g", tag->known->score);
        fputs("</attribute>", out);
    }
    fputs("</tag>\n", out);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    FILE *out = run->out;
    fprintf(out, "  <image id=\"%" G_GINT64_FORMAT "\" name=\"", item->known->file);
    text_xml(out, item->name);
    if (export_has_split(run) || run->options->subset) {
        fputs("\" subset=\"", out);
        text_xml(out, run->subsets[item->subset]);
    }
    fprintf(out, "\" width=\"%d\" height=\"%d\">\n", item->known->width,
            item->known->height);
    for (guint i = 0; i < item->n_tags; i++) {
        put_tag(out, &item->tags[i]);
    }
    fputs("  </image>\n", out);
    return TRUE;
}

static gboolean end(ExportRun *run, GError **error)
{
    fputs("</annotations>\n", run->out);
    return TRUE;
}

const ExportFormat export_cvat = {
    .id = "cvat",
    .summary = "CVAT for images 1.1, tags of whole images",
    .kind = EXPORT_FILE,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .scores = TRUE,
    .begin = begin,
    .item = put_item,
    .end = end,
};
