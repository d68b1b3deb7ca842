#include "app/metrics/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Average precision ------------------------------------------------------------- */

/* Only the order of the positives among all images matters. So the positives alone are
 * sorted, and every negative is counted at the first positive that it precedes: a class
 * has few positives, and sorting all images would cost several times as much. */

struct ranked {
    float score;
    size_t image;
    size_t negatives; /* that rank before this positive and after the one before it */
};

static int best_first(const void *a, const void *b)
{
    const struct ranked *l = a, *r = b;
    if (l->score != r->score) {
        return l->score > r->score ? -1 : 1;
    }
    return l->image < r->image ? -1 : l->image > r->image;
}

static int best_first_high_index(const void *a, const void *b)
{
    const struct ranked *l = a, *r = b;
    return l->score == r->score ? best_first(b, a) : best_first(a, b);
}

static bool negative_first(float score, size_t image, const struct ranked *positive,
                           enum metrics_ties ties)
{
    if (score != positive->score) {
        return score > positive->score;
    }
    switch (ties) {
    case METRICS_TIES_LOW_INDEX: return image < positive->image;
    case METRICS_TIES_HIGH_INDEX: return image > positive->image;
    case METRICS_TIES_POSITIVES_FIRST: return false;
    case METRICS_TIES_POSITIVES_LAST:
    case METRICS_TIES_TOGETHER: break;
    }
    return true;
}

static void count_negatives(const float *scores, const int8_t *truth, size_t images,
                            enum metrics_ties ties, struct ranked *positives, size_t n)
{
    for (size_t i = 0; i < images; i++) {
        if (truth[i] != TRUTH_NEGATIVE) {
            continue;
        }
        size_t low = 0, high = n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (negative_first(scores[i], i, &positives[middle], ties)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if (low < n) {
            positives[low].negatives++;
        }
    }
}

static double sum_precisions(const struct ranked *positives, size_t n, bool together)
{
    double sum = 0;
    size_t negatives = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        negatives += positives[i].negatives;
        while (together && end < n && positives[end].score == positives[i].score) {
            negatives += positives[end++].negatives;
        }
        sum += (double)(end - i) * (double)end / (double)(end + negatives);
        i = end;
    }
    return sum;
}

void metrics_columns(const struct metrics_table *t, size_t first, size_t n, float *scores,
                     int8_t *truth)
{
    for (size_t i = 0; i < t->images; i++) {
        for (size_t k = 0; k < n; k++) {
            scores[k * t->images + i] = t->scores[i * t->classes + first + k];
            truth[k * t->images + i] = t->truth[i * t->classes + first + k];
        }
    }
}

bool metrics_average_precision(const float *scores, const int8_t *truth, size_t images,
                               enum metrics_ties ties, double epsilon, double *out)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < images; i++) {
        n += truth[i] == TRUTH_POSITIVE;
    }
    *out = 0;
    if (n == 0) {
        return true;
    }
    struct ranked *positives = calloc(n, sizeof *positives);
    if (!positives) {
        return false;
    }
    for (size_t i = 0; i < images; i++) {
        if (truth[i] == TRUTH_POSITIVE) {
            positives[at++] = (struct ranked){ scores[i], i, 0 };
        }
    }
    qsort(positives, n, sizeof *positives,
          ties == METRICS_TIES_HIGH_INDEX ? best_first_high_index : best_first);
    count_negatives(scores, truth, images, ties, positives, n);
    *out = sum_precisions(positives, n, ties == METRICS_TIES_TOGETHER)
           / ((double)n + epsilon);
    free(positives);
    return true;
}

struct metrics_map metrics_mean(const double *ap, const unsigned *n_positive,
                                size_t classes)
{
    struct metrics_map map = { 0 };
    double sum = 0, present = 0;
    for (size_t c = 0; c < classes; c++) {
        sum += ap[c];
        if (n_positive[c] > 0) {
            present += ap[c];
            map.n_present++;
        }
    }
    map.all = sum / (double)classes; /* 0 / 0 is the NaN that we promise */
    map.present = present / (double)map.n_present;
    return map;
}

/* --- Counts ------------------------------------------------------------------------ */

/* The classes of the k best scores of one image, best first. Returns how many. Most
 * scores fail the first comparison, so this beats sorting for the small k in use. */
static size_t best_classes(const struct metrics_table *t, size_t image, size_t k,
                           size_t *best)
{
    const float *score = t->scores + image * t->classes;
    const int8_t *truth = t->truth + image * t->classes;
    size_t n = 0;
    for (size_t c = 0; c < t->classes; c++) {
        if (truth[c] == TRUTH_UNKNOWN || (n == k && score[c] <= score[best[n - 1]])) {
            continue;
        }
        size_t at = n < k ? n++ : n - 1;
        for (; at > 0 && score[c] > score[best[at - 1]]; at--) {
            best[at] = best[at - 1];
        }
        best[at] = c;
    }
    return n;
}

struct metrics_at_k metrics_at_k(const struct metrics_table *t, size_t k)
{
    struct metrics_at_k m = { 0 };
    size_t best[METRICS_MAX_K];
    for (size_t i = 0; i < t->images; i++) {
        const int8_t *truth = t->truth + i * t->classes;
        size_t n = best_classes(t, i, k < METRICS_MAX_K ? k : METRICS_MAX_K, best);
        m.marked += n;
        for (size_t j = 0; j < n; j++) {
            m.hits += truth[best[j]] == TRUTH_POSITIVE;
        }
        for (size_t c = 0; c < t->classes; c++) {
            m.positives += truth[c] == TRUTH_POSITIVE;
        }
    }
    m.precision = (double)m.hits / (double)m.marked;
    m.recall = (double)m.hits / (double)m.positives;
    m.f1 = 2 * m.precision * m.recall / (m.precision + m.recall + 1e-8);
    return m;
}

struct counts { size_t tp, fp, fn; };

/* Classes counted at once: along the rows of the table, as it lies in memory. */
#define BLOCK 64

static void count_classes(const struct metrics_table *t, size_t first, size_t n,
                          double threshold, struct counts *out)
{
    float limit = (float)threshold; /* so that a score written as 0.3 is not above 0.3 */
    for (size_t i = 0; i < t->images; i++) {
        for (size_t k = 0; k < n; k++) {
            int8_t truth = t->truth[i * t->classes + first + k];
            bool predicted = t->scores[i * t->classes + first + k] > limit;
            out[k].tp += predicted && truth == TRUTH_POSITIVE;
            out[k].fp += predicted && truth == TRUTH_NEGATIVE;
            out[k].fn += !predicted && truth == TRUTH_POSITIVE;
        }
    }
}

static double harmonic(double p, double r)
{
    return p + r > 0 ? 2 * p * r / (p + r) : p + r; /* 0, or NaN where one is NaN */
}

/* A class without a true positive adds nothing. */
static void add_class(struct metrics_at_threshold *m, const struct counts *n,
                      double classes)
{
    if (n->tp > 0) {
        double p = (double)n->tp / (double)(n->tp + n->fp);
        double r = (double)n->tp / (double)(n->tp + n->fn);
        m->cp += p / classes;
        m->cr += r / classes;
        m->cf1 += harmonic(p, r) / classes;
    }
}

struct metrics_at_threshold metrics_at_threshold(const struct metrics_table *t,
                                                 double threshold)
{
    struct metrics_at_threshold m = { 0 };
    struct counts all = { 0 };
    double classes = (double)t->classes;
    for (size_t first = 0; first < t->classes; first += BLOCK) {
        size_t n = t->classes - first < BLOCK ? t->classes - first : BLOCK;
        struct counts counts[BLOCK] = { 0 };
        count_classes(t, first, n, threshold, counts);
        for (size_t k = 0; k < n; k++) {
            add_class(&m, &counts[k], classes);
            all.tp += counts[k].tp;
            all.fp += counts[k].fp;
            all.fn += counts[k].fn;
        }
    }
    m.cf1_harmonic = harmonic(m.cp, m.cr);
    m.op = (double)all.tp / (double)(all.tp + all.fp);
    m.or = (double)all.tp / (double)(all.tp + all.fn);
    m.of1 = harmonic(m.op, m.or);
    return m;
}
