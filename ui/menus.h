/* The menus of the header bar. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The primary menu, with the folders that were opened of late. */
GtkWidget *menus_main_new(void);
/* Which images come, and in which order: action win.order. */
GtkWidget *menus_order_new(void);
/* Puts a folder among those that were opened of late. */
void menus_remember_folder(const char *path);

G_END_DECLS
