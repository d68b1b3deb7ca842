/* Files and images in the folder that an export makes. */
#define _GNU_SOURCE /* nftw */
#include "app/formats/run/run.h"

#include <errno.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

gboolean export_io_error(const char *path, GError **error)
{
    int code = errno;
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                g_strerror(code));
    return FALSE;
}

gboolean export_write_error(const ExportRun *run, GError **error)
{
    return export_io_error(run->name, error);
}

gboolean export_check_inside(const char *path, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    if (!g_strv_contains((const char *const *)parts, "..")) {
        return TRUE;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
                "%s: a path with \"..\" would be written outside of the export", path);
    return FALSE;
}

/* The path in the folder, with its parents made; to be freed. */
static char *make_place(const ExportRun *run, const char *path, GError **error)
{
    if (!export_check_inside(path, error)) {
        return NULL;
    }
    g_autofree char *place = g_build_filename(run->folder, path, NULL);
    g_autofree char *parent = g_path_get_dirname(place);
    if (g_mkdir_with_parents(parent, 0777) != 0) {
        export_io_error(parent, error);
        return NULL;
    }
    return g_steal_pointer(&place);
}

static FILE *open_file(const ExportRun *run, const char *path, const char *mode,
                       GError **error)
{
    g_autofree char *place = make_place(run, path, error);
    FILE *file = place ? g_fopen(place, mode) : NULL;
    if (place && !file) {
        export_io_error(path, error);
    }
    return file;
}

FILE *export_open(const ExportRun *run, const char *path, GError **error)
{
    FILE *file = open_file(run, path, "wb+", error);
    if (file && run->format->csv && run->options->byte_order_mark) {
        fputs("\xef\xbb\xbf", file);
    }
    return file;
}

FILE *export_open_again(const ExportRun *run, const char *path, GError **error)
{
    return open_file(run, path, "ab", error);
}

gboolean export_close(const ExportRun *run, FILE **file, GError **error)
{
    FILE *out = *file;
    *file = NULL;
    if (!out) {
        return TRUE;
    }
    gboolean good =
        (!ferror(out) && fflush(out) == 0) || export_write_error(run, error);
    return (fclose(out) == 0 || !good || export_write_error(run, error)) && good;
}

gboolean export_place(const ExportRun *run, const ExportItem *item, const char *path,
                      GError **error)
{
    const char *from = item->known->path;
    if (run->options->images == EXPORT_LEAVE) {
        return TRUE;
    }
    g_autofree char *to = make_place(run, path, error);
    if (!to) {
        return FALSE;
    }
    if (run->options->images == EXPORT_LINK) {
        return symlink(from, to) == 0 || export_io_error(path, error);
    }
    g_autoptr(GFile) source = g_file_new_for_path(from);
    g_autoptr(GFile) target = g_file_new_for_path(to);
    return g_file_copy(source, target, G_FILE_COPY_NONE, NULL, NULL, NULL, error);
}

gboolean export_place_in_part(const ExportRun *run, const ExportItem *item,
                              const char *before, const char *after, GError **error)
{
    g_autofree char *path = g_build_filename(before, run->subsets[item->subset], after,
                                             item->name, NULL);
    return export_place(run, item, path, error);
}

/* --- A file for each part --------------------------------------------------------- */

gboolean export_open_parts(const ExportRun *run, struct export_parts *parts,
                           const char *before, const char *after, GError **error)
{
    gboolean good = TRUE;
    for (guint i = 0; good && i < run->n_subsets; i++) {
        g_autofree char *path = g_strconcat(before, run->subsets[i], after, NULL);
        parts->out[i] = export_open(run, path, error);
        good = parts->out[i] != NULL;
    }
    return good;
}

gboolean export_close_parts(const ExportRun *run, struct export_parts *parts,
                            const char *tail, GError **error)
{
    gboolean good = TRUE;
    for (guint i = 0; i < run->n_subsets; i++) {
        fputs(tail, parts->out[i]);
        good = export_close(run, &parts->out[i], good ? error : NULL) && good;
    }
    return good;
}

void export_clear_parts(struct export_parts *parts)
{
    for (guint i = 0; i < EXPORT_SPLITS; i++) {
        g_clear_pointer(&parts->out[i], fclose);
    }
}

void export_clear_state(ExportRun *run)
{
    export_clear_parts(run->state);
}

void export_next(struct export_parts *parts, guint part)
{
    fputs(parts->count[part]++ ? ",\n" : "\n", parts->out[part]);
}

gboolean export_append(const ExportRun *run, FILE *out, FILE **from, GError **error)
{
    g_autofree char *buffer = g_malloc(1 << 16);
    FILE *in = *from;
    gsize got;
    *from = NULL;
    gboolean good = fflush(in) == 0 && !ferror(in) && fseeko(in, 0, SEEK_SET) == 0;
    while (good && (got = fread(buffer, 1, 1 << 16, in)) > 0) {
        good = fwrite(buffer, 1, got, out) == got;
    }
    good = (good && !ferror(in)) || export_write_error(run, error);
    fclose(in);
    return good;
}

/* --- Names of files --------------------------------------------------------------- */

#define MOST_BYTES 200 /* of the 255 that a file's name may have */

char *export_file_name(const ExportLabel *label, gboolean *changed)
{
    g_autoptr(GString) name = g_string_new(NULL);
    for (const char *c = label->name; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        gsize n = (gsize)(g_utf8_next_char(c) - c);
        if (name->len + n > MOST_BYTES) {
            break;
        }
        if (letter == '/' || letter < 0x20 || letter == 0x7f) {
            g_string_append_c(name, '_');
        } else {
            g_string_append_len(name, c, (gssize)n);
        }
    }
    *changed = strcmp(name->str, label->name) != 0 || name->str[0] == '.'
               || name->str[0] == '\0' || strchr(name->str, '~');
    if (*changed) {
        /* The tilde keeps these apart from names that are as they were. */
        g_string_prepend(name, name->str[0] == '.' ? "_" : "");
        g_string_append_printf(name, "~%" G_GINT64_FORMAT, label->id);
    }
    return g_string_free(g_steal_pointer(&name), FALSE);
}

/* --- Removing --------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *at)
{
    return remove(path);
}

void export_remove_folder(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
