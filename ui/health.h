/* The window that looks for what is wrong with the images and decisions: the checks of
 * app/health. */
#pragma once

#include "ui/window.h"

G_BEGIN_DECLS

/* Shows it over the window, whose folder and database it checks; what is activated in it is
 * selected there. */
void health_show(TlWindow *parent);

G_END_DECLS
