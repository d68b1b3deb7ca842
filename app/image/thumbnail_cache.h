/* The thumbnails that all programs of a desktop share, as freedesktop.org lays down:
 * thumbnails/SIZE/MD5-OF-URI.png under the cache folder, valid for one time of the file.
 * What cannot be written there is made anew each time, never an error. Any thread. */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/* At most side x side and oriented, as img_thumbnail, from the cache where it holds one that
 * is large enough. One that was made is kept for others. */
GdkPixbuf *thumbnail_cache_get(const char *path, int side, GCancellable *cancellable,
                               GError **error);

G_END_DECLS
