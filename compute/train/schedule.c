#include "compute/train/schedule.h"

#include <math.h>

#define LOW_BETA 0.85
#define HIGH_BETA 0.95

/* From `from` to `to` along half a cosine; done runs from 0 to 1. */
static double ease(double from, double to, double done)
{
    return to + (from - to) / 2 * (1 + cos(M_PI * done));
}

struct train_rates train_cycle_at(const struct train_cycle *cycle, uint64_t step)
{
    double top = cycle->rise * (double)cycle->steps - 1, end = (double)cycle->steps - 1;
    double first = cycle->max_lr / 25, last = first / 1e4;
    double at = (double)step < end ? (double)step : end;
    if (at <= top) {
        double done = at / top;
        return (struct train_rates){ ease(first, cycle->max_lr, done),
                                     ease(HIGH_BETA, LOW_BETA, done) };
    }
    double begin = top > 0 ? top : 0;
    double done = end > begin ? (at - begin) / (end - begin) : 1;
    return (struct train_rates){ ease(cycle->max_lr, last, done),
                                 ease(LOW_BETA, HIGH_BETA, done) };
}
