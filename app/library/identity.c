#include "app/library/identity.h"

#include "app/library/library.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>

void identity_clear(struct identity *id)
{
    g_free(id->hash);
    *id = (struct identity){ 0 };
}

gboolean identity_look_up(store *s, const char *path, struct identity *out)
{
    GStatBuf info;
    *out = (struct identity){ 0 };
    if (g_stat(path, &info) == 0) {
        out->bytes = info.st_size;
        out->mtime = info.st_mtime;
        out->row = store_find_image(s, path, out->bytes, out->mtime);
        out->hash = out->row ? store_image_hash(s, out->row) : NULL;
    }
    return out->hash != NULL;
}

gboolean identity_read(const char *path, GCancellable *cancellable, struct identity *out,
                       GError **error)
{
    GStatBuf info;
    *out = (struct identity){ 0 };
    if (g_stat(path, &info) != 0) {
        g_autofree char *name = g_filename_display_name(path);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s: %s", name,
                    g_strerror(errno));
        return FALSE;
    }
    /* The time from before it is read: what changes meanwhile is read again. */
    out->mtime = info.st_mtime;
    out->hash = library_hash(path, cancellable, &out->bytes, error);
    return out->hash != NULL;
}

gboolean identity_holds(const struct identity *id, const char *path)
{
    GStatBuf info;
    return g_stat(path, &info) == 0 && info.st_size == id->bytes
           && info.st_mtime == id->mtime;
}

gint64 identity_put(store *s, const char *path, const struct identity *id, GError **error)
{
    if (id->row) {
        return id->row;
    }
    int width = 0, height = 0;
    gdk_pixbuf_get_file_info(path, &width, &height);
    StoreImage image = { id->hash, path, id->bytes, id->mtime, width, height };
    return store_put_image(s, &image, error);
}
