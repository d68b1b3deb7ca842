/* Pictures of shares: precision and recall, calibration, labels together. */
#include "app/look/chart_private.h"

#include <math.h>

#define BLUE 2 /* the series of what a model says */

static void set_shares(ChartFrame *f)
{
    double em = f->style->text;
    f->top += 1.8 * em;
    f->bottom -= 3.4 * em;
    f->left += 4 * em;
    f->right -= 1.5 * em; /* half of the last number */
    f->most_x = f->most_y = 1;
    f->shares = f->shares_x = TRUE;
}

static void draw_dot(const ChartFrame *f, double x, double y, guint series)
{
    double r = 0.32 * f->style->text, xy[24];
    CanvasColour colour = chart_colour(f->style, CHART_SERIES + series);
    for (int i = 0; i < 12; i++) {
        xy[2 * i] = chart_x(f, x) + r * cos(i * G_PI / 6);
        xy[2 * i + 1] = chart_y(f, y) + r * sin(i * G_PI / 6);
    }
    f->canvas->area(f->canvas, xy, 12, &colour);
}

/* --- Precision and recall ----------------------------------------------------------------- */

enum { THRESHOLD, PRECISION, RECALL, LOW, HIGH };

static void draw_band(const ChartFrame *f, const LookTable *table, guint rows)
{
    g_autofree double *xy = g_new(double, 4 * rows);
    CanvasColour colour = chart_colour(f->style, CHART_SERIES + BLUE);
    colour.alpha = 0.2;
    for (guint row = 0; row < rows; row++) {
        double x = chart_x(f, look_value(table, row, RECALL));
        guint back = 2 * rows - 1 - row;
        xy[2 * row] = xy[2 * back] = x;
        xy[2 * row + 1] = chart_y(f, look_value(table, row, HIGH));
        xy[2 * back + 1] = chart_y(f, look_value(table, row, LOW));
    }
    f->canvas->area(f->canvas, xy, 2 * rows, &colour);
}

/* A threshold stands at the last point that reaches it, where there is room. */
static void draw_thresholds(const ChartFrame *f, const LookTable *table, guint rows)
{
    static const double marks[] = { 0.9, 0.7, 0.5, 0.3, 0.1 };
    double em = f->style->text, before = -INFINITY;
    for (gsize m = 0; m < G_N_ELEMENTS(marks); m++) {
        guint row = 0;
        while (row < rows && look_value(table, row, THRESHOLD) >= marks[m]) {
            row++;
        }
        double x = row ? look_value(table, row - 1, RECALL) : 0;
        double y = row ? look_value(table, row - 1, PRECISION) : 0;
        if (row && chart_x(f, x) - before > 3 * em) {
            char text[G_ASCII_DTOSTR_BUF_SIZE];
            g_ascii_formatd(text, sizeof text, "%.1f", marks[m]);
            draw_dot(f, x, y, BLUE);
            chart_text(f, MIN(chart_x(f, x), f->right - em), chart_y(f, y) + 1.7 * em,
                       CANVAS_MIDDLE, CHART_TEXT, text);
            before = chart_x(f, x);
        }
    }
}

void chart_precision(const ChartFrame *area, const LookTable *table)
{
    guint rows = look_n_rows(table);
    g_autofree double *xy = g_new(double, 2 * rows);
    CanvasColour colour = chart_colour(area->style, CHART_SERIES + BLUE);
    ChartFrame f = *area;
    set_shares(&f);
    chart_axis_y(&f, table->y_name);
    chart_axis_x(&f, table->x_name);
    for (guint row = 0; row < rows; row++) {
        xy[2 * row] = look_value(table, row, RECALL);
        xy[2 * row + 1] = look_value(table, row, PRECISION);
    }
    draw_band(&f, table, rows);
    chart_curve(&f, xy, rows, 2, CANVAS_SOLID, &colour);
    draw_thresholds(&f, table, rows);
}

/* --- Calibration -------------------------------------------------------------------------- */

enum { MEAN = 2, SHARE, LEAST, MOST, FITTED };

static void draw_whisker(const ChartFrame *f, double x, double low, double high)
{
    CanvasColour colour = chart_colour(f->style, CHART_SERIES + BLUE);
    double at = chart_x(f, x), top = chart_y(f, high), bottom = chart_y(f, low), end = 4;
    const double lines[3][4] = { { at, top, at, bottom },
                                 { at - end, top, at + end, top },
                                 { at - end, bottom, at + end, bottom } };
    for (int i = 0; i < 3; i++) {
        f->canvas->line(f->canvas, lines[i], 2, 1.5, CANVAS_SOLID, &colour);
    }
}

void chart_calibration(const ChartFrame *area, const LookTable *table)
{
    static const double diagonal[] = { 0, 0, 1, 1 };
    guint rows = look_n_rows(table);
    g_autofree double *fitted = g_new(double, 2 * rows);
    CanvasColour faint = chart_colour(area->style, CHART_FAINT_TEXT);
    ChartFrame f = *area;
    set_shares(&f);
    chart_axis_y(&f, table->y_name);
    chart_axis_x(&f, table->x_name);
    chart_curve(&f, diagonal, 2, 1, CANVAS_DASHED, &faint);
    for (guint row = 0; row < rows; row++) {
        double x = look_value(table, row, MEAN);
        fitted[2 * row] = x;
        fitted[2 * row + 1] = look_value(table, row, FITTED);
        draw_whisker(&f, x, look_value(table, row, LEAST), look_value(table, row, MOST));
        draw_dot(&f, x, look_value(table, row, SHARE), BLUE);
    }
    CanvasColour curve = chart_colour(f.style, CHART_SERIES + 1);
    chart_curve(&f, fitted, rows, 1.5, CANVAS_DOTTED, &curve);
    chart_text(&f, f.right, f.top - 0.9 * f.style->text, CANVAS_END, CHART_FAINT_TEXT,
               look_column(table, FITTED)->name);
    const double key[] = { f.right, f.top - 0.4 * f.style->text,
                           f.right - 6 * f.style->text, f.top - 0.4 * f.style->text };
    f.canvas->line(f.canvas, key, 2, 1.5, CANVAS_DOTTED, &curve);
}

/* --- Together ----------------------------------------------------------------------------- */

static CanvasColour mix(const ChartStyle *style, double share)
{
    CanvasColour full = chart_colour(style, CHART_SERIES + BLUE);
    CanvasColour none = style->dark ? (CanvasColour){ .15, .15, .15, 1 }
                                    : (CanvasColour){ .96, .96, .96, 1 };
    return (CanvasColour){ none.red + share * (full.red - none.red),
                           none.green + share * (full.green - none.green),
                           none.blue + share * (full.blue - none.blue), 1 };
}

/* The number is written where it fits, in what contrasts. */
static void draw_square(const ChartFrame *f, const LookTable *table, guint row, guint column,
                        double side)
{
    double whole = look_value(table, row, row + 1), value = look_value(table, row, column + 1);
    double share = whole > 0 ? CLAMP(value / whole, 0, 1) : 0, size = f->style->text;
    double x = f->left + column * side, y = f->top + row * side;
    const double corners[] = { x, y, x + side - 1, y, x + side - 1, y + side - 1, x,
                               y + side - 1 };
    CanvasColour colour = mix(f->style, share);
    double bright = 0.3 * colour.red + 0.59 * colour.green + 0.11 * colour.blue;
    double ink = bright > 0.5 ? 0.1 : 1;
    CanvasText how = { .size = size, .anchor = CANVAS_MIDDLE, .strong = row == column,
                       .colour = { ink, ink, ink, 1 } };
    g_autofree char *text = look_cell(table, row, column + 1);
    double needed = f->canvas->width(f->canvas, &how, text) + 0.4 * size;
    how.size = MIN(size, size * side / needed);
    f->canvas->area(f->canvas, corners, 4, &colour);
    if (how.size > 0.55 * size && side > size) {
        f->canvas->text(f->canvas, x + (side - 1) / 2, y + side / 2 + 0.35 * how.size, &how, text);
    }
}

void chart_together(const ChartFrame *area, const LookTable *table)
{
    guint n = look_n_rows(table);
    double em = area->style->text, names = 0.25 * (area->right - area->left);
    ChartFrame f = *area;
    f.left += names;
    f.top += MIN(10 * em, 0.3 * (f.bottom - f.top));
    double side = MIN(MIN((f.right - f.left) / n, (f.bottom - f.top) / n), 4 * em);
    CanvasText up = { .size = MIN(em, 0.95 * side), .turned = TRUE,
                      .colour = chart_colour(f.style, CHART_TEXT) };
    for (guint row = 0; row < n; row++) {
        g_autofree char *beside = chart_shorten(&f, look_text(table, row, 0), names - em);
        g_autofree char *above =
            chart_shorten(&f, look_text(table, row, 0), f.top - area->top - em);
        CanvasText how = { .size = up.size, .anchor = CANVAS_END, .colour = up.colour };
        double middle = (row + 0.5) * side + 0.35 * up.size;
        f.canvas->text(f.canvas, f.left - 0.5 * em, f.top + middle, &how, beside);
        f.canvas->text(f.canvas, f.left + middle, f.top - 0.5 * em, &up, above);
        for (guint column = 0; column < n; column++) {
            draw_square(&f, table, row, column, side);
        }
    }
}
