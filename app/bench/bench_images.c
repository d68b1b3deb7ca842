/* Decoding a JPEG file and resizing it to a network's input. */
#include "app/bench/bench_private.h"
#include "app/image/image.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

/* Slopes, edges and grain, so that the file is about as large as a photograph's. */
static GdkPixbuf *make_picture(int width, int height)
{
    GdkPixbuf *pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);
    if (!pixbuf) {
        return NULL;
    }
    guint8 *pixels = gdk_pixbuf_get_pixels(pixbuf);
    int stride = gdk_pixbuf_get_rowstride(pixbuf);
    guint32 grain = 1;
    for (int y = 0; y < height; y++) {
        guint8 *row = pixels + (gsize)y * (gsize)stride;
        for (int x = 0; x < width; x++, row += 3) {
            grain = grain * 1664525 + 1013904223;
            int noise = (int)(grain >> 28), edge = (x / 97 + y / 61) % 3 * 40;
            row[0] = (guint8)(x * 120 / width + edge + noise);
            row[1] = (guint8)(y * 120 / height + edge + noise);
            row[2] = (guint8)((x + y) * 100 / (width + height) + noise);
        }
    }
    return pixbuf;
}

/* *path is a temporary file, to be deleted and freed. */
static gboolean write_jpeg(char **path, int width, int height, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = make_picture(width, height);
    if (!pixbuf) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "out of memory for %dx%d",
                    width, height);
        return FALSE;
    }
    int file = g_file_open_tmp("taglight-bench-XXXXXX.jpg", path, error);
    if (file < 0) {
        return FALSE;
    }
    close(file);
    return gdk_pixbuf_save(pixbuf, *path, "jpeg", error, "quality", "90", NULL);
}

static gboolean time_decoding(struct bench_row *row, const char *path, int runs,
                              double *seconds, GError **error)
{
    gboolean good = TRUE;
    for (int run = -1; run < runs && good; run++) { /* -1 warms up */
        struct img_pixels pixels = { 0 };
        double begin = bench_now();
        good = img_decode(path, TRUE, NULL, &pixels, error);
        seconds[MAX(run, 0)] = bench_now() - begin;
        img_clear(&pixels);
    }
    bench_row_times(row, seconds, runs);
    return good;
}

static gboolean time_resizing(struct bench_row *row, const char *path, int runs,
                              double *seconds, GError **error)
{
    const struct img_preprocess to = { .size = 224, .resize_size = 224,
                                       .fit = IMG_FIT_SQUASH, .filter = IMG_BILINEAR,
                                       .std = { 1, 1, 1 } };
    g_autofree float *tensor = g_new(float, 3 * 224 * 224);
    struct img_pixels pixels = { 0 };
    gboolean good = img_decode(path, TRUE, NULL, &pixels, error);
    for (int run = -1; run < runs && good; run++) {
        double begin = bench_now();
        good = img_to_tensor(&pixels, &to, tensor, error);
        seconds[MAX(run, 0)] = bench_now() - begin;
    }
    bench_row_times(row, seconds, runs);
    img_clear(&pixels);
    return good;
}

static gboolean picture_rows(struct bench *bench, int width, int height, GError **error)
{
    int runs = bench->options->runs;
    g_autofree double *seconds = g_new0(double, runs);
    g_autofree char *path = NULL;
    gboolean good = write_jpeg(&path, width, height, error);
    for (int resizing = 0; resizing < 2 && good; resizing++) {
        struct bench_row row;
        bench_row_begin(&row, "decode");
        snprintf(row.what, sizeof row.what,
                 resizing ? "resize %dx%d to 224x224" : "JPEG %dx%d", width,
                 height);
        good = resizing ? time_resizing(&row, path, runs, seconds, error)
                        : time_decoding(&row, path, runs, seconds, error);
        if (good) {
            bench_row_end(bench, &row);
        }
    }
    if (path) {
        g_unlink(path);
    }
    return good;
}

enum nn_status bench_decode(struct bench *bench, struct nn_error *error)
{
    g_autoptr(GError) fault = NULL;
    if (!picture_rows(bench, 4000, 3000, &fault)
        || !picture_rows(bench, 640, 480, &fault)) {
        return nn_fail(error, NN_ERROR_IO, "%s", fault->message);
    }
    return NN_OK;
}
