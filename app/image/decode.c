/* Image files to pixels: JPEG by jpeg.c, the other formats by gdk-pixbuf. */
#define _GNU_SOURCE /* memmem */
#include "app/image/image_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

G_DEFINE_QUARK(img-error-quark, img_error)

struct decoder {
    const char *path;
    char *name;           /* for messages */
    FILE *file;
    int shorter, longer;  /* sides to be left; zeros: full size */
    GCancellable *cancellable;
    int width, height;    /* as in the file; 0 until known */
    gboolean refused;     /* too large */
    struct img_span x, y; /* see struct img_pixels */
};

/* --- Formats ---------------------------------------------------------------------------- */

static gboolean at(const guint8 *data, gsize size, gsize offset, const char *text)
{
    gsize n = strlen(text);
    return size >= offset + n && memcmp(data + offset, text, n) == 0;
}

/* Only pixel formats: a picture must not be a program. */
const char *img_sniff(const guint8 *d, gsize n)
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
    int fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    d->file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!d->file || fstat(fd, &info) != 0) {
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

static gboolean fits(gint64 width, gint64 height)
{
    return width <= IMG_MAX_SIDE && height <= IMG_MAX_SIDE
           && width * height <= IMG_MAX_PIXELS;
}

gboolean img_check_size(const char *name, gint64 width, gint64 height, GError **error)
{
    if (fits(width, height)) {
        return TRUE;
    }
    g_set_error(error, IMG_ERROR, IMG_ERROR_SIZE,
                "%s: %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " pixels are more than the "
                "limit of %d a side and %d million in all", name, width, height,
                IMG_MAX_SIDE, IMG_MAX_PIXELS / 1000000);
    return FALSE;
}

/* --- gdk-pixbuf's loaders ----------------------------------------------------------------- */

/* Called when the header is read and no pixel yet. */
static void on_size(GdkPixbufLoader *loader, int width, int height, gpointer data)
{
    struct decoder *d = data;
    if (d->width > 0) {
        return;
    }
    d->width = width;
    d->height = height;
    if (!fits(width, height)) {
        d->refused = TRUE;
        gdk_pixbuf_loader_set_size(loader, 1, 1);
        return;
    }
    if (d->longer > 0 && MAX(width, height) > d->longer) {
        double scale = (double)d->longer / MAX(width, height);
        gdk_pixbuf_loader_set_size(loader, MAX(1, (int)(width * scale)),
                                   MAX(1, (int)(height * scale)));
    }
}

/* A header's size of PNG, where gdk-pixbuf's loader allocates before it asks. */
static gboolean check_png_header(const struct decoder *d, const guint8 *data, gsize size,
                                 GError **error)
{
    guint32 side[2];
    if (size < 24) {
        return TRUE;
    }
    memcpy(side, data + 16, sizeof side);
    return img_check_size(d->name, GUINT32_FROM_BE(side[0]), GUINT32_FROM_BE(side[1]),
                          error);
}

/* gdk-pixbuf's BMP loader allocates what the header says lies before the pixels: its own
 * length, at 14, and the place of the pixels, at 10. */
static gboolean check_bmp_header(const struct decoder *d, const guint8 *data, gsize size,
                                 GError **error)
{
    struct stat info;
    guint32 pixels = 0, header = 0;
    if (size >= 18) {
        memcpy(&pixels, data + 10, sizeof pixels);
        memcpy(&header, data + 14, sizeof header);
    }
    if (size >= 18 && fstat(fileno(d->file), &info) == 0
        && GUINT32_FROM_LE(pixels) <= info.st_size
        && 14 + (guint64)GUINT32_FROM_LE(header) <= (guint64)info.st_size) {
        return TRUE;
    }
    g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN,
                "%s: the image is damaged: its header goes on after the end of the file",
                d->name);
    return FALSE;
}

static gboolean check_header(const struct decoder *d, const char *mime,
                             const guint8 *data, gsize size, GError **error)
{
    if (strcmp(mime, "image/png") == 0) {
        return check_png_header(d, data, size, error);
    }
    return strcmp(mime, "image/bmp") != 0 || check_bmp_header(d, data, size, error);
}

/* gdk-pixbuf's PNG loader takes a file that ends early for a whole one. */
static gboolean check_png_end(const struct decoder *d, GError **error)
{
    guint8 tail[64];
    off_t size = lseek(fileno(d->file), 0, SEEK_END);
    gsize want = MIN(sizeof tail, (gsize)MAX(size, 0));
    gssize got = pread(fileno(d->file), tail, want, size - (off_t)want);
    if (got > 0 && memmem(tail, (gsize)got, "IEND", 4)) {
        return TRUE;
    }
    g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN, "%s: the image is cut short", d->name);
    return FALSE;
}

static gboolean feed(struct decoder *d, GdkPixbufLoader *loader, guint8 *buffer, gsize got,
                     GError **error)
{
    for (; got > 0; got = fread(buffer, 1, CHUNK, d->file)) {
        if (g_cancellable_set_error_if_cancelled(d->cancellable, error)
            || !gdk_pixbuf_loader_write(loader, buffer, got, error)) {
            return FALSE;
        }
        if (d->refused) {
            return img_check_size(d->name, d->width, d->height, error);
        }
    }
    if (ferror(d->file)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: the file cannot be read",
                    d->name);
        return FALSE;
    }
    return TRUE;
}

/* Formats that GdkPixbuf reads where somebody installed a reader for it. */
static gboolean has_reader(struct decoder *d, const char *mime, const GError *failure,
                           GError **error)
{
    static const struct { const char *mime, *format, *package; } table[] = {
        { "image/webp", "WebP", "webp-pixbuf-loader" },
        { "image/avif", "AVIF", "libavif-gdk-pixbuf" },
        { "image/heif", "HEIC", "heif-gdk-pixbuf" } };
    gboolean unknown =
        g_error_matches(failure, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_UNKNOWN_TYPE);
    for (gsize i = 0; unknown && i < G_N_ELEMENTS(table); i++) {
        if (strcmp(mime, table[i].mime) == 0) {
            g_set_error(error, IMG_ERROR, IMG_ERROR_FORMAT,
                        "%s: no reader of %s images is installed (in Debian: %s)", d->name,
                        table[i].format, table[i].package);
            return FALSE;
        }
    }
    return TRUE;
}

/* buffer: CHUNK bytes of room that hold the first `got` of the file. */
static GdkPixbuf *load_other(struct decoder *d, const char *mime, guint8 *buffer, gsize got,
                             GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GdkPixbufLoader) loader =
        gdk_pixbuf_loader_new_with_mime_type(mime, &failure);
    gboolean good = loader != NULL;
    if (good) {
        g_signal_connect(loader, "size-prepared", G_CALLBACK(on_size), d);
        good = feed(d, loader, buffer, got, &failure);
        /* Close in any case; its own complaint counts only when nothing failed before. */
        good = gdk_pixbuf_loader_close(loader, good ? &failure : NULL) && good;
    }
    GdkPixbuf *pixbuf = good ? gdk_pixbuf_loader_get_pixbuf(loader) : NULL;
    if (pixbuf) {
        return g_object_ref(pixbuf);
    }
    if (failure && (failure->domain == IMG_ERROR || failure->domain == G_IO_ERROR)) {
        g_propagate_error(error, g_steal_pointer(&failure));
    } else if (has_reader(d, mime, failure, error)) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN, "%s: the image is damaged: %s",
                    d->name, failure ? failure->message : "it holds no pixels");
    }
    return NULL;
}

static GdkPixbuf *load(struct decoder *d, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(CHUNK);
    gsize got = fread(buffer, 1, CHUNK, d->file);
    const char *mime = img_sniff(buffer, got);
    if (!mime) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_FORMAT,
                    "%s: this is not an image of a known format", d->name);
        return NULL;
    }
    if (strcmp(mime, "image/jpeg") == 0) {
        struct img_jpeg_request request = { d->name, d->shorter, d->longer,
                                            d->cancellable };
        rewind(d->file);
        return img_read_jpeg(d->file, &request, &d->x, &d->y, error);
    }
    if (!check_header(d, mime, buffer, got, error)) {
        return NULL;
    }
    gboolean png = strcmp(mime, "image/png") == 0;
    g_autoptr(GdkPixbuf) pixbuf = load_other(d, mime, buffer, got, error);
    return pixbuf && (!png || check_png_end(d, error)) ? g_steal_pointer(&pixbuf) : NULL;
}

/* --- Orientation --------------------------------------------------------------------------- */

/* The spans after the picture of width x height was turned by an EXIF orientation. */
static void turn_spans(struct decoder *d, int orientation, int width, int height)
{
    struct img_span x = d->x, y = d->y;
    if (x.size == 0) {
        return;
    }
    gboolean swap = orientation >= 5;
    gboolean mirror_x = strchr("2367", '0' + orientation) != NULL;
    gboolean mirror_y = strchr("3478", '0' + orientation) != NULL;
    d->x = swap ? y : x;
    d->y = swap ? x : y;
    if (mirror_x) {
        d->x.from = (swap ? height : width) - d->x.size;
    }
    if (mirror_y) {
        d->y.from = (swap ? width : height) - d->y.size;
    }
}

static GdkPixbuf *orient_picture(struct decoder *d, GdkPixbuf *pixbuf)
{
    const char *text = gdk_pixbuf_get_option(pixbuf, "orientation");
    GdkPixbuf *oriented = gdk_pixbuf_apply_embedded_orientation(pixbuf);
    if (oriented && oriented != pixbuf) {
        turn_spans(d, text[0] - '0', gdk_pixbuf_get_width(pixbuf),
                   gdk_pixbuf_get_height(pixbuf));
        gdk_pixbuf_copy_options(pixbuf, oriented);
    }
    return oriented;
}

/* --- Whole --------------------------------------------------------------------------------- */

static gboolean copy_rgb(const struct decoder *d, GdkPixbuf *pixbuf, struct img_pixels *out,
                         GError **error)
{
    int channels = gdk_pixbuf_get_n_channels(pixbuf);
    gsize stride = (gsize)gdk_pixbuf_get_rowstride(pixbuf);
    const guint8 *from = gdk_pixbuf_read_pixels(pixbuf);
    int width = gdk_pixbuf_get_width(pixbuf), height = gdk_pixbuf_get_height(pixbuf);
    guint8 *to = g_try_malloc((gsize)width * (gsize)height * 3);
    if (!to) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_SIZE, "%s: out of memory for %d x %d pixels",
                    d->name, width, height);
        return FALSE;
    }
    *out = (struct img_pixels){ width, height, to, d->x, d->y };
    for (int y = 0; y < height; y++, from += stride) {
        const guint8 *at = from;
        if (channels == 3) {
            memcpy(to, at, (gsize)width * 3);
            to += (gsize)width * 3;
            continue;
        }
        for (int x = 0; x < width; x++, at += channels, to += 3) {
            to[0] = at[0];
            to[1] = at[1];
            to[2] = at[2];
        }
    }
    return TRUE;
}

static GdkPixbuf *decode(struct decoder *d, gboolean orient, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = open_file(d, error) ? load(d, error) : NULL;
    if (d->file) {
        fclose(d->file);
    }
    return pixbuf && orient ? orient_picture(d, pixbuf) : g_steal_pointer(&pixbuf);
}

static gboolean decode_pixels(struct decoder *d, gboolean orient, struct img_pixels *out,
                              GError **error)
{
    g_autofree char *name = d->name = g_filename_display_name(d->path);
    g_autoptr(GdkPixbuf) pixbuf = decode(d, orient, error);
    if (!pixbuf || !copy_rgb(d, pixbuf, out, error)) {
        return FALSE;
    }
    img_to_srgb(pixbuf, out);
    return TRUE;
}

gboolean img_decode(const char *path, gboolean orient, GCancellable *cancellable,
                    struct img_pixels *out, GError **error)
{
    struct decoder d = { .path = path, .cancellable = cancellable };
    return decode_pixels(&d, orient, out, error);
}

gboolean img_decode_reduced(const char *path, int shorter, GCancellable *cancellable,
                            struct img_pixels *out, GError **error)
{
    struct decoder d = { .path = path, .shorter = shorter, .cancellable = cancellable };
    return decode_pixels(&d, TRUE, out, error);
}

void img_clear(struct img_pixels *pixels)
{
    g_free(pixels->rgb);
    *pixels = (struct img_pixels){ 0 };
}

GdkPixbuf *img_thumbnail(const char *path, int side, GCancellable *cancellable,
                         GError **error)
{
    g_autofree char *name = g_filename_display_name(path);
    struct decoder d = { .path = path, .name = name, .longer = IMG_MARGIN * side,
                         .cancellable = cancellable };
    g_autoptr(GdkPixbuf) pixbuf = decode(&d, TRUE, error);
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
