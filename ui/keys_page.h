/* The page of the preferences where keys are chosen. */
#pragma once

#include "app/workspace/workspace.h"

#include <adwaita.h>

G_BEGIN_DECLS

/* For `window`, whose keys it takes while one is chosen; `parent` is the window that the keys
 * are for. */
AdwPreferencesPage *keys_page_new(AdwPreferencesWindow *window, GtkWindow *parent,
                                  TlWorkspace *workspace);

G_END_DECLS
