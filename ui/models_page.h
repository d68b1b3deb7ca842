/* The page of the preferences with the models that are installed. */
#pragma once

#include "app/workspace/workspace.h"

#include <adwaita.h>

G_BEGIN_DECLS

/* changed: called when a model came or went. */
AdwPreferencesPage *models_page_new(AdwPreferencesWindow *window, TlWorkspace *workspace,
                                    void (*changed)(gpointer data), gpointer data);

G_END_DECLS
