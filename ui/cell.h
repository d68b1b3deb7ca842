/* A cell of the grid: thumbnail, name and the strongest labels of an image. */
#pragma once

#include "app/workspace/workspace.h"
#include "ui/thumbnails.h"

G_BEGIN_DECLS

#define TL_TYPE_CELL (tl_cell_get_type())
G_DECLARE_FINAL_TYPE(TlCell, tl_cell, TL, CELL, GtkBox)

GtkWidget *tl_cell_new(TlWorkspace *workspace, TlThumbnails *thumbnails);
/* NULL for none. */
void tl_cell_set_image(TlCell *self, TlImage *image);
/* In a strip the picture alone is shown. */
void tl_cell_set_strip(TlCell *self, gboolean strip);
TlImage *tl_cell_image(TlCell *self); /* borrowed */
/* Shows the confidences and decisions as they are now. */
void tl_cell_update(TlCell *self);

G_END_DECLS
