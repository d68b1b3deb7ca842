/* What the files of this folder share. */
#pragma once

#include "app/image/image.h"

#include <stdio.h>

G_BEGIN_DECLS

/* Fails with IMG_ERROR_SIZE for a picture beyond IMG_MAX_SIDE or IMG_MAX_PIXELS. */
gboolean img_check_size(const char *name, gint64 width, gint64 height, GError **error);

/* Converts the pixels by the pixbuf's option `icc-profile` when that is an RGB profile
 * other than sRGB. */
void img_to_srgb(GdkPixbuf *pixbuf, struct img_pixels *pixels);

struct img_window { int x, y, width, height; };

/* The window of the picture resized to width x height; only what it needs is computed. */
void img_resize_window(const struct img_pixels *src, int width, int height,
                       enum img_filter filter, struct img_window w,
                       struct img_pixels *out);

struct img_jpeg_request {
    const char *name;      /* of the file, for messages */
    int shorter, longer;   /* sides in pixels that must be left; zeros: the full size */
    GCancellable *cancellable;
};

/* A JPEG read from where `file` stands; RGB, not turned yet, with the options
 * `orientation` and `icc-profile` that gdk-pixbuf's loaders set. *x and *y tell where the
 * picture lies in it. A file that ends before its end marker is refused. */
GdkPixbuf *img_read_jpeg(FILE *file, const struct img_jpeg_request *request,
                         struct img_span *x, struct img_span *y, GError **error);

G_END_DECLS
