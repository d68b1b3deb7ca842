/* Two wordings of a label side by side: how well each separates what was decided, and the
 * images that it puts first. */
#pragma once

#include "app/workspace/workspace.h"
#include "ui/thumbnails.h"

G_BEGIN_DECLS

void wordings_show(GtkWindow *parent, TlWorkspace *workspace, TlThumbnails *thumbnails,
                   guint label);

G_END_DECLS
