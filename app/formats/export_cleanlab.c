/* Arrays for cleanlab (formats.md 3.3):
 *
 *   pred_probs.npy  float32 [images, labels]: the newest prediction, else the score
 *                   of the decision; NaN where no model said anything
 *   given.npy       int8 [images, labels]: 1 accepted, 0 rejected, -1 not decided
 *   labels.jsonl    a line an image: its path, the numbers of its accepted labels
 *   classes.json    the labels' names
 *
 * An .npy file is the bytes "\x93NUMPY" 1 0, the length of a header in 16 bits, the
 * header, a literal of Python padded to 128 bytes in all, and the values row by row,
 * all little endian. How many rows there are is known at the end only; the header is
 * written again. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#include <math.h>
#include <string.h>

#define HEADER 128

struct cleanlab {
    FILE *scores, *given, *lines;
    float *score; /* [n_labels] of the image at hand */
    gint8 *value;
    guint64 rows, holes;
};

static gboolean put_header(const ExportRun *run, FILE *out, const char *type,
                           guint64 rows, GError **error)
{
    char header[HEADER + 1];
    memset(header, ' ', HEADER);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10); /* 118 bytes follow */
    int n = g_snprintf(header + 10, HEADER - 10,
                       "{'descr': '%s', 'fortran_order': False, 'shape': "
                       "(%" G_GUINT64_FORMAT ", %u), }", type, rows, run->n_labels);
    header[10 + n] = ' ';
    header[HEADER - 1] = '\n';
    return (fseeko(out, 0, SEEK_SET) == 0 && fwrite(header, 1, HEADER, out) == HEADER)
           || export_write_error(run, error);
}

static gboolean put_classes(ExportRun *run, GError **error)
{
    FILE *out = export_open(run, "classes.json", error);
    for (guint i = 0; out && i < run->n_labels; i++) {
        fputs(i ? ", " : "[", out);
        text_json_string(out, run->labels[i].name);
    }
    if (out) {
        fputs(run->n_labels ? "]\n" : "[]\n", out);
    }
    return out && export_close(run, &out, error);
}

static gboolean begin(ExportRun *run, GError **error)
{
    struct cleanlab *c = run->state;
    c->score = g_new(float, MAX(run->n_labels, 1));
    c->value = g_new(gint8, MAX(run->n_labels, 1));
    return put_classes(run, error)
           && (c->scores = export_open(run, "pred_probs.npy", error))
           && (c->given = export_open(run, "given.npy", error))
           && (c->lines = export_open(run, "labels.jsonl", error))
           && put_header(run, c->scores, "<f4", 0, error)
           && put_header(run, c->given, "|i1", 0, error);
}

static void put_line(ExportRun *run, const ExportItem *item)
{
    struct cleanlab *c = run->state;
    const char *comma = "";
    fputs("{\"image\": ", c->lines);
    text_json_string(c->lines, item->name);
    if (export_has_split(run)) {
        fprintf(c->lines, ", \"split\": \"%s\"", run->subsets[item->subset]);
    }
    fputs(", \"labels\": [", c->lines);
    for (guint i = 0; i < run->n_labels; i++) {
        if (c->value[i] == 1) {
            fprintf(c->lines, "%s%u", comma, i);
            comma = ", ";
        }
    }
    fputs("]}\n", c->lines);
}

static void read_row(ExportRun *run, const ExportItem *item)
{
    struct cleanlab *c = run->state;
    memset(c->value, -1, run->n_labels);
    for (guint i = 0; i < run->n_labels; i++) {
        c->score[i] = NAN;
    }
    for (guint i = 0; i < item->n_tags; i++) {
        const ExportTag *tag = &item->tags[i];
        const StoreTag *known = tag->known;
        double score = known->predicted >= 0 ? known->predicted : known->score;
        c->score[tag->label] = score >= 0 ? (float)score : NAN;
        if (known->verdict != STORE_CLEARED) {
            c->value[tag->label] = known->verdict == STORE_ACCEPTED;
        }
    }
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct cleanlab *c = run->state;
    read_row(run, item);
    put_line(run, item);
    for (guint i = 0; i < run->n_labels; i++) {
        guint32 bits;
        c->holes += isnan(c->score[i]) != 0;
        memcpy(&bits, &c->score[i], sizeof bits);
        bits = GUINT32_TO_LE(bits);
        fwrite(&bits, sizeof bits, 1, c->scores);
    }
    fwrite(c->value, 1, run->n_labels, c->given);
    c->rows++;
    return TRUE;
}

static gboolean end(ExportRun *run, GError **error)
{
    struct cleanlab *c = run->state;
    if (c->holes > 0) {
        export_warn(run, EXPORT_WARN_IMAGE,
                    "pairs without a score, which are NaN and must be filled or left "
                    "out before cleanlab sees them: %" G_GUINT64_FORMAT,
                    c->holes);
    }
    return put_header(run, c->scores, "<f4", c->rows, error)
           && put_header(run, c->given, "|i1", c->rows, error)
           && export_close(run, &c->scores, error)
           && export_close(run, &c->given, error)
           && export_close(run, &c->lines, error);
}

static void clear(ExportRun *run)
{
    struct cleanlab *c = run->state;
    g_clear_pointer(&c->scores, fclose);
    g_clear_pointer(&c->given, fclose);
    g_clear_pointer(&c->lines, fclose);
    g_free(c->score);
    g_free(c->value);
}

const ExportFormat export_cleanlab = {
    .id = "cleanlab",
    .summary = "arrays of scores and labels (.npy) for cleanlab",
    .kind = EXPORT_FOLDER,
    .states = EXPORT_ACCEPTED | EXPORT_REJECTED | EXPORT_UNDECIDED,
    .marks = EXPORT_ACCEPTED | EXPORT_REJECTED | EXPORT_UNDECIDED,
    .scores = TRUE,
    .subset = "",
    .size = sizeof(struct cleanlab),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = clear,
};
