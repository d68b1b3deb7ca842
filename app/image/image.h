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

/* Where the picture lies along a side, in pixels; zeros: all of the side. */
struct img_span { double from, size; };

/* 8-bit RGB, tight rows. `rgb` is owned; free with img_clear. A picture decoded at a
 * smaller scale may fill its last (when it was turned, its first) column and row only in
 * part; `x` and `y` say so. */
struct img_pixels {
    int width, height;
    guint8 *rgb;
    struct img_span x, y;
};

/* squash: straight to size x size. crop: the shorter side to resize_size, then a centred
 * square of size. mean and std are of values in 0..1. */
struct img_preprocess {
    int size, resize_size;
    enum img_fit fit;
    enum img_filter filter;
    float mean[3], std[3];
};

/* The MIME type of a file by its first bytes, some dozens of them; NULL for what is no
 * known image. */
const char *img_sniff(const guint8 *d, gsize n);
/* Colour samples as stored: an alpha channel is dropped, grey is repeated, 16 bits are
 * cut to 8. An embedded RGB profile that is not sRGB is converted to it. With `orient`
 * the EXIF orientation is applied. `path` is in the encoding of file names. */
gboolean img_decode(const char *path, gboolean orient, GCancellable *cancellable,
                    struct img_pixels *out, GError **error);
/* As img_decode with the orientation applied, for a picture that will be made smaller: a
 * JPEG is decoded at 1/2, 1/4 or 1/8 where its shorter side keeps at least `shorter`
 * pixels so. */
gboolean img_decode_reduced(const char *path, int shorter, GCancellable *cancellable,
                            struct img_pixels *out, GError **error);
void img_clear(struct img_pixels *pixels);

/* Antialiased, equal to Pillow's resize of 8-bit images: separable with 22-bit fixed
 * point weights, horizontal first, 8 bits in between. */
gboolean img_resize(const struct img_pixels *src, int width, int height,
                    enum img_filter filter, struct img_pixels *out, GError **error);
/* rgb [size,size,3], of the size already, to out F32 [3,size,size]. */
void img_normalise(const guint8 *rgb, const struct img_preprocess *p, float *out);
/* out: F32 [3,size,size]. */
gboolean img_to_tensor(const struct img_pixels *src, const struct img_preprocess *p,
                       float *out, GError **error);
/* An oriented file to F32 [3,size,size]. Large JPEGs are decoded at a smaller scale that
 * leaves at least IMG_MARGIN times what is resized to: much faster, and on average less
 * than half of 1/255 away from img_decode and img_to_tensor. */
#define IMG_MARGIN 2
gboolean img_load_tensor(const char *path, const struct img_preprocess *p,
                         GCancellable *cancellable, float *out, GError **error);
/* At most side x side, oriented; decodes large files at a smaller scale. */
GdkPixbuf *img_thumbnail(const char *path, int side, GCancellable *cancellable,
                         GError **error);

G_END_DECLS
