/* The loss over the steps as an SVG picture: axes with round numbers, one line of the mean
 * of every few steps over a light one of the steps themselves. */
#include "app/trainer/train_log.h"

#include <math.h>

#define WIDTH 720
#define HEIGHT 400
#define LEFT 70
#define RIGHT 20
#define TOP 30
#define BOTTOM 50
#define POINTS 200    /* of the line of means */
#define FINE_POINTS 1500

struct chart {
    GString *out;
    double most_x, most_y; /* values at the ends of the axes, which begin at 0 */
};

/* Numbers of SVG have a point in any locale. */
static void put_number(GString *out, const char *format, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(out, g_ascii_formatd(text, sizeof text, format, value));
}

static double place_x(const struct chart *c, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * x / c->most_x;
}

static double place_y(const struct chart *c, double y)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * MIN(y, c->most_y) / c->most_y;
}

/* 1, 2 or 5 times a power of ten, so that about `count` of them make `range`. */
static double round_step(double range, int count)
{
    double raw = range / count, power = pow(10, floor(log10(raw))), share = raw / power;
    return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

static void put_line(struct chart *c, double x1, double y1, double x2, double y2)
{
    const double at[4] = { x1, y1, x2, y2 };
    static const char *const names[4] = { "x1", "y1", "x2", "y2" };
    g_string_append(c->out, "<line");
    for (int i = 0; i < 4; i++) {
        g_string_append_printf(c->out, " %s=\"", names[i]);
        put_number(c->out, "%.1f", at[i]);
        g_string_append_c(c->out, '"');
    }
    g_string_append(c->out, " stroke=\"#ddd\"/>\n");
}

static void put_text(struct chart *c, double x, double y, const char *anchor,
                     const char *text)
{
    g_string_append(c->out, "<text x=\"");
    put_number(c->out, "%.1f", x);
    g_string_append(c->out, "\" y=\"");
    put_number(c->out, "%.1f", y);
    g_string_append_printf(c->out, "\" text-anchor=\"%s\">%s</text>\n", anchor, text);
}

static void put_axes(struct chart *c)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    double step = round_step(c->most_y, 6);
    for (double y = 0; y <= c->most_y * 1.0001; y += step) {
        put_line(c, LEFT, place_y(c, y), WIDTH - RIGHT, place_y(c, y));
        put_text(c, LEFT - 8, place_y(c, y) + 4, "end",
                 g_ascii_formatd(text, sizeof text, "%.6g", y));
    }
    step = MAX(round_step(c->most_x, 8), 1);
    for (double x = 0; x <= c->most_x * 1.0001; x += step) {
        put_text(c, place_x(c, x), HEIGHT - BOTTOM + 18, "middle",
                 g_ascii_formatd(text, sizeof text, "%.0f", x));
    }
    put_text(c, LEFT + 0.5 * (WIDTH - LEFT - RIGHT), HEIGHT - 10, "middle", "step");
    put_text(c, LEFT - 8, TOP - 12, "end", "loss");
}

/* The mean loss of part `at` of `points`; *x is the step in its middle. */
static double mean_of(const struct train_log_row *rows, guint n, guint points, guint at,
                      double *x)
{
    guint first = (guint)((guint64)n * at / points);
    guint last = MAX((guint)((guint64)n * (at + 1) / points), first + 1);
    double sum = 0;
    for (guint i = first; i < last; i++) {
        sum += rows[i].loss;
    }
    *x = 0.5 * (double)(rows[first].step + rows[last - 1].step);
    return sum / (last - first);
}

static void put_curve(struct chart *c, const struct train_log_row *rows, guint n,
                      guint points, const char *style)
{
    points = MIN(points, n);
    g_string_append_printf(c->out, "<polyline fill=\"none\" %s points=\"", style);
    for (guint i = 0; i < points; i++) {
        double x, y = mean_of(rows, n, points, i, &x);
        put_number(c->out, "%.1f", place_x(c, x));
        g_string_append_c(c->out, ',');
        put_number(c->out, "%.1f ", place_y(c, y));
    }
    g_string_append(c->out, "\"/>\n");
}

char *train_log_draw(const struct train_log_row *rows, guint n)
{
    struct chart c = { g_string_new(NULL), 1, 0 };
    double x;
    for (guint i = 0; i < MIN(POINTS, n); i++) {
        c.most_y = MAX(c.most_y, mean_of(rows, n, MIN(POINTS, n), i, &x));
    }
    c.most_x = n > 0 ? (double)MAX(rows[n - 1].step, 1) : 1;
    c.most_y = isnormal(c.most_y) ? 1.05 * c.most_y : 1;
    g_string_append_printf(
        c.out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#444\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", WIDTH, HEIGHT, WIDTH,
        HEIGHT);
    put_axes(&c);
    put_curve(&c, rows, n, FINE_POINTS, "stroke=\"#b9d2ee\" stroke-width=\"1\"");
    put_curve(&c, rows, n, POINTS, "stroke=\"#1c5fa8\" stroke-width=\"2\"");
    g_string_append(c.out, "</svg>\n");
    return g_string_free(c.out, FALSE);
}
