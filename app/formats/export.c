#define _GNU_SOURCE /* syncfs */
#include "app/formats/export.h"
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

const ExportFormat *const *export_formats(void)
{
    static const ExportFormat *const formats[] = {
        &export_csv, &export_onehot, &export_coco, &export_datumaro, &export_fiftyone,
        &export_huggingface, &export_openimages, &export_automl, &export_labelstudio,
        &export_labelme, &export_voc, &export_cvat, &export_yolo, &export_txt,
        &export_xmp, &export_cleanlab, NULL };
    return formats;
}

const ExportFormat *export_find(const char *id)
{
    for (const ExportFormat *const *f = export_formats(); *f; f++) {
        if (strcmp((*f)->id, id) == 0) {
            return *f;
        }
    }
    return NULL;
}

/* --- The root --------------------------------------------------------------------- */

static gboolean narrow_root(const StoreRow *row, gpointer user_data)
{
    char **root = user_data;
    if (!*root) {
        *root = g_path_get_dirname(row->path);
    }
    while (!export_is_below(row->path, *root)) {
        char *parent = g_path_get_dirname(*root);
        gboolean top = strcmp(parent, *root) == 0;
        g_free(*root);
        *root = parent;
        if (top) {
            return FALSE; /* nothing in common but the top */
        }
    }
    return TRUE;
}

char *export_common_root(store *s, GError **error)
{
    g_autofree char *root = NULL;
    return store_each_image(s, narrow_root, &root, error) ? g_steal_pointer(&root)
                                                          : NULL;
}

/* --- One run ---------------------------------------------------------------------- */

/* From begin to end. */
static gboolean write_all(ExportRun *run, GError **error)
{
    const ExportFormat *f = run->format;
    if (f->csv && run->options->byte_order_mark && run->out) {
        fputs("\xef\xbb\xbf", run->out);
    }
    run->state = g_malloc0(MAX(f->size, 1));
    gboolean good = (!f->begin || f->begin(run, error)) && export_pass(run, error)
                    && (!f->end || f->end(run, error));
    if (f->clear) {
        f->clear(run);
    }
    g_clear_pointer(&run->state, g_free);
    return good;
}

/* --- A file ----------------------------------------------------------------------- */

/* A device or a pipe cannot be replaced by a finished file. */
static gboolean is_ordinary(const char *path)
{
    return !g_file_test(path, G_FILE_TEST_EXISTS)
           || g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static gboolean flush(ExportRun *run, GError **error)
{
    return (!ferror(run->out) && fflush(run->out) == 0)
           || export_write_error(run, error);
}

static gboolean write_directly(ExportRun *run, const char *path, GError **error)
{
    gboolean standard = strcmp(path, "-") == 0;
    run->out = standard ? stdout : g_fopen(path, "wb");
    if (!run->out) {
        return export_write_error(run, error);
    }
    gboolean good = write_all(run, error) && flush(run, error);
    return standard ? good : export_close(run, &run->out, good ? error : NULL) && good;
}

static gboolean write_file(ExportRun *run, const char *path, GError **error)
{
    if (strcmp(path, "-") == 0 || !is_ordinary(path)) {
        return write_directly(run, path, error);
    }
    g_autofree char *temporary = g_strdup_printf("%s.%ld.part", path, (long)getpid());
    run->out = g_fopen(temporary, "wb+");
    if (!run->out) {
        return export_io_error(path, error);
    }
    gboolean good = write_all(run, error) && flush(run, error)
                    && (fsync(fileno(run->out)) == 0 || export_io_error(path, error));
    good = export_close(run, &run->out, good ? error : NULL) && good;
    if (good && g_rename(temporary, path) != 0) {
        good = export_io_error(path, error);
    }
    if (!good) {
        g_unlink(temporary);
    }
    return good;
}

/* --- A folder --------------------------------------------------------------------- */

/* Something of a person's may lie in a folder, so none is ever replaced. */
static gboolean check_new(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_EXISTS) || g_rmdir(path) == 0) {
        return TRUE;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                "%s: this is there already; an export needs a new folder", path);
    return FALSE;
}

/* Puts all that was written on the disk, copied images too, before it gets its name. */
static gboolean sync_folder(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean good = fd >= 0 && syncfs(fd) == 0;
    if (!good) {
        export_io_error(path, error);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static gboolean write_folder(ExportRun *run, const char *path, GError **error)
{
    g_autofree char *plain = g_canonicalize_filename(path, NULL);
    run->folder = g_strdup_printf("%s.%ld.part", plain, (long)getpid());
    if (!check_new(plain, error)) {
        return FALSE;
    }
    if (g_mkdir_with_parents(run->folder, 0777) != 0) {
        return export_io_error(path, error);
    }
    gboolean good = write_all(run, error) && sync_folder(run->folder, error);
    if (good && g_rename(run->folder, plain) != 0) {
        good = export_io_error(path, error);
    }
    if (!good) {
        export_remove_folder(run->folder);
    }
    return good;
}

/* --- Any -------------------------------------------------------------------------- */

guint export_parts(const double *split, const char **names, double *shares)
{
    static const char *const all[EXPORT_SPLITS] = { "train", "val", "test" };
    guint n = 0;
    for (guint i = 0; i < EXPORT_SPLITS; i++) {
        if (split[i] > 0) {
            shares[n] = split[i];
            names[n++] = all[i];
        }
    }
    return n;
}

static void name_subsets(ExportRun *run)
{
    const ExportOptions *o = run->options;
    if (!export_has_split(run)) {
        run->subsets[run->n_subsets++] = o->subset ? o->subset : run->format->subset;
        return;
    }
    run->n_subsets = export_parts(o->split, run->subsets, run->shares);
}

static gboolean dispatch(ExportRun *run, const char *path, GError **error)
{
    const ExportOptions *o = run->options;
    gboolean folder = run->format->kind == EXPORT_FOLDER
                      || (run->format->parted
                          && (export_has_split(run) || o->subset || o->images));
    gboolean sidecars = run->format->kind == EXPORT_SIDECARS;
    if ((folder || sidecars) && path && strcmp(path, "-") == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "this export is a folder, which standard output cannot be");
        return FALSE;
    }
    if (sidecars) {
        run->folder = path ? g_canonicalize_filename(path, NULL) : NULL;
        export_begin_sidecars(run);
        gboolean good = write_all(run, error);
        return export_end_sidecars(run, good ? error : NULL) && good;
    }
    return folder ? write_folder(run, path, error) : write_file(run, path, error);
}

gboolean export_run(store *s, const ExportFormat *format, const ExportOptions *options,
                    const char *path, GError **error)
{
    ExportRun run = { .format = format, .options = options, .s = s,
                      .name = path && strcmp(path, "-") != 0 ? path : "standard output",
                      .states = options->states ? options->states : format->states };
    if (!(format->marks & EXPORT_REJECTED)) {
        run.states &= ~(guint)EXPORT_REJECTED; /* else it would be a positive there */
    }
    name_subsets(&run);
    if (export_has_split(&run) && !export_prepare_split(s, options, error)) {
        return FALSE;
    }
    gboolean good = store_begin_reading(s, error);
    if (good) {
        good = export_find_labels(&run, error) && dispatch(&run, path, error);
        store_end_reading(s);
    }
    for (guint i = 0; i < run.n_labels; i++) {
        g_free((char *)run.labels[i].name);
    }
    g_free(run.labels);
    g_free(run.folder);
    return good;
}
