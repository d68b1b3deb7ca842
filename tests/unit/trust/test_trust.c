/* Calibration and thresholds against values that SciPy 1.10 gave for the same formulas. */
#include "app/trust/beta.h"
#include "app/trust/contest.h"
#include "app/trust/trust.h"
#include "tests/check.h"

static const struct trust_pair pairs[14] = {
    { .95f, 1 }, { .9f, 1 }, { .85f, 1 }, { .8f, -1 }, { .7f, 1 }, { .65f, 1 }, { .6f, -1 },
    { .5f, 1 }, { .4f, -1 }, { .35f, 1 }, { .3f, -1 }, { .2f, -1 }, { .1f, -1 },
    { .05f, -1 } };

#define PRECISION_OF_PAIRS ((3 + 4 / 5. + 5 / 6. + 6 / 8. + 7 / 10.) / 7)

static void test_beta(void)
{
    REQUIRE_NEAR(beta_below(.3, 2, 5), 0.579825, 1e-12);
    REQUIRE_NEAR(beta_below(.9, 59, 1), 0.00199667811101604, 1e-14);
    REQUIRE_NEAR(beta_below(.01, .5, .5), 0.0637685608585199, 1e-12);
    REQUIRE_NEAR(beta_below(.5, 1000, 1001), 0.508919505572463, 1e-11);
    REQUIRE_NEAR(beta_below(.95, 4900, 101) * 1e28, 2.80616699628968, 1e-8);
    REQUIRE_NEAR(beta_below(0, 2, 5), 0, 0);
    REQUIRE_NEAR(beta_below(1, 2, 5), 1, 0);
    REQUIRE_NEAR(beta_quantile(0.579825, 2, 5), .3, 1e-12);
}

static void test_share(void)
{
    static const struct { guint k, n; double low, high; } want[] = {
        { 0, 10, 0, 0.308497108 }, { 3, 10, 0.066739511, 0.652452850 },
        { 10, 10, 0.691502892, 1 }, { 59, 59, 0.939391099, 1 },
        { 95, 100, 0.887165089, 0.983568121 }, { 4321, 5000, 0.854391725, 0.873580897 } };
    for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
        struct trust_interval got = trust_share(want[i].k, want[i].n);
        REQUIRE_NEAR(got.low, want[i].low, 1e-9);
        REQUIRE_NEAR(got.high, want[i].high, 1e-9);
    }
}

static void test_fit(void)
{
    struct trust_fit fit;
    trust_fit(pairs, 14, &fit);
    REQUIRE_NEAR(fit.slope, 1.111904261, 1e-7);
    REQUIRE_NEAR(fit.offset, -0.152424668, 1e-7);
    REQUIRE_NEAR(fit.covariance[0], 0.267177307, 1e-7);
    REQUIRE_NEAR(fit.covariance[1], -0.040123832, 1e-7);
    REQUIRE_NEAR(fit.covariance[2], 0.413957202, 1e-7);
    REQUIRE(fit.accepted == 7 && fit.rejected == 7);
    struct trust_interval i = trust_probability_interval(&fit, .75);
    REQUIRE_NEAR(trust_probability(&fit, .75), 0.744430863, 1e-8);
    REQUIRE_NEAR(i.low, 0.375442810, 1e-7);
    REQUIRE_NEAR(i.high, 0.933837635, 1e-7);
}

/* Decisions that say little, or nothing, or all the same, leave no infinity. */
static void test_fit_of_little(void)
{
    struct trust_fit fit;
    trust_fit(pairs, 0, &fit);
    REQUIRE_NEAR(fit.slope, 1, 0);
    REQUIRE_NEAR(trust_probability(&fit, .3), .3, 1e-12);
    struct trust_pair open = { .9f, 0 }, sure[1000];
    trust_fit(&open, 1, &fit);
    REQUIRE_NEAR(trust_probability(&fit, .3), .3, 1e-12);
    for (int i = 0; i < 1000; i++) {
        sure[i] = (struct trust_pair){ i % 2, i % 2 ? 1 : -1 };
    }
    trust_fit(sure, 1000, &fit);
    REQUIRE(isfinite(fit.slope) && isfinite(fit.offset) && isfinite(fit.covariance[0]));
    REQUIRE(trust_probability(&fit, 1) > .999 && trust_probability(&fit, 1) < 1);
    for (int i = 0; i < 1000; i++) {
        sure[i] = (struct trust_pair){ .4f, 1 };
    }
    trust_fit(sure, 1000, &fit);
    REQUIRE(trust_probability(&fit, .4) > .95 && trust_probability(&fit, .4) < 1);
    for (int i = 0; i < 1000; i++) {
        sure[i] = (struct trust_pair){ (float)i / 1000, i < 500 ? 1 : -1 };
    }
    trust_fit(sure, 1000, &fit); /* a model that is wrong all the time */
    REQUIRE(fit.slope < 0 && trust_probability(&fit, .9) < .1);
}

static void test_threshold(void)
{
    struct trust_pair many[400];
    struct trust_threshold t;
    /* The best 59 are all accepted, then every second one is. */
    for (int i = 0; i < 400; i++) {
        many[i] = (struct trust_pair){ 1 - (float)i / 400, i < 59 || i % 2 ? 1 : -1 };
    }
    trust_find_threshold(many, 400, .95, &t);
    REQUIRE(t.holds && t.more == 0);
    REQUIRE_INT(t.decided, 60); /* 59 is odd and accepted too */
    REQUIRE_INT(t.accepted, 60);
    REQUIRE_NEAR(t.threshold, many[59].confidence, 0);
    REQUIRE_NEAR(t.precision.high, 1, 0);
    trust_find_threshold(many, 400, .5, &t);
    REQUIRE(t.holds && t.decided > 300);
    trust_find_threshold(many, 58, .95, &t); /* one too few */
    REQUIRE(!t.holds);
    REQUIRE_INT(t.more, 1);
    REQUIRE_INT(t.decided, 58);
    for (int i = 0; i < 40; i++) {
        many[i] = (struct trust_pair){ .8f, i < 2 ? -1 : 1 };
    }
    trust_find_threshold(many, 40, .9, &t); /* 95 % of 40; 107 are needed */
    REQUIRE(!t.holds);
    REQUIRE_INT(t.more, 107 - 40);
    trust_find_threshold(many, 40, .97, &t); /* no number of such decisions would do */
    REQUIRE(!t.holds && t.decided == 40);
    REQUIRE_INT(t.more, -1);
    trust_find_threshold(many, 0, .9, &t);
    REQUIRE(!t.holds && isnan(t.threshold) && t.more == -1);
}

static void test_counts(void)
{
    struct trust_pair some[4] = { { .5f, 1 }, { .5f, -1 }, { .7f, 0 }, { .2f, 0 } };
    struct trust_counts c = trust_count(some, 4, .5);
    REQUIRE(c.accepted == 1 && c.rejected == 1 && c.undecided == 1);
}

static void test_separation(void)
{
    struct trust_separation s;
    trust_separation(pairs, 14, &s);
    REQUIRE_NEAR(s.area, 0.857142857, 1e-9);
    REQUIRE_NEAR(s.interval.low, 0.545636940, 1e-8);
    REQUIRE_NEAR(s.interval.high, 0.963775867, 1e-8);
    struct trust_pair perfect[10];
    for (int i = 0; i < 10; i++) {
        perfect[i] = (struct trust_pair){ i < 5 ? .9f : .1f, i < 5 ? 1 : -1 };
    }
    trust_separation(perfect, 10, &s);
    REQUIRE_NEAR(s.area, 1, 0);
    REQUIRE_NEAR(s.interval.low, 0.642702823931, 1e-9);
    REQUIRE_NEAR(s.interval.high, 1, 1e-12);
    trust_separation(perfect, 5, &s);
    REQUIRE(isnan(s.area) && s.accepted == 5 && s.rejected == 0);
}

static void test_comparison(void)
{
    static const float other[14] = { .5f, .9f, .4f, .8f, .7f, .2f, .6f, .5f, .4f, .35f, .7f,
                                     .2f, .1f, .5f };
    struct trust_pair b[14];
    struct trust_comparison c;
    for (int i = 0; i < 14; i++) {
        b[i] = (struct trust_pair){ other[i], 0 }; /* the verdicts are those of the first */
    }
    trust_compare(pairs, b, 14, &c);
    REQUIRE_NEAR(c.b.area, 0.520408163, 1e-9);
    REQUIRE_NEAR(c.difference, 0.336734694, 1e-9);
    REQUIRE_NEAR(c.interval.low, 0.052721134, 1e-8);
    REQUIRE_NEAR(c.interval.high, 0.620748254, 1e-8);
    trust_compare(pairs, pairs, 14, &c);
    REQUIRE_NEAR(c.difference, 0, 0);
    trust_compare(pairs, b, 4, &c); /* one rejected only */
    REQUIRE(isnan(c.difference) && c.interval.low == -1 && c.interval.high == 1);
}

/* The average precision of `pairs` is by hand: accepted ones stand at the ranks 1, 2, 3, 5,
 * 6, 8 and 10 of 14. The better one is found in either place. */
static void test_contest(void)
{
    struct trust_pair noise[14], open[15];
    struct trust_contest c;
    for (guint i = 0; i < 14; i++) {
        noise[i] = (struct trust_pair){ i % 2 ? .2f : .8f, pairs[i].verdict };
        open[i] = pairs[i];
    }
    open[14] = (struct trust_pair){ .99f, 0 };
    struct trust_pair both[15];
    memcpy(both, noise, sizeof noise);
    both[14] = open[14];
    trust_hold_contest(pairs, pairs, 14, &c);
    REQUIRE_NEAR(c.precision[0], PRECISION_OF_PAIRS, 1e-9);
    REQUIRE_INT(c.better, 0);
    trust_hold_contest(open, both, 15, &c); /* what is open counts for nothing */
    REQUIRE_NEAR(c.precision[0], PRECISION_OF_PAIRS, 1e-9);
    REQUIRE_INT(c.comparison.a.accepted + c.comparison.a.rejected, 14);
    struct trust_pair best[14], worst[14];
    for (guint i = 0; i < 14; i++) {
        float jitter = (float)i / 1000;
        best[i] = (struct trust_pair){ .5f + jitter + (pairs[i].verdict > 0 ? .3f : -.3f),
                                       pairs[i].verdict };
        worst[i] = (struct trust_pair){ 1 - best[i].confidence, pairs[i].verdict };
    }
    trust_hold_contest(best, noise, 14, &c);
    REQUIRE_INT(c.better, 1);
    REQUIRE_NEAR(c.precision[0], 1, 1e-9);
    trust_hold_contest(worst, best, 14, &c);
    REQUIRE_INT(c.better, 2);
    trust_hold_contest(best, worst, 1, &c);
    REQUIRE_INT(c.better, 0);
    REQUIRE(isnan(c.comparison.difference));
    trust_hold_contest(best, worst, 0, &c);
    REQUIRE(isnan(c.precision[0]) && isnan(c.precision[1]));
}

int main(void)
{
    test_beta();
    test_share();
    test_fit();
    test_fit_of_little();
    test_threshold();
    test_counts();
    test_separation();
    test_comparison();
    test_contest();
    return 0;
}
