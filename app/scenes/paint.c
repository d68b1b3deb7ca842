/* A picture is painted in three steps: the background point by point, the objects with
 * Cairo, and then light, blur and grain over all of it. */
#include "app/scenes/paint.h"
#include "app/random/rng.h"

#include <gio/gio.h>
#include <math.h>

enum purpose { PURPOSE_LOOK = 1, PURPOSE_GRAIN };

/* What differs from picture to picture beside the scene. */
struct look {
    guint32 texture_key;
    double shift_x, shift_y, zoom, turn;   /* of the texture */
    double tint[3];                        /* of the light */
    double light_x, light_y, falloff;      /* where from, and how uneven */
};

static struct look choose_look(const struct scene *scene)
{
    struct rng r = rng_new(scene->seed, scene->number, PURPOSE_LOOK);
    struct look look = { .texture_key = (guint32)rng_next(&r) };
    double from = rng_between(&r, 0, 2 * G_PI), warmth = rng_between(&r, -.05, .05);
    look.shift_x = rng_between(&r, 0, 8);
    look.shift_y = rng_between(&r, 0, .1);
    look.zoom = rng_between(&r, .8, 1.15);
    look.turn = rng_between(&r, -.05, .05);
    look.light_x = cos(from);
    look.light_y = sin(from);
    look.falloff = rng_between(&r, .05, .3);
    look.tint[0] = 1 + warmth;
    look.tint[1] = 1;
    look.tint[2] = 1 - warmth;
    return look;
}

/* --- Background ------------------------------------------------------------------- */

static double channel(guint32 rgb, int index)
{
    return (double)(rgb >> (16 - 8 * index) & 255);
}

static guint32 mix(guint32 a, guint32 b, double weight)
{
    guint32 out = 0;
    for (int c = 0; c < 3; c++) {
        double value = channel(a, c) + weight * (channel(b, c) - channel(a, c));
        out = out << 8 | (guint32)lround(value);
    }
    return out;
}

static void paint_background(const struct scene *scene, const struct look *look,
                             cairo_surface_t *surface, int side)
{
    const struct word_background *b = &words_background[scene->background];
    const int stride = cairo_image_surface_get_stride(surface);
    guint8 *data = cairo_image_surface_get_data(surface);
    const double c = look->zoom * cos(look->turn), s = look->zoom * sin(look->turn);
    for (int j = 0; j < side; j++) {
        guint32 *row = (guint32 *)(void *)(data + (gsize)j * (gsize)stride);
        for (int i = 0; i < side; i++) {
            double x = (i + .5) / side, y = (j + .5) / side;
            double u = c * x - s * y + look->shift_x, v = s * x + c * y + look->shift_y;
            double weight = b->texture(look->texture_key, u, v);
            row[i] = mix(mix(b->top, b->bottom, y), b->accent, weight);
        }
    }
    cairo_surface_mark_dirty(surface);
}

/* --- Objects ---------------------------------------------------------------------- */

static void set_colour(cairo_t *cr, guint32 rgb, double alpha)
{
    cairo_set_source_rgba(cr, channel(rgb, 0) / 255, channel(rgb, 1) / 255,
                          channel(rgb, 2) / 255, alpha);
}

struct tile { const struct scene_object *object; double unit, x, y; };

static void tile_map(gconstpointer data, double *x, double *y)
{
    const struct tile *t = data;
    double u = t->unit * (t->x + *x), v = t->unit * (t->y + *y);
    double turn = t->object->pattern_turn;
    *x = u * cos(turn) - v * sin(turn);
    *y = u * sin(turn) + v * cos(turn);
    scene_object_map(t->object, x, y);
}

/* All tiles in one path, so that no seams show between them. */
static void fill_pattern(cairo_t *cr, const struct scene_object *o)
{
    const struct word_pattern *pattern = &words_pattern[o->pattern];
    double unit = pattern->unit * words_size[o->size].unit;
    int reach = (int)ceil(1.5 / unit);
    if (!*pattern->tile) {
        return;
    }
    for (int i = -reach; i < reach; i++) {
        for (int j = -reach; j < reach; j++) {
            struct tile tile = { o, unit, i, j };
            path_trace(cr, pattern->tile, tile_map, &tile);
        }
    }
    set_colour(cr, words_colour[o->colour].mark, 1);
    cairo_fill(cr);
}

/* Bright towards the light and dark away from it; weak, or white would turn grey. */
static void shade(cairo_t *cr, const struct scene_object *o, const struct look *look)
{
    double dx = o->radius * look->light_x, dy = o->radius * look->light_y;
    cairo_pattern_t *p = cairo_pattern_create_linear(o->x + dx, o->y + dy, o->x - dx,
                                                     o->y - dy);
    cairo_pattern_add_color_stop_rgba(p, 0, 1, 1, 1, .16);
    cairo_pattern_add_color_stop_rgba(p, .5, .5, .5, .5, 0);
    cairo_pattern_add_color_stop_rgba(p, 1, 0, 0, 0, .2);
    cairo_set_source(cr, p);
    cairo_paint(cr);
    cairo_pattern_destroy(p);
}

/* On the ground, away from the light: three faint copies for a soft edge. */
static void paint_shadow(cairo_t *cr, const struct scene_object *o,
                         const struct look *look)
{
    for (int i = 1; i <= 3; i++) {
        double far = (.03 + .035 * i) * o->radius;
        cairo_save(cr);
        cairo_translate(cr, -far * look->light_x, -far * look->light_y);
        path_trace(cr, words_shape[o->shape].outline, scene_object_map, o);
        cairo_restore(cr);
        cairo_set_source_rgba(cr, 0, 0, 0, .13);
        cairo_fill(cr);
    }
}

static void paint_object(cairo_t *cr, const struct scene_object *o,
                         const struct look *look)
{
    const struct word_shape *shape = &words_shape[o->shape];
    guint32 rgb = words_colour[o->colour].rgb;
    /* Black has no darker tone. */
    gboolean black = channel(rgb, 0) + channel(rgb, 1) + channel(rgb, 2) < 120;
    guint32 other = black ? mix(rgb, 0xffffff, .28) : mix(rgb, 0, .5);
    cairo_save(cr);
    path_trace(cr, shape->outline, scene_object_map, o);
    set_colour(cr, other, .85);
    cairo_set_line_width(cr, .06 * o->radius + .002);
    cairo_stroke_preserve(cr); /* what runs inside is painted over */
    set_colour(cr, rgb, 1);
    cairo_fill_preserve(cr);
    cairo_clip(cr);
    fill_pattern(cr, o);
    path_trace(cr, shape->details, scene_object_map, o);
    set_colour(cr, other, 1);
    cairo_fill(cr);
    shade(cr, o, look);
    cairo_restore(cr);
}

/* --- Light, blur and grain -------------------------------------------------------- */

/* out: F32 [side,side,3], 0 … 255. */
static void light(const struct scene *scene, const struct look *look,
                  cairo_surface_t *surface, int side, float *out)
{
    const int stride = cairo_image_surface_get_stride(surface);
    const guint8 *data = cairo_image_surface_get_data(surface);
    const double strength = words_condition[scene->condition].light;
    for (int j = 0; j < side; j++) {
        const void *line = data + (gsize)j * (gsize)stride;
        const guint32 *row = line;
        for (int i = 0; i < side; i++) {
            double x = 2 * (i + .5) / side - 1, y = 2 * (j + .5) / side - 1;
            double towards = x * look->light_x + y * look->light_y - x * x - y * y;
            double lit = strength * (1 + .35 * look->falloff * towards);
            for (int c = 0; c < 3; c++) {
                *out++ = (float)(channel(row[i], c) * lit * look->tint[c]);
            }
        }
    }
}

/* Convolves `lines` lines of `side` pixels with a symmetric kernel, [2 * reach + 1];
 * what is outside is as the edge. Steps are in floats. */
static void blur_lines(const float *in, float *out, int side, int line_step, int step,
                       const float *kernel, int reach)
{
    for (int line = 0; line < side; line++) {
        for (int i = 0; i < side; i++) {
            float sum[3] = { 0 };
            for (int k = -reach; k <= reach; k++) {
                int from = CLAMP(i + k, 0, side - 1);
                const float *p = in + line * line_step + from * step;
                for (int c = 0; c < 3; c++) {
                    sum[c] += kernel[k + reach] * p[c];
                }
            }
            for (int c = 0; c < 3; c++) {
                out[line * line_step + i * step + c] = sum[c];
            }
        }
    }
}

#define MAX_REACH 64

/* Gaussian of standard deviation `sigma_px`, in place; `work` is as large as
 * `pixels`. */
static void blur(float *pixels, float *work, int side, double sigma_px)
{
    float kernel[2 * MAX_REACH + 1];
    int reach = MIN((int)ceil(2.5 * sigma_px), MAX_REACH);
    double sum = 0;
    for (int k = -reach; k <= reach; k++) {
        kernel[k + reach] = (float)exp(-k * k / (2 * sigma_px * sigma_px));
        sum += kernel[k + reach];
    }
    for (int k = 0; k <= 2 * reach; k++) {
        kernel[k] = (float)(kernel[k] / sum);
    }
    blur_lines(pixels, work, side, 3 * side, 3, kernel, reach);
    blur_lines(work, pixels, side, 3, 3 * side, kernel, reach);
}

/* Near to Gaussian, of variance 1: the sum of eight bytes. */
static double bell(struct rng *r)
{
    guint64 bits = rng_next(r);
    int sum = 0;
    for (int i = 0; i < 8; i++) {
        sum += (int)(bits >> 8 * i & 255);
    }
    return (sum - 8 * 127.5) / (73.9 * 2.8284);
}

/* A grain is a part of the side and not a pixel, so that it is there at every size. */
#define GRAINS 80 /* along the side, at most one a pixel */

static void finish(const struct scene *scene, const float *pixels, int side,
                   guint8 *rgb)
{
    struct rng r = rng_new(scene->seed, scene->number, PURPOSE_GRAIN);
    const double strength = words_condition[scene->condition].grain;
    const int n = MIN(side, GRAINS);
    g_autofree float *grain = g_new(float, 3 * n * n);
    for (int i = 0; i < 3 * n * n; i += 3) {
        double common = .8 * bell(&r);
        for (int c = 0; c < 3; c++) {
            grain[i + c] = (float)(strength * (common + .6 * bell(&r)));
        }
    }
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            const float *g = grain + 3 * (y * n / side * n + x * n / side);
            for (int c = 0; c < 3; c++) {
                float value = *pixels++ + g[c];
                *rgb++ = (guint8)lroundf(CLAMP(value, 0, 255));
            }
        }
    }
}

gboolean paint_scene(const struct scene *scene, int side, guint8 *rgb, GError **error)
{
    const struct look look = choose_look(scene);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, side, side);
    cairo_status_t status = cairo_surface_status(surface);
    if (status == CAIRO_STATUS_SUCCESS) {
        paint_background(scene, &look, surface, side);
        cairo_t *cr = cairo_create(surface);
        cairo_scale(cr, side, side);
        for (int i = 0; i < scene->count; i++) {
            if (words_background[scene->background].shadows) {
                paint_shadow(cr, &scene->objects[i], &look);
            }
            paint_object(cr, &scene->objects[i], &look);
        }
        status = cairo_status(cr);
        cairo_destroy(cr);
        cairo_surface_flush(surface);
    }
    if (status != CAIRO_STATUS_SUCCESS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "a picture of %d px was not "
                    "painted: %s", side, cairo_status_to_string(status));
        cairo_surface_destroy(surface);
        return FALSE;
    }
    gsize count = 3 * (gsize)side * (gsize)side;
    g_autofree float *pixels = g_new(float, count), *work = g_new(float, count);
    light(scene, &look, surface, side, pixels);
    blur(pixels, work, side, words_condition[scene->condition].blur * side);
    finish(scene, pixels, side, rgb);
    cairo_surface_destroy(surface);
    return TRUE;
}
