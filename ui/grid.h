/* The grid of thumbnails: images in the workspace's order, each with its strongest labels.
 * One image is the present one; with others it may be selected. */
#pragma once

#include "app/workspace/workspace.h"
#include "ui/thumbnails.h"

G_BEGIN_DECLS

/* Signals: "current": another image is the present one, or none; "activate": a person wants
 * to see it large. */
#define TL_TYPE_GRID (tl_grid_get_type())
G_DECLARE_FINAL_TYPE(TlGrid, tl_grid, TL, GRID, GtkWidget)

GtkWidget *tl_grid_new(TlWorkspace *workspace, TlThumbnails *thumbnails);
TlImage *tl_grid_current(TlGrid *self); /* borrowed; NULL for none */
/* Of TlImage, to be freed; the present one when nothing else is selected. */
GPtrArray *tl_grid_selected(TlGrid *self);
/* Selects the image so many places on; stays where there is none. */
void tl_grid_move(TlGrid *self, int step);
/* Selects the next image that is open for a label; FALSE when none is. */
gboolean tl_grid_next_open(TlGrid *self, guint label);
/* Selects the images of these paths (of char *) that are in view, and shows the first; others
 * are selected no longer. Returns how many; with none all stays as it is. */
guint tl_grid_select(TlGrid *self, const GPtrArray *paths);
/* The keyboard goes to the present image. */
void tl_grid_focus(TlGrid *self);
/* One row along the bottom of a large picture, or the whole grid. */
void tl_grid_set_strip(TlGrid *self, gboolean strip);

G_END_DECLS
