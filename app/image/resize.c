/* Pillow's antialiased resize of 8-bit images. */
#include "app/image/image_private.h"

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

/* For output positions first .. first+count-1 of the span of a line of `in` that is
 * resized to `out`. */
static struct coefficients coefficients_new(int in, struct img_span span, int out,
                                            int first, int count, enum img_filter filter)
{
    double scale = span.size / out, fs = MAX(scale, 1.0);
    double support = fs * (filter == IMG_BILINEAR ? 1 : 2);
    int room = (int)ceil(support) * 2 + 1;
    struct coefficients c = { g_new0(struct taps, (gsize)count),
                              g_new0(gint32, (gsize)count * (gsize)room) };
    g_autofree double *k = g_new(double, (gsize)room);
    for (int i = 0; i < count; i++) {
        double centre = span.from + (first + i + 0.5) * scale, sum = 0;
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

/* --- Weighing ----------------------------------------------------------------------------- */

/* Samples of 8 bits stand in 16 on their way: compilers widen whole registers well. */
#define LANES 8
typedef gint32 lanes __attribute__((vector_size(LANES * sizeof(gint32))));
typedef guint16 samples __attribute__((vector_size(LANES * sizeof(guint16))));

/* out[i], i < count: the weighed sum of in[i], in[i + step], in[i + 2 step] … Up to
 * LANES - 1 samples behind the last are read and written too. Sums of integers: the same
 * in any order and on any processor. */
static inline __attribute__((always_inline)) void
weigh_lanes(const guint16 *in, gsize step, const struct taps *t, gsize count, guint16 *out)
{
    for (gsize i = 0; i < count; i += LANES) {
        lanes sum = (lanes){ 0 } + (1 << (BITS - 1));
        const guint16 *at = in + i;
        for (int x = 0; x < t->count; x++, at += step) {
            samples value;
            memcpy(&value, at, sizeof value);
            sum += __builtin_convertvector(value, lanes) * t->weight[x];
        }
        sum >>= BITS;
        sum &= ~(sum < 0);
        lanes over = sum > 255;
        samples result = __builtin_convertvector((sum & ~over) | (over & 255), samples);
        memcpy(out + i, &result, sizeof result);
    }
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void
weigh_avx2(const guint16 *in, gsize step, const struct taps *t, gsize count, guint16 *out)
{
    weigh_lanes(in, step, t, count, out);
}
#endif

static void weigh(const guint16 *in, gsize step, const struct taps *t, gsize count,
                  guint16 *out)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        weigh_avx2(in, step, t, count, out);
        return;
    }
#endif
    weigh_lanes(in, step, t, count, out);
}

/* --- Passes ------------------------------------------------------------------------------- */

/* `count` samples of LANES rows, so that the rows' samples lie side by side. */
static void interleave(const guint8 *const rows[LANES], gsize count, guint16 *restrict out)
{
    const guint8 *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
    const guint8 *e = rows[4], *f = rows[5], *g = rows[6], *h = rows[7];
    for (gsize i = 0; i < count; i++) {
        out[i * LANES] = a[i];
        out[i * LANES + 1] = b[i];
        out[i * LANES + 2] = c[i];
        out[i * LANES + 3] = d[i];
        out[i * LANES + 4] = e[i];
        out[i * LANES + 5] = f[i];
        out[i * LANES + 6] = g[i];
        out[i * LANES + 7] = h[i];
    }
}

static void widen(const guint8 *in, gsize count, guint16 *restrict out)
{
    for (gsize i = 0; i < count; i++) {
        out[i] = in[i];
    }
}

static void narrow(const guint16 *in, gsize count, guint8 *restrict out)
{
    for (gsize i = 0; i < count; i++) {
        out[i] = (guint8)in[i];
    }
}

/* Rows first .. last-1 to w.width columns each. A pass that changes no size is skipped,
 * as Pillow does. LANES rows are done at once. */
static void resize_columns(const struct img_pixels *src, struct img_span span, int width,
                           enum img_filter filter, struct img_window w, int first, int last,
                           guint16 *out)
{
    gsize stride = (gsize)src->width * 3, line = (gsize)w.width * 3;
    const guint8 *in = src->rgb + (gsize)first * stride;
    if (span.size == width) {
        for (int y = first; y < last; y++, in += stride, out += line) {
            widen(in + (gsize)w.x * 3, line, out);
        }
        return;
    }
    struct coefficients c = coefficients_new(src->width, span, width, w.x, w.width, filter);
    const struct taps *end = &c.taps[w.width - 1];
    gsize from = (gsize)c.taps[0].first * 3, to = (gsize)(end->first + end->count) * 3;
    g_autofree guint16 *strip = g_new(guint16, (to - from) * LANES);
    for (int y = first; y < last; y += LANES, in += LANES * stride) {
        int n = MIN(LANES, last - y);
        const guint8 *rows[LANES];
        for (int i = 0; i < LANES; i++) {
            rows[i] = in + from + (gsize)MIN(i, n - 1) * stride;
        }
        interleave(rows, to - from, strip);
        for (int x = 0; x < w.width; x++) {
            guint16 pixel[3 * LANES];
            weigh(strip + ((gsize)c.taps[x].first * 3 - from) * LANES, 3 * LANES,
                  &c.taps[x], 3 * LANES, pixel);
            guint16 *to_pixel = out + (gsize)x * 3;
            for (int i = 0; i < n; i++, to_pixel += line) {
                to_pixel[0] = pixel[i];
                to_pixel[1] = pixel[LANES + i];
                to_pixel[2] = pixel[2 * LANES + i];
            }
        }
        out += (gsize)n * line;
    }
    coefficients_clear(&c);
}

void img_resize_window(const struct img_pixels *src, int width, int height,
                       enum img_filter filter, struct img_window w,
                       struct img_pixels *out)
{
    struct img_span x = src->x.size > 0 ? src->x : (struct img_span){ 0, src->width };
    struct img_span y = src->y.size > 0 ? src->y : (struct img_span){ 0, src->height };
    gsize line = (gsize)w.width * 3;
    struct coefficients rows =
        coefficients_new(src->height, y, height, w.y, w.height, filter);
    int first = w.y, last = w.y + w.height;
    if (y.size != height) {
        const struct taps *end = &rows.taps[w.height - 1];
        first = rows.taps[0].first;
        last = end->first + end->count;
    }
    gsize n_middle = (gsize)(last - first) * line;
    g_autofree guint16 *middle = g_new(guint16, n_middle + LANES);
    g_autofree guint16 *row = g_new(guint16, line + LANES);
    memset(middle + n_middle, 0, LANES * sizeof *middle); /* weighed, not used */
    resize_columns(src, x, width, filter, w, first, last, middle);
    *out = (struct img_pixels){ .width = w.width, .height = w.height,
                                .rgb = g_malloc((gsize)w.height * line + 1) };
    for (int i = 0; i < w.height; i++) {
        guint8 *to = out->rgb + (gsize)i * line;
        if (y.size == height) {
            narrow(middle + (gsize)i * line, line, to);
        } else {
            weigh(middle + (gsize)(rows.taps[i].first - first) * line, line, &rows.taps[i],
                  line, row);
            narrow(row, line, to);
        }
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
    img_resize_window(src, width, height, filter,
                      (struct img_window){ 0, 0, width, height }, out);
    return TRUE;
}
