/* What a model said of a label beside what people decided: confidences, precision and
 * recall, calibration. Only the wording that was asked last counts; what a model accepted is
 * undecided here, for it would measure the model by itself. */
#include "app/look/look_private.h"

#include "app/card/card.h"
#include "app/metrics/metrics.h"
#include "app/trust/judged.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>

#define BARS 20    /* of the histogram */
#define BINS 10    /* of the calibration */
#define POINTS 200 /* of a curve; more would not be seen */

/* The pairs of the label (of struct trust_pair), none where the model was never asked; NULL
 * on failure. */
static GArray *load_pairs(const Look *look, GError **error)
{
    g_autoptr(GPtrArray) wordings = trust_load(look->s, look->model, look->label, error);
    if (!wordings || !look_go_on(look, error)) {
        return NULL;
    }
    const struct trust_wording *latest = wordings->len ? wordings->pdata[0] : NULL;
    return latest ? g_array_ref(latest->pairs)
                  : g_array_new(FALSE, FALSE, sizeof(struct trust_pair));
}

static const struct trust_pair *pair_at(const GArray *pairs, guint i)
{
    return &g_array_index(pairs, struct trust_pair, i);
}

/* Which of n parts of 0..1 a confidence lies in; 1 lies in the last. In floats, so that the
 * one nearest to 0.95 lies where 0.95 does. */
static guint part_of(float confidence, guint n)
{
    float at = confidence * (float)n;
    return at > 0 ? MIN((guint)MIN(at, (float)n), n - 1) : 0;
}

/* --- Confidences -------------------------------------------------------------------------- */

gboolean look_histogram(Look *look, LookTable *table, GError **error)
{
    guint counts[BARS][3] = { { 0 } }, sums[3] = { 0 };
    g_autoptr(GArray) pairs = load_pairs(look, error);
    if (!pairs) {
        return FALSE;
    }
    for (guint i = 0; i < pairs->len; i++) {
        const struct trust_pair *p = pair_at(pairs, i);
        guint state = p->verdict > 0 ? 0 : p->verdict < 0 ? 1 : 2;
        counts[part_of(p->confidence, BARS)][state]++;
        sums[state]++;
    }
    look_add_column(table, look, "from", N_("from confidence"), LOOK_SHARE);
    look_add_column(table, look, "to", N_("to confidence"), LOOK_SHARE);
    look_add_column(table, look, NULL, N_("accepted"), LOOK_NUMBER);
    look_add_column(table, look, NULL, N_("rejected"), LOOK_NUMBER);
    look_add_column(table, look, NULL, N_("undecided"), LOOK_NUMBER);
    for (guint bar = 0; pairs->len && bar < BARS; bar++) {
        look_add_value(table, (double)bar / BARS);
        look_add_value(table, (bar + 1.0) / BARS);
        for (guint state = 0; state < 3; state++) {
            look_add_value(table, counts[bar][state]);
        }
    }
    look_set_title(table, look, N_("“%s”: confidences of %s"), look->name, look->model);
    look_set_axes(table, look, N_("confidence"), NULL);
    look_set_note(table, look, N_("Accepted: %u, rejected: %u, undecided: %u."), sums[0],
                  sums[1], sums[2]);
    return TRUE;
}

/* --- Precision and recall ----------------------------------------------------------------- */

static int highest_first(gconstpointer left, gconstpointer right)
{
    float a = ((const struct trust_pair *)left)->confidence;
    float b = ((const struct trust_pair *)right)->confidence;
    return a > b ? -1 : a < b;
}

/* The pairs that people decided, highest confidence first. */
static GArray *take_decided(const GArray *pairs)
{
    GArray *decided = g_array_new(FALSE, FALSE, sizeof(struct trust_pair));
    for (guint i = 0; i < pairs->len; i++) {
        if (pair_at(pairs, i)->verdict != 0) {
            g_array_append_val(decided, *pair_at(pairs, i));
        }
    }
    g_array_sort(decided, highest_first);
    return decided;
}

/* Of decided pairs; NaN without an accepted one. */
static double average_precision(const GArray *decided, guint accepted)
{
    double ap = NAN;
    g_autofree float *scores = g_new(float, decided->len + 1);
    g_autofree int8_t *truth = g_new(int8_t, decided->len + 1);
    for (guint i = 0; i < decided->len; i++) {
        scores[i] = pair_at(decided, i)->confidence;
        truth[i] = pair_at(decided, i)->verdict > 0 ? TRUTH_POSITIVE : TRUTH_NEGATIVE;
    }
    if (accepted && !metrics_average_precision(scores, truth, decided->len,
                                               METRICS_TIES_TOGETHER, 0, &ap)) {
        ap = NAN;
    }
    return ap;
}

static guint count_accepted(const GArray *decided)
{
    guint accepted = 0;
    for (guint i = 0; i < decided->len; i++) {
        accepted += pair_at(decided, i)->verdict > 0;
    }
    return accepted;
}

/* A row for the threshold at which `n` pairs are taken, of which `hits` are accepted. */
static void add_point(LookTable *table, float threshold, guint hits, guint n, guint accepted)
{
    CardShare precision = card_share(hits, n);
    look_add_value(table, (double)threshold);
    look_add_value(table, (double)hits / n);
    look_add_value(table, (double)hits / accepted);
    look_add_value(table, precision.low);
    look_add_value(table, precision.high);
    look_add_value(table, hits);
    look_add_value(table, n - hits);
}

/* A threshold takes all pairs of one confidence or none. The last point is always there. */
static void add_curve(LookTable *table, const GArray *decided, guint accepted)
{
    guint hits = 0, next = 0, step = MAX(decided->len / POINTS, 1);
    for (guint i = 0; i < decided->len; i++) {
        float here = pair_at(decided, i)->confidence;
        gboolean last = i + 1 == decided->len;
        hits += pair_at(decided, i)->verdict > 0;
        if (last || (i >= next && pair_at(decided, i + 1)->confidence != here)) {
            add_point(table, here, hits, i + 1, accepted);
            next = i + step;
        }
    }
}

gboolean look_precision(Look *look, LookTable *table, GError **error)
{
    g_autoptr(GArray) pairs = load_pairs(look, error);
    if (!pairs) {
        return FALSE;
    }
    g_autoptr(GArray) decided = take_decided(pairs);
    guint accepted = count_accepted(decided);
    look_add_column(table, look, NULL, N_("threshold"), LOOK_SHARE);
    look_add_column(table, look, NULL, N_("precision"), LOOK_SHARE);
    look_add_column(table, look, NULL, N_("recall"), LOOK_SHARE);
    look_add_column(table, look, "low", N_("precision at least"), LOOK_SHARE);
    look_add_column(table, look, "high", N_("precision at most"), LOOK_SHARE);
    look_add_column(table, look, NULL, N_("accepted"), LOOK_NUMBER);
    look_add_column(table, look, NULL, N_("rejected"), LOOK_NUMBER);
    look_set_title(table, look, N_("“%s”: precision and recall of %s"), look->name,
                   look->model);
    look_set_axes(table, look, N_("recall"), N_("precision"));
    if (accepted) {
        add_curve(table, decided, accepted);
        look_set_note(table, look, N_("Accepted: %u, rejected: %u. Average precision: %.3f. "
                                      "The band holds the precision with 95 %%."),
                      accepted, decided->len - accepted, average_precision(decided, accepted));
    } else {
        look_set_note(table, look, N_("Nothing was accepted yet that the model scored."));
    }
    return TRUE;
}

/* --- Calibration -------------------------------------------------------------------------- */

struct bin { double sum; guint accepted, n; };

static void add_bin(LookTable *table, guint number, const struct bin *bin,
                    const struct trust_fit *fit)
{
    CardShare share = card_share(bin->accepted, bin->n);
    double mean = bin->sum / bin->n;
    look_add_value(table, (double)number / BINS);
    look_add_value(table, (number + 1.0) / BINS);
    look_add_value(table, mean);
    look_add_value(table, (double)bin->accepted / bin->n);
    look_add_value(table, share.low);
    look_add_value(table, share.high);
    look_add_value(table, trust_probability(fit, mean));
    look_add_value(table, bin->accepted);
    look_add_value(table, bin->n - bin->accepted);
}

static void add_columns_of_bins(LookTable *table, const Look *look)
{
    look_add_column(table, look, "from", N_("from confidence"), LOOK_SHARE);
    look_add_column(table, look, "to", N_("to confidence"), LOOK_SHARE);
    look_add_column(table, look, "confidence", N_("mean confidence"), LOOK_SHARE);
    look_add_column(table, look, "share", N_("accepted share"), LOOK_SHARE);
    look_add_column(table, look, "low", N_("share at least"), LOOK_SHARE);
    look_add_column(table, look, "high", N_("share at most"), LOOK_SHARE);
    look_add_column(table, look, "fitted", N_("fitted probability"), LOOK_SHARE);
    look_add_column(table, look, NULL, N_("accepted"), LOOK_NUMBER);
    look_add_column(table, look, NULL, N_("rejected"), LOOK_NUMBER);
}

gboolean look_calibration(Look *look, LookTable *table, GError **error)
{
    struct bin bins[BINS] = { { 0 } };
    struct trust_fit fit;
    g_autoptr(GArray) pairs = load_pairs(look, error);
    if (!pairs) {
        return FALSE;
    }
    g_autoptr(GArray) decided = take_decided(pairs);
    double apart = 0;
    trust_fit((const struct trust_pair *)(gpointer)decided->data, decided->len, &fit);
    for (guint i = 0; i < decided->len; i++) {
        const struct trust_pair *p = pair_at(decided, i);
        struct bin *bin = &bins[part_of(p->confidence, BINS)];
        bin->sum += (double)p->confidence;
        bin->accepted += p->verdict > 0;
        bin->n++;
    }
    add_columns_of_bins(table, look);
    for (guint i = 0; i < BINS; i++) {
        if (bins[i].n) {
            add_bin(table, i, &bins[i], &fit);
            apart += fabs(bins[i].sum - bins[i].accepted) / decided->len;
        }
    }
    look_set_title(table, look, N_("“%s”: how often confidences of %s are right"),
                   look->name, look->model);
    look_set_axes(table, look, N_("confidence"), N_("accepted share"));
    if (decided->len) {
        look_set_note(table, look, N_("Accepted: %u, rejected: %u. Mean distance between "
                                      "confidence and share: %.3f. Bars hold the share with "
                                      "95 %%."), fit.accepted, fit.rejected, apart);
    } else {
        look_set_note(table, look, N_("Nothing was decided yet that the model scored."));
    }
    return TRUE;
}
