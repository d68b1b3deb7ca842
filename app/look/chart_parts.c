/* The parts of which charts are made. */
#include "app/look/chart.h"

#include <math.h>
#include <string.h>

/* --- Colours ------------------------------------------------------------------------------ */

#define RGB(hex) { ((hex) >> 16 & 255) / 255., ((hex) >> 8 & 255) / 255., ((hex) & 255) / 255., 1 }

static const CanvasColour light[] = {
    RGB(0x303030), RGB(0x606060), RGB(0xd8d8d8),
    RGB(0x009e73), RGB(0xd55e00), RGB(0x0072b2), RGB(0x8a8a8a), RGB(0xcc79a7), RGB(0xe69f00),
    RGB(0x56b4e9) };
static const CanvasColour dark[] = {
    RGB(0xf0f0f0), RGB(0xb8b8b8), RGB(0x505050),
    RGB(0x2cc79b), RGB(0xff8b3d), RGB(0x5aaef0), RGB(0xa8a8a8), RGB(0xe39bc4), RGB(0xf5b942),
    RGB(0x8fd0f5) };

CanvasColour chart_colour(const ChartStyle *style, guint colour)
{
    guint at = colour < CHART_SERIES
                   ? colour : CHART_SERIES + (colour - CHART_SERIES) % CHART_N_SERIES;
    return style->dark ? dark[at] : light[at];
}

/* --- Texts -------------------------------------------------------------------------------- */

static CanvasText text_style(const ChartFrame *frame, CanvasAnchor anchor, ChartColour colour)
{
    return (CanvasText){ .size = frame->style->text, .anchor = anchor,
                         .colour = chart_colour(frame->style, colour) };
}

void chart_text(const ChartFrame *frame, double x, double y, CanvasAnchor anchor,
                ChartColour colour, const char *text)
{
    CanvasText how = text_style(frame, anchor, colour);
    frame->canvas->text(frame->canvas, x, y, &how, text);
}

char *chart_shorten(const ChartFrame *frame, const char *text, double width)
{
    CanvasText how = text_style(frame, CANVAS_START, CHART_TEXT);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_strdelimit(valid, "\n\r\t", ' ');
    glong n = MIN(g_utf8_strlen(valid, -1), 400);
    g_autofree char *begin = g_utf8_substring(valid, 0, n);
    if (strcmp(begin, valid) == 0 && frame->canvas->width(frame->canvas, &how, valid) <= width) {
        return g_steal_pointer(&valid);
    }
    while (--n > 0) {
        g_autofree char *part = g_utf8_substring(valid, 0, n);
        char *cut = g_strconcat(g_strchomp(part), "…", NULL);
        if (frame->canvas->width(frame->canvas, &how, cut) <= width) {
            return cut;
        }
        g_free(cut);
    }
    return g_strdup("…");
}

/* --- Axes --------------------------------------------------------------------------------- */

double chart_step(double range, guint count)
{
    if (!isnormal(range) || range < 0 || count == 0) {
        return 1;
    }
    double raw = range / count, power = pow(10, floor(log10(raw))), share = raw / power;
    return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

static double along(double value, double least, double most)
{
    return most > least && isfinite(value) ? CLAMP((value - least) / (most - least), 0, 1) : 0;
}

double chart_x(const ChartFrame *f, double x)
{
    return f->left + (f->right - f->left) * along(x, f->least_x, f->most_x);
}

double chart_y(const ChartFrame *f, double y)
{
    return f->bottom - (f->bottom - f->top) * along(y, f->least_y, f->most_y);
}

static void format_number(char *text, gboolean share, double value)
{
    g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, share ? "%.4g" : "%.6g",
                    share ? 100 * value : value);
    if (share) {
        g_strlcat(text, " %", G_ASCII_DTOSTR_BUF_SIZE);
    }
}

static void grid_line(const ChartFrame *f, double x1, double y1, double x2, double y2)
{
    const double xy[] = { x1, y1, x2, y2 };
    CanvasColour colour = chart_colour(f->style, CHART_GRID);
    f->canvas->line(f->canvas, xy, 2, 1, CANVAS_SOLID, &colour);
}

void chart_axis_y(const ChartFrame *f, const char *name)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    double em = f->style->text, range = f->most_y - f->least_y;
    guint count = (guint)CLAMP((f->bottom - f->top) / (3 * em), 2, 8);
    double step = chart_step(range, count);
    step = f->shares ? step : MAX(step, range < 4 ? step : 1);
    for (double y = f->least_y; y <= f->most_y + 1e-6 * range; y += step) {
        grid_line(f, f->left, chart_y(f, y), f->right, chart_y(f, y));
        format_number(text, f->shares, fabs(y) < 1e-9 * range ? 0 : y);
        chart_text(f, f->left - 0.6 * em, chart_y(f, y) + 0.35 * em, CANVAS_END,
                   CHART_FAINT_TEXT, text);
    }
    if (name) {
        g_autofree char *fits = chart_shorten(f, name, f->right - 0.5 * em);
        chart_text(f, MIN(0.5 * em, f->left), f->top - 0.9 * em, CANVAS_START, CHART_TEXT, fits);
    }
}

void chart_axis_x(const ChartFrame *f, const char *name)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    double em = f->style->text, range = f->most_x - f->least_x;
    guint count = (guint)CLAMP((f->right - f->left) / (6 * em), 2, 10);
    double step = chart_step(range, count);
    for (double x = f->least_x; x <= f->most_x + 1e-6 * range; x += step) {
        grid_line(f, chart_x(f, x), f->bottom, chart_x(f, x), f->bottom + 0.4 * em);
        format_number(text, f->shares_x, fabs(x) < 1e-9 * range ? 0 : x);
        chart_text(f, chart_x(f, x), f->bottom + 1.5 * em, CANVAS_MIDDLE, CHART_FAINT_TEXT,
                   text);
    }
    if (name) {
        chart_text(f, (f->left + f->right) / 2, f->bottom + 3 * em, CANVAS_MIDDLE, CHART_TEXT,
                   name);
    }
}

/* --- Curves and bars ---------------------------------------------------------------------- */

void chart_curve(const ChartFrame *f, const double *xy, guint n, double width,
                 CanvasDash dash, const CanvasColour *colour)
{
    g_autofree double *px = g_new(double, 2 * n + 1);
    for (guint i = 0; i < n; i++) {
        px[2 * i] = chart_x(f, xy[2 * i]);
        px[2 * i + 1] = chart_y(f, xy[2 * i + 1]);
    }
    if (n > 0) {
        f->canvas->line(f->canvas, px, n, width, dash, colour);
    }
}

/* Lines across a rectangle, which rise (slope 1) or fall (-1): where y = slope x + c. */
static void hatch(const ChartFrame *f, double x1, double y1, double x2, double y2, int slope,
                  const CanvasColour *colour)
{
    double gap = MAX(0.55 * f->style->text, 3);
    double first = slope > 0 ? y1 - x2 : y1 + x1, last = slope > 0 ? y2 - x1 : y2 + x2;
    for (double c = ceil(first / gap) * gap; c < last; c += gap) {
        double from = slope > 0 ? MAX(x1, y1 - c) : MAX(x1, c - y2);
        double to = slope > 0 ? MIN(x2, y2 - c) : MIN(x2, c - y1);
        const double xy[] = { from, slope * from + c, to, slope * to + c };
        if (to > from) {
            f->canvas->line(f->canvas, xy, 2, 1, CANVAS_SOLID, colour);
        }
    }
}

/* The first series is plain, the second rises, the third falls, the fourth does both. */
void chart_bar(const ChartFrame *f, double x1, double y1, double x2, double y2, guint series)
{
    double left = MIN(x1, x2), right = MAX(x1, x2), top = MIN(y1, y2), bottom = MAX(y1, y2);
    const double corners[] = { left, top, right, top, right, bottom, left, bottom };
    CanvasColour colour = chart_colour(f->style, CHART_SERIES + series);
    CanvasColour paper = f->style->dark ? (CanvasColour){ 0, 0, 0, .6 }
                                        : (CanvasColour){ 1, 1, 1, .6 };
    if (right - left < 0.05 || bottom - top < 0.05) {
        return;
    }
    f->canvas->area(f->canvas, corners, 4, &colour);
    if (series % 4 == 1 || series % 4 == 3) {
        hatch(f, left, top, right, bottom, -1, &paper);
    }
    if (series % 4 >= 2) {
        hatch(f, left, top, right, bottom, 1, &paper);
    }
}

double chart_legend(const ChartFrame *f, double x, double y, double width,
                    const char *const *names, const guint *series, guint n)
{
    double em = f->style->text, at = x, line = y;
    CanvasText how = text_style(f, CANVAS_START, CHART_TEXT);
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = chart_shorten(f, names[i], MAX(width - 2.5 * em, 2 * em));
        double needed = 1.6 * em + f->canvas->width(f->canvas, &how, name) + 1.6 * em;
        if (at > x && at + needed - 1.6 * em > x + width) {
            at = x;
            line += 1.7 * em;
        }
        chart_bar(f, at, line, at + 1.1 * em, line + 1.1 * em, series[i]);
        chart_text(f, at + 1.6 * em, line + 0.95 * em, CANVAS_START, CHART_TEXT, name);
        at += needed;
    }
    return line + 1.7 * em - y;
}
