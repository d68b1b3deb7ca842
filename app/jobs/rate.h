/* How fast work goes, from how much of it was done when. For one thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct rate_mark { gint64 time; guint done; }; /* µs */
struct rate { struct rate_mark marks[2]; };

/* now: g_get_monotonic_time(). */
struct rate rate_start(gint64 now);
/* Items a second over the last ten to twenty seconds: what went before, quickly skipped
 * perhaps, says nothing of what is to come. 0 when nothing can be said. */
double rate_take(struct rate *r, gint64 now, guint done);
/* Seconds that `left` items take at `rate` a second; 0 when nothing can be said. */
guint rate_seconds_left(double rate, guint left);

G_END_DECLS
