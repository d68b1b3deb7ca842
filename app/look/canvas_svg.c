/* A canvas that writes SVG. Texts stay texts, so that they can be found, read aloud and
 * drawn by the viewer in any script; how wide they are is therefore an estimate. */
#include "app/look/canvas.h"

#include "app/formats/text.h"

#include <math.h>
#include <stdlib.h>

#define EM_WIDTH 0.56 /* of a letter in a common sans-serif, on average */

typedef struct {
    Canvas canvas;
    FILE *out;
    char *bytes;
    size_t size;
} SvgCanvas;

/* No exponents, no "nan": what cannot be a place is at the corner. */
static void put_place(FILE *out, double value)
{
    text_number(out, "%.1f", isfinite(value) ? CLAMP(value, -1e6, 1e6) : 0);
}

static void put_attribute(FILE *out, const char *name, double value)
{
    fprintf(out, " %s=\"", name);
    put_place(out, value);
    fputc('"', out);
}

static void put_points(FILE *out, const double *xy, guint n)
{
    fputs(" points=\"", out);
    for (guint i = 0; i < 2 * n; i++) {
        put_place(out, xy[i]);
        fputs(i + 1 == 2 * n ? "" : i % 2 ? " " : ",", out);
    }
    fputc('"', out);
}

static guint part(double value)
{
    return (guint)lrint(255 * CLAMP(value, 0, 1));
}

static void put_colour(FILE *out, const char *name, const CanvasColour *c)
{
    fprintf(out, " %s=\"#%02x%02x%02x\"", name, part(c->red), part(c->green), part(c->blue));
    if (c->alpha < 1) {
        fprintf(out, " %s-opacity=\"", name);
        text_number(out, "%.2f", c->alpha);
        fputc('"', out);
    }
}

static void draw_area(Canvas *canvas, const double *xy, guint n, const CanvasColour *colour)
{
    FILE *out = ((SvgCanvas *)canvas)->out;
    fputs("<polygon", out);
    put_colour(out, "fill", colour);
    put_points(out, xy, n);
    fputs("/>\n", out);
}

static void draw_line(Canvas *canvas, const double *xy, guint n, double width,
                      CanvasDash dash, const CanvasColour *colour)
{
    static const char *const dashes[] = { "", " stroke-dasharray=\"7 4\"",
                                          " stroke-dasharray=\"2 3\"" };
    FILE *out = ((SvgCanvas *)canvas)->out;
    fputs("<polyline fill=\"none\"", out);
    put_colour(out, "stroke", colour);
    put_attribute(out, "stroke-width", width);
    fputs(dashes[dash], out);
    put_points(out, xy, n);
    fputs("/>\n", out);
}

static void draw_text(Canvas *canvas, double x, double y, const CanvasText *how,
                      const char *text)
{
    static const char *const anchors[] = { "start", "middle", "end" };
    FILE *out = ((SvgCanvas *)canvas)->out;
    fputs("<text", out);
    put_attribute(out, "x", x);
    put_attribute(out, "y", y);
    put_attribute(out, "font-size", how->size);
    put_colour(out, "fill", &how->colour);
    fprintf(out, " text-anchor=\"%s\"%s", anchors[how->anchor],
            how->strong ? " font-weight=\"bold\"" : "");
    if (how->turned) {
        fputs(" transform=\"rotate(-90 ", out);
        put_place(out, x);
        fputc(' ', out);
        put_place(out, y);
        fputs(")\"", out);
    }
    fputc('>', out);
    text_xml(out, text);
    fputs("</text>\n", out);
}

static double measure(Canvas *canvas, const CanvasText *how, const char *text)
{
    double ems = 0;
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        ems += g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 1 : EM_WIDTH;
    }
    return ems * how->size * (how->strong ? 1.1 : 1);
}

Canvas *canvas_svg_new(double width, double height, const char *title,
                       const char *description)
{
    SvgCanvas *self = g_new0(SvgCanvas, 1);
    self->canvas = (Canvas){ draw_area, draw_line, draw_text, measure };
    self->out = open_memstream(&self->bytes, &self->size);
    fprintf(self->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" role=\"img\">\n<title>",
            width, height, width, height);
    text_xml(self->out, title);
    fputs("</title>\n<desc>", self->out);
    text_xml(self->out, description);
    fputs("</desc>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n", self->out);
    return &self->canvas;
}

char *canvas_svg_finish(Canvas *canvas)
{
    SvgCanvas *self = (SvgCanvas *)canvas;
    fputs("</svg>\n", self->out);
    fclose(self->out);
    char *text = g_strndup(self->bytes, self->size);
    free(self->bytes);
    g_free(self);
    return text;
}
