/* The labels of the database: a list to search, and the chosen one to change. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

void manager_show(GtkWindow *parent, TlWorkspace *workspace);

G_END_DECLS
