/* What the model in use knows, as it says itself: a line over the images, and all of it with
 * what can be done next. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shown for a model that says what it knows, until a person closes it for that model. */
GtkWidget *notice_new(TlWorkspace *workspace);
void notice_show_model(GtkWindow *parent, TlWorkspace *workspace);

G_END_DECLS
