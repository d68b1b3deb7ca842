/* Outlines written as text (words.def) to Cairo paths. */
#pragma once

#include <cairo.h>
#include <glib.h>

G_BEGIN_DECLS

/* Moves a point of the outline to where it is drawn. */
typedef void (*path_map)(gconstpointer data, double *x, double *y);

/* Adds the outline to the current path. FALSE when the text is not well formed; what
 * came before the fault has then been added. */
gboolean path_trace(cairo_t *cr, const char *outline, path_map map, gconstpointer data);

G_END_DECLS
