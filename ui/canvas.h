/* The canvas of charts in a widget: Cairo, with texts by Pango, which finds letters of any
 * script. */
#pragma once

#include "app/look/canvas.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct {
    Canvas canvas; /* first */
    cairo_t *cr;
    PangoLayout *layout;
    PangoFontDescription *font;
} WidgetCanvas;

/* Borrows both; for one drawing. */
void widget_canvas_init(WidgetCanvas *self, GtkWidget *widget, cairo_t *cr);
void widget_canvas_finish(WidgetCanvas *self);
/* The size of the widget's texts, px. */
double widget_canvas_text_size(GtkWidget *widget);

G_END_DECLS
