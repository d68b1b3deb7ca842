/* Metrics against published code's figures (DIR/cases.safetensors, DIR/expected.json), and
 * small tables that were counted by hand. */
#include "app/metrics/metrics.h"
#include "compute/json.h"
#include "compute/weights/weights.h"
#include "tests/check.h"

static struct nn_error error;

static void require_near(double got, double want, double tolerance, const char *what,
                         size_t index)
{
    if (!(fabs(got - want) <= tolerance)) {
        fprintf(stderr, "%s [%zu] is %.12g, not %.12g\n", what, index, got, want);
        exit(1);
    }
}

/* --- Golden cases ------------------------------------------------------------------ */

struct cases {
    struct weights *tensors;
    struct json *json;
    char *text;
};

static char *read_text(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    REQUIRE(fseek(file, 0, SEEK_END) == 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    REQUIRE(text && fread(text, 1, *size, file) == *size);
    fclose(file);
    return text;
}

static float *read_tensor(const struct cases *c, unsigned number, const char *what,
                          struct metrics_table *table)
{
    char name[64];
    snprintf(name, sizeof name, "c%u.%s", number, what);
    const struct weights_tensor *t = weights_find(c->tensors, name);
    REQUIRE(t && t->rank == 2);
    float *values = malloc(t->count * sizeof *values);
    REQUIRE(values);
    REQUIRE_OK(weights_read_f32(c->tensors, t, values, &error));
    table->images = (size_t)t->shape[0];
    table->classes = (size_t)t->shape[1];
    return values;
}

static struct metrics_table read_table(const struct cases *c, unsigned number)
{
    struct metrics_table table = { 0 };
    table.scores = read_tensor(c, number, "scores", &table);
    float *targets = read_tensor(c, number, "targets", &table);
    int8_t *truth = malloc(table.images * table.classes);
    REQUIRE(truth);
    for (size_t i = 0; i < table.images * table.classes; i++) {
        truth[i] = targets[i] > 0 ? TRUTH_POSITIVE : TRUTH_NEGATIVE;
    }
    free(targets);
    table.truth = truth;
    return table;
}

/* The number of a member; null stands for what is undefined. */
static double number(const struct json *json, uint32_t object, const char *key)
{
    double value = NAN;
    uint32_t at = json_get(json, object, key);
    REQUIRE(at != JSON_NONE);
    REQUIRE(json_type_of(json, at) == JSON_NULL || json_double(json, at, &value));
    return value;
}

static void require_member(double got, const struct json *json, uint32_t object,
                           const char *key, size_t index)
{
    double want = number(json, object, key);
    if (isnan(want)) {
        REQUIRE(isnan(got));
    } else {
        require_near(100 * got, want, 1e-4, key, index);
    }
}

static void check_ap(const struct cases *c, uint32_t expected,
                     const struct metrics_table *t)
{
    static const struct {
        const char *key;
        enum metrics_ties ties;
        double epsilon;
    } rules[] = { { "ap_ties_low_index_first", METRICS_TIES_LOW_INDEX, 1e-8 },
                  { "ap_ties_high_index_first", METRICS_TIES_HIGH_INDEX, 1e-8 },
                  { "ap_ties_positives_first", METRICS_TIES_POSITIVES_FIRST, 1e-8 },
                  { "ap_ties_positives_last", METRICS_TIES_POSITIVES_LAST, 1e-8 },
                  { "ap_sklearn", METRICS_TIES_TOGETHER, 0 } };
    double *ap = malloc(t->classes * sizeof *ap);
    float *scores = malloc(t->images * t->classes * sizeof *scores);
    int8_t *truth = malloc(t->images * t->classes);
    unsigned *n_positive = calloc(t->classes, sizeof *n_positive);
    REQUIRE(ap && scores && truth && n_positive);
    metrics_columns(t, 0, t->classes, scores, truth);
    for (size_t i = 0; i < t->images * t->classes; i++) {
        n_positive[i % t->classes] += t->truth[i] == TRUTH_POSITIVE;
    }
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        uint32_t list = json_get(c->json, expected, rules[r].key);
        REQUIRE_INT(json_count(c->json, list), t->classes);
        uint32_t at = json_first(c->json, list);
        for (size_t k = 0; k < t->classes; k++, at = json_next(c->json, list, at)) {
            double want;
            REQUIRE(json_double(c->json, at, &want));
            REQUIRE(metrics_average_precision(scores + k * t->images, truth + k * t->images,
                                              t->images, rules[r].ties,
                                              rules[r].epsilon, &ap[k]));
            require_near(ap[k], want, 1e-9, rules[r].key, k);
        }
        struct metrics_map map = metrics_mean(ap, n_positive, t->classes);
        if (rules[r].ties == METRICS_TIES_LOW_INDEX) {
            require_member(map.all, c->json, expected, "mAP_ties_low_index_first", r);
        }
        if (rules[r].ties == METRICS_TIES_TOGETHER) {
            require_member(map.all, c->json, expected, "mAP_sklearn_all_classes", r);
            require_member(map.present, c->json, expected, "mAP_sklearn_nonempty_classes",
                           r);
        }
    }
    free(ap);
    free(scores);
    free(truth);
    free(n_positive);
}

static void check_counts(const struct cases *c, uint32_t expected,
                         const struct metrics_table *t)
{
    for (size_t k = 3; k <= 5; k += 2) {
        char key[16];
        snprintf(key, sizeof key, "topk%zu", k);
        uint32_t want = json_get(c->json, json_get(c->json, expected, key), "clean");
        struct metrics_at_k m = metrics_at_k(t, k);
        REQUIRE_INT(m.hits, number(c->json, want, "TP"));
        REQUIRE_INT(m.marked, number(c->json, want, "marked"));
        REQUIRE_INT(m.positives, number(c->json, want, "positives"));
        require_member(m.precision, c->json, want, "P", k);
        require_member(m.recall, c->json, want, "R", k);
        require_member(m.f1, c->json, want, "F1", k);
    }
    for (int i = 0; i < 2; i++) {
        uint32_t want = json_get(c->json, expected, i ? "thr0.75" : "thr0.5");
        struct metrics_at_threshold m = metrics_at_threshold(t, i ? 0.75 : 0.5);
        require_member(m.cp, c->json, want, "CP", (size_t)i);
        require_member(m.cr, c->json, want, "CR", (size_t)i);
        require_member(m.cf1, c->json, want, "CF1", (size_t)i);
        require_member(m.cf1_harmonic, c->json, want, "CF1_harmonic", (size_t)i);
        require_member(m.op, c->json, want, "OP", (size_t)i);
        require_member(m.or, c->json, want, "OR", (size_t)i);
        require_member(m.of1, c->json, want, "OF1", (size_t)i);
    }
}

static int test_golden(const char *dir)
{
    struct cases c = { 0 };
    char path[1024];
    size_t size = 0;
    unsigned checked = 0;
    snprintf(path, sizeof path, "%s/expected.json", dir);
    c.text = read_text(path, &size);
    if (!c.text) {
        return CHECK_SKIP;
    }
    REQUIRE_OK(json_parse(&c.json, c.text, size, path, &error));
    snprintf(path, sizeof path, "%s/cases.safetensors", dir);
    REQUIRE_OK(weights_open(&c.tensors, path, &error));
    for (uint32_t at = json_first(c.json, 0); at != JSON_NONE;
         at = json_next(c.json, 0, at)) {
        struct metrics_table table =
            read_table(&c, (unsigned)number(c.json, at, "case"));
        check_ap(&c, at, &table);
        check_counts(&c, at, &table);
        free((void *)table.scores);
        free((void *)table.truth);
        checked++;
    }
    printf("%u cases\n", checked);
    REQUIRE(checked > 0);
    weights_destroy(&c.tensors);
    json_destroy(&c.json);
    free(c.text);
    return 0;
}

/* --- By hand ------------------------------------------------------------------------ */

static void test_unknown(void)
{
    static const float scores[] = { 0.9f, 0.1f, 0.8f, 0.7f, 0.6f, 0.2f };
    static const int8_t truth[] = { 0, 1, -1, 0, 1, -1 };
    struct metrics_table t = { scores, truth, 3, 2 };
    float column_scores[6];
    int8_t column_truth[6];
    double ap[2];
    metrics_columns(&t, 0, 2, column_scores, column_truth);
    /* Class 0: the best image is unknown, then a negative, then the positive: 1/2. */
    REQUIRE(metrics_average_precision(column_scores, column_truth, 3,
                                      METRICS_TIES_LOW_INDEX, 0, &ap[0]));
    require_near(ap[0], 0.5, 1e-12, "AP with an unknown image", 0);
    /* Class 1: the positive ranks behind the one negative. */
    REQUIRE(metrics_average_precision(column_scores + 3, column_truth + 3, 3,
                                      METRICS_TIES_LOW_INDEX, 0, &ap[1]));
    require_near(ap[1], 0.5, 1e-12, "AP with an unknown image", 1);
    /* The best known label of each image: 1 (hit), 0 (miss), 0 (hit). */
    struct metrics_at_k m = metrics_at_k(&t, 1);
    REQUIRE_INT(m.hits, 2);
    REQUIRE_INT(m.marked, 3);
    REQUIRE_INT(m.positives, 2);
    /* Both labels of an image that has only one known. */
    REQUIRE_INT(metrics_at_k(&t, 2).marked, 4);
    struct metrics_at_threshold at = metrics_at_threshold(&t, 0.5);
    require_near(at.op, 0.5, 1e-12, "OP", 0);
    require_near(at.or, 0.5, 1e-12, "OR", 0);
}

static void test_nothing(void)
{
    static const float scores[] = { 0.3f, 0.3f };
    static const int8_t truth[] = { -1, -1 };
    struct metrics_table t = { scores, truth, 2, 1 };
    double ap = 1;
    unsigned none = 0;
    REQUIRE(metrics_average_precision(scores, truth, 2, METRICS_TIES_LOW_INDEX, 0, &ap));
    REQUIRE(ap == 0);
    struct metrics_map map = metrics_mean(&ap, &none, 1);
    REQUIRE(map.all == 0 && isnan(map.present) && map.n_present == 0);
    REQUIRE(isnan(metrics_at_k(&t, 3).recall) && isnan(metrics_at_k(&t, 3).f1));
    /* A float of 0.3 is above the double of 0.3; as written they are equal. */
    REQUIRE(isnan(metrics_at_threshold(&t, 0.3).op));
    REQUIRE(metrics_at_threshold(&t, 0.29).op == 0);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    test_unknown();
    test_nothing();
    return test_golden(argv[1]);
}
