/* Pillow's antialiased resize of 8-bit images and the preprocessing built on it. */
#include "app/image/image.h"

#include <math.h>
#include <string.h>

#define BITS 22

/* The taps of one output position. */
struct taps { int first, count; const gint32 *weight; };

struct coefficients {
    struct taps *taps;
    gint32 *weights;
};

static double filter_value(enum img_filter filter, double x)
{
    x = fabs(x);
    if (filter == IMG_BILINEAR) {
        return x < 1 ? 1 - x : 0;
    }
    const double a = -0.5;
    if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static void coefficients_clear(struct coefficients *c)
{
    g_free(c->taps);
    g_free(c->weights);
}

/* For output positions first .. first+count-1 of a line of `in` resized to `out`. */
static struct coefficients coefficients_new(int in, int out, int first, int count,
                                            enum img_filter filter)
{
    double scale = (double)in / out, fs = MAX(scale, 1.0);
    double support = fs * (filter == IMG_BILINEAR ? 1 : 2);
    int room = (int)ceil(support) * 2 + 1;
    struct coefficients c = { g_new0(struct taps, (gsize)count),
                              g_new0(gint32, (gsize)count * (gsize)room) };
    g_autofree double *k = g_new(double, (gsize)room);
    for (int i = 0; i < count; i++) {
        double centre = (first + i + 0.5) * scale, sum = 0;
        int from = MAX(0, (int)(centre - support + 0.5));
        int to = MIN(in, (int)(centre + support + 0.5));
        gint32 *weight = c.weights + (gsize)i * (gsize)room;
        for (int x = from; x < to; x++) {
            k[x - from] = filter_value(filter, (x - centre + 0.5) / fs);
            sum += k[x - from];
        }
        for (int x = 0; x < to - from; x++) {
            double w = (sum != 0 ? k[x] / sum : k[x]) * (1 << BITS);
            weight[x] = (gint32)(w < 0 ? w - 0.5 : w + 0.5);
        }
        c.taps[i] = (struct taps){ from, to - from, weight };
    }
    return c;
}

static guint8 clip8(gint32 sum)
{
    int value = sum >> BITS;
    return value < 0 ? 0 : value > 255 ? 255 : (guint8)value;
}

/* One line of `count` outputs. */
static void resize_line(const guint8 *in, const struct coefficients *c, int count,
                        guint8 *out)
{
    for (int i = 0; i < count; i++) {
        const struct taps *t = &c->taps[i];
        const guint8 *at = in + (gsize)t->first * 3;
        gint32 r = 1 << (BITS - 1), g = r, b = r;
        for (int x = 0; x < t->count; x++, at += 3) {
            r += at[0] * t->weight[x];
            g += at[1] * t->weight[x];
            b += at[2] * t->weight[x];
        }
        out[i * 3] = clip8(r);
        out[i * 3 + 1] = clip8(g);
        out[i * 3 + 2] = clip8(b);
    }
}

/* One output row from `taps` rows of `bytes` bytes; runs along memory. */
static void resize_rows(const guint8 *in, gsize bytes, int first_row,
                        const struct taps *t, gint32 *sum, guint8 *out)
{
    for (gsize i = 0; i < bytes; i++) {
        sum[i] = 1 << (BITS - 1);
    }
    for (int y = 0; y < t->count; y++) {
        const guint8 *row = in + (gsize)(t->first - first_row + y) * bytes;
        gint32 weight = t->weight[y];
        for (gsize i = 0; i < bytes; i++) {
            sum[i] += row[i] * weight;
        }
    }
    for (gsize i = 0; i < bytes; i++) {
        out[i] = clip8(sum[i]);
    }
}

struct window { int x, y, width, height; };

/* The window of the image resized to width x height; only what it needs is computed. A
 * pass that changes no size is skipped, as Pillow does. */
static void resize_window(const struct img_pixels *src, int width, int height,
                          enum img_filter filter, struct window w, struct img_pixels *out)
{
    gsize bytes = (gsize)w.width * 3;
    struct coefficients rows =
        coefficients_new(src->height, height, w.y, w.height, filter);
    int first = w.y, last = w.y + w.height;
    if (src->height != height) {
        first = src->height;
        last = 0;
        for (int i = 0; i < w.height; i++) {
            first = MIN(first, rows.taps[i].first);
            last = MAX(last, rows.taps[i].first + rows.taps[i].count);
        }
    }
    guint8 *middle = g_malloc((gsize)(last - first) * bytes + 1);
    struct coefficients columns =
        coefficients_new(src->width, width, w.x, w.width, filter);
    for (int y = first; y < last; y++) {
        const guint8 *in = src->rgb + (gsize)y * (gsize)src->width * 3;
        guint8 *to = middle + (gsize)(y - first) * bytes;
        if (src->width == width) {
            memcpy(to, in + (gsize)w.x * 3, bytes);
        } else {
            resize_line(in, &columns, w.width, to);
        }
    }
    coefficients_clear(&columns);
    *out = (struct img_pixels){ w.width, w.height, middle };
    if (src->height != height) {
        g_autofree gint32 *sum = g_new(gint32, bytes);
        out->rgb = g_malloc((gsize)w.height * bytes + 1);
        for (int y = 0; y < w.height; y++) {
            resize_rows(middle, bytes, first, &rows.taps[y], sum,
                        out->rgb + (gsize)y * bytes);
        }
        g_free(middle);
    }
    coefficients_clear(&rows);
}

gboolean img_resize(const struct img_pixels *src, int width, int height,
                    enum img_filter filter, struct img_pixels *out, GError **error)
{
    if (width < 1 || height < 1 || width > IMG_MAX_SIDE || height > IMG_MAX_SIDE
        || (gint64)width * height > IMG_MAX_PIXELS) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_SIZE, "%d x %d is not a size to resize to",
                    width, height);
        return FALSE;
    }
    resize_window(src, width, height, filter, (struct window){ 0, 0, width, height }, out);
    return TRUE;
}

/* Python's round: halves go to the even neighbour. */
static int half_of(int n)
{
    return n % 2 == 0 ? n / 2 : (n / 2) % 2 == 0 ? n / 2 : n / 2 + 1;
}

gboolean img_to_tensor(const struct img_pixels *src, const struct img_preprocess *p,
                       float *out, GError **error)
{
    int width = p->size, height = p->size;
    struct window w = { 0, 0, p->size, p->size };
    if (p->fit == IMG_FIT_CROP) {
        gint64 shorter = p->resize_size;
        if (src->width <= src->height) {
            width = (int)shorter;
            height = (int)MIN(shorter * src->height / src->width, G_MAXINT / 2);
        } else {
            height = (int)shorter;
            width = (int)MIN(shorter * src->width / src->height, G_MAXINT / 2);
        }
        w.x = half_of(width - p->size);
        w.y = half_of(height - p->size);
    }
    if (p->size < 1 || p->size > 8192 || width < p->size || height < p->size) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_SIZE,
                    "a crop of %d does not fit an image of %d x %d", p->size, width, height);
        return FALSE;
    }
    struct img_pixels fitted;
    resize_window(src, width, height, p->filter, w, &fitted);
    gsize count = (gsize)p->size * (gsize)p->size;
    for (gsize i = 0; i < count; i++) {
        for (gsize c = 0; c < 3; c++) {
            float value = (float)fitted.rgb[i * 3 + c] / 255.0f;
            out[c * count + i] = (value - p->mean[c]) / p->std[c];
        }
    }
    img_clear(&fitted);
    return TRUE;
}
