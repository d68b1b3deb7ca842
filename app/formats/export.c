#include "app/formats/export.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

const ExportFormat *const *export_formats(void)
{
    static const ExportFormat *const formats[] = { &export_csv, &export_coco, NULL };
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

static gboolean io_error(const char *path, GError **error)
{
    int code = errno;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", path,
                g_strerror(code));
    return FALSE;
}

/* --- Paths ------------------------------------------------------------------------- */

static gboolean is_below(const char *path, const char *root)
{
    gsize n = strlen(root);
    while (n > 0 && root[n - 1] == '/') {
        n--;
    }
    return strncmp(path, root, n) == 0 && path[n] == '/' && path[n + 1] != '\0';
}

char *export_path(const StoreRow *row, const ExportOptions *options)
{
    const char *path = row->path;
    if (options->root && is_below(path, options->root)) {
        path += strlen(options->root);
        path += strspn(path, "/");
    }
    return g_utf8_make_valid(path, -1);
}

static gboolean narrow_root(const StoreRow *row, gpointer user_data)
{
    char **root = user_data;
    if (!*root) {
        *root = g_path_get_dirname(row->path);
    }
    while (!is_below(row->path, *root)) {
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
    return store_each_image(s, narrow_root, &root, error) ? g_steal_pointer(&root) : NULL;
}

/* --- Writing ----------------------------------------------------------------------- */

/* A device or a pipe cannot be replaced by a finished file. */
static gboolean is_ordinary(const char *path)
{
    return !g_file_test(path, G_FILE_TEST_EXISTS)
           || g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static gboolean flush(FILE *out, const char *path, GError **error)
{
    return (!ferror(out) && fflush(out) == 0) || io_error(path, error);
}

static gboolean write_directly(store *s, const ExportFormat *format,
                               const ExportOptions *options, const char *path,
                               GError **error)
{
    gboolean standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : g_fopen(path, "wb");
    const char *name = standard ? "standard output" : path;
    if (!out) {
        return io_error(name, error);
    }
    gboolean good = format->write(s, options, out, error) && flush(out, name, error);
    if (!standard && fclose(out) != 0 && good) {
        good = io_error(name, error);
    }
    return good;
}

gboolean export_run(store *s, const ExportFormat *format, const ExportOptions *options,
                    const char *path, GError **error)
{
    if (strcmp(path, "-") == 0 || !is_ordinary(path)) {
        return write_directly(s, format, options, path, error);
    }
    g_autofree char *temporary = g_strdup_printf("%s.%ld.part", path, (long)getpid());
    FILE *out = g_fopen(temporary, "wb");
    if (!out) {
        return io_error(path, error);
    }
    gboolean good = format->write(s, options, out, error) && flush(out, path, error);
    if (good && fsync(fileno(out)) != 0) {
        good = io_error(path, error);
    }
    if (fclose(out) != 0 && good) {
        good = io_error(path, error);
    }
    if (good && g_rename(temporary, path) != 0) {
        good = io_error(path, error);
    }
    if (!good) {
        g_unlink(temporary);
    }
    return good;
}
