#include "ui/canvas.h"

static void set_colour(cairo_t *cr, const CanvasColour *c)
{
    cairo_set_source_rgba(cr, c->red, c->green, c->blue, c->alpha);
}

static void trace(cairo_t *cr, const double *xy, guint n)
{
    cairo_new_path(cr);
    for (guint i = 0; i < n; i++) {
        cairo_line_to(cr, xy[2 * i], xy[2 * i + 1]);
    }
}

static void draw_area(Canvas *canvas, const double *xy, guint n, const CanvasColour *colour)
{
    cairo_t *cr = ((WidgetCanvas *)canvas)->cr;
    trace(cr, xy, n);
    set_colour(cr, colour);
    cairo_fill(cr);
}

static void draw_line(Canvas *canvas, const double *xy, guint n, double width,
                      CanvasDash dash, const CanvasColour *colour)
{
    static const double dashes[3][2] = { { 0 }, { 7, 4 }, { 2, 3 } };
    cairo_t *cr = ((WidgetCanvas *)canvas)->cr;
    trace(cr, xy, n);
    set_colour(cr, colour);
    cairo_set_line_width(cr, width);
    cairo_set_dash(cr, dashes[dash], dash == CANVAS_SOLID ? 0 : 2, 0);
    cairo_stroke(cr);
}

static void set_text(WidgetCanvas *self, const CanvasText *how, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    pango_font_description_set_absolute_size(self->font, how->size * PANGO_SCALE);
    pango_font_description_set_weight(self->font, how->strong ? PANGO_WEIGHT_BOLD
                                                              : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(self->layout, self->font);
    pango_layout_set_text(self->layout, valid, -1);
}

static double layout_width(WidgetCanvas *self)
{
    int width;
    pango_layout_get_size(self->layout, &width, NULL);
    return (double)width / PANGO_SCALE;
}

static void draw_text(Canvas *canvas, double x, double y, const CanvasText *how,
                      const char *text)
{
    WidgetCanvas *self = (WidgetCanvas *)canvas;
    set_text(self, how, text);
    double back = layout_width(self) * how->anchor / 2;
    double up = (double)pango_layout_get_baseline(self->layout) / PANGO_SCALE;
    cairo_save(self->cr);
    cairo_translate(self->cr, x, y);
    if (how->turned) {
        cairo_rotate(self->cr, -G_PI / 2);
    }
    cairo_move_to(self->cr, -back, -up);
    set_colour(self->cr, &how->colour);
    pango_cairo_show_layout(self->cr, self->layout);
    cairo_restore(self->cr);
}

static double measure(Canvas *canvas, const CanvasText *how, const char *text)
{
    set_text((WidgetCanvas *)canvas, how, text);
    return layout_width((WidgetCanvas *)canvas);
}

void widget_canvas_init(WidgetCanvas *self, GtkWidget *widget, cairo_t *cr)
{
    PangoContext *context = gtk_widget_get_pango_context(widget);
    self->canvas = (Canvas){ draw_area, draw_line, draw_text, measure };
    self->cr = cr;
    self->layout = pango_layout_new(context);
    self->font = pango_font_description_copy(pango_context_get_font_description(context));
    pango_layout_set_single_paragraph_mode(self->layout, TRUE);
}

void widget_canvas_finish(WidgetCanvas *self)
{
    g_clear_object(&self->layout);
    g_clear_pointer(&self->font, pango_font_description_free);
}

double widget_canvas_text_size(GtkWidget *widget)
{
    const PangoFontDescription *font =
        pango_context_get_font_description(gtk_widget_get_pango_context(widget));
    double size = (double)pango_font_description_get_size(font) / PANGO_SCALE;
    int dpi = 0; /* 1024ths */
    if (pango_font_description_get_size_is_absolute(font)) {
        return size;
    }
    g_object_get(gtk_widget_get_settings(widget), "gtk-xft-dpi", &dpi, NULL);
    return size * (dpi > 0 ? dpi / 1024. : 96) / 72;
}
