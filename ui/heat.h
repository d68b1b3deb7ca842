/* Where the model looked for the chosen label, drawn over the picture: the rest is darker. */
#pragma once

#include "app/workspace/workspace.h"
#include "ui/viewer.h"

G_BEGIN_DECLS

/* Signal: "failed" (const char *): why nothing can be shown, for a person. */
#define TL_TYPE_HEAT (tl_heat_get_type())
G_DECLARE_FINAL_TYPE(TlHeat, tl_heat, TL, HEAT, GObject)

TlHeat *tl_heat_new(TlWorkspace *workspace, TlViewer *viewer);
void tl_heat_set_shown(TlHeat *self, gboolean shown);
/* Asks again where one is shown: for `image` (NULL: none) and a label's number. */
void tl_heat_set(TlHeat *self, TlImage *image, guint label);

G_END_DECLS
