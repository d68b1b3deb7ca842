/* How the learning rate runs over the steps of a training. */
#ifndef TAGLIGHT_COMPUTE_SCHEDULE_H
#define TAGLIGHT_COMPUTE_SCHEDULE_H

#include <stdint.h>

struct train_rates { double lr, beta1; };

/* One cycle: a rise and a fall, both along a cosine, while Adam's first beta goes the
 * other way. The rise ends at step rise * steps - 1, the fall at steps - 1. */
struct train_cycle {
    double max_lr;      /* begins at max_lr / 25, ends at that / 1e4 */
    double rise;        /* share of the steps in 0..1, such as 0.2 */
    uint64_t steps;     /* at least 2 */
};

/* Rates of step `step`, counted from 0; those of the last one after the end. */
struct train_rates train_cycle_at(const struct train_cycle *cycle, uint64_t step);

#endif
