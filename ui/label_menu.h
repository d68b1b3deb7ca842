/* The menu of a label: its threshold, how far it can be trusted, what can be done with it. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A popover; of use while the label has that number. */
GtkWidget *label_menu_new(TlWorkspace *workspace, guint label);

G_END_DECLS
