#include "app/jobs/rate.h"

#define WINDOW_US 10000000

struct rate rate_start(gint64 now)
{
    return (struct rate){ { { now, 0 }, { now, 0 } } };
}

double rate_take(struct rate *r, gint64 now, guint done)
{
    if (now - r->marks[1].time > WINDOW_US) {
        r->marks[0] = r->marks[1];
        r->marks[1] = (struct rate_mark){ now, done };
    }
    double seconds = 1e-6 * (double)(now - r->marks[0].time);
    return seconds > 0 && done > r->marks[0].done ? (done - r->marks[0].done) / seconds : 0;
}

guint rate_seconds_left(double rate, guint left)
{
    return rate > 0 ? (guint)MIN(left / rate, G_MAXINT) : 0;
}
