/* Profiles of a plan: what they count is known in advance, what they time is not. */
#include "compute/gpu/gpu.h"
#include "compute/graph/plan.h"
#include "tests/check.h"

/* Two equal convolutions and a linear layer over their mean. */
static struct nn_graph *build(void)
{
    struct nn_graph *g = nn_graph_create();
    nn_id x = nn_input(g, "x", NN_F32, NN_SHAPE4(1, 8, 6, 5));
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "second" : "first";
        nn_id w = nn_param(g, name, NN_SHAPE4(8, 8, 3, 3));
        x = nn_conv2d(g, x, w, NN_NONE, 1, 1);
    }
    nn_id w = nn_param(g, "linear", NN_SHAPE2(4, 8));
    nn_output(g, nn_linear(g, nn_mean_map(g, x), w, NN_NONE), "y");
    return g;
}

static enum nn_status read_param(void *user, const char *name, float *out, uint64_t count,
                                 struct nn_error *error)
{
    for (uint64_t i = 0; i < count; i++) {
        out[i] = (float)(i % 7) / 8 - 0.375f;
    }
    return NN_OK;
}

static const struct nn_profile_row *find(const struct nn_profile *profile, const char *what)
{
    for (size_t i = 0; i < profile->n_rows; i++) {
        if (strstr(profile->rows[i].what, what)) {
            return &profile->rows[i];
        }
    }
    fprintf(stderr, "no row is called \"%s\"\n", what);
    exit(1);
}

static void check(const struct nn_profile *profile)
{
    const struct nn_profile_row *conv = find(profile, "8->8 @6x5");
    const struct nn_profile_row *linear = find(profile, "linear 8->4 x1");
    find(profile, "mean_map [1, 8]");
    REQUIRE(conv->calls % 2 == 0);
    REQUIRE(linear->flops == 2 * 4 * 8);
    REQUIRE(linear->bytes >= 4 * (4 * 8 + 8 + 4));
    double sum = 0;
    for (size_t i = 0; i < profile->n_rows; i++) {
        REQUIRE(profile->rows[i].seconds > 0);
        REQUIRE(i == 0 || profile->rows[i].seconds <= profile->rows[i - 1].seconds);
        sum += profile->rows[i].seconds;
    }
    REQUIRE(fabs(sum - profile->seconds) < 1e-9);
}

static void test_family(struct gpu_device *device)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, read_param };
    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    struct nn_graph *g = build();
    float x[8 * 6 * 5], before[4], after[4];
    read_param(NULL, "x", x, 8 * 6 * 5, NULL);
    struct nn_binding in = { "x", x, 8 * 6 * 5 }, out = { "y", before, 4 };
    REQUIRE_OK(nn_store_create(&store, device, &params, &error));
    REQUIRE_OK(nn_plan_create(&plan, g, store, NULL, &error));
    struct nn_plan_facts facts;
    nn_plan_get_facts(plan, &facts);
    REQUIRE(facts.nominal_flops == 2.0 * (2 * 30 * 8 * 8 * 9 + 4 * 8));

    REQUIRE_OK(nn_plan_run(plan, &in, 1, &out, 1, NULL, &error));
    for (int by_submits = 0; by_submits < 2; by_submits++) {
        struct nn_profile profile = { 0 };
        struct nn_profile_params how = { .runs = 3, .by_submits = by_submits };
        REQUIRE_OK(nn_plan_profile(plan, &in, 1, &how, &profile, &error));
        REQUIRE_INT(profile.by_submits,
                    by_submits || !gpu_device_caps(device)->timestamps);
        check(&profile);
        nn_profile_clear(&profile);
        /* The plan is as it was. */
        struct nn_plan_facts again;
        nn_plan_get_facts(plan, &again);
        REQUIRE_INT(again.n_submits, facts.n_submits);
        out.values = after;
        REQUIRE_OK(nn_plan_run(plan, &in, 1, &out, 1, NULL, &error));
        REQUIRE(memcmp(before, after, sizeof before) == 0);
    }
    struct nn_profile none = { 0 };
    REQUIRE(nn_plan_profile(plan, NULL, 0, NULL, &none, &error) == NN_ERROR_INVALID);
    REQUIRE(none.rows == NULL);
    REQUIRE_OK(nn_plan_run(plan, &in, 1, &out, 1, NULL, &error));
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    nn_graph_destroy(&g);
}

int main(void)
{
    for (int family = 0; family < 2; family++) {
        struct nn_error error = { 0 };
        struct gpu_device *device = NULL;
        struct gpu_device_params params = { .family = family };
        if (gpu_device_create(&device, &params, &error) != NN_OK) {
            fprintf(stderr, "skipped: %s\n", error.text);
            return CHECK_SKIP;
        }
        test_family(device);
        REQUIRE_INT(gpu_device_validation_count(device), 0);
        gpu_device_destroy(&device);
    }
    return 0;
}
