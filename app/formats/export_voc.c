/* Classification of Pascal VOC (formats.md 3.3): ImageSets/Main/LABEL_PART.txt with a
 * line for each image: 1 present, -1 absent (rejected), 0 not decided, which VOC calls
 * difficult and does not count. ImageSets/Main/PART.txt lists the images, labelmap.txt
 * the labels; images go to JPEGImages/. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#include <string.h>

#define FULL 16384 /* bytes of a file that wait in memory */

/* More files than may be open at a time, so lines wait and are appended. */
struct voc {
    struct export_parts lists;
    GString **waiting; /* [n_labels, n_subsets] */
    char **files;      /* [n_labels] names of files */
    int *values;       /* [n_labels], of the image at hand */
};

static char *path_of(const ExportRun *run, guint label, guint subset)
{
    const struct voc *voc = run->state;
    return g_strdup_printf("ImageSets/Main/%s_%s.txt", voc->files[label],
                           run->subsets[subset]);
}

static gboolean append(ExportRun *run, guint label, guint subset, GError **error)
{
    GString *text =
        ((struct voc *)run->state)->waiting[label * run->n_subsets + subset];
    g_autofree char *path = path_of(run, label, subset);
    FILE *out = export_open_again(run, path, error);
    if (!out) {
        return FALSE;
    }
    fwrite(text->str, 1, text->len, out);
    g_string_truncate(text, 0);
    return export_close(run, &out, error);
}

static gboolean put_label_map(ExportRun *run, GError **error)
{
    struct voc *voc = run->state;
    FILE *out = export_open(run, "labelmap.txt", error);
    if (!out) {
        return FALSE;
    }
    fputs("# label:color_rgb:parts:actions\n", out);
    for (guint i = 0; i < run->n_labels; i++) {
        g_autofree char *name = g_strdelimit(g_strdup(voc->files[i]), ":", '_');
        fprintf(out, "%s:::\n", name);
    }
    return export_close(run, &out, error);
}

static gboolean begin(ExportRun *run, GError **error)
{
    struct voc *voc = run->state;
    guint n = run->n_labels * run->n_subsets;
    voc->files = g_new0(char *, run->n_labels + 1);
    voc->waiting = g_new0(GString *, MAX(n, 1));
    voc->values = g_new0(int, MAX(run->n_labels, 1));
    for (guint i = 0; i < n; i++) {
        voc->waiting[i] = g_string_new(NULL);
    }
    for (guint i = 0; i < run->n_labels; i++) {
        gboolean changed;
        voc->files[i] = export_file_name(&run->labels[i], &changed);
        if (changed) {
            export_warn(run, EXPORT_WARN_LABEL,
                        "the label \"%.100s\" is no name of a file and is called %s",
                        run->labels[i].name, voc->files[i]);
        }
    }
    return put_label_map(run, error)
           && export_open_parts(run, &voc->lists, "ImageSets/Main/", ".txt", error);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct voc *voc = run->state;
    gboolean good = TRUE;
    if (strpbrk(item->key, "\r\n")) {
        export_warn(run, EXPORT_WARN_IMAGE,
                    "%s: a name with a line end has no place in a list; the image is "
                    "left out", item->name);
        return TRUE;
    }
    memset(voc->values, 0, run->n_labels * sizeof *voc->values);
    for (guint i = 0; i < item->n_tags; i++) {
        voc->values[item->tags[i].label] = export_is_positive(&item->tags[i]) ? 1 : -1;
    }
    fprintf(voc->lists.out[item->subset], "%s\n", item->key);
    for (guint i = 0; good && i < run->n_labels; i++) {
        GString *text = voc->waiting[i * run->n_subsets + item->subset];
        g_string_append_printf(text, "%s %d\n", item->key, voc->values[i]);
        good = text->len < FULL || append(run, i, item->subset, error);
    }
    g_autofree char *place = g_build_filename("JPEGImages", item->name, NULL);
    return good && export_place(run, item, place, error);
}

static gboolean end(ExportRun *run, GError **error)
{
    struct voc *voc = run->state;
    gboolean good = export_close_parts(run, &voc->lists, "", error);
    for (guint i = 0; good && i < run->n_labels * run->n_subsets; i++) {
        good = append(run, i / run->n_subsets, i % run->n_subsets, error);
    }
    return good;
}

static void clear(ExportRun *run)
{
    struct voc *voc = run->state;
    export_clear_parts(&voc->lists);
    for (guint i = 0; i < run->n_labels * run->n_subsets; i++) {
        g_string_free(voc->waiting[i], TRUE);
    }
    g_free(voc->waiting);
    g_strfreev(voc->files);
    g_free(voc->values);
}

const ExportFormat export_voc = {
    .id = "voc",
    .summary = "classification lists of Pascal VOC, with negatives",
    .kind = EXPORT_FOLDER,
    .states = EXPORT_ACCEPTED | EXPORT_REJECTED,
    .marks = EXPORT_ACCEPTED | EXPORT_REJECTED,
    .spreads = TRUE,
    .keyed = TRUE,
    .subset = "train",
    .size = sizeof(struct voc),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = clear,
};
