#include "app/trainer/augment.h"

#include <math.h>
#include <string.h>

#define GREY 128 /* what comes from outside the picture */

gboolean augment_parse(const char *text, guint *kinds)
{
    static const struct { const char *name; guint kind; } names[] = {
        { "none", 0 }, { "flip", AUGMENT_FLIP }, { "cutout", AUGMENT_CUTOUT },
        { "shape", AUGMENT_SHAPE }, { "colour", AUGMENT_COLOUR } };
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    *kinds = 0;
    for (char **p = parts; *p; p++) {
        gsize i = 0;
        while (i < G_N_ELEMENTS(names) && !g_str_equal(g_strstrip(*p), names[i].name)) {
            i++;
        }
        if (i == G_N_ELEMENTS(names)) {
            return FALSE;
        }
        *kinds |= names[i].kind;
    }
    return *parts != NULL;
}

static guint8 to_byte(double value)
{
    return (guint8)CLAMP(floor(value + 0.5), 0, 255);
}

/* --- Places -------------------------------------------------------------------------- */

void augment_flip(guint8 *rgb, int side)
{
    for (int y = 0; y < side; y++) {
        guint8 *row = rgb + (gsize)y * (gsize)side * 3;
        for (int left = 0, right = side - 1; left < right; left++, right--) {
            for (int c = 0; c < 3; c++) {
                guint8 kept = row[3 * left + c];
                row[3 * left + c] = row[3 * right + c];
                row[3 * right + c] = kept;
            }
        }
    }
}

void augment_cutout(guint8 *rgb, int side, struct rng *r)
{
    int size = (int)(0.5 * side + 0.5);
    int left = rng_below(r, side) - size / 2, top = rng_below(r, side) - size / 2;
    guint8 colour[3];
    for (int c = 0; c < 3; c++) {
        colour[c] = (guint8)rng_below(r, 256);
    }
    for (int y = MAX(top, 0); y < MIN(top + size, side); y++) {
        for (int x = MAX(left, 0); x < MIN(left + size, side); x++) {
            memcpy(rgb + ((gsize)y * (gsize)side + (gsize)x) * 3, colour, 3);
        }
    }
}

/* Between the four pixels around a place, in steps of 1/256. */
static guint8 between(const guint8 *rgb, int side, double x, double y, int c)
{
    int fx = (int)floor(x * 256), fy = (int)floor(y * 256), sum = 1 << 15;
    int left = fx >> 8, top = fy >> 8;
    fx &= 255;
    fy &= 255;
    for (int i = 0; i < 4; i++) {
        int px = left + (i & 1), py = top + (i >> 1);
        gboolean inside = px >= 0 && py >= 0 && px < side && py < side;
        int value = inside ? rgb[((gsize)py * (gsize)side + (gsize)px) * 3 + (gsize)c] : GREY;
        sum += value * (i & 1 ? fx : 256 - fx) * (i >> 1 ? fy : 256 - fy);
    }
    return (guint8)(sum >> 16);
}

/* Pixel p becomes what stands at m (p - centre) + centre + shift. */
static void warp(guint8 *rgb, int side, const double m[4], double dx, double dy)
{
    gsize bytes = (gsize)side * (gsize)side * 3;
    double centre = 0.5 * (side - 1);
    g_autofree guint8 *from = g_memdup2(rgb, bytes);
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            double u = x - centre, v = y - centre;
            double sx = m[0] * u + m[1] * v + centre + dx;
            double sy = m[2] * u + m[3] * v + centre + dy;
            for (int c = 0; c < 3; c++) {
                *rgb++ = between(from, side, sx, sy, c);
            }
        }
    }
}

static void move(enum augment_operation operation, double level, guint8 *rgb, int side)
{
    double m[4] = { 1, 0, 0, 1 }, dx = 0, dy = 0, angle = level * G_PI / 6;
    switch (operation) {
    case AUGMENT_ROTATE:
        m[0] = m[3] = cos(angle);
        m[1] = sin(angle);
        m[2] = -m[1];
        break;
    case AUGMENT_SHEAR_X: m[1] = 0.3 * level; break;
    case AUGMENT_SHEAR_Y: m[2] = 0.3 * level; break;
    case AUGMENT_TRANSLATE_X: dx = 0.3 * level * side; break;
    default: dy = 0.3 * level * side; break;
    }
    warp(rgb, side, m, dx, dy);
}

/* --- Colours ------------------------------------------------------------------------- */

static int grey_of(const guint8 *rgb)
{
    return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 0x8000) >> 16;
}

/* Away from (factor above 1) or towards `other`, an image of the same size. */
static void blend(guint8 *rgb, const guint8 *other, gsize bytes, double factor)
{
    for (gsize i = 0; i < bytes; i++) {
        rgb[i] = to_byte(other[i] + factor * (rgb[i] - other[i]));
    }
}

/* The mean of each pixel and its neighbours, the pixel five times; the edge stays. */
static void smooth(const guint8 *rgb, guint8 *out, int side)
{
    gsize line = (gsize)side * 3;
    memcpy(out, rgb, line * (gsize)side);
    for (gsize y = 1; y + 1 < (gsize)side; y++) {
        for (gsize i = y * line + 3; i + 3 < (y + 1) * line; i++) {
            int sum = 4 * rgb[i] + 6;
            for (int row = -1; row <= 1; row++) {
                const guint8 *at = rgb + i + row * (gssize)line;
                sum += at[-3] + at[0] + at[3];
            }
            out[i] = (guint8)(sum / 13);
        }
    }
}

/* What an operation blends with: black, the mean grey, the grey picture, a smooth one. */
static void make_other(enum augment_operation operation, const guint8 *rgb, guint8 *other,
                       int side)
{
    gsize pixels = (gsize)side * (gsize)side;
    guint64 sum = 0;
    for (gsize i = 0; i < pixels; i++) {
        sum += (guint64)grey_of(rgb + 3 * i);
        memset(other + 3 * i, operation == AUGMENT_SATURATION ? grey_of(rgb + 3 * i) : 0, 3);
    }
    if (operation == AUGMENT_CONTRAST) {
        memset(other, (int)((sum + pixels / 2) / pixels), 3 * pixels);
    } else if (operation == AUGMENT_SHARPNESS) {
        smooth(rgb, other, side);
    }
}

static void enhance(enum augment_operation operation, double level, guint8 *rgb, int side)
{
    gsize bytes = (gsize)side * (gsize)side * 3;
    g_autofree guint8 *other = g_malloc(bytes);
    make_other(operation, rgb, other, side);
    blend(rgb, other, bytes, 1 + 0.9 * level);
}

/* Each colour is stretched to 0..255. */
static void stretch(guint8 *rgb, int side)
{
    gsize bytes = (gsize)side * (gsize)side * 3;
    for (gsize c = 0; c < 3; c++) {
        int low = 255, high = 0;
        for (gsize i = c; i < bytes; i += 3) {
            low = MIN(low, rgb[i]);
            high = MAX(high, rgb[i]);
        }
        for (gsize i = c; i < bytes && high > low; i += 3) {
            rgb[i] = (guint8)((255 * (rgb[i] - low) + (high - low) / 2) / (high - low));
        }
    }
}

static void posterize(double level, guint8 *rgb, int side)
{
    guint8 mask = (guint8)(0xff << (int)floor(4 * fabs(level) + 0.5));
    for (gsize i = 0; i < (gsize)side * (gsize)side * 3; i++) {
        rgb[i] &= mask;
    }
}

/* --- Together ------------------------------------------------------------------------ */

void augment_operate(enum augment_operation operation, double level, guint8 *rgb, int side)
{
    if (operation <= AUGMENT_TRANSLATE_Y) {
        move(operation, level, rgb, side);
    } else if (operation <= AUGMENT_SHARPNESS) {
        enhance(operation, level, rgb, side);
    } else if (operation == AUGMENT_AUTOCONTRAST) {
        stretch(rgb, side);
    } else {
        posterize(level, rgb, side);
    }
}

/* RandAugment (Cubuk et al., arXiv 1909.13719): all operations of one magnitude. */
static void apply_random(const struct augment *a, guint8 *rgb, int side,
                         struct rng *r)
{
    int first = a->kinds & AUGMENT_SHAPE ? 0 : AUGMENT_BRIGHTNESS;
    int end = a->kinds & AUGMENT_COLOUR ? AUGMENT_OPERATIONS : AUGMENT_BRIGHTNESS;
    for (guint i = 0; i < a->operations && first < end; i++) {
        enum augment_operation operation =
            (enum augment_operation)(first + rng_below(r, end - first));
        double sign = rng_chance(r, 0.5) ? 1 : -1;
        augment_operate(operation, sign * a->magnitude / 10, rgb, side);
    }
}

void augment_apply(const struct augment *a, guint8 *rgb, int side, struct rng *r)
{
    if (a->kinds & AUGMENT_FLIP && rng_chance(r, 0.5)) {
        augment_flip(rgb, side);
    }
    if (a->kinds & AUGMENT_CUTOUT) {
        augment_cutout(rgb, side, r);
    }
    apply_random(a, rgb, side, r);
}
