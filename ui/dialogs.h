/* What windows over the main one have in common. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Escape and Ctrl+W close the window; the application's keys are for its own windows only. */
void dialogs_add_close_keys(GtkWindow *window);
/* Modal over `parent`, with those keys. Its content and presenting it are the caller's. */
GtkWidget *dialogs_window_new(GtkWindow *parent, const char *title, int width, int height);

G_END_DECLS
