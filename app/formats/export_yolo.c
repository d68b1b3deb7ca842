/* Class folders, as YOLO's classification and torchvision's ImageFolder read them:
 * PART/LABEL/IMAGE. They know one label an image: an image with several stands in
 * several folders, and one with none in no folder; both are told of. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#include <string.h>

struct yolo { char **folders; guint several, none; };

static gboolean begin(ExportRun *run, GError **error)
{
    struct yolo *yolo = run->state;
    yolo->folders = g_new0(char *, run->n_labels + 1);
    for (guint i = 0; i < run->n_labels; i++) {
        gboolean changed;
        yolo->folders[i] = export_file_name(&run->labels[i], &changed);
        if (changed) {
            export_warn(run, EXPORT_WARN_LABEL,
                        "the label \"%.100s\" is no name of a folder and is called %s",
                        run->labels[i].name, yolo->folders[i]);
        }
    }
    return TRUE;
}

/* Images of other folders may have the same name: those get their number too. */
static gboolean place(ExportRun *run, const ExportItem *item, const char *folder,
                      GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *base = g_path_get_basename(item->name);
    g_autofree char *plain = g_build_filename(folder, base, NULL);
    if (export_place(run, item, plain, &failure)) {
        return TRUE;
    }
    if (!g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_EXISTS)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    const char *dot = strrchr(base, '.');
    int stem = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    g_autofree char *other =
        g_strdup_printf("%s/%.*s~%" G_GINT64_FORMAT "%s", folder, stem, base,
                        item->known->file, base + stem);
    return export_place(run, item, other, error);
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    struct yolo *yolo = run->state;
    gboolean good = TRUE;
    yolo->several += item->n_tags > 1;
    yolo->none += item->n_tags == 0;
    for (guint i = 0; good && i < item->n_tags; i++) {
        g_autofree char *folder =
            g_build_filename(run->subsets[item->subset],
                             yolo->folders[item->tags[i].label], NULL);
        good = place(run, item, folder, error);
    }
    return good;
}

static gboolean end(ExportRun *run, GError **error)
{
    struct yolo *yolo = run->state;
    if (yolo->several > 0) {
        export_warn(run, EXPORT_WARN_IMAGE,
                    "images with several labels, which stand in several folders: %u",
                    yolo->several);
    }
    if (yolo->none > 0) {
        export_warn(run, EXPORT_WARN_IMAGE,
                    "images without a label, which have no place: %u", yolo->none);
    }
    return TRUE;
}

static void clear(ExportRun *run)
{
    g_strfreev(((struct yolo *)run->state)->folders);
}

const ExportFormat export_yolo = {
    .id = "yolo",
    .summary = "a folder of images for each label, as YOLO and torchvision read",
    .kind = EXPORT_FOLDER,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .spreads = TRUE,
    .places = TRUE,
    .subset = "train",
    .size = sizeof(struct yolo),
    .begin = begin,
    .item = put_item,
    .end = end,
    .clear = clear,
};
