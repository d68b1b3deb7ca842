/* The bar with the filter line: candidates while one types, and filters that were saved. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TL_TYPE_FIND (tl_find_get_type())
G_DECLARE_FINAL_TYPE(TlFind, tl_find, TL, FIND, GtkWidget)

GtkWidget *tl_find_new(TlWorkspace *workspace);
/* Shows the bar with the keyboard in it. */
void tl_find_start(TlFind *self);

G_END_DECLS
