/* Image files to pixels and to the tensors that networks take.
 *
 * Decoding is bounded: only regular files of known formats, and the size is checked
 * before any pixel is decoded. All functions may be called from any thread. */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>

G_BEGIN_DECLS

#define IMG_ERROR (img_error_quark())
GQuark img_error_quark(void);

typedef enum {
    IMG_ERROR_FILE,    /* not a regular file, or larger than IMG_MAX_BYTES */
    IMG_ERROR_FORMAT,  /* of no known format */
    IMG_ERROR_BROKEN,  /* damaged or cut short */
    IMG_ERROR_SIZE,    /* more pixels than the limits allow */
} ImgError;

#define IMG_MAX_SIDE 65500
#define IMG_MAX_PIXELS 200000000
#define IMG_MAX_BYTES (512 << 20)

enum img_fit { IMG_FIT_SQUASH, IMG_FIT_CROP };
enum img_filter { IMG_BILINEAR, IMG_BICUBIC };

/* 8-bit RGB, tight rows. `rgb` is owned; free with img_clear. */
struct img_pixels {
    int width, height;
    guint8 *rgb;
};

/* squash: straight to size x size. crop: the shorter side to resize_size, then a centred
 * square of size. mean and std are of values in 0..1. */
struct img_preprocess {
    int size, resize_size;
    enum img_fit fit;
    enum img_filter filter;
    float mean[3], std[3];
};

/* Colour samples as stored: an alpha channel is dropped, grey is repeated, 16 bits are
 * cut to 8. An embedded RGB profile that is not sRGB is converted to it. With `orient`
 * the EXIF orientation is applied. `path` is in the encoding of file names. */
gboolean img_decode(const char *path, gboolean orient, GCancellable *cancellable,
                    struct img_pixels *out, GError **error);
void img_clear(struct img_pixels *pixels);

/* Antialiased, equal to Pillow's resize of 8-bit images: separable with 22-bit fixed
 * point weights, horizontal first, 8 bits in between. */
gboolean img_resize(const struct img_pixels *src, int width, int height,
                    enum img_filter filter, struct img_pixels *out, GError **error);
/* out: F32 [3,size,size]. */
gboolean img_to_tensor(const struct img_pixels *src, const struct img_preprocess *p,
                       float *out, GError **error);
/* At most side x side, oriented; decodes large files at a smaller scale. */
GdkPixbuf *img_thumbnail(const char *path, int side, GCancellable *cancellable,
                         GError **error);

G_END_DECLS
