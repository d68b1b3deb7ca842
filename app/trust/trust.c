#include "app/trust/trust.h"

#include "app/trust/beta.h"

#include <math.h>
#include <stdlib.h>

#define NORMAL_975 1.959963984540054 /* the quantile of intervals that hold 95 % */
#define MOST_DECISIONS 1000000       /* nobody is asked for more */

/* --- Probability ----------------------------------------------------------------------- */

#define SLOPE_MEAN 1.0
#define SLOPE_PRECISION 1.0    /* 1 / variance of the prior */
#define OFFSET_PRECISION 0.25

static double logit(double p)
{
    p = CLAMP(p, 1e-6, 1 - 1e-6);
    return log(p / (1 - p));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* log(1 + exp(x)) without overflow. */
static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* What is made least: minus the logarithm of likelihood and priors. */
static double loss(const struct trust_pair *pairs, guint n, double a, double b)
{
    double sum = (a - SLOPE_MEAN) * (a - SLOPE_MEAN) * SLOPE_PRECISION / 2
                 + b * b * OFFSET_PRECISION / 2;
    for (guint i = 0; i < n; i++) {
        if (pairs[i].verdict != 0) {
            double x = a * logit(pairs[i].confidence) + b;
            sum += softplus(pairs[i].verdict > 0 ? -x : x);
        }
    }
    return sum;
}

/* The slope [2] of the loss and its curvature [3], as the covariance is stored. */
static void derive(const struct trust_pair *pairs, guint n, double a, double b, double *g,
                   double *h)
{
    g[0] = (a - SLOPE_MEAN) * SLOPE_PRECISION;
    g[1] = b * OFFSET_PRECISION;
    h[0] = SLOPE_PRECISION;
    h[1] = 0;
    h[2] = OFFSET_PRECISION;
    for (guint i = 0; i < n; i++) {
        if (pairs[i].verdict == 0) {
            continue;
        }
        double x = logit(pairs[i].confidence), p = sigmoid(a * x + b);
        double off = p - (pairs[i].verdict > 0), w = p * (1 - p);
        g[0] += off * x;
        g[1] += off;
        h[0] += w * x * x;
        h[1] += w * x;
        h[2] += w;
    }
}

/* Newton's method; the priors make the curvature positive everywhere, and a step that
 * would not help is halved. */
void trust_fit(const struct trust_pair *pairs, guint n, struct trust_fit *out)
{
    double a = SLOPE_MEAN, b = 0, g[2], h[3], now = loss(pairs, n, a, b), gain = 1;
    for (int step = 0; step < 100 && gain > 1e-13 * (1 + now); step++) {
        derive(pairs, n, a, b, g, h);
        double det = h[0] * h[2] - h[1] * h[1];
        double da = (h[2] * g[0] - h[1] * g[1]) / det, db = (h[0] * g[1] - h[1] * g[0]) / det;
        double factor = 1, then = loss(pairs, n, a - da, b - db);
        while (then > now && factor > 1e-9) {
            factor /= 2;
            then = loss(pairs, n, a - factor * da, b - factor * db);
        }
        gain = now - then;
        if (gain > 0) {
            a -= factor * da;
            b -= factor * db;
            now = then;
        }
    }
    derive(pairs, n, a, b, g, h);
    double det = h[0] * h[2] - h[1] * h[1];
    *out = (struct trust_fit){ a, b, { h[2] / det, -h[1] / det, h[0] / det }, 0, 0 };
    for (guint i = 0; i < n; i++) {
        out->accepted += pairs[i].verdict > 0;
        out->rejected += pairs[i].verdict < 0;
    }
}

double trust_probability(const struct trust_fit *fit, double confidence)
{
    return sigmoid(fit->slope * logit(confidence) + fit->offset);
}

struct trust_interval trust_probability_interval(const struct trust_fit *fit,
                                                 double confidence)
{
    double x = logit(confidence), middle = fit->slope * x + fit->offset;
    double variance = fit->covariance[0] * x * x + 2 * fit->covariance[1] * x
                      + fit->covariance[2];
    double half = NORMAL_975 * sqrt(variance);
    return (struct trust_interval){ sigmoid(middle - half), sigmoid(middle + half) };
}

/* --- Thresholds ------------------------------------------------------------------------- */

struct trust_counts trust_count(const struct trust_pair *pairs, guint n, double threshold)
{
    struct trust_counts c = { 0 };
    for (guint i = 0; i < n; i++) {
        gboolean above = pairs[i].confidence >= threshold;
        c.accepted += above && pairs[i].verdict > 0;
        c.rejected += above && pairs[i].verdict < 0;
        c.undecided += above && pairs[i].verdict == 0;
    }
    return c;
}

struct trust_interval trust_share(guint k, guint n)
{
    return (struct trust_interval){
        k == 0 ? 0 : beta_quantile(0.025, k, n - k + 1.0),
        k == n ? 1 : beta_quantile(0.975, k + 1.0, n - k) };
}

/* Whether the lower bound of k in n, one-sided with 95 %, is at least `precision`: so many
 * successes would then come in at most 5 % of cases were the share lower. */
static gboolean reaches(double k, double n, double precision)
{
    return k > 0 && beta_below(precision, k, n - k + 1) <= 0.05;
}

/* Decisions more at that rate until the bound reaches the precision; -1 when none would
 * do. */
static int count_missing(guint k, guint n, double precision)
{
    double rate = (double)k / n;
    if (rate <= precision || !reaches(rate * MOST_DECISIONS, MOST_DECISIONS, precision)) {
        return -1;
    }
    guint low = n, high = MOST_DECISIONS; /* the bound grows with n while the rate stays */
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (reaches(rate * middle, middle, precision)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return (int)(high - n);
}

static int highest_first(const void *left, const void *right)
{
    const struct trust_pair *a = left, *b = right;
    return a->confidence > b->confidence ? -1 : a->confidence < b->confidence;
}

/* The pairs that were decided, highest confidence first; *n of them, to be freed. */
static struct trust_pair *sort_decided(const struct trust_pair *pairs, guint all, guint *n)
{
    struct trust_pair *decided = g_new(struct trust_pair, MAX(all, 1));
    *n = 0;
    for (guint i = 0; i < all; i++) {
        if (pairs[i].verdict != 0) {
            decided[(*n)++] = pairs[i];
        }
    }
    qsort(decided, *n, sizeof *decided, highest_first);
    return decided;
}

/* Fewer decisions missing are better; where none would do, the higher share is. */
static gboolean is_nearer(const struct trust_threshold *a, const struct trust_threshold *b)
{
    if (b->decided == 0 || (a->more >= 0) != (b->more >= 0)) {
        return b->decided == 0 || a->more >= 0;
    }
    return a->more >= 0 ? a->more < b->more
                        : (double)a->accepted * b->decided > (double)b->accepted * a->decided;
}

void trust_find_threshold(const struct trust_pair *pairs, guint n, double precision,
                          struct trust_threshold *out)
{
    guint decided, accepted = 0;
    g_autofree struct trust_pair *sorted = sort_decided(pairs, n, &decided);
    struct trust_threshold best = { .threshold = NAN, .precision = { 0, 1 }, .more = -1 };
    for (guint i = 0; i < decided; i++) {
        accepted += sorted[i].verdict > 0;
        if (i + 1 < decided && sorted[i + 1].confidence == sorted[i].confidence) {
            continue; /* a threshold takes all of them or none */
        }
        struct trust_threshold here = { .threshold = sorted[i].confidence,
                                        .decided = i + 1, .accepted = accepted };
        here.holds = reaches(accepted, i + 1, precision);
        if (!here.holds && !best.holds) {
            here.more = count_missing(accepted, i + 1, precision);
        }
        if (here.holds || (!best.holds && is_nearer(&here, &best))) {
            best = here;
        }
    }
    if (best.decided > 0) {
        best.precision = trust_share(best.accepted, best.decided);
    }
    *out = best;
}

/* --- Wordings ----------------------------------------------------------------------------- */

/* The confidences of one kind, lowest first; *n of them, to be freed. */
static int lowest_first(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return a < b ? -1 : a > b;
}

static float *sort_kind(const struct trust_pair *pairs, const struct trust_pair *verdicts,
                        guint all, int verdict, guint *n)
{
    float *kind = g_new(float, MAX(all, 1));
    *n = 0;
    for (guint i = 0; i < all; i++) {
        if (verdicts[i].verdict == verdict) {
            kind[(*n)++] = pairs[i].confidence;
        }
    }
    qsort(kind, *n, sizeof *kind, lowest_first);
    return kind;
}

/* How many of a sorted array are below `value`, or with `equal` not above it. */
static guint count_below(const float *sorted, guint n, float value, gboolean equal)
{
    guint low = 0, high = n;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (sorted[middle] < value || (equal && sorted[middle] == value)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The share of `sorted` that `value` is above, equal ones counted half. */
static double share_below(const float *sorted, guint n, float value)
{
    return (count_below(sorted, n, value, FALSE) + (double)count_below(sorted, n, value, TRUE))
           / 2 / n;
}

/* The variance of an area of that size, by Hanley and McNeil (1982) with Newcombe's mean
 * of both counts. */
static double area_variance(double area, double m, double n)
{
    double others = (m + n) / 2 - 1;
    return area * (1 - area)
           * (1 + others * ((1 - area) / (2 - area) + area / (1 + area))) / (m * n);
}

/* The bound of the score interval between `from` and the area found. */
static double area_bound(double found, double from, double m, double n)
{
    double outer = from, inner = found;
    for (int i = 0; i < 100; i++) {
        double middle = (outer + inner) / 2;
        double half = NORMAL_975 * sqrt(area_variance(middle, m, n));
        if (fabs(found - middle) > half) {
            outer = middle;
        } else {
            inner = middle;
        }
    }
    return inner;
}

static void separate(const struct trust_pair *pairs, const struct trust_pair *verdicts,
                     guint n, struct trust_separation *out)
{
    guint accepted, rejected;
    g_autofree float *good = sort_kind(pairs, verdicts, n, 1, &accepted);
    g_autofree float *bad = sort_kind(pairs, verdicts, n, -1, &rejected);
    *out = (struct trust_separation){ NAN, { 0, 1 }, accepted, rejected };
    if (accepted == 0 || rejected == 0) {
        return;
    }
    double sum = 0;
    for (guint i = 0; i < accepted; i++) {
        sum += share_below(bad, rejected, good[i]);
    }
    out->area = sum / accepted;
    out->interval = (struct trust_interval){ area_bound(out->area, 0, accepted, rejected),
                                             area_bound(out->area, 1, accepted, rejected) };
}

void trust_separation(const struct trust_pair *pairs, guint n,
                      struct trust_separation *out)
{
    separate(pairs, pairs, n, out);
}

/* Of the pairs with that verdict: the variance of the differences between the shares of
 * the other kind that lie below (for rejected ones above) in `a` and in `b`, divided by
 * their number. */
static double share_variance(const struct trust_pair *a, const struct trust_pair *b,
                             guint n, int verdict)
{
    guint others, count = 0;
    g_autofree float *of_a = sort_kind(a, a, n, -verdict, &others);
    g_autofree float *of_b = sort_kind(b, a, n, -verdict, &others);
    double mean = 0, square = 0;
    for (guint i = 0; i < n; i++) {
        if (a[i].verdict == verdict) {
            double d = share_below(of_a, others, a[i].confidence)
                       - share_below(of_b, others, b[i].confidence);
            double off = d - mean;
            mean += off / ++count;
            square += off * (d - mean);
        }
    }
    return square / (count - 1) / count;
}

void trust_compare(const struct trust_pair *a, const struct trust_pair *b, guint n,
                   struct trust_comparison *out)
{
    *out = (struct trust_comparison){ .difference = NAN, .interval = { -1, 1 } };
    separate(a, a, n, &out->a);
    separate(b, a, n, &out->b);
    if (out->a.accepted < 2 || out->a.rejected < 2) {
        return;
    }
    double half = NORMAL_975 * sqrt(share_variance(a, b, n, 1) + share_variance(a, b, n, -1));
    out->difference = out->a.area - out->b.area;
    out->interval = (struct trust_interval){ MAX(out->difference - half, -1),
                                             MIN(out->difference + half, 1) };
}
