/* The list of labels beside the present image: confidence bars with keys, accept and reject,
 * and an entry for new ones. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Signals: "decide" (guint label, int verdict): a button was pressed; "label": another label
 * is the chosen one. */
#define TL_TYPE_LABELS (tl_labels_get_type())
G_DECLARE_FINAL_TYPE(TlLabels, tl_labels, TL, LABELS, GtkBox)

GtkWidget *tl_labels_new(TlWorkspace *workspace);
/* The image whose confidences are shown; NULL for none. */
void tl_labels_set_image(TlLabels *self, TlImage *image);
/* The chosen label, or G_MAXUINT. */
guint tl_labels_chosen(TlLabels *self);
void tl_labels_choose(TlLabels *self, guint label);
void tl_labels_focus_entry(TlLabels *self);

G_END_DECLS
