/* A table of app/look as a list that can be sorted by its columns. */
#pragma once

#include "app/look/look.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows `table`, which is borrowed until another one (or NULL) takes its place. */
void look_table_show(GtkColumnView *view, const LookTable *table);

G_END_DECLS
