/* The main window: a grid of thumbnails, the chosen image large, its labels. */
#pragma once

#include "app/workspace/workspace.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define TL_TYPE_WINDOW (tl_window_get_type())
G_DECLARE_FINAL_TYPE(TlWindow, tl_window, TL, WINDOW, AdwApplicationWindow)

TlWindow *tl_window_new(GtkApplication *app, TlWorkspace *workspace);
TlWorkspace *tl_window_workspace(TlWindow *self); /* borrowed */
void tl_window_open(TlWindow *self, const char *path);

G_END_DECLS
