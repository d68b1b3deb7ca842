/* The buttons of the header bar that tune the model and go back to the one before. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A box for the header bar. It follows the workspace. */
GtkWidget *learn_buttons_new(TlWorkspace *workspace);

G_END_DECLS
