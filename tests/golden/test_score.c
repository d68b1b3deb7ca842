/* Scoring: test_score FORMULA_CHECKPOINT WORK_DIR. Few labels are scored in another way
 * than many; both must agree, and an image's confidence must not depend on the batch. */
#include "compute/nets/model.h"
#include "tests/check.h"

#define IMAGES 70 /* more than one batch, with a remainder */
#define LABELS 33 /* too many for the way of few */

static float *tokens, *embeddings;
static size_t n_tokens;

static struct session *open_session(const struct model *model, bool no_absorb)
{
    struct nn_error error = { 0 };
    struct session *session = NULL;
    struct session_params params = { .device = { .family = -1 }, .no_absorb = no_absorb };
    if (session_create(&session, model, &params, &error) != NN_OK) {
        fprintf(stderr, "skipped: %s\n", error.text);
        exit(CHECK_SKIP);
    }
    return session;
}

static float *score(struct session *session, uint32_t first, uint32_t images, uint32_t n)
{
    struct nn_error error = { 0 };
    float *out = calloc((size_t)images * n, sizeof *out);
    REQUIRE_OK(session_score(session, tokens + first * n_tokens, images, embeddings, n, out,
                             NULL, &error));
    return out;
}

static double largest_difference(const float *a, const float *b, size_t count)
{
    double worst = 0;
    for (size_t i = 0; i < count; i++) {
        double d = fabs((double)a[i] - b[i]);
        worst = d > worst || isnan(d) ? d : worst;
    }
    return worst;
}

static void test_forms(struct session *few, struct session *many, uint32_t n)
{
    float *a = score(few, 0, IMAGES, n), *b = score(many, 0, IMAGES, n);
    double worst = largest_difference(a, b, (size_t)IMAGES * n), spread = 0;
    if (!(worst <= 5e-5)) {
        fprintf(stderr, "%u labels: the forms differ by %g\n", n, worst);
        exit(1);
    }
    /* Equal numbers prove nothing when all are one. */
    for (uint32_t i = 1; i < IMAGES; i++) {
        spread = fmax(spread, fabs((double)a[i * n] - a[0]));
    }
    REQUIRE(spread > 1e-3);
    free(a);
    free(b);
}

static void test_batches(struct session *session, uint32_t n)
{
    float *all = score(session, 0, IMAGES, n), *again = score(session, 0, IMAGES, n);
    REQUIRE(memcmp(all, again, (size_t)IMAGES * n * sizeof *all) == 0);
    static const uint32_t sizes[] = { 1, 2, 3, 5, 17 };
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (uint32_t first = 0; first + sizes[k] <= IMAGES; first += 23) {
            float *part = score(session, first, sizes[k], n);
            REQUIRE(memcmp(part, all + first * n, sizes[k] * n * sizeof *part) == 0);
            free(part);
        }
    }
    free(all);
    free(again);
}

/* Attention is a share of each token; tokens have no place, so that it moves with them. */
static void test_attention(struct session *session, const struct model *model)
{
    struct nn_error error = { 0 };
    uint32_t t = session_token_count(session), width = model_info(model)->token_width;
    float *a = calloc(3 * t, sizeof *a), *b = a + t, *c = b + t;
    float *moved = calloc(n_tokens, sizeof *moved);
    for (uint32_t i = 0; i < t; i++) {
        memcpy(moved + (size_t)i * width, tokens + (size_t)((i + 1) % t) * width,
               width * sizeof *moved);
    }
    const float *other = embeddings + model_info(model)->embedding;
    REQUIRE_OK(session_attention(session, tokens, embeddings, 0, a, NULL, &error));
    REQUIRE_OK(session_attention(session, moved, embeddings, 0, b, NULL, &error));
    REQUIRE_OK(session_attention(session, tokens, other, 0, c, NULL, &error));
    double sum = 0, spread = 0;
    for (uint32_t i = 0; i < t; i++) {
        REQUIRE(a[i] >= 0);
        sum += a[i];
        spread = fmax(spread, fabs((double)a[i] - 1.0 / t));
        REQUIRE(fabs((double)b[i] - a[(i + 1) % t]) <= 1e-6);
    }
    REQUIRE(fabs(sum - 1) <= 1e-5);
    REQUIRE(t > 1 && spread > 1e-4);
    REQUIRE(largest_difference(a, c, t) > 1e-4);
    free(a);
    free(moved);
}

int main(int argc, char **argv)
{
    char path[1024], command[2200];
    struct nn_error error = { 0 };
    struct model *model = NULL;
    struct model_settings settings;
    REQUIRE(argc == 3);
    snprintf(path, sizeof path, "%s/score.safetensors", argv[2]);
    snprintf(command, sizeof command, "'%s' demo '%s'", argv[1], path);
    REQUIRE(system(command) == 0);
    model_settings_init(&settings);
    settings.text_heads = 4;
    REQUIRE_OK(model_open(&model, (const char *const[]){ path }, 1, &settings, &error));
    struct session *few = open_session(model, false), *many = open_session(model, true);
    n_tokens = (size_t)session_token_count(few) * model_info(model)->token_width;
    tokens = calloc(IMAGES * n_tokens, sizeof *tokens);
    embeddings = calloc((size_t)LABELS * model_info(model)->embedding, sizeof *embeddings);
    for (size_t i = 0; i < IMAGES * n_tokens; i++) {
        tokens[i] = (float)fmax(0, 2 * sin((double)i * 12.9898));
    }
    for (size_t i = 0; i < (size_t)LABELS * model_info(model)->embedding; i++) {
        embeddings[i] = (float)sin((double)i * 78.233);
    }
    test_forms(few, many, 1);
    test_forms(few, many, 7);
    test_batches(few, 1);
    test_batches(few, 5);
    test_batches(few, LABELS);
    test_attention(few, model);
    REQUIRE_INT(gpu_device_validation_count(session_device(few)), 0);
    session_destroy(&few);
    session_destroy(&many);
    model_destroy(&model);
    free(tokens);
    free(embeddings);
    return 0;
}
