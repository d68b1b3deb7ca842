/* What decisions are worth: bench_annotator MODEL DATA POOL TEST LABELS [ROUNDS [SEEDS]].
 * A person who knows the truth of DATA decides 20 pairs of image and label a round, of the
 * split POOL and the labels in the file LABELS, and the model is tuned on all decisions so
 * far as the Learn button does. Printed is the mAP of these labels on the split TEST, for
 * pairs chosen by uncertainty and diversity and for pairs chosen at random; and what became
 * of the other labels. A program for people; no test runs it. */
#include "app/dataset/dataset.h"
#include "app/engine/prompts.h"
#include "app/metrics/metrics.h"
#include "app/select/select.h"
#include "app/tagger/tagger.h"
#include "app/trainer/trainer.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECISIONS 20 /* a round */

static void fail(const char *text)
{
    fprintf(stderr, "bench_annotator: %s\n", text);
    exit(1);
}

struct part { GArray *images; GPtrArray *paths; };

struct bench {
    struct dataset *data;
    struct part pool, test;
    GArray *wanted, *others; /* guint: labels of the data set */
    char *folder;            /* of models and decisions */
    token_cache *cache;      /* a file of its own */
};

/* --- The data ---------------------------------------------------------------------------- */

static struct part part_of(const struct dataset *data, const char *split)
{
    struct part p = { g_array_new(FALSE, FALSE, sizeof(guint)),
                      g_ptr_array_new_with_free_func(g_free) };
    for (guint i = 0; i < dataset_n_images(data); i++) {
        if (g_strcmp0(dataset_image_split(data, i), split) == 0) {
            g_array_append_val(p.images, i);
            g_ptr_array_add(p.paths, dataset_image_path(data, i));
        }
    }
    if (p.images->len == 0) {
        fail("there are no images of that split");
    }
    return p;
}

static void read_labels(struct bench *b, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) lines = dataset_read_lines(path, &error);
    if (!lines) {
        fail(error->message);
    }
    b->wanted = g_array_new(FALSE, FALSE, sizeof(guint));
    b->others = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint l = 0; l < dataset_n_labels(b->data); l++) {
        gboolean wanted = g_ptr_array_find_with_equal_func(lines, dataset_label(b->data, l),
                                                           g_str_equal, NULL);
        g_array_append_val(wanted ? b->wanted : b->others, l);
    }
}

static gint8 *truth_of(const struct bench *b, const struct part *part, const GArray *labels)
{
    gint8 *out = g_new(gint8, (gsize)part->images->len * labels->len);
    g_autofree gint8 *all = g_new(gint8, dataset_n_labels(b->data));
    for (guint i = 0; i < part->images->len; i++) {
        dataset_truth(b->data, g_array_index(part->images, guint, i), all);
        for (guint l = 0; l < labels->len; l++) {
            out[(gsize)i * labels->len + l] = all[g_array_index(labels, guint, l)];
        }
    }
    return out;
}

/* --- A model's answers ------------------------------------------------------------------- */

struct answers {
    guint images, labels, width;
    float *confidence; /* [images,labels] */
    float *features;   /* [images,width]: mean tokens */
    guint tokens, done;
};

static gboolean take(const struct tagger_item *items, guint n,
                     const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct answers *a = data;
    for (guint i = 0; i < n; i++, a->done++) {
        if (items[i].error) {
            fail(items[i].error->message);
        }
        memcpy(a->confidence + (gsize)a->done * a->labels, items[i].confidence,
               a->labels * sizeof(float));
        for (guint t = 0; t < a->tokens; t++) {
            for (guint k = 0; k < a->width; k++) {
                a->features[(gsize)a->done * a->width + k] +=
                    items[i].tokens[(gsize)t * a->width + k] / (float)a->tokens;
            }
        }
    }
    return TRUE;
}

static float *encode_labels(const struct bench *b, struct session *session,
                            const struct model *model, const GArray *labels)
{
    struct nn_error failure = { 0 };
    enum nn_status status;
    const struct model_info *info = model_info(model);
    float *out = g_new(float, (gsize)labels->len * info->embedding);
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    for (guint l = 0; l < labels->len; l++) {
        g_ptr_array_add(prompts,
                        prompts_fill(info->prompt,
                                     dataset_label(b->data,
                                                   g_array_index(labels, guint, l))));
    }
    if (!prompts_encode(session, model, (const char *const *)prompts->pdata, labels->len,
                        out, NULL, &status, &failure)) {
        fail(failure.text);
    }
    return out;
}

static struct answers ask(struct bench *b, const char *path, const struct part *part,
                          const GArray *labels)
{
    struct nn_error failure = { 0 };
    g_autoptr(GError) error = NULL;
    struct model *model = NULL;
    struct session *session = NULL;
    struct tagger_stats stats;
    struct session_params params = { .device = { .family = -1 } };
    if (model_open(&model, &path, 1, NULL, &failure) != NN_OK
        || session_create(&session, model, &params, &failure) != NN_OK) {
        fail(failure.text);
    }
    const struct model_info *info = model_info(model);
    struct answers a = { part->images->len, labels->len, info->token_width,
                         g_new(float, (gsize)part->images->len * labels->len),
                         g_new0(float, (gsize)part->images->len * info->token_width),
                         session_token_count(session), 0 };
    const struct session_keys *keys = session_keys(session);
    struct token_cache_key key = { keys->image, keys->text,
                                   (gsize)a.tokens * info->token_width, info->embedding };
    g_autofree char *file = g_build_filename(b->folder, "tokens.db", NULL);
    token_cache_use(&b->cache, file, &key);
    g_autofree float *embeddings = encode_labels(b, session, model, labels);
    struct tagger_params tagger = { .model = model, .session = session,
                                    .embeddings = embeddings, .n_labels = labels->len,
                                    .cache = b->cache, .put = take, .data = &a };
    if (!tagger_run(&tagger, part->paths, &stats, &error)) {
        fail(error->message);
    }
    session_destroy(&session);
    model_destroy(&model);
    return a;
}

static void answers_clear(struct answers *a)
{
    g_free(a->confidence);
    g_free(a->features);
}

/* Over the labels that have a positive. */
static double measure(struct bench *b, const char *model, const GArray *labels)
{
    struct answers a = ask(b, model, &b->test, labels);
    g_autofree gint8 *truth = truth_of(b, &b->test, labels);
    g_autofree float *scores = g_new(float, a.images);
    g_autofree gint8 *column = g_new(gint8, a.images);
    double sum = 0;
    guint n = 0;
    for (guint l = 0; l < labels->len; l++) {
        gboolean any = FALSE;
        double ap;
        for (guint i = 0; i < a.images; i++) {
            scores[i] = a.confidence[(gsize)i * labels->len + l];
            column[i] = truth[(gsize)i * labels->len + l];
            any = any || column[i] == TRUTH_POSITIVE;
        }
        if (any
            && metrics_average_precision(scores, column, a.images, METRICS_TIES_LOW_INDEX,
                                         METRICS_AP_EPSILON, &ap)) {
            sum += ap;
            n++;
        }
    }
    answers_clear(&a);
    return n ? 100 * sum / n : NAN;
}

/* --- Rounds ------------------------------------------------------------------------------ */

static void decide(struct bench *b, const char *model, enum select_rule rule, guint64 seed,
                   gint8 *decided)
{
    struct answers a = ask(b, model, &b->pool, b->wanted);
    g_autofree gint8 *truth = truth_of(b, &b->pool, b->wanted);
    struct select_pool pool = { a.images, a.labels, a.width, a.confidence, decided,
                                a.features };
    struct select_pair pairs[DECISIONS];
    guint n = select_pairs(&pool, rule, seed, DECISIONS, pairs);
    for (guint i = 0; i < n; i++) {
        gsize at = (gsize)pairs[i].image * a.labels + pairs[i].label;
        decided[at] = truth[at];
    }
    answers_clear(&a);
}

/* As `taglight export --format csv` writes decisions. */
static char *write_decisions(const struct bench *b, const gint8 *decided)
{
    char *path = g_build_filename(b->folder, "decisions.csv", NULL);
    FILE *out = fopen(path, "w");
    if (!out) {
        fail("the decisions cannot be written");
    }
    fputs("path,label,state\n", out);
    for (guint i = 0; i < b->pool.images->len; i++) {
        for (guint l = 0; l < b->wanted->len; l++) {
            gint8 d = decided[(gsize)i * b->wanted->len + l];
            if (d) {
                g_autofree char *whole =
                    g_canonicalize_filename(b->pool.paths->pdata[i], NULL);
                fprintf(out, "\"%s\",\"%s\",%s\n", whole,
                        dataset_label(b->data, g_array_index(b->wanted, guint, l)),
                        d > 0 ? "accepted" : "rejected");
            }
        }
    }
    fclose(out);
    return path;
}

/* The tuned model's path; seconds are added. */
static char *learn(const struct bench *b, const char *model, const gint8 *decided,
                   guint round, double *seconds)
{
    g_autofree char *data = write_decisions(b, decided);
    g_autofree char *name = g_strdup_printf("round-%u-%08x", round, g_random_int());
    char *out = g_build_filename(b->folder, name, NULL);
    g_autoptr(GError) error = NULL;
    enum trainer_end end;
    struct trainer_options o;
    trainer_options_for_decisions(&o);
    o.model = model;
    o.out = out;
    o.set.path = data;
    o.set.unlisted = DATASET_UNLISTED_UNKNOWN;
    gint64 start = g_get_monotonic_time();
    if (!trainer_run(&o, NULL, NULL, &end, &error)) {
        fail(error->message);
    }
    *seconds = 1e-6 * (double)(g_get_monotonic_time() - start);
    return out;
}

static void run(struct bench *b, const char *model, enum select_rule rule, guint rounds,
                guint64 seed)
{
    g_autofree gint8 *decided = g_new0(gint8, (gsize)b->pool.images->len * b->wanted->len);
    g_autofree char *tuned = g_strdup(model);
    for (guint round = 0; round <= rounds; round++) {
        double seconds = 0;
        if (round > 0) {
            decide(b, tuned, rule, seed + round, decided);
            g_free(tuned);
            tuned = learn(b, model, decided, round, &seconds);
        }
        printf("%-10s %4" G_GUINT64_FORMAT "  %9u  %8.2f  %12.2f  %7.1f\n",
               rule == SELECT_RANDOM ? "random" : "uncertain", seed, round * DECISIONS,
               measure(b, tuned, b->wanted), measure(b, tuned, b->others), seconds);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    struct bench b = { 0 };
    if (argc < 6) {
        fail("MODEL DATA POOL TEST LABELS [ROUNDS [SEEDS]]");
    }
    guint rounds = argc > 6 ? (guint)atoi(argv[6]) : 5, seeds = argc > 7 ? (guint)atoi(argv[7]) : 1;
    b.data = dataset_open(argv[2], NULL, &error);
    b.folder = b.data ? g_dir_make_tmp("annotator-XXXXXX", &error) : NULL;
    if (!b.folder) {
        fail(error->message);
    }
    b.pool = part_of(b.data, argv[3]);
    b.test = part_of(b.data, argv[4]);
    read_labels(&b, argv[5]);
    printf("%u labels, %u images to decide on, %u to measure on\n", b.wanted->len,
           b.pool.images->len, b.test.images->len);
    printf("chosen     seed  decisions       mAP  other labels  seconds\n");
    for (guint s = 0; s < seeds; s++) {
        run(&b, argv[1], SELECT_UNCERTAIN, rounds, 100 * s);
        run(&b, argv[1], SELECT_RANDOM, rounds, 100 * s);
    }
    token_cache_close(&b.cache);
    return 0;
}
