/* The window; the rest of ui/ is private to it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Runs the application until its last window closes; arguments are folders. */
int ui_main(int argc, char **argv);

G_END_DECLS
