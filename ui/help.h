/* The help: the pages of help/, in whatever shows them on this machine. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Where nothing shows them, says so and names what else there is. */
void help_show(GtkWindow *parent);

G_END_DECLS
