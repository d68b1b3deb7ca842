/* Charts: axes with round numbers, bars, curves, squares, drawn on a canvas.
 *
 * What a colour tells is told by something else too: by hatching, a dash, a number or a
 * place. The colours are those of Okabe and Ito, which colour-blind people tell apart.
 * Plain arithmetic; one thread at a time. */
#pragma once

#include "app/look/canvas.h"
#include "app/look/look.h"

G_BEGIN_DECLS

typedef struct {
    double text;     /* size of texts, px; all else follows */
    gboolean dark;   /* light on dark */
} ChartStyle;

#define CHART_SVG_STYLE ((ChartStyle){ 12, FALSE })

/* Draws a table into 0..width, 0..height. One without rows is drawn as its title and note. */
void chart_draw(const LookTable *table, Canvas *canvas, double width, double height,
                const ChartStyle *style);
/* Which height is best at that width, px. */
double chart_height(const LookTable *table, double width, const ChartStyle *style);

/* --- Parts ------------------------------------------------------------------------------ */

typedef enum {
    CHART_TEXT, CHART_FAINT_TEXT, CHART_GRID,
    CHART_SERIES /* and those behind it: of the series, round and round */
} ChartColour;
#define CHART_N_SERIES 7

CanvasColour chart_colour(const ChartStyle *style, guint colour);
/* 1, 2 or 5 times a power of ten, so that about `count` of them make `range`; 1 for what is
 * no range. */
double chart_step(double range, guint count);

/* A rectangle with axes. y grows upwards. */
typedef struct {
    Canvas *canvas;
    const ChartStyle *style;
    double left, top, right, bottom;         /* px */
    double least_x, most_x, least_y, most_y; /* values at the ends of the axes */
    gboolean shares;                         /* numbers of y are per cent */
    gboolean shares_x;
} ChartFrame;

double chart_x(const ChartFrame *frame, double x); /* px */
double chart_y(const ChartFrame *frame, double y);
/* Lines and numbers of y, with its name above; numbers of x are for CHART_X below. */
void chart_axis_y(const ChartFrame *frame, const char *name);
void chart_axis_x(const ChartFrame *frame, const char *name);
/* A curve through xy, [2 n] values; width: px. */
void chart_curve(const ChartFrame *frame, const double *xy, guint n, double width,
                 CanvasDash dash, const CanvasColour *colour);
/* The rectangle between two corners, px, in the series' colour and hatching. */
void chart_bar(const ChartFrame *frame, double x1, double y1, double x2, double y2,
               guint series);
/* Names of series in a row from (x, y) on; series [n]. Returns the height it took. */
double chart_legend(const ChartFrame *frame, double x, double y, double width,
                    const char *const *names, const guint *series, guint n);
void chart_text(const ChartFrame *frame, double x, double y, CanvasAnchor anchor,
                ChartColour colour, const char *text);
/* The text, or its beginning with "…" where it is wider than that; to be freed. */
char *chart_shorten(const ChartFrame *frame, const char *text, double width);

G_END_DECLS
