/* Tagging a whole folder into the database from the window: what `taglight tag --db` does,
 * beside what the window shows. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows the dialog of that window, the same one while it has work. The work goes on when the
 * dialog is closed. */
void batch_show(GtkWindow *parent, TlWorkspace *workspace);
/* Ends what is under way and waits for it; what was done is kept. Before the program
 * exits. */
void batch_stop_all(void);

G_END_DECLS
