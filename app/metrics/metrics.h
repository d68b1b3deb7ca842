/* What the field measures of multi-label scores: average precision, precision and recall
 * of the K best labels of an image, and of the labels above a threshold.
 *
 * Plain C in double arithmetic. A table is borrowed and only read; every function may be
 * called from any thread. Percentages and fractions: everything here is a fraction in
 * 0..1. */
#pragma once

#include "app/dataset/truth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pairs that are unknown are left out of every figure: they are no candidates, and count
 * neither for nor against. */
struct metrics_table {
    const float *scores;  /* [images, classes]; higher is likelier; never NaN */
    const int8_t *truth;  /* [images, classes] of enum truth */
    size_t images, classes;
};

/* --- Average precision ------------------------------------------------------------- */

/* Which of two images with the same score ranks first. Without ties all agree. */
enum metrics_ties {
    METRICS_TIES_LOW_INDEX,       /* the one that comes first in the table: the default */
    METRICS_TIES_HIGH_INDEX,
    METRICS_TIES_POSITIVES_FIRST, /* the upper bound of what an unstable sort can give */
    METRICS_TIES_POSITIVES_LAST,  /* the lower bound */
    METRICS_TIES_TOGETHER,        /* equal scores are one rank, as scikit-learn has it */
};

/* What ML-Decoder adds to the number of positives; others add nothing. */
#define METRICS_AP_EPSILON 1e-8

/* Copies the classes [first, first + n) to columns, scores and truth [n, images]. A class
 * is read many times and in a wide table each of its values lies on a cache line of its
 * own; some dozens of classes at once make that cheap. */
void metrics_columns(const struct metrics_table *table, size_t first, size_t n,
                     float *scores, int8_t *truth);

/* The mean, over the positives of one class, of the precision at their ranks:
 * sum / (positives + epsilon), or 0 for a class without positives. scores and truth:
 * [images]. O(images log positives). False when memory is out. */
bool metrics_average_precision(const float *scores, const int8_t *truth, size_t images,
                               enum metrics_ties ties, double epsilon, double *out);

/* The two means that are called mAP. NaN where there is no class to take the mean of. */
struct metrics_map {
    double all;     /* over all classes, those without positives as 0: the default, as
                     * ML-Decoder and BiAM count */
    double present; /* over the classes that have a positive */
    size_t n_present;
};

/* ap and n_positive: [classes]. */
struct metrics_map metrics_mean(const double *ap, const unsigned *n_positive,
                                size_t classes);

/* --- Counts ------------------------------------------------------------------------ */

/* The K best known labels of every image are marked (all of them where there are fewer),
 * equal scores in the order of the classes. P = hits / marked, R = hits / positives,
 * F1 = 2PR / (P + R + 1e-8); P and R are NaN when there is nothing to divide by, and F1
 * then too. */
struct metrics_at_k {
    double precision, recall, f1;
    size_t hits, marked, positives;
};

/* k is at most METRICS_MAX_K. */
#define METRICS_MAX_K 64
struct metrics_at_k metrics_at_k(const struct metrics_table *table, size_t k);

/* Scores strictly above a threshold are predictions. Per class precision, recall and F1
 * are 0 when there is no true positive. */
struct metrics_at_threshold {
    double cp, cr;        /* mean precision and recall of the classes */
    double cf1;           /* mean F1 of the classes: the default, as ML-Decoder has it */
    double cf1_harmonic;  /* 2 cp cr / (cp + cr), as other papers have it */
    double op, of1;       /* over all pairs; NaN when nothing is predicted */
    double or;            /* NaN when nothing is positive */
};

struct metrics_at_threshold metrics_at_threshold(const struct metrics_table *table,
                                                 double threshold);
