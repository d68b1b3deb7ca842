#include "app/trust/contest.h"

#include "app/metrics/metrics.h"

#include <math.h>

/* Equal confidences are one rank: no order among them is any better. */
static double average_precision(const struct trust_pair *scores,
                                const struct trust_pair *verdicts, guint n)
{
    g_autofree float *values = g_new(float, n + 1);
    g_autofree gint8 *truth = g_new(gint8, n + 1);
    gsize decided = 0;
    guint accepted = 0;
    double result = NAN;
    for (guint i = 0; i < n; i++) {
        if (verdicts[i].verdict != 0) {
            values[decided] = scores[i].confidence;
            truth[decided++] = verdicts[i].verdict > 0 ? TRUTH_POSITIVE : TRUTH_NEGATIVE;
            accepted += verdicts[i].verdict > 0;
        }
    }
    if (accepted > 0
        && !metrics_average_precision(values, truth, decided, METRICS_TIES_TOGETHER, 0,
                                      &result)) {
        result = NAN;
    }
    return result;
}

void trust_hold_contest(const struct trust_pair *a, const struct trust_pair *b, guint n,
                        struct trust_contest *out)
{
    trust_compare(a, b, n, &out->comparison);
    out->precision[0] = average_precision(a, a, n);
    out->precision[1] = average_precision(b, a, n);
    const struct trust_comparison *c = &out->comparison;
    out->better = isnan(c->difference) ? 0 : c->interval.low > 0 ? 1
                                         : c->interval.high < 0 ? 2 : 0;
}
