/* The list of labels beside the chosen image: confidence bars, accept and reject. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TL_TYPE_LABELS (tl_labels_get_type())
G_DECLARE_FINAL_TYPE(TlLabels, tl_labels, TL, LABELS, GtkBox)

GtkWidget *tl_labels_new(TlWorkspace *workspace);
/* The image whose confidences are shown; NULL for none. */
void tl_labels_set_image(TlLabels *self, TlImage *image);
/* Decides on the selected label; moves on to the next one. */
void tl_labels_decide(TlLabels *self, StoreVerdict verdict);
void tl_labels_focus_entry(TlLabels *self);

G_END_DECLS
