#include "app/metrics/evaluation.h"

#include <math.h>
#include <string.h>

/* --- Labels --------------------------------------------------------------------------- */

static gboolean add_named(const struct dataset *truth, const GPtrArray *names, GArray *out,
                          GHashTable *taken, GError **error)
{
    for (guint i = 0; names && i < names->len; i++) {
        int label = dataset_find_label(truth, names->pdata[i]);
        guint index = (guint)label;
        if (label < 0 || !g_hash_table_add(taken, GUINT_TO_POINTER(index))) {
            g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                        label < 0 ? "the data set has no label \"%s\""
                                  : "the label \"%s\" is given twice",
                        (const char *)names->pdata[i]);
            return FALSE;
        }
        g_array_append_val(out, index);
    }
    return TRUE;
}

static void add_group(const struct dataset *truth, enum dataset_group group, GArray *out)
{
    for (guint i = 0; i < dataset_n_labels(truth); i++) {
        if (dataset_label_group(truth, i) == group) {
            g_array_append_val(out, i);
        }
    }
}

GArray *evaluation_labels(const struct dataset *truth,
                          const struct evaluation_params *params, guint *n_seen,
                          GError **error)
{
    g_autoptr(GArray) labels = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
    if (params->seen || params->unseen) {
        if (!add_named(truth, params->seen, labels, taken, error)) {
            return NULL;
        }
        *n_seen = labels->len;
        return add_named(truth, params->unseen, labels, taken, error)
                   ? g_steal_pointer(&labels) : NULL;
    }
    add_group(truth, DATASET_SEEN, labels);
    *n_seen = labels->len;
    add_group(truth, DATASET_UNSEEN, labels);
    if (labels->len == 0) {
        add_group(truth, DATASET_NO_GROUP, labels);
        *n_seen = labels->len;
    }
    return g_steal_pointer(&labels);
}

/* --- Matching ------------------------------------------------------------------------- */

/* What takes part: indices into the scores and, at the same place, into the data set. */
struct match { GArray *scored, *true_; };

struct join {
    const struct scores *scores;
    const struct dataset *truth;
    struct match images, labels;
    guint n_seen; /* of the labels, which come first */
};

static void add_match(struct match *m, guint scored, guint true_)
{
    g_array_append_val(m->scored, scored);
    g_array_append_val(m->true_, true_);
}

static void name_missing(struct evaluation_missing *missing, const char *name)
{
    if (missing->count++ < EVALUATION_NAMED) {
        g_ptr_array_add(missing->names, g_strdup(name));
    }
}

/* Last parts of the paths that are still without a partner; those of several images are
 * there with a NULL, for they tell nothing. */
static GHashTable *by_last_part(const struct scores *s, const gboolean *taken)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < s->images->len; i++) {
        char *last = g_path_get_basename(s->images->pdata[i]);
        if (taken[i]) {
            g_free(last);
            continue;
        }
        gboolean twice = g_hash_table_contains(table, last);
        g_hash_table_insert(table, last, twice ? NULL : GUINT_TO_POINTER(i + 1));
    }
    return table;
}

/* scored_of: by image of the data set, index + 1, or 0. */
static void match_by_name(const struct join *j, guint *scored_of, gboolean *taken)
{
    for (guint i = 0; i < dataset_n_images(j->truth); i++) {
        const char *name = dataset_image_name(j->truth, i);
        scored_of[i] = GPOINTER_TO_UINT(g_hash_table_lookup(j->scores->image_of, name));
        if (scored_of[i]) {
            taken[scored_of[i] - 1] = TRUE;
        }
    }
}

static guint match_by_last_part(const struct join *j, guint *scored_of, gboolean *taken)
{
    g_autoptr(GHashTable) scored = by_last_part(j->scores, taken);
    g_autoptr(GHashTable) claimed =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint n = 0;
    for (int pass = 0; pass < 2; pass++) { /* the first counts who claims a name */
        for (guint i = 0; i < dataset_n_images(j->truth); i++) {
            if (scored_of[i]) {
                continue;
            }
            g_autofree char *last = g_path_get_basename(dataset_image_name(j->truth, i));
            guint claims = GPOINTER_TO_UINT(g_hash_table_lookup(claimed, last));
            guint found = GPOINTER_TO_UINT(g_hash_table_lookup(scored, last));
            if (pass == 0) {
                g_hash_table_insert(claimed, g_strdup(last), GUINT_TO_POINTER(claims + 1));
            } else if (found && claims == 1) {
                scored_of[i] = found;
                taken[found - 1] = TRUE;
                n++;
            }
        }
    }
    return n;
}

static gboolean in_split(const struct dataset *d, guint image, const char *split)
{
    return !split || g_strcmp0(dataset_image_split(d, image), split) == 0;
}

/* Ties between images go to the lower index, so the order matters: it is that of the
 * scores. */
static void match_images(struct join *j, struct evaluation *e, const char *split)
{
    guint n = dataset_n_images(j->truth), n_scored = j->scores->images->len;
    g_autofree guint *scored_of = g_new0(guint, n + 1);
    g_autofree guint *true_of = g_new0(guint, n_scored + 1);
    g_autofree gboolean *taken = g_new0(gboolean, n_scored + 1);
    match_by_name(j, scored_of, taken);
    e->by_file_name = match_by_last_part(j, scored_of, taken);
    for (guint i = 0; i < n; i++) {
        if (scored_of[i]) {
            true_of[scored_of[i] - 1] = i + 1;
        } else if (in_split(j->truth, i, split)) {
            name_missing(&e->only_true, dataset_image_name(j->truth, i));
        }
    }
    for (guint i = 0; i < n_scored; i++) {
        if (!taken[i]) {
            name_missing(&e->only_scored, j->scores->images->pdata[i]);
        } else if (in_split(j->truth, true_of[i] - 1, split)) {
            add_match(&j->images, i, true_of[i] - 1);
        }
    }
}

static int by_scored(gconstpointer a, gconstpointer b)
{
    guint l = *(const guint *)a, r = *(const guint *)b;
    return l < r ? -1 : l > r;
}

/* Ties between labels go to the lower index: a wide file of scores says the order, for a
 * long one is often sorted by score and the data set's order is the better one. Seen
 * labels come before the unseen in any case. */
static void order_by_scores(struct match *labels, guint first, guint end)
{
    struct pair { guint scored, true_; } *pairs = g_new(struct pair, end - first + 1);
    for (guint i = first; i < end; i++) {
        pairs[i - first] = (struct pair){ g_array_index(labels->scored, guint, i),
                                          g_array_index(labels->true_, guint, i) };
    }
    qsort(pairs, end - first, sizeof *pairs, by_scored);
    for (guint i = first; i < end; i++) {
        g_array_index(labels->scored, guint, i) = pairs[i - first].scored;
        g_array_index(labels->true_, guint, i) = pairs[i - first].true_;
    }
    g_free(pairs);
}

static gboolean match_labels(struct join *j, struct evaluation *e,
                             const struct evaluation_params *params, GError **error)
{
    guint n_seen = 0;
    g_autoptr(GArray) wanted = evaluation_labels(j->truth, params, &n_seen, error);
    if (!wanted) {
        return FALSE;
    }
    for (guint i = 0; i < wanted->len; i++) {
        guint label = g_array_index(wanted, guint, i);
        const char *name = dataset_label(j->truth, label);
        guint found = GPOINTER_TO_UINT(g_hash_table_lookup(j->scores->label_of, name));
        if (found) {
            add_match(&j->labels, found - 1, label);
            j->n_seen += i < n_seen;
        } else {
            name_missing(&e->labels_only_true, name);
        }
    }
    for (guint i = 0; i < j->scores->labels->len; i++) {
        if (dataset_find_label(j->truth, j->scores->labels->pdata[i]) < 0) {
            name_missing(&e->labels_only_scored, j->scores->labels->pdata[i]);
        }
    }
    if (j->scores->wide) {
        order_by_scores(&j->labels, 0, j->n_seen);
        order_by_scores(&j->labels, j->n_seen, j->labels.scored->len);
    }
    return TRUE;
}

/* --- Measuring ------------------------------------------------------------------------ */

/* Fills [images, labels first..end) of scores and truth. A pair without a score ranks
 * last. */
static void fill_table(const struct join *j, guint first, guint end, float *scores,
                       gint8 *truth, guint64 *without)
{
    g_autofree gint8 *row = g_new(gint8, dataset_n_labels(j->truth) + 1);
    guint n = end - first;
    for (guint i = 0; i < j->images.scored->len; i++) {
        guint scored = g_array_index(j->images.scored, guint, i);
        dataset_truth(j->truth, g_array_index(j->images.true_, guint, i), row);
        for (guint k = 0; k < n; k++) {
            float value = scores_get(j->scores, scored,
                                     g_array_index(j->labels.scored, guint, first + k));
            *without += isnan(value);
            scores[(gsize)i * n + k] = isnan(value) ? -INFINITY : value;
            truth[(gsize)i * n + k] = row[g_array_index(j->labels.true_, guint, first + k)];
        }
    }
}

static void count_truth(const struct metrics_table *t, struct evaluation_part *p)
{
    guint64 n[3] = { 0 };
    for (size_t i = 0; i < t->images; i++) {
        for (size_t c = 0; c < t->classes; c++) {
            gint8 truth = t->truth[i * t->classes + c];
            n[truth + 1]++;
            p->n_positive[c] += truth == TRUTH_POSITIVE;
        }
    }
    p->negatives = n[0];
    p->unknown = n[1];
    p->positives = n[2];
}

/* Labels that are copied to columns at once. */
#define BLOCK 64

/* ap: [EVALUATION_N_TIES][labels]. */
static gboolean rank_block(const struct metrics_table *t, size_t first, size_t n,
                           float *scores, gint8 *truth, double *ap)
{
    metrics_columns(t, first, n, scores, truth);
    for (size_t k = 0; k < n; k++) {
        for (int ties = 0; ties < EVALUATION_N_TIES; ties++) {
            double epsilon = ties == METRICS_TIES_TOGETHER ? 0 : METRICS_AP_EPSILON;
            if (!metrics_average_precision(scores + k * t->images, truth + k * t->images,
                                           t->images, (enum metrics_ties)ties, epsilon,
                                           &ap[(size_t)ties * t->classes + first + k])) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

static gboolean measure_precision(const struct metrics_table *t, struct evaluation_part *p)
{
    g_autofree double *ap = g_new(double, EVALUATION_N_TIES * t->classes);
    g_autofree float *scores = g_try_new(float, BLOCK * t->images);
    g_autofree gint8 *truth = g_try_new(gint8, BLOCK * t->images);
    gboolean good = scores && truth;
    for (size_t first = 0; good && first < t->classes; first += BLOCK) {
        good = rank_block(t, first, MIN(BLOCK, t->classes - first), scores, truth, ap);
    }
    for (int ties = 0; good && ties < EVALUATION_N_TIES; ties++) {
        p->map[ties] = metrics_mean(ap + (size_t)ties * t->classes, p->n_positive,
                                    t->classes);
    }
    memcpy(p->ap, ap + METRICS_TIES_LOW_INDEX * t->classes, t->classes * sizeof *ap);
    return good;
}

static gboolean measure(const struct join *j, guint first, guint end, const char *name,
                        struct evaluation *e, GError **error)
{
    struct evaluation_part *p = &e->parts[e->n_parts++];
    guint n = end - first;
    gsize size = (gsize)n * j->images.scored->len;
    g_autofree float *scores = g_try_new(float, size);
    g_autofree gint8 *truth = g_try_new(gint8, size);
    *p = (struct evaluation_part){ .name = name, .n_labels = n,
                                   .ap = g_new0(double, n), .n_positive = g_new0(guint, n),
                                   .labels = g_new0(char *, n + 1) };
    guint64 without = 0;
    struct metrics_table t = { scores, truth, j->images.scored->len, n };
    if (scores && truth) {
        fill_table(j, first, end, scores, truth, &without);
        e->without_score = MAX(e->without_score, without); /* the parts overlap */
        count_truth(&t, p);
    }
    if (!scores || !truth || !measure_precision(&t, p)) {
        g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                    "%u images and %u labels are too many for this machine's memory",
                    j->images.scored->len, n);
        return FALSE;
    }
    for (guint i = 0; i < n; i++) {
        guint label = g_array_index(j->labels.true_, guint, first + i);
        p->labels[i] = g_strdup(dataset_label(j->truth, label));
    }
    p->at3 = metrics_at_k(&t, 3);
    p->at5 = metrics_at_k(&t, 5);
    p->at = metrics_at_threshold(&t, e->threshold);
    return TRUE;
}

static gboolean has_split(const struct dataset *d, const char *split)
{
    for (guint i = 0; i < dataset_n_images(d); i++) {
        if (in_split(d, i, split)) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean check_join(const struct join *j, const char *split, GError **error)
{
    const char *why = NULL;
    if (!has_split(j->truth, split)) {
        why = split ? "the data set has no images of this split" : "the data set is empty";
    } else if (j->images.scored->len == 0) {
        why = "no image has the same name in the scores and in the truth";
    } else if (j->labels.scored->len == 0) {
        why = "no label has the same name in the scores and in the truth";
    }
    if (why) {
        g_set_error_literal(error, DATASET_ERROR, DATASET_ERROR_INVALID, why);
    }
    return why == NULL;
}

static gboolean run(struct join *j, struct evaluation *e,
                    const struct evaluation_params *params, GError **error)
{
    match_images(j, e, params->split);
    e->n_images = j->images.scored->len;
    if (!match_labels(j, e, params, error) || !check_join(j, params->split, error)) {
        return FALSE;
    }
    guint n = j->labels.scored->len;
    if (j->n_seen == n) {
        return measure(j, 0, n, "all", e, error);
    }
    return measure(j, j->n_seen, n, "ZSL", e, error)
           && (j->n_seen == 0 || measure(j, 0, n, "GZSL", e, error));
}

struct evaluation *evaluation_run(const struct scores *scores, const struct dataset *truth,
                                  const struct evaluation_params *params, GError **error)
{
    struct evaluation *e = g_new0(struct evaluation, 1);
    struct join j = { .scores = scores, .truth = truth };
    struct evaluation_missing *missing[] = { &e->only_scored, &e->only_true,
                                             &e->labels_only_scored,
                                             &e->labels_only_true };
    GArray **indices[] = { &j.images.scored, &j.images.true_, &j.labels.scored,
                           &j.labels.true_ };
    for (gsize i = 0; i < G_N_ELEMENTS(missing); i++) {
        missing[i]->names = g_ptr_array_new_with_free_func(g_free);
        *indices[i] = g_array_new(FALSE, FALSE, sizeof(guint));
    }
    e->threshold = params->threshold;
    e->truth = g_strdup(dataset_summary(truth));
    if (!run(&j, e, params, error)) {
        evaluation_free(&e);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(indices); i++) {
        g_array_unref(*indices[i]);
    }
    return e;
}

void evaluation_free(struct evaluation **evaluation)
{
    struct evaluation *e = *evaluation;
    *evaluation = NULL;
    if (!e) {
        return;
    }
    for (guint i = 0; i < e->n_parts; i++) {
        g_free(e->parts[i].ap);
        g_free(e->parts[i].n_positive);
        g_strfreev(e->parts[i].labels);
    }
    g_ptr_array_unref(e->only_scored.names);
    g_ptr_array_unref(e->only_true.names);
    g_ptr_array_unref(e->labels_only_scored.names);
    g_ptr_array_unref(e->labels_only_true.names);
    g_free(e->truth);
    g_free(e);
}
