#include "app/library/known.h"

#include "app/library/library.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>

gboolean known_image_find(store *s, const char *path, struct known_image *out,
                          GError **error)
{
    GStatBuf info;
    *out = (struct known_image){ 0 };
    if (g_stat(path, &info) != 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", path,
                    g_strerror(code));
        return FALSE;
    }
    out->mtime = info.st_mtime;
    out->row = store_find_image(s, path, info.st_size, info.st_mtime);
    if (out->row) {
        return TRUE;
    }
    out->hash = library_hash(path, NULL, &out->bytes, error);
    if (!out->hash) {
        return FALSE;
    }
    gdk_pixbuf_get_file_info(path, &out->width, &out->height);
    return TRUE;
}

gint64 known_image_put(store *s, const char *path, const struct known_image *image,
                       GError **error)
{
    StoreImage row = { image->hash, path, image->bytes, image->mtime, image->width,
                       image->height };
    return image->hash ? store_put_image(s, &row, error) : image->row;
}
