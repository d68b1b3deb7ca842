#include "app/commands/progress.h"

#include <unistd.h>

#define WINDOW_US 10000000

struct progress progress_start(guint total)
{
    gint64 now = g_get_monotonic_time();
    return (struct progress){ .total = total, .terminal = isatty(STDERR_FILENO) == 1,
                              .marks = { { now, 0 }, { now, 0 } } };
}

/* Over the last ten to twenty seconds: what went before, quickly skipped perhaps, says
 * nothing of what is to come. */
static double rate_of(struct progress *p, gint64 now, guint done)
{
    if (now - p->marks[1].time > WINDOW_US) {
        p->marks[0] = p->marks[1];
        p->marks[1] = (struct progress_mark){ now, done };
    }
    double seconds = 1e-6 * (double)(now - p->marks[0].time);
    return seconds > 0 ? (done - p->marks[0].done) / seconds : 0;
}

void progress_show(struct progress *p, guint done)
{
    gint64 now = g_get_monotonic_time();
    if (!p->terminal || (p->visible && now - p->shown < 100000)) {
        return;
    }
    double rate = rate_of(p, now, done);
    guint left = rate > 0 ? (guint)((p->total - done) / rate) : 0;
    g_printerr("\r%u of %u, %.1f a second, %u:%02u left\033[K", done, p->total, rate,
               left / 60, left % 60);
    p->shown = now;
    p->visible = TRUE;
}

void progress_hide(struct progress *p)
{
    if (p->visible) {
        g_printerr("\r\033[K");
        p->visible = FALSE;
    }
}
