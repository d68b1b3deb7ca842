/* Every operator on every device path against the plain C reference, on odd sizes.
 *
 * A case is a function that builds a small graph whose output is called "y". It runs
 * through nn_ref_run and through plans of both kernel families, fused and not. To cover
 * a new operator, write a builder and add it to the table; the test fails when an
 * operator of inference in op.def stands in no case (those of training: test_grad.c). */
#include "compute/gpu/gpu.h"
#include "compute/graph/graph.h"
#include "compute/graph/plan.h"
#include "tests/check.h"

#define TOLERANCE 2e-5

static double noise(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 40) / 8388608.0 - 1.0;
}

static uint64_t seed_of(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    while (*name) {
        h = (h ^ (uint8_t)*name++) * 0x100000001b3u;
    }
    return h;
}

/* Variances must be positive; everything else is uniform in [-1, 1). */
static enum nn_status read_param(void *user, const char *name, float *out, uint64_t count,
                                 struct nn_error *error)
{
    uint64_t state = seed_of(name);
    for (uint64_t i = 0; i < count; i++) {
        double u = noise(&state);
        out[i] = (float)(strstr(name, "var") ? 1.0 + 0.5 * u : u);
    }
    return NN_OK;
}

typedef struct nn_graph G;

static nn_id vec(G *g, const char *name, uint32_t n)
{
    return nn_param(g, name, NN_SHAPE1(n));
}

static nn_id map(G *g, uint32_t b, uint32_t c, uint32_t h, uint32_t w)
{
    return nn_input(g, "x", NN_F32, NN_SHAPE4(b, c, h, w));
}

static nn_id rows(G *g, const char *name, uint32_t b, uint32_t t, uint32_t d)
{
    return nn_input(g, name, NN_F32, NN_SHAPE3(b, t, d));
}

static nn_id conv(G *g, nn_id x, const char *name, uint32_t o, uint32_t k, uint32_t stride,
                  uint32_t pad, bool bias)
{
    uint32_t c = nn_graph_check(g, NULL) == NN_OK ? nn_graph_node(g, x)->shape.dim[1] : 1;
    char b[32];
    snprintf(b, sizeof b, "%s.bias", name);
    return nn_conv2d(g, x, nn_param(g, name, NN_SHAPE4(o, c, k, k)),
                     bias ? vec(g, b, o) : NN_NONE, stride, pad);
}

static nn_id norm(G *g, nn_id x, const char *tag, uint32_t c)
{
    char n[4][32];
    const char *part[4] = { "gamma", "beta", "mean", "var" };
    for (int i = 0; i < 4; i++) {
        snprintf(n[i], sizeof n[i], "%s.%s", tag, part[i]);
    }
    return nn_batch_norm(g, x, vec(g, n[0], c), vec(g, n[1], c), vec(g, n[2], c),
                         vec(g, n[3], c), 1e-5f);
}

static const struct nn_epilogue relu = { NN_ACT_RELU, 0 };
static const struct nn_epilogue leaky = { NN_ACT_LEAKY_RELU, 0.01f };
static const struct nn_epilogue gelu = { NN_ACT_GELU, 0 };
static const struct nn_epilogue quick = { NN_ACT_QUICK_GELU, 0 };
static const struct nn_epilogue sigmoid = { NN_ACT_SIGMOID, 0 };

static nn_id conv_3x3(G *g) { return conv(g, map(g, 2, 5, 9, 7), "w", 7, 3, 1, 1, true); }
static nn_id conv_stride(G *g) { return conv(g, map(g, 1, 3, 11, 10), "w", 76, 3, 2, 1, false); }
static nn_id conv_1x1(G *g) { return conv(g, map(g, 3, 19, 5, 5), "w", 33, 1, 1, 0, true); }
static nn_id conv_even(G *g) { return conv(g, map(g, 1, 8, 18, 26), "w", 40, 3, 1, 1, false); }
static nn_id conv_tiny(G *g) { return conv(g, map(g, 1, 13, 1, 1), "w", 5, 3, 1, 1, true); }
static nn_id conv_patch(G *g) { return conv(g, map(g, 2, 3, 16, 24), "w", 12, 8, 8, 0, false); }
static nn_id conv_5x5(G *g) { return conv(g, map(g, 1, 4, 6, 6), "w", 4, 5, 1, 2, true); }
static nn_id conv_norm_act(G *g)
{
    return nn_activation(g, norm(g, conv(g, map(g, 2, 6, 8, 9), "w", 10, 3, 1, 1, false),
                                 "bn", 10), leaky);
}
static nn_id conv_norm_residual(G *g)
{
    nn_id x = map(g, 2, 12, 6, 5);
    nn_id a = nn_activation(g, norm(g, conv(g, x, "w1", 7, 1, 1, 0, false), "b1", 7), relu);
    nn_id b = norm(g, conv(g, a, "w2", 12, 1, 1, 0, true), "b2", 12);
    return nn_activation(g, nn_add(g, b, x), relu);
}
static nn_id excitation(G *g)
{
    nn_id x = map(g, 3, 9, 5, 7);
    nn_id s = nn_linear_act(g, nn_mean_map(g, x), nn_param(g, "f1", NN_SHAPE2(6, 9)),
                            vec(g, "f1b", 6), relu);
    s = nn_linear_act(g, s, nn_param(g, "f2", NN_SHAPE2(9, 6)), vec(g, "f2b", 9), sigmoid);
    return nn_activation(g, nn_add(g, nn_mul_channels(g, x, s), x), relu);
}
static nn_id fused_scale(G *g)
{
    nn_id x = map(g, 2, 6, 3, 5);
    return nn_scale_add_act(g, x, nn_mean_map(g, x), x, leaky);
}
static nn_id norm_alone(G *g) { return norm(g, map(g, 2, 7, 3, 5), "bn", 7); }
static nn_id blur(G *g) { return nn_blur_pool(g, map(g, 2, 6, 9, 13)); }
static nn_id blur_small(G *g) { return nn_blur_pool(g, map(g, 1, 3, 2, 3)); }
static nn_id pool_ceil(G *g) { return nn_avg_pool(g, map(g, 2, 5, 7, 9), 2, true); }
static nn_id pool_floor(G *g) { return nn_avg_pool(g, map(g, 1, 5, 7, 9), 3, false); }
static nn_id depth(G *g) { return nn_space_to_depth(g, map(g, 2, 3, 8, 12)); }
static nn_id depth_odd(G *g) { return nn_space_to_depth(g, map(g, 1, 5, 4, 4)); }
static nn_id linear_wide(G *g)
{
    return nn_linear(g, rows(g, "x", 2, 7, 33), nn_param(g, "w", NN_SHAPE2(70, 33)),
                     vec(g, "b", 70));
}
static nn_id linear_one(G *g)
{
    return nn_linear(g, nn_input(g, "x", NN_F32, NN_SHAPE2(1, 21)),
                     nn_param(g, "w", NN_SHAPE2(1, 21)), NN_NONE);
}
static nn_id linear_gelu(G *g)
{
    return nn_activation(g, nn_linear(g, rows(g, "x", 1, 5, 16),
                                      nn_param(g, "w", NN_SHAPE2(24, 16)), NN_NONE), gelu);
}
static nn_id linear_residual(G *g)
{
    nn_id x = rows(g, "x", 3, 11, 20);
    nn_id h = nn_activation(g, nn_linear(g, x, nn_param(g, "w1", NN_SHAPE2(31, 20)),
                                         vec(g, "b1", 31)), quick);
    return nn_add(g, x, nn_linear(g, h, nn_param(g, "w2", NN_SHAPE2(20, 31)),
                                  vec(g, "b2", 20)));
}
static nn_id matmul(G *g)
{
    return nn_matmul_nt(g, nn_input(g, "x", NN_F32, NN_SHAPE2(5, 13)),
                        nn_input(g, "z", NN_F32, NN_SHAPE2(7, 13)));
}
static nn_id add_position(G *g)
{
    return nn_add(g, rows(g, "x", 3, 5, 7), nn_param(g, "p", NN_SHAPE2(5, 7)));
}
static nn_id scaled(G *g) { return nn_scale(g, rows(g, "x", 1, 3, 5), 2.0f); }
static nn_id activations(G *g)
{
    nn_id x = nn_activation(g, rows(g, "x", 2, 3, 5), gelu);
    return nn_activation(g, nn_activation(g, x, sigmoid), quick);
}
static nn_id mean_of_rows(G *g) { return nn_mean_rows(g, rows(g, "x", 3, 11, 13)); }
static nn_id mean_of_map(G *g) { return nn_mean_map(g, map(g, 2, 13, 7, 3)); }
static nn_id to_rows(G *g) { return nn_map_to_rows(g, map(g, 2, 6, 3, 5)); }
static nn_id prepend(G *g)
{
    nn_id x = rows(g, "x", 2, 5, 6);
    return nn_prepend_row(g, nn_mean_rows(g, x), nn_prepend_row(g, vec(g, "c", 6), x));
}
static nn_id shared_add(G *g)
{
    nn_id w = nn_transpose(g, nn_param(g, "w", NN_SHAPE2(7, 9)));
    nn_id z = nn_linear(g, rows(g, "z", 1, 5, 7), w, NN_NONE);
    return nn_add(g, rows(g, "x", 3, 5, 9), z);
}
static nn_id reshaped(G *g)
{
    nn_id x = nn_first_row(g, rows(g, "x", 6, 5, 7));
    x = nn_reshape(g, nn_first_rows(g, nn_scale(g, x, 3), 4), NN_SHAPE3(2, 2, 7));
    return nn_scale(g, x, 0.5f);
}
static nn_id pick_row(G *g)
{
    return nn_select_row(g, rows(g, "x", 3, 5, 6),
                         nn_input(g, "i", NN_I32, NN_SHAPE1(3)));
}
static nn_id embedding(G *g)
{
    return nn_embed(g, nn_input(g, "i", NN_I32, NN_SHAPE2(2, 7)),
                    nn_param(g, "t", NN_SHAPE2(4, 10)));
}
static nn_id layer_norm(G *g)
{
    return nn_layer_norm(g, rows(g, "x", 2, 3, 37), vec(g, "g", 37), vec(g, "b", 37), 1e-5f);
}
static nn_id normalize(G *g) { return nn_l2_normalize(g, rows(g, "x", 2, 3, 21)); }
static nn_id softmax(G *g) { return nn_softmax(g, rows(g, "x", 2, 3, 21)); }
static nn_id attend(G *g, uint32_t heads, uint32_t width, bool causal)
{
    struct nn_attention a = { .heads = heads, .width = width, .q_column = 0,
                              .k_column = width, .v_column = 2 * width,
                              .causal = causal };
    nn_id x = rows(g, "x", 2, 13, 3 * width);
    return nn_attn_apply(g, nn_attn_probs(g, x, x, a), x, a);
}
static nn_id attention_causal(G *g) { return attend(g, 2, 128, true); }
static nn_id attention_odd(G *g) { return attend(g, 3, 9, false); }
static nn_id attention_one(G *g) { return attend(g, 5, 5, true); }
static nn_id attention_shared(G *g)
{
    struct nn_attention a = { .heads = 8, .width = 96 };
    nn_id k = rows(g, "x", 3, 10, 96), q = rows(g, "z", 1, 6, 96);
    return nn_attention(g, q, k, k, a);
}
static nn_id probabilities(G *g)
{
    struct nn_attention a = { .heads = 4, .width = 48 };
    nn_id q = rows(g, "x", 2, 3, 48), k = rows(g, "z", 2, 9, 48);
    return nn_attn_probs(g, q, k, a);
}
static nn_id group(G *g)
{
    return nn_group_fc(g, rows(g, "x", 2, 5, 14), nn_param(g, "p", NN_SHAPE3(5, 14, 5)),
                       vec(g, "b", 23));
}
static const struct { const char *name; nn_id (*build)(G *); } cases[] = {
#define CASE(name) { #name, name }
    CASE(conv_3x3), CASE(conv_stride), CASE(conv_1x1), CASE(conv_even), CASE(conv_tiny),
    CASE(conv_patch), CASE(conv_5x5), CASE(conv_norm_act), CASE(conv_norm_residual),
    CASE(excitation), CASE(fused_scale), CASE(norm_alone), CASE(blur), CASE(blur_small),
    CASE(pool_ceil), CASE(pool_floor), CASE(depth), CASE(depth_odd), CASE(linear_wide),
    CASE(linear_one), CASE(linear_gelu), CASE(linear_residual), CASE(matmul),
    CASE(add_position), CASE(scaled), CASE(activations), CASE(mean_of_rows),
    CASE(mean_of_map), CASE(to_rows), CASE(prepend), CASE(pick_row), CASE(shared_add), CASE(reshaped), CASE(embedding),
    CASE(layer_norm), CASE(normalize), CASE(softmax), CASE(attention_causal),
    CASE(attention_odd), CASE(attention_one), CASE(attention_shared),
    CASE(probabilities), CASE(group),
};

static bool op_seen[NN_OP_COUNT];

static size_t fill_inputs(const G *g, struct nn_binding *inputs)
{
    size_t n = 0;
    for (nn_id id = 0; id < nn_graph_size(g); id++) {
        const struct nn_node *node = nn_graph_node(g, id);
        if (node->op != NN_OP_input) {
            continue;
        }
        uint64_t count = nn_shape_count(node->shape), state = seed_of(node->name);
        float *values = calloc(count, sizeof *values);
        for (uint64_t i = 0; i < count; i++) {
            if (node->type == NN_I32) {
                ((int32_t *)values)[i] = (int32_t)(i * 7 % 5) - (i == 3);
            } else {
                values[i] = (float)(2 * noise(&state));
            }
        }
        inputs[n++] = (struct nn_binding){ node->name, values, count };
    }
    return n;
}

static void note_ops(const G *g, bool fuse)
{
    struct nn_error error = { 0 };
    G *out = NULL;
    REQUIRE_OK(nn_graph_fuse(&out, g, NULL, 0, fuse, &error));
    for (nn_id id = 0; id < nn_graph_size(out); id++) {
        op_seen[nn_graph_node(out, id)->op] = true;
    }
    nn_graph_destroy(&out);
}

static int compare(const char *name, const char *how, const float *got, const float *want,
                   uint64_t count)
{
    double worst = 0;
    for (uint64_t i = 0; i < count; i++) {
        double err = fabs((double)got[i] - want[i]) / (1 + fabs((double)want[i]));
        worst = err > worst || isnan(err) ? err : worst;
    }
    if (!(worst <= TOLERANCE)) {
        fprintf(stderr, "%s (%s): error %g\n", name, how, worst);
        return 1;
    }
    return 0;
}

static int run_case(struct gpu_device *device, size_t which, bool fuse, const char *how)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, read_param };
    G *g = nn_graph_create();
    nn_id y = cases[which].build(g);
    REQUIRE_OK(nn_graph_check(g, &error));
    nn_output(g, y, "y");
    note_ops(g, fuse);
    struct nn_binding inputs[4];
    size_t n = fill_inputs(g, inputs);
    uint64_t count = nn_shape_count(nn_graph_node(g, y)->shape);
    float *want = calloc(count, sizeof *want), *got = calloc(count, sizeof *got);
    struct nn_binding ref = { "y", want, count }, out = { "y", got, count };
    REQUIRE_OK(nn_ref_run(g, &params, inputs, n, &ref, 1, &error));

    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    REQUIRE_OK(nn_store_create(&store, device, &params, &error));
    struct nn_plan_params plan_params = { .no_fuse = !fuse };
    REQUIRE_OK(nn_plan_create(&plan, g, store, &plan_params, &error));
    int failed = 0;
    for (int run = 0; run < 2; run++) { /* twice: a replay must not depend on the past */
        memset(got, 0xff, count * sizeof *got);
        REQUIRE_OK(nn_plan_run(plan, inputs, n, &out, 1, NULL, &error));
        failed += compare(cases[which].name, how, got, want, count);
    }
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    nn_graph_destroy(&g);
    for (size_t i = 0; i < n; i++) {
        free(inputs[i].values);
    }
    free(want);
    free(got);
    return failed ? 1 : 0;
}

int main(void)
{
    static const char *const op_names[] = {
#define OP(name, min, max, kind, saved) #name,
#include "compute/graph/op.def"
#undef OP
    };
    int failed = 0;
    for (int family = 0; family < 2; family++) {
        struct nn_error error = { 0 };
        struct gpu_device *device = NULL;
        struct gpu_device_params params = { .family = family };
        enum nn_status status = gpu_device_create(&device, &params, &error);
        if (status != NN_OK && family == GPU_FAMILY_DIRECT) {
            fprintf(stderr, "direct kernels not tried: %s\n", error.text);
            continue;
        }
        if (status != NN_OK) {
            fprintf(stderr, "skipped: %s\n", error.text);
            return CHECK_SKIP;
        }
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            const char *how[2][2] = { { "tiled, unfused", "tiled, fused" },
                                      { "direct, unfused", "direct, fused" } };
            failed += run_case(device, i, false, how[family][0]);
            failed += run_case(device, i, true, how[family][1]);
        }
        REQUIRE_INT(gpu_device_validation_count(device), 0);
        gpu_device_destroy(&device);
    }
    for (int op = 0; op < NN_OP_variable; op++) { /* what follows is of training */
        if (!op_seen[op]) {
            fprintf(stderr, "no case holds the operator %s\n", op_names[op]);
            failed++;
        }
    }
    printf("%zu cases, %d failed\n", sizeof cases / sizeof cases[0], failed);
    return failed ? 1 : 0;
}
