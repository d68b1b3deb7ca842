/* Every operator on every device path against the plain C reference, on odd sizes.
 *
 * A case is a function that builds a small graph whose output is called "y". It runs
 * through nn_ref_run and through plans of every way to run it (kernel families, tiles,
 * precisions), fused and not. To cover
 * a new operator, write a builder and add it to the table; the test fails when an
 * operator of inference in op.def stands in no case (those of training: test_grad.c). */
#include "compute/gpu/gpu.h"
#include "compute/graph/graph.h"
#include "compute/graph/plan.h"
#include "tests/check.h"

#define TOLERANCE 2e-5
#define HALF_TOLERANCE 4e-3
/* Winograd's transforms add and take away larger numbers than the results. */
#define TOLERANCE_WINOGRAD 6e-5

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
static nn_id conv_deep(G *g) { return conv(g, map(g, 2, 130, 5, 4), "w", 37, 3, 1, 1, true); }
static nn_id conv_whole(G *g) { return conv(g, map(g, 2, 64, 5, 9), "w", 40, 3, 1, 1, true); }
static nn_id conv_stem(G *g) { return conv(g, map(g, 2, 32, 9, 9), "w", 12, 3, 2, 1, false); }
static nn_id conv_1x1_deep(G *g) { return conv(g, map(g, 3, 544, 3, 3), "w", 9, 1, 1, 0, true); }
/* Winograd's method takes these: small and large tiles, tiles over both edges, more than
 * one image, channels that fill no panel, every part of the epilogue. */
static nn_id winograd_small(G *g) { return conv(g, map(g, 3, 18, 7, 5), "w", 37, 3, 1, 1, true); }
static nn_id winograd_large(G *g) { return conv(g, map(g, 2, 20, 13, 18), "w", 70, 3, 1, 1, false); }
static nn_id winograd_even(G *g) { return conv(g, map(g, 1, 16, 12, 12), "w", 16, 3, 1, 1, true); }
static nn_id winograd_residual(G *g)
{
    nn_id x = map(g, 2, 17, 15, 14);
    return nn_activation(g, nn_add(g, norm(g, conv(g, x, "w", 17, 3, 1, 1, false), "b", 17),
                                   x), leaky);
}
static nn_id winograd_gelu(G *g)
{
    return nn_activation(g, conv(g, map(g, 1, 16, 3, 9), "w", 21, 3, 1, 1, true), gelu);
}
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
static nn_id linear_deep(G *g)
{
    return nn_add(g, nn_input(g, "z", NN_F32, NN_SHAPE2(3, 5)),
                  nn_linear(g, nn_input(g, "x", NN_F32, NN_SHAPE2(3, 1100)),
                            nn_param(g, "w", NN_SHAPE2(5, 1100)), vec(g, "b", 5)));
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
    nn_id w = nn_transpose(g, nn_param(g, "w", NN_SHAPE2(7, 9)), 1);
    nn_id z = nn_linear(g, rows(g, "z", 1, 5, 7), w, NN_NONE);
    return nn_add(g, rows(g, "x", 3, 5, 9), z);
}
static nn_id reshaped(G *g)
{
    nn_id x = nn_first_row(g, rows(g, "x", 6, 5, 7));
    x = nn_reshape(g, nn_slice_rows(g, nn_scale(g, x, 3), 0, 4), NN_SHAPE3(2, 2, 7));
    return nn_scale(g, x, 0.5f);
}
static nn_id sliced(G *g)
{
    nn_id x = nn_slice_rows(g, nn_input(g, "x", NN_F32, NN_SHAPE2(9, 7)), 2, 5);
    nn_id w = nn_slice_rows(g, nn_param(g, "w", NN_SHAPE2(11, 7)), 3, 4);
    return nn_linear(g, x, w, nn_slice_rows(g, vec(g, "b", 11), 6, 4));
}
static nn_id grouped(G *g, uint32_t rows_, uint32_t groups, uint32_t out, uint32_t in)
{
    nn_id x = rows(g, "x", 2, rows_, groups * in);
    nn_id w = nn_param(g, "w", NN_SHAPE2(groups * out, in));
    nn_id y = nn_group_linear(g, x, w, vec(g, "b", groups * out), groups);
    return nn_group_linear(g, y, nn_transpose(g, w, groups), NN_NONE, groups);
}
static nn_id grouped_odd(G *g) { return grouped(g, 3, 3, 5, 7); }
static nn_id grouped_wide(G *g) { return grouped(g, 5, 2, 108, 20); }
static nn_id grouped_small(G *g) { return grouped(g, 1, 5, 12, 8); }
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
static nn_id attention_long(G *g)
{
    struct nn_attention a = { .heads = 1, .width = 160, .v_column = 4 };
    nn_id k = rows(g, "x", 2, 83, 164), q = rows(g, "z", 1, 9, 160);
    return nn_attention(g, q, nn_scale(g, k, 0.2f), k, a);
}
static nn_id attention_longest(G *g)
{
    struct nn_attention a = { .heads = 2, .width = 8 };
    nn_id k = rows(g, "x", 1, 300, 8), q = rows(g, "z", 1, 2, 8);
    return nn_attention(g, q, k, k, a);
}
static nn_id attention_recounted(G *g)
{
    struct nn_attention a = { .heads = 1, .width = 20 };
    nn_id q = nn_reshape(g, rows(g, "z", 1, 3, 40), NN_SHAPE3(1, 6, 20));
    nn_id k = rows(g, "x", 3, 49, 20);
    return nn_reshape(g, nn_attention(g, q, k, k, a), NN_SHAPE3(3, 3, 40));
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
    CASE(winograd_small), CASE(winograd_large), CASE(winograd_even),
    CASE(winograd_residual), CASE(winograd_gelu),
    CASE(conv_patch), CASE(conv_5x5), CASE(conv_deep), CASE(conv_whole), CASE(conv_stem),
    CASE(conv_1x1_deep), CASE(conv_norm_act), CASE(conv_norm_residual),
    CASE(excitation), CASE(fused_scale), CASE(norm_alone), CASE(blur), CASE(blur_small),
    CASE(pool_ceil), CASE(pool_floor), CASE(depth), CASE(depth_odd), CASE(linear_wide),
    CASE(linear_deep), CASE(linear_one), CASE(linear_gelu), CASE(linear_residual), CASE(matmul),
    CASE(add_position), CASE(scaled), CASE(activations), CASE(mean_of_rows),
    CASE(mean_of_map), CASE(to_rows), CASE(prepend), CASE(pick_row), CASE(shared_add),
    CASE(reshaped), CASE(sliced), CASE(grouped_odd), CASE(grouped_wide),
    CASE(grouped_small), CASE(attention_long), CASE(attention_longest),
    CASE(attention_recounted), CASE(embedding),
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

/* f32 by the largest error of one value; f16 rounds every value, so by the length of all
 * errors against the length of all values. */
static int compare(const char *name, const char *how, bool half, const float *got,
                   const float *want, uint64_t count)
{
    double worst = 0, difference = 0, length = 0;
    for (uint64_t i = 0; i < count; i++) {
        double d = (double)got[i] - want[i], err = fabs(d) / (1 + fabs((double)want[i]));
        worst = err > worst || isnan(err) ? err : worst;
        difference += d * d;
        length += (double)want[i] * want[i];
    }
    double relative = sqrt(difference / length);
    bool winograd = strncmp(name, "winograd", 8) == 0;
    double most = winograd ? TOLERANCE_WINOGRAD : TOLERANCE;
    if (half ? !(relative <= HALF_TOLERANCE) : !(worst <= most)) {
        fprintf(stderr, "%s (%s): error %g, relative %g\n", name, how, worst, relative);
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
    bool half = gpu_device_caps(device)->choice.precision == GPU_PRECISION_F16;
    int failed = 0;
    for (int run = 0; run < 2; run++) { /* twice: a replay must not depend on the past */
        memset(got, 0xff, count * sizeof *got);
        REQUIRE_OK(nn_plan_run(plan, inputs, n, &out, 1, NULL, &error));
        failed += compare(cases[which].name, how, half, got, want, count);
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

/* --- Ways to run --------------------------------------------------------------------- */

#define F32 .precision = GPU_PRECISION_F32
#define F16 .precision = GPU_PRECISION_F16

/* Every decision that a plan takes by itself, once each way. A device that cannot do one
 * of them leaves it out, and says so. */
static const struct way {
    const char *name;
    int family;
    struct gpu_choice choice;
    bool optional;
} ways[] = {
    { "tiled", GPU_FAMILY_TILED, { F32 }, false },
    { "direct", GPU_FAMILY_DIRECT, { F32 }, true },
    { "tiled, no subgroups", GPU_FAMILY_TILED, { F32, .no_subgroups = true }, false },
    { "tiled, small", GPU_FAMILY_TILED, { F32, .tile = GPU_TILE_SMALL }, false },
    { "tiled, medium, whole sums", GPU_FAMILY_TILED,
      { F32, .tile = GPU_TILE_MEDIUM, .no_split = true }, false },
    { "tiled, large", GPU_FAMILY_TILED, { F32, .tile = GPU_TILE_LARGE }, true },
    { "tiled, f16", GPU_FAMILY_TILED, { F16 }, true },
    { "direct, f16", GPU_FAMILY_DIRECT, { F16 }, true },
    { "tiled, f16, no subgroups", GPU_FAMILY_TILED, { F16, .no_subgroups = true }, true },
    { "tiled, f16, medium", GPU_FAMILY_TILED, { F16, .tile = GPU_TILE_MEDIUM }, true },
    { "tiled, f16, large, whole sums", GPU_FAMILY_TILED,
      { F16, .tile = GPU_TILE_LARGE, .no_split = true }, true },
    { "matrix nv", GPU_FAMILY_TILED, { F16, .matrix = GPU_MATRIX_NV }, true },
    { "matrix khr", GPU_FAMILY_TILED, { F16, .matrix = GPU_MATRIX_KHR }, true },
    { "matrix nv, large", GPU_FAMILY_TILED,
      { F16, .matrix = GPU_MATRIX_NV, .tile = GPU_TILE_LARGE }, true },
    { "matrix khr, large", GPU_FAMILY_TILED,
      { F16, .matrix = GPU_MATRIX_KHR, .tile = GPU_TILE_LARGE }, true },
    { "matrix plain", GPU_FAMILY_TILED, { F16, .matrix = GPU_MATRIX_PLAIN }, true },
    { "matrix plain, medium, whole sums", GPU_FAMILY_TILED,
      { F16, .matrix = GPU_MATRIX_PLAIN, .tile = GPU_TILE_MEDIUM, .no_split = true }, true },
    { "matrix plain, large", GPU_FAMILY_TILED,
      { F16, .matrix = GPU_MATRIX_PLAIN, .tile = GPU_TILE_LARGE }, true },
    { "f16, matrix off", GPU_FAMILY_TILED, { F16, .matrix = GPU_MATRIX_OFF }, true },
};

/* Runs a graph whose output is "y" once, with inputs by name. */
static void run_graph(struct gpu_device *device, G *g, const struct nn_binding *inputs,
                      size_t n, float *y, uint64_t count)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, read_param };
    struct nn_binding output = { "y", y, count };
    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    REQUIRE_OK(nn_store_create(&store, device, &params, &error));
    REQUIRE_OK(nn_plan_create(&plan, g, store, NULL, &error));
    REQUIRE_OK(nn_plan_run(plan, inputs, n, &output, 1, NULL, &error));
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
}

/* Convolutions and linear layers by every kernel: 3x3, both of Winograd's tiles, 1x1, and
 * on small maps and single rows sums that the tiled family cuts in parts. */
static nn_id batch_graph(G *g, uint32_t batch, uint32_t side)
{
    nn_id x = conv(g, map(g, batch, 8, side, side), "w1", 60, 3, 1, 1, true);
    x = conv(g, nn_activation(g, x, leaky), "w2", 60, 3, 1, 1, false);
    x = conv(g, x, "w3", 33, 1, 1, 0, true);
    x = nn_linear(g, nn_map_to_rows(g, x), nn_param(g, "w4", NN_SHAPE2(600, 33)), NN_NONE);
    return nn_linear(g, nn_mean_rows(g, x), nn_param(g, "w5", NN_SHAPE2(40, 600)), NN_NONE);
}

/* values holds the images of the largest batch; out gets [batch][40]. */
static void run_batch(struct gpu_device *device, uint32_t batch, uint32_t side,
                      float *values, float *out)
{
    G *g = nn_graph_create();
    nn_output(g, batch_graph(g, batch, side), "y");
    struct nn_binding x = { "x", values, (uint64_t)batch * 8 * side * side };
    run_graph(device, g, &x, 1, out, batch * 40u);
    nn_graph_destroy(&g);
}

/* One image must come out the same to the bit, alone and among others. */
static int test_batches(struct gpu_device *device, uint32_t side, const char *how)
{
    static const uint32_t batches[] = { 1, 2, 3, 5 };
    uint64_t state = side, image = 8ull * side * side;
    float *values = calloc(5 * image, sizeof *values), one[5][40], many[5][40];
    for (uint64_t i = 0; i < 5 * image; i++) {
        values[i] = (float)noise(&state);
    }
    int failed = 0;
    for (uint32_t i = 0; i < 5; i++) {
        run_batch(device, 1, side, values + i * image, one[i]);
    }
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        run_batch(device, batches[i], side, values, many[0]);
        if (memcmp(one, many, batches[i] * sizeof one[0]) != 0) {
            fprintf(stderr, "maps of %u (%s): an image differs in a batch of %u\n", side,
                    how, batches[i]);
            failed++;
        }
    }
    free(values);
    return failed;
}

/* f16 ends at 65504, where values must stay and not become infinities. */
static int test_range(struct gpu_device *device, const char *how)
{
    G *g = nn_graph_create();
    nn_output(g, nn_scale(g, rows(g, "x", 1, 1, 4), 3e4f), "y");
    float in[4] = { 3, -3, 1, 1e6f }, out[4], want[4] = { 65504, -65504, 30000, 65504 };
    run_graph(device, g, &(struct nn_binding){ "x", in, 4 }, 1, out, 4);
    nn_graph_destroy(&g);
    if (memcmp(out, want, sizeof out) != 0) {
        fprintf(stderr, "range (%s): %g %g %g %g\n", how, out[0], out[1], out[2], out[3]);
        return 1;
    }
    return 0;
}

/* The number of failures; -1 when the device cannot go this way. */
static int run_way(const struct way *way)
{
    struct nn_error error = { 0 };
    struct gpu_device *device = NULL;
    struct gpu_device_params params = { .family = way->family, .choice = way->choice };
    enum nn_status status = gpu_device_create(&device, &params, &error);
    if (status != NN_OK) {
        fprintf(stderr, "%s: not tried: %s\n", way->name, error.text);
        return -1;
    }
    bool half = way->choice.precision == GPU_PRECISION_F16;
    int failed = test_batches(device, 5, way->name) + test_batches(device, 13, way->name);
    failed += half ? test_range(device, way->name) : 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        failed += run_case(device, i, false, way->name);
        failed += run_case(device, i, true, way->name);
    }
    REQUIRE_INT(gpu_device_validation_count(device), 0);
    gpu_device_destroy(&device);
    return failed;
}

int main(void)
{
    static const char *const op_names[] = {
#define OP(name, min, max, kind, saved) #name,
#include "compute/graph/op.def"
#undef OP
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int result = run_way(&ways[i]);
        if (result < 0 && !ways[i].optional) {
            return CHECK_SKIP;
        }
        failed += result > 0 ? result : 0;
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
