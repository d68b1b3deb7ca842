#include "app/image/details.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>

/* Exif data lie in one segment of 64 KiB at most, soon after a JPEG's start. */
#define READ_BYTES (256 << 10)

gboolean img_details_read(const char *path, struct img_details *out, GError **error)
{
    GStatBuf info;
    *out = (struct img_details){ 0 };
    FILE *file = g_stat(path, &info) == 0 && S_ISREG(info.st_mode) ? g_fopen(path, "rb")
                                                                    : NULL;
    if (!file) {
        g_autofree char *name = g_filename_display_name(path);
        int code = errno ? errno : EINVAL;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                    g_strerror(code));
        return FALSE;
    }
    g_autofree guint8 *data = g_malloc(READ_BYTES);
    gsize got = fread(data, 1, READ_BYTES, file);
    fclose(file);
    out->bytes = info.st_size;
    out->mtime = info.st_mtime;
    GdkPixbufFormat *format = gdk_pixbuf_get_file_info(path, &out->width, &out->height);
    g_autofree char *name = format ? gdk_pixbuf_format_get_name(format) : NULL;
    out->format = name ? g_ascii_strup(name, -1) : NULL;
    guint width, height; /* of which the decoder knows more */
    img_exif_of_jpeg(data, got, &out->exif, &width, &height);
    return TRUE;
}

void img_details_clear(struct img_details *d)
{
    g_free(d->format);
    *d = (struct img_details){ 0 };
}
