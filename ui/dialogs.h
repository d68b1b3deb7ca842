/* What windows over the main one have in common. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Modal over `parent`; Escape closes it. Its content and presenting it are the caller's. */
GtkWidget *dialogs_window_new(GtkWindow *parent, const char *title, int width, int height);

G_END_DECLS
