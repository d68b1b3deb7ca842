/* Decisions that the model strongly disagrees with; the method stands in health.h. */
#include "app/health/health_private.h"

#include <glib/gi18n.h>

#include <math.h>

#define LEAST 5 /* decisions of either kind, or their mean says nothing */

enum { REJECTED, ACCEPTED };

/* --- One label -------------------------------------------------------------------- */

static double probability(float confidence, int class)
{
    return class == ACCEPTED ? (double)confidence : 1 - (double)confidence;
}

/* The class that a pair counts as; -1: neither. */
static int count_as(const HealthConfusion *c, float confidence)
{
    double rejected = probability(confidence, REJECTED);
    double accepted = probability(confidence, ACCEPTED);
    gboolean is_rejected = rejected >= c->threshold[REJECTED];
    gboolean is_accepted = accepted >= c->threshold[ACCEPTED];
    if (is_rejected && is_accepted) {
        return accepted > rejected ? ACCEPTED : REJECTED;
    }
    return is_accepted ? ACCEPTED : is_rejected ? REJECTED : -1;
}

static void find_thresholds(const float *confidence, const gint8 *verdict, guint n,
                            HealthConfusion *out)
{
    double sum[2] = { 0 };
    for (guint i = 0; i < n; i++) {
        int given = verdict[i] > 0 ? ACCEPTED : REJECTED;
        out->decided[given]++;
        sum[given] += probability(confidence[i], given);
    }
    for (int k = 0; k < 2; k++) {
        out->threshold[k] = out->decided[k] ? sum[k] / out->decided[k] : NAN;
    }
}

void health_disagree(const float *confidence, const gint8 *verdict, guint n,
                     HealthConfusion *out, double *odds)
{
    *out = (HealthConfusion){ 0 };
    find_thresholds(confidence, verdict, n, out);
    for (guint i = 0; i < n; i++) {
        int given = verdict[i] > 0 ? ACCEPTED : REJECTED;
        int counts = count_as(out, confidence[i]);
        odds[i] = NAN;
        if (counts >= 0) {
            out->joint[given][counts]++;
        }
        if (counts == 1 - given) {
            odds[i] = probability(confidence[i], counts) - out->threshold[counts]
                      - (probability(confidence[i], given) - out->threshold[given]);
        }
    }
    for (int k = 0; k < 2; k++) {
        guint row = out->joint[k][0] + out->joint[k][1];
        out->wrong[k] = row ? (double)out->joint[k][1 - k] / row * out->decided[k] : 0;
    }
}

/* --- All labels ------------------------------------------------------------------- */

/* Three digits, with a point in every locale. */
static const char *number(double value, char text[G_ASCII_DTOSTR_BUF_SIZE])
{
    return g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, "%.3f", value);
}

static void tell_pair(HealthRun *run, const HealthPair *pair, const HealthConfusion *c,
                      double odds)
{
    char text[3][G_ASCII_DTOSTR_BUF_SIZE];
    gboolean accepted = pair->verdict > 0;
    double of_accepted = c->threshold[ACCEPTED];
    double of_rejected = 1 - c->threshold[REJECTED];
    HealthFinding *finding = health_find(
        run, HEALTH_DISAGREEMENT, accepted ? "accepted-doubtful" : "rejected-doubtful",
        HEALTH_WARNING,
        accepted ? N_("accepted with a confidence of %s; accepted ones have %s on average, "
                      "rejected ones %s")
                 : N_("rejected with a confidence of %s; accepted ones have %s on average, "
                      "rejected ones %s"), number((double)pair->confidence, text[0]),
        number(of_accepted, text[1]), number(of_rejected, text[2]));
    finding->label = health_label(run->set, pair->label)->name;
    finding->rank = odds;
    health_find_path(finding, run, pair->image);
}

/* pairs: [n], of one label. */
static void check_label(HealthRun *run, const HealthPair *pairs, guint n)
{
    g_autofree float *confidence = g_new(float, n);
    g_autofree gint8 *verdict = g_new(gint8, n);
    g_autofree double *odds = g_new(double, n);
    HealthConfusion c;
    for (guint i = 0; i < n; i++) {
        confidence[i] = pairs[i].confidence;
        verdict[i] = pairs[i].verdict;
    }
    health_disagree(confidence, verdict, n, &c, odds);
    if (c.decided[REJECTED] < LEAST || c.decided[ACCEPTED] < LEAST) {
        health_pass_over(run, N_("disagreement: \"%s\" has %u accepted and %u rejected "
                         "images with a confidence, fewer than %d of each"),
                         health_label(run->set, pairs->label)->name,
                         c.decided[ACCEPTED], c.decided[REJECTED], LEAST);
        return;
    }
    for (guint i = 0; i < n; i++) {
        if (!isnan(odds[i])) {
            tell_pair(run, &pairs[i], &c, odds[i]);
        }
    }
    if (c.wrong[ACCEPTED] + c.wrong[REJECTED] >= 1) {
        HealthFinding *finding = health_find(
            run, HEALTH_DISAGREEMENT, "estimate", HEALTH_NOTE,
            N_("about %.0f of %u accepted and %.0f of %u rejected may be wrong"),
            c.wrong[ACCEPTED], c.decided[ACCEPTED], c.wrong[REJECTED],
            c.decided[REJECTED]);
        finding->label = health_label(run->set, pairs->label)->name;
    }
}

static int by_label(gconstpointer left, gconstpointer right)
{
    const HealthPair *a = left, *b = right;
    return a->label != b->label ? (a->label > b->label ? 1 : -1)
                                : (a->image > b->image) - (a->image < b->image);
}

gboolean health_check_disagreement(HealthRun *run, GError **error)
{
    GArray *pairs = run->set->pairs;
    if (pairs->len == 0) {
        health_pass_over(run, N_("disagreement: no decision has a confidence of a model "
                                 "beside it"));
        return TRUE;
    }
    g_array_sort(pairs, by_label);
    for (guint first = 0, end; first < pairs->len; first = end) {
        const HealthPair *at = &g_array_index(pairs, HealthPair, first);
        for (end = first; end < pairs->len
             && g_array_index(pairs, HealthPair, end).label == at->label; end++) {
        }
        check_label(run, at, end - first);
        if (!health_go_on(run, N_("weighing decisions"), end, pairs->len, error)) {
            return FALSE;
        }
    }
    return TRUE;
}
