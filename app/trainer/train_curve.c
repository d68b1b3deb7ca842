/* The loss over the steps as an SVG picture: one line of the mean of every few steps over a
 * light one of the steps themselves. */
#include "app/look/chart.h"
#include "app/trainer/train_log.h"

#include <math.h>

#define WIDTH 720
#define HEIGHT 400
#define POINTS 200    /* of the line of means */
#define FINE_POINTS 1500

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

static void draw_curve(const ChartFrame *frame, const struct train_log_row *rows, guint n,
                       guint points, double width, const CanvasColour *colour)
{
    points = MIN(points, n);
    g_autofree double *xy = g_new(double, 2 * points + 1);
    for (guint i = 0; i < points; i++) {
        double x, y = mean_of(rows, n, points, i, &x);
        xy[2 * i] = x;
        xy[2 * i + 1] = y;
    }
    chart_curve(frame, xy, points, width, CANVAS_SOLID, colour);
}

char *train_log_draw(const struct train_log_row *rows, guint n)
{
    ChartStyle style = CHART_SVG_STYLE;
    CanvasColour strong = chart_colour(&style, CHART_SERIES + 2), light = strong;
    ChartFrame f = { .canvas = canvas_svg_new(WIDTH, HEIGHT, "loss over steps", ""),
                     .style = &style, .left = 70, .top = 30, .right = WIDTH - 20,
                     .bottom = HEIGHT - 50 };
    double x, most = 0;
    for (guint i = 0; i < MIN(POINTS, n); i++) {
        most = MAX(most, mean_of(rows, n, MIN(POINTS, n), i, &x));
    }
    light.alpha = 0.3;
    f.most_x = n > 0 ? (double)MAX(rows[n - 1].step, 1) : 1;
    f.most_y = isnormal(most) ? 1.05 * most : 1;
    chart_axis_y(&f, "loss");
    chart_axis_x(&f, "step");
    draw_curve(&f, rows, n, FINE_POINTS, 1, &light);
    draw_curve(&f, rows, n, POINTS, 2, &strong);
    return canvas_svg_finish(f.canvas);
}
