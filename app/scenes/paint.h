/* Scenes to pixels. */
#pragma once

#include "app/scenes/scene.h"

G_BEGIN_DECLS

/* rgb: U8 [side,side,3], tight rows, filled whole. The same scene and side give the
 * same bytes with one version of Cairo. FALSE with a message in `error` when there
 * is no memory for it. From any thread. */
gboolean paint_scene(const struct scene *scene, int side, guint8 *rgb, GError **error);

G_END_DECLS
