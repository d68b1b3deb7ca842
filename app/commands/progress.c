#include "app/commands/progress.h"

#include <unistd.h>

struct progress progress_start(guint total)
{
    return (struct progress){ .total = total, .terminal = isatty(STDERR_FILENO) == 1,
                              .rate = rate_start(g_get_monotonic_time()) };
}

void progress_show(struct progress *p, guint done)
{
    gint64 now = g_get_monotonic_time();
    if (!p->terminal || (p->visible && now - p->shown < 100000)) {
        return;
    }
    double rate = rate_take(&p->rate, now, done);
    guint left = rate_seconds_left(rate, p->total - done);
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
