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

gboolean export_run(store *s, const ExportFormat *format, const char *path,
                    GError **error)
{
    if (strcmp(path, "-") == 0) {
        return format->write(s, stdout, error)
               && (fflush(stdout) == 0 || io_error("standard output", error));
    }
    g_autofree char *temporary = g_strdup_printf("%s.%ld.part", path, (long)getpid());
    FILE *out = g_fopen(temporary, "wb");
    if (!out) {
        return io_error(path, error);
    }
    gboolean good = format->write(s, out, error);
    if (good && (ferror(out) || fflush(out) != 0 || fsync(fileno(out)) != 0)) {
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
