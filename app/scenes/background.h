/* Textures of backgrounds: at a point of the unit square, how much of the background's
 * third colour shows, 0 … 1. `key` varies them from picture to picture. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

double texture_clouds(guint32 key, double x, double y);
double texture_stars(guint32 key, double x, double y);
double texture_streaks(guint32 key, double x, double y);
double texture_waves(guint32 key, double x, double y);
double texture_blades(guint32 key, double x, double y);
double texture_ripples(guint32 key, double x, double y);
double texture_drifts(guint32 key, double x, double y);
double texture_bricks(guint32 key, double x, double y);
double texture_boards(guint32 key, double x, double y);
double texture_squares(guint32 key, double x, double y);
double texture_stones(guint32 key, double x, double y);
double texture_trunks(guint32 key, double x, double y);

G_END_DECLS
