/* The window that lists the keys. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

GtkShortcutsWindow *shortcuts_new(void);

G_END_DECLS
