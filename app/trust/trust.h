/* How far a model's confidences can be trusted, from what a person has decided.
 *
 * Plain arithmetic on arrays of one label's pairs; any thread. Intervals hold 95 %. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the model said of an image and what a person decided. */
struct trust_pair {
    float confidence; /* 0..1 */
    gint8 verdict;    /* 1 accepted, -1 rejected, 0 undecided: counted, never learnt from */
};

struct trust_interval { double low, high; };

/* --- Probability ------------------------------------------------------------------- */

/* Probability = 1 / (1 + exp(-(slope logit(confidence) + offset))): Platt's scaling (1999)
 * on the logit, fitted by maximum a posteriori with normal priors, slope N(1, 1) and offset
 * N(0, 2), so that it is finite for any decisions, and without any gives the confidence
 * itself. Laplace's approximation gives the covariance. */
struct trust_fit {
    double slope, offset;
    double covariance[3]; /* slope slope, slope offset, offset offset */
    guint accepted, rejected;
};

void trust_fit(const struct trust_pair *pairs, guint n, struct trust_fit *out);
double trust_probability(const struct trust_fit *fit, double confidence);
struct trust_interval trust_probability_interval(const struct trust_fit *fit,
                                                 double confidence);

/* --- Thresholds --------------------------------------------------------------------- */

struct trust_counts {
    guint accepted, rejected, undecided; /* with a confidence that reaches the threshold */
};

struct trust_counts trust_count(const struct trust_pair *pairs, guint n, double threshold);

/* The share of k successes in n: the interval of Clopper and Pearson (1934). */
struct trust_interval trust_share(guint k, guint n);

struct trust_threshold {
    gboolean holds;        /* otherwise `threshold` is the nearest to holding */
    double threshold;      /* NaN while nothing is decided */
    guint decided, accepted;            /* at or above it */
    struct trust_interval precision;
    /* Decisions on images above it that are still needed, when as many of them are
     * accepted as until now; 0 when it holds, -1 when no number would do. */
    int more;
};

/* The lowest confidence from which on the precision is at least `precision`: the lower
 * bound of Clopper and Pearson, one-sided with 95 %, reaches it. */
void trust_find_threshold(const struct trust_pair *pairs, guint n, double precision,
                          struct trust_threshold *out);

/* --- Wordings ------------------------------------------------------------------------- */

/* The probability that an accepted image has a higher confidence than a rejected one,
 * equal ones counted half (area under the ROC curve), with the score interval of Newcombe
 * (2006, method 5), which stays open where all are told apart. */
struct trust_separation {
    double area;                     /* NaN while one kind is missing */
    struct trust_interval interval;  /* 0 and 1 then */
    guint accepted, rejected;
};

void trust_separation(const struct trust_pair *pairs, guint n,
                      struct trust_separation *out);

/* Two wordings of a label on the same images. */
struct trust_comparison {
    struct trust_separation a, b;
    double difference;               /* a - b; NaN with fewer than 2 of a kind */
    struct trust_interval interval;  /* of DeLong, DeLong and Clarke-Pearson (1988) */
};

/* a, b: [n]; the verdicts are those of `a`. */
void trust_compare(const struct trust_pair *a, const struct trust_pair *b, guint n,
                   struct trust_comparison *out);

G_END_DECLS
