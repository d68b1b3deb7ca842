/* The window of preferences. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows it over `parent`; what is changed holds for `workspace` at once and for later
 * starts. */
void preferences_show(GtkWindow *parent, TlWorkspace *workspace);

G_END_DECLS
