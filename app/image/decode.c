#define _GNU_SOURCE /* memmem */
#include "app/image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <lcms2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

G_DEFINE_QUARK(img-error-quark, img_error)

struct decoder {
    const char *path;
    char *name;          /* for messages */
    int fd;
    int limit_side;      /* of a thumbnail; 0 for full size */
    int width, height;   /* as in the file; 0 until known */
    gboolean refused;    /* too large */
    guint8 tail[2];
    guint64 bytes;
};

/* --- Formats ---------------------------------------------------------------------------- */

static gboolean at(const guint8 *data, gsize size, gsize offset, const char *text)
{
    gsize n = strlen(text);
    return size >= offset + n && memcmp(data + offset, text, n) == 0;
}

/* The MIME type by content, or NULL. Only pixel formats: a picture must not be a
 * program. */
static const char *sniff(const guint8 *d, gsize n)
{
    if (n >= 3 && d[0] == 0xff && d[1] == 0xd8 && d[2] == 0xff) {
        return "image/jpeg";
    }
    if (at(d, n, 0, "\x89PNG\r\n\x1a\n")) {
        return "image/png";
    }
    if (at(d, n, 0, "GIF87a") || at(d, n, 0, "GIF89a")) {
        return "image/gif";
    }
    if (at(d, n, 0, "RIFF") && at(d, n, 8, "WEBP")) {
        return "image/webp";
    }
    if (at(d, n, 0, "BM")) {
        return "image/bmp";
    }
    if (n >= 4 && (memcmp(d, "II*\0", 4) == 0 || memcmp(d, "MM\0*", 4) == 0)) {
        return "image/tiff";
    }
    if (n >= 3 && d[0] == 'P' && d[1] >= '1' && d[1] <= '6' && g_ascii_isspace(d[2])) {
        return "image/x-portable-anymap";
    }
    if (at(d, n, 4, "ftypavif")) {
        return "image/avif";
    }
    if (at(d, n, 4, "ftyphei") || at(d, n, 4, "ftypmif1")) {
        return "image/heif";
    }
    return NULL;
}

/* --- Reading ------------------------------------------------------------------------------ */

static gboolean open_file(struct decoder *d, GError **error)
{
    struct stat info;
    /* O_NONBLOCK: opening a pipe must not wait for a writer. */
    d->fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (d->fd < 0 || fstat(d->fd, &info) != 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", d->name,
                    g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_FILE, "%s: this is not a regular file",
                    d->name);
        return FALSE;
    }
    if (info.st_size == 0 || info.st_size > IMG_MAX_BYTES) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_FILE, "%s: %s", d->name,
                    info.st_size ? "the file is larger than any image should be"
                                 : "the file is empty");
        return FALSE;
    }
    return TRUE;
}

/* Called when the header is read and no pixel yet. */
static void on_size(GdkPixbufLoader *loader, int width, int height, gpointer data)
{
    struct decoder *d = data;
    if (d->width > 0) {
        return;
    }
    d->width = width;
    d->height = height;
    if (width > IMG_MAX_SIDE || height > IMG_MAX_SIDE
        || (gint64)width * height > IMG_MAX_PIXELS) {
        d->refused = TRUE;
        gdk_pixbuf_loader_set_size(loader, 1, 1);
        return;
    }
    if (d->limit_side > 0 && MAX(width, height) > 2 * d->limit_side) {
        double scale = 2.0 * d->limit_side / MAX(width, height);
        gdk_pixbuf_loader_set_size(loader, MAX(1, (int)(width * scale)),
                                   MAX(1, (int)(height * scale)));
    }
}

static gboolean too_large(const struct decoder *d, GError **error)
{
    g_set_error(error, IMG_ERROR, IMG_ERROR_SIZE,
                "%s: %d x %d pixels are more than the limit of %d a side and %d million in "
                "all", d->name, d->width, d->height, IMG_MAX_SIDE,
                IMG_MAX_PIXELS / 1000000);
    return FALSE;
}

/* A header's size of PNG, where gdk-pixbuf's loader allocates before it asks. */
static gboolean check_png_header(struct decoder *d, const guint8 *data, gsize size,
                                 GError **error)
{
    if (size < 24) {
        return TRUE;
    }
    guint32 width = GUINT32_FROM_BE(*(const guint32 *)(const void *)(data + 16));
    guint32 height = GUINT32_FROM_BE(*(const guint32 *)(const void *)(data + 20));
    if (width <= IMG_MAX_SIDE && height <= IMG_MAX_SIDE
        && (guint64)width * height <= IMG_MAX_PIXELS) {
        return TRUE;
    }
    d->width = (int)MIN(width, G_MAXINT);
    d->height = (int)MIN(height, G_MAXINT);
    return too_large(d, error);
}

/* gdk-pixbuf's BMP loader allocates what the header says lies before the pixels: its own
 * length, at 14, and the place of the pixels, at 10. */
static gboolean check_bmp_header(struct decoder *d, const guint8 *data, gsize size,
                                 GError **error)
{
    struct stat info;
    guint32 pixels = 0, header = 0;
    if (size >= 18) {
        memcpy(&pixels, data + 10, sizeof pixels);
        memcpy(&header, data + 14, sizeof header);
    }
    if (size >= 18 && fstat(d->fd, &info) == 0
        && GUINT32_FROM_LE(pixels) <= info.st_size
        && 14 + (guint64)GUINT32_FROM_LE(header) <= (guint64)info.st_size) {
        return TRUE;
    }
    g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN,
                "%s: the image is damaged: its header goes on after the end of the file",
                d->name);
    return FALSE;
}

static gboolean check_header(struct decoder *d, const char *mime, const guint8 *data,
                             gsize size, GError **error)
{
    if (strcmp(mime, "image/png") == 0) {
        return check_png_header(d, data, size, error);
    }
    return strcmp(mime, "image/bmp") != 0 || check_bmp_header(d, data, size, error);
}

static gboolean feed(struct decoder *d, GdkPixbufLoader *loader, guint8 *buffer,
                     gssize got, GCancellable *cancellable, GError **error)
{
    while (got > 0) {
        if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
            return FALSE;
        }
        d->bytes += (guint64)got;
        d->tail[0] = got > 1 ? buffer[got - 2] : d->tail[1];
        d->tail[1] = buffer[got - 1];
        if (!gdk_pixbuf_loader_write(loader, buffer, (gsize)got, error)) {
            return FALSE;
        }
        if (d->refused) {
            return too_large(d, error);
        }
        got = read(d->fd, buffer, CHUNK);
    }
    if (got < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s",
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

static GdkPixbuf *load(struct decoder *d, GCancellable *cancellable, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(CHUNK);
    gssize got = read(d->fd, buffer, CHUNK);
    const char *mime = got > 0 ? sniff(buffer, (gsize)got) : NULL;
    if (!mime) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_FORMAT,
                    "%s: this is not an image of a known format", d->name);
        return NULL;
    }
    if (!check_header(d, mime, buffer, (gsize)got, error)) {
        return NULL;
    }
    g_autoptr(GError) failure = NULL;
    g_autoptr(GdkPixbufLoader) loader =
        gdk_pixbuf_loader_new_with_mime_type(mime, &failure);
    gboolean good = loader != NULL;
    if (good) {
        g_signal_connect(loader, "size-prepared", G_CALLBACK(on_size), d);
        good = feed(d, loader, buffer, got, cancellable, &failure);
        /* Close in any case; its own complaint counts only when nothing failed before. */
        good = gdk_pixbuf_loader_close(loader, good ? &failure : NULL) && good;
    }
    if (good && strcmp(mime, "image/jpeg") == 0 && d->width == 0) {
        good = FALSE;
    }
    GdkPixbuf *pixbuf = good ? gdk_pixbuf_loader_get_pixbuf(loader) : NULL;
    if (pixbuf) {
        return g_object_ref(pixbuf);
    }
    if (failure && (failure->domain == IMG_ERROR || failure->domain == G_IO_ERROR)) {
        g_propagate_error(error, g_steal_pointer(&failure));
    } else {
        g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN, "%s: the image is damaged: %s",
                    d->name, failure ? failure->message : "it holds no pixels");
    }
    return NULL;
}

/* gdk-pixbuf's PNG and JPEG loaders take a file that ends early for a whole one. */
static gboolean check_end(struct decoder *d, GError **error)
{
    guint8 head[2], tail[64];
    gsize want = MIN(sizeof tail, d->bytes);
    gboolean whole = TRUE;
    if (pread(d->fd, head, 2, 0) != 2
        || pread(d->fd, tail, want, (off_t)(d->bytes - want)) != (gssize)want) {
        whole = FALSE;
    } else if (head[0] == 0x89) {
        whole = memmem(tail, want, "IEND", 4) != NULL;
    } else if (head[0] == 0xff && head[1] == 0xd8) {
        /* Cameras may append data, so the end marker is looked for near the end only when
         * the last bytes are not it. */
        g_autofree guint8 *last = g_malloc(CHUNK);
        gsize size = MIN((gsize)CHUNK, d->bytes);
        whole = pread(d->fd, last, size, (off_t)(d->bytes - size)) == (gssize)size
                && memmem(last, size, "\xff\xd9", 2) != NULL;
    }
    if (!whole) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN, "%s: the image is cut short",
                    d->name);
    }
    return whole;
}

/* --- Colour -------------------------------------------------------------------------------- */

static cmsHPROFILE open_profile(GdkPixbuf *pixbuf)
{
    const char *text = gdk_pixbuf_get_option(pixbuf, "icc-profile");
    gsize size = 0;
    g_autofree guchar *data = text ? g_base64_decode(text, &size) : NULL;
    if (!data || size == 0 || size > (16 << 20)) {
        return NULL;
    }
    cmsHPROFILE profile = cmsOpenProfileFromMem(data, (cmsUInt32Number)size);
    if (profile && cmsGetColorSpace(profile) != cmsSigRgbData) {
        cmsCloseProfile(profile);
        return NULL;
    }
    return profile;
}

/* Whether the transform moves colours by more than rounding: most profiles are sRGB
 * itself, and such pixels must stay as they are. */
static gboolean moves_colours(cmsHTRANSFORM transform)
{
    for (int r = 0; r <= 16; r++) {
        guint8 in[17 * 17 * 3], out[17 * 17 * 3];
        for (int i = 0; i < 17 * 17; i++) {
            in[i * 3] = (guint8)MIN(255, r * 16);
            in[i * 3 + 1] = (guint8)MIN(255, i / 17 * 16);
            in[i * 3 + 2] = (guint8)MIN(255, i % 17 * 16);
        }
        cmsDoTransform(transform, in, out, 17 * 17);
        for (gsize i = 0; i < sizeof in; i++) {
            if (ABS(in[i] - out[i]) > 2) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

static void to_srgb(GdkPixbuf *pixbuf, struct img_pixels *pixels)
{
    cmsHPROFILE profile = open_profile(pixbuf);
    if (!profile) {
        return;
    }
    cmsHPROFILE srgb = cmsCreate_sRGBProfile();
    cmsHTRANSFORM transform =
        cmsCreateTransform(profile, TYPE_RGB_8, srgb, TYPE_RGB_8, INTENT_PERCEPTUAL,
                           cmsFLAGS_NOCACHE);
    if (transform && moves_colours(transform)) {
        cmsDoTransform(transform, pixels->rgb, pixels->rgb,
                       (cmsUInt32Number)(pixels->width * pixels->height));
    }
    if (transform) {
        cmsDeleteTransform(transform);
    }
    cmsCloseProfile(srgb);
    cmsCloseProfile(profile);
}

static void copy_rgb(GdkPixbuf *pixbuf, struct img_pixels *out)
{
    int channels = gdk_pixbuf_get_n_channels(pixbuf);
    int stride = gdk_pixbuf_get_rowstride(pixbuf);
    const guint8 *from = gdk_pixbuf_read_pixels(pixbuf);
    out->width = gdk_pixbuf_get_width(pixbuf);
    out->height = gdk_pixbuf_get_height(pixbuf);
    out->rgb = g_malloc((gsize)out->width * (gsize)out->height * 3);
    guint8 *to = out->rgb;
    for (int y = 0; y < out->height; y++) {
        const guint8 *row = from + (gsize)y * (gsize)stride;
        for (int x = 0; x < out->width; x++, row += channels, to += 3) {
            to[0] = row[0];
            to[1] = row[1];
            to[2] = row[2];
        }
    }
}

/* --- Whole --------------------------------------------------------------------------------- */

static GdkPixbuf *decode(const char *path, int limit_side, gboolean orient,
                         GCancellable *cancellable, GError **error)
{
    g_autofree char *name = g_filename_display_name(path);
    struct decoder d = { .path = path, .name = name, .fd = -1, .limit_side = limit_side };
    g_autoptr(GdkPixbuf) pixbuf = NULL;
    if (open_file(&d, error)) {
        pixbuf = load(&d, cancellable, error);
    }
    gboolean whole = pixbuf && check_end(&d, error);
    if (d.fd >= 0) {
        close(d.fd);
    }
    if (!whole) {
        return NULL;
    }
    if (!orient) {
        return g_steal_pointer(&pixbuf);
    }
    GdkPixbuf *oriented = gdk_pixbuf_apply_embedded_orientation(pixbuf);
    if (oriented && oriented != pixbuf) {
        gdk_pixbuf_copy_options(pixbuf, oriented);
    }
    return oriented;
}

gboolean img_decode(const char *path, gboolean orient, GCancellable *cancellable,
                    struct img_pixels *out, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = decode(path, 0, orient, cancellable, error);
    if (!pixbuf) {
        return FALSE;
    }
    copy_rgb(pixbuf, out);
    to_srgb(pixbuf, out);
    return TRUE;
}

void img_clear(struct img_pixels *pixels)
{
    g_free(pixels->rgb);
    *pixels = (struct img_pixels){ 0 };
}

GdkPixbuf *img_thumbnail(const char *path, int side, GCancellable *cancellable,
                         GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = decode(path, side, TRUE, cancellable, error);
    if (!pixbuf) {
        return NULL;
    }
    int width = gdk_pixbuf_get_width(pixbuf), height = gdk_pixbuf_get_height(pixbuf);
    if (MAX(width, height) <= side) {
        return g_steal_pointer(&pixbuf);
    }
    double scale = (double)side / MAX(width, height);
    return gdk_pixbuf_scale_simple(pixbuf, MAX(1, (int)(width * scale)),
                                   MAX(1, (int)(height * scale)), GDK_INTERP_BILINEAR);
}
