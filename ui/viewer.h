/* One picture, large: fitted, zoomed, moved and turned, with an overlay. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TL_TYPE_VIEWER (tl_viewer_get_type())
G_DECLARE_FINAL_TYPE(TlViewer, tl_viewer, TL, VIEWER, GtkWidget)

GtkWidget *tl_viewer_new(void);
/* Shows a file, fitted and upright, with `name` for a person; NULL for none. A small picture
 * of it, or NULL, is shown until the file is read. */
void tl_viewer_show(TlViewer *self, const char *path, const char *name, GdkTexture *small);
/* Drawn over a part of the picture, whose sides are 1; NULL for none. */
void tl_viewer_set_overlay(TlViewer *self, GdkTexture *overlay,
                           const graphene_rect_t *area);
/* Times what it is, about the middle; 0 fits the picture. */
void tl_viewer_zoom(TlViewer *self, double factor);
/* Quarter turns to the right; the file stays as it is. */
void tl_viewer_turn(TlViewer *self, int quarters);
/* Size of the picture as far as it is known, in pixels; FALSE when none is shown. */
gboolean tl_viewer_size(TlViewer *self, int *width, int *height);

G_END_DECLS
