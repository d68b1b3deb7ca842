/* The window that shows what the database holds, as charts and as tables. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows it over `parent`. label: the one that views about a label begin with; NULL: the
 * first. */
void look_show(GtkWindow *parent, TlWorkspace *workspace, const char *label);

G_END_DECLS
