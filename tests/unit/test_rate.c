/* Rates by hand: the last ten to twenty seconds count, and what was skipped before does
 * not. */
#include "app/jobs/rate.h"
#include "tests/check.h"

#define S 1000000LL

int main(void)
{
    struct rate r = rate_start(100 * S);
    REQUIRE(rate_take(&r, 100 * S, 0) < 1e-9 && rate_seconds_left(0, 10) == 0);
    REQUIRE(fabs(rate_take(&r, 102 * S, 10) - 5) < 1e-9);
    REQUIRE_INT(rate_seconds_left(5, 11), 2);
    /* A thousand that were done before are skipped at once, then it goes at 2 a second. */
    r = rate_start(0);
    REQUIRE(rate_take(&r, 1 * S, 1000) > 900);
    for (int second = 2; second <= 60; second++) {
        double rate = rate_take(&r, second * S, 1000 + 2 * (guint)(second - 1));
        REQUIRE(rate >= 0 && (second < 30 || fabs(rate - 2) < 1e-9));
    }
    REQUIRE_INT(rate_seconds_left(1e-300, 4000000000u), G_MAXINT);
    return 0;
}
