/* Thumbnails made on one thread, newest wish first, the last few hundred kept. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TL_TYPE_THUMBNAILS (tl_thumbnails_get_type())
G_DECLARE_FINAL_TYPE(TlThumbnails, tl_thumbnails, TL, THUMBNAILS, GObject)

TlThumbnails *tl_thumbnails_new(int side);
/* Shows the thumbnail of `path` in `picture` as soon as it is there, unless the picture
 * was given another path by then. */
void tl_thumbnails_show(TlThumbnails *self, GtkPicture *picture, const char *path);
/* The thumbnail of `path` when it is kept, else NULL; borrowed. */
GdkTexture *tl_thumbnails_find(TlThumbnails *self, const char *path);
/* The picture shows nothing any more; a wish that waits is dropped. */
void tl_thumbnails_forget(TlThumbnails *self, GtkPicture *picture);

G_END_DECLS
