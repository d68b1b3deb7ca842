/* JPEG files by libjpeg-turbo, at full size or at 1/2, 1/4 or 1/8 of it straight from the
 * coefficients, which leaves out most of the work for a large photograph.
 *
 * libjpeg reports errors by a jump. Its calls stand only in the functions given to
 * `guarded`, which own nothing: what must be freed is in struct reader. */
#include "app/image/exif.h"
#include "app/image/image_private.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A progressive file of many empty scans takes long and shows nothing; encoders write
 * about ten, the most thorough ones some sixty. */
#define MAX_SCANS 100
#define MARKER_MAX 0xffff

struct reader {
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    FILE *file;
    const struct img_jpeg_request *request;
    GdkPixbuf *pixbuf;
    JOCTET *profile; /* of malloc */
    unsigned profile_size;
    gboolean cut, stopped;
    char message[JMSG_LENGTH_MAX];
};

/* --- Errors ------------------------------------------------------------------------------ */

static void on_error(j_common_ptr c)
{
    struct reader *r = c->client_data;
    c->err->format_message(c, r->message);
    longjmp(r->failed, 1);
}

/* Damaged data is only warned of, and a picture with a bad spot is still one; but a file
 * that ends early would be filled up with grey. */
static void on_message(j_common_ptr c, int level)
{
    struct reader *r = c->client_data;
    if (level < 0 && c->err->msg_code == JWRN_JPEG_EOF) {
        r->cut = TRUE;
        longjmp(r->failed, 1);
    }
}

static void on_progress(j_common_ptr c)
{
    struct reader *r = c->client_data;
    r->stopped = g_cancellable_is_cancelled(r->request->cancellable);
    if (r->stopped) {
        longjmp(r->failed, 1);
    }
    if (r->c.input_scan_number > MAX_SCANS) {
        g_strlcpy(r->message, "it has too many scans", sizeof r->message);
        longjmp(r->failed, 1);
    }
}

static gboolean guarded(struct reader *r, void (*step)(struct reader *))
{
    if (setjmp(r->failed)) {
        return FALSE;
    }
    step(r);
    return TRUE;
}

static void set_error(const struct reader *r, GError **error)
{
    const char *name = r->request->name;
    if (r->stopped) {
        g_cancellable_set_error_if_cancelled(r->request->cancellable, error);
    } else if (r->cut && ferror(r->file)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: the file cannot be read",
                    name);
    } else if (r->cut) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN, "%s: the image is cut short", name);
    } else {
        g_set_error(error, IMG_ERROR, IMG_ERROR_BROKEN, "%s: the image is damaged: %s",
                    name, r->message);
    }
}

/* --- Steps ------------------------------------------------------------------------------- */

static void read_header(struct reader *r)
{
    jpeg_create_decompress(&r->c);
    r->c.progress = &r->progress;
    jpeg_stdio_src(&r->c, r->file);
    jpeg_save_markers(&r->c, JPEG_APP0 + 1, MARKER_MAX);
    jpeg_save_markers(&r->c, JPEG_APP0 + 2, MARKER_MAX);
    jpeg_read_header(&r->c, TRUE);
    jpeg_read_icc_profile(&r->c, &r->profile, &r->profile_size);
}

static void start(struct reader *r)
{
    jpeg_start_decompress(&r->c);
}

/* Ink to light. Adobe's files hold inverted ink. */
static void cmyk_to_rgb(const guint8 *in, int width, gboolean inverted, guint8 *out)
{
    for (int x = 0; x < width; x++, in += 4, out += 3) {
        int black = inverted ? in[3] : 255 - in[3];
        for (int i = 0; i < 3; i++) {
            int light = inverted ? in[i] : 255 - in[i];
            out[i] = (guint8)((light * black + 127) / 255);
        }
    }
}

static void read_rows(struct reader *r)
{
    guint8 *pixels = gdk_pixbuf_get_pixels(r->pixbuf);
    gsize stride = (gsize)gdk_pixbuf_get_rowstride(r->pixbuf);
    gboolean cmyk = r->c.out_color_space == JCS_CMYK;
    JSAMPARRAY line = r->c.mem->alloc_sarray((j_common_ptr)&r->c, JPOOL_IMAGE,
                                             r->c.output_width * 4, 1);
    while (r->c.output_scanline < r->c.output_height) {
        JSAMPROW row = pixels + r->c.output_scanline * stride;
        if (jpeg_read_scanlines(&r->c, cmyk ? line : &row, 1) == 1 && cmyk) {
            cmyk_to_rgb(line[0], (int)r->c.output_width, r->c.saw_Adobe_marker, row);
        }
    }
    jpeg_finish_decompress(&r->c);
}

/* --- What else the file says -------------------------------------------------------------- */

static void set_options(const struct reader *r)
{
    guint orientation = 0;
    for (jpeg_saved_marker_ptr m = r->c.marker_list; m && !orientation; m = m->next) {
        if (m->marker == JPEG_APP0 + 1) {
            struct img_exif exif;
            img_exif_parse(m->data, m->data_length, &exif);
            orientation = exif.orientation;
        }
    }
    if (orientation >= 1 && orientation <= 8) {
        char digit[2] = { (char)('0' + orientation), 0 };
        gdk_pixbuf_set_option(r->pixbuf, "orientation", digit);
    }
    if (r->profile) {
        g_autofree char *text = g_base64_encode(r->profile, r->profile_size);
        gdk_pixbuf_set_option(r->pixbuf, "icc-profile", text);
    }
}

/* --- Whole -------------------------------------------------------------------------------- */

/* 1, 2, 4 or 8: by how much the sides may be divided. */
static unsigned choose_divisor(const struct reader *r)
{
    const struct img_jpeg_request *q = r->request;
    unsigned shorter = MIN(r->c.image_width, r->c.image_height), divisor = 1;
    unsigned longer = MAX(r->c.image_width, r->c.image_height);
    while ((q->shorter || q->longer) && divisor < 8
           && shorter / (divisor * 2) >= (unsigned)q->shorter
           && longer / (divisor * 2) >= (unsigned)q->longer) {
        divisor *= 2;
    }
    return divisor;
}

static gboolean read_picture(struct reader *r, struct img_span *x, struct img_span *y,
                             GError **error)
{
    if (!guarded(r, read_header)) {
        set_error(r, error);
        return FALSE;
    }
    if (!img_check_size(r->request->name, r->c.image_width, r->c.image_height, error)) {
        return FALSE;
    }
    r->c.scale_num = 1;
    r->c.scale_denom = choose_divisor(r);
    gboolean ink = r->c.jpeg_color_space == JCS_CMYK || r->c.jpeg_color_space == JCS_YCCK;
    r->c.out_color_space = ink ? JCS_CMYK : JCS_RGB;
    if (!guarded(r, start)) {
        set_error(r, error);
        return FALSE;
    }
    r->pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, (int)r->c.output_width,
                               (int)r->c.output_height);
    if (!r->pixbuf) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_SIZE, "%s: out of memory for %u x %u pixels",
                    r->request->name, r->c.output_width, r->c.output_height);
        return FALSE;
    }
    set_options(r); /* before the last row, when libjpeg lets go of the markers */
    if (!guarded(r, read_rows)) {
        set_error(r, error);
        return FALSE;
    }
    *x = (struct img_span){ 0, (double)r->c.image_width / r->c.scale_denom };
    *y = (struct img_span){ 0, (double)r->c.image_height / r->c.scale_denom };
    return TRUE;
}

GdkPixbuf *img_read_jpeg(FILE *file, const struct img_jpeg_request *request,
                         struct img_span *x, struct img_span *y, GError **error)
{
    struct reader r = { .file = file, .request = request };
    r.c.err = jpeg_std_error(&r.errors);
    r.c.client_data = &r;
    r.errors.error_exit = on_error;
    r.errors.emit_message = on_message;
    r.progress.progress_monitor = on_progress;
    if (!read_picture(&r, x, y, error)) {
        g_clear_object(&r.pixbuf);
    }
    jpeg_destroy_decompress(&r.c);
    free(r.profile);
    return r.pixbuf;
}
