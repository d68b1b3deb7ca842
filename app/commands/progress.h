/* A line of progress on standard error, when that is a terminal; else nothing. */
#pragma once

#include "app/jobs/rate.h"

G_BEGIN_DECLS

struct progress {
    guint total;
    gint64 shown; /* µs */
    gboolean terminal, visible;
    struct rate rate;
};

struct progress progress_start(guint total);
/* Count, rate and time left; drawn at most ten times a second. */
void progress_show(struct progress *p, guint done);
/* Takes the line away, so that other text can be written. */
void progress_hide(struct progress *p);

G_END_DECLS
