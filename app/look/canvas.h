/* What charts are drawn on: an SVG document (canvas_svg.c) or a widget (ui/canvas.c). Only
 * what charts need; lengths in px from the top left corner, one thread at a time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct { double red, green, blue, alpha; } CanvasColour; /* 0..1 */

typedef enum { CANVAS_SOLID, CANVAS_DASHED, CANVAS_DOTTED } CanvasDash;
typedef enum { CANVAS_START, CANVAS_MIDDLE, CANVAS_END } CanvasAnchor;

typedef struct {
    double size;           /* px */
    CanvasAnchor anchor;   /* which part of the text stands at the point */
    gboolean strong, turned; /* turned: reads upwards */
    CanvasColour colour;
} CanvasText;

typedef struct Canvas Canvas;
struct Canvas {
    /* xy: [2 n] corners; the inside is filled. */
    void (*area)(Canvas *self, const double *xy, guint n, const CanvasColour *colour);
    /* xy: [2 n] points of a line through all of them. */
    void (*line)(Canvas *self, const double *xy, guint n, double width, CanvasDash dash,
                 const CanvasColour *colour);
    /* x, y: on the text's base line. */
    void (*text)(Canvas *self, double x, double y, const CanvasText *how, const char *text);
    /* How wide it will be, px. */
    double (*width)(Canvas *self, const CanvasText *how, const char *text);
};

/* A document of that size; title and description are for who cannot see it. */
Canvas *canvas_svg_new(double width, double height, const char *title,
                       const char *description);
/* Ends it: the document, to be freed; the canvas is gone. */
char *canvas_svg_finish(Canvas *canvas);

G_END_DECLS
