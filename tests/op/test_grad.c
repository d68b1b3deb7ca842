/* Gradients of every operator, on odd sizes, twice over:
 *   1. in the plain C reference against finite differences. The loss is the sum of the
 *      result times fixed random weights, summed here in double, and its slope comes from
 *      four points, so that what is left is the rounding of the F32 values in between:
 *      FD_TOLERANCE of the largest slope of each input;
 *   2. on the device, with the kernels of both families, against the reference.
 *
 * A case is a function that builds a graph on inputs; all F32 inputs that are not called
 * "t…" (targets) are differentiated. The test fails when an operator of training in
 * op.def stands in no case. */
#include "compute/gpu/gpu.h"
#include "compute/graph/grad.h"
#include "tests/check.h"

#define FD_TOLERANCE 1e-3
#define DEVICE_TOLERANCE 2e-5
#define MAX_INPUTS 8

typedef struct nn_graph G;

static double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / 8388608.0 - 1.0;
}

static nn_id in(G *g, const char *name, struct nn_shape shape)
{
    return nn_input(g, name, NN_F32, shape);
}

static nn_id vec(G *g, const char *name, uint32_t n)
{
    return in(g, name, NN_SHAPE1(n));
}

static nn_id rows(G *g, const char *name, uint32_t b, uint32_t t, uint32_t d)
{
    return in(g, name, NN_SHAPE3(b, t, d));
}

static nn_id conv(G *g, struct nn_shape x, struct nn_shape w, uint32_t stride, uint32_t pad)
{
    return nn_conv2d(g, in(g, "x", x), in(g, "w", w), vec(g, "b", w.dim[0]), stride, pad);
}

static nn_id act(G *g, enum nn_act kind)
{
    struct nn_epilogue e = { kind, 0.1f };
    return nn_activation(g, in(g, "x", NN_SHAPE4(2, 5, 3, 3)), e);
}

/* The training form, with statistics of the batch. */
static nn_id norm(G *g, struct nn_shape shape)
{
    uint32_t c = shape.dim[1];
    nn_id x = nn_scale(g, in(g, "x", shape), 1.5f);
    return nn_batch_norm(g, x, vec(g, "gamma", c), vec(g, "beta", c),
                         nn_variable(g, "mean", NN_SHAPE1(c)),
                         nn_variable(g, "var", NN_SHAPE1(c)), 1e-5f);
}

static nn_id conv_3x3(G *g) { return conv(g, NN_SHAPE4(2, 5, 9, 7), NN_SHAPE4(6, 5, 3, 3), 1, 1); }
static nn_id conv_1x1(G *g) { return conv(g, NN_SHAPE4(3, 9, 5, 4), NN_SHAPE4(7, 9, 1, 1), 1, 0); }
static nn_id conv_stride(G *g) { return conv(g, NN_SHAPE4(1, 3, 11, 10), NN_SHAPE4(9, 3, 3, 3), 2, 1); }
static nn_id conv_patch(G *g) { return conv(g, NN_SHAPE4(2, 3, 9, 12), NN_SHAPE4(5, 3, 4, 4), 4, 0); }
static nn_id conv_5x5(G *g) { return conv(g, NN_SHAPE4(1, 4, 6, 6), NN_SHAPE4(4, 4, 5, 5), 1, 2); }
static nn_id conv_runs(G *g) { return conv(g, NN_SHAPE4(2, 3, 19, 33), NN_SHAPE4(5, 3, 3, 3), 1, 1); }
static bool no_param(void *user, const char *name)
{
    return false;
}
static nn_id linear(G *g)
{
    return nn_linear(g, rows(g, "x", 2, 7, 13), in(g, "w", NN_SHAPE2(10, 13)),
                     vec(g, "b", 10));
}
static nn_id linear_runs(G *g)
{
    return nn_linear(g, in(g, "x", NN_SHAPE2(600, 6)), in(g, "w", NN_SHAPE2(5, 6)),
                     vec(g, "b", 5));
}
static nn_id linear_relu(G *g)
{
    nn_graph_set_trainable(g, no_param, NULL);
    return nn_linear_act(g, rows(g, "x", 2, 3, 6), in(g, "w", NN_SHAPE2(5, 6)),
                         vec(g, "b", 5), (struct nn_epilogue){ NN_ACT_RELU, 0 });
}
static nn_id matmul(G *g)
{
    return nn_matmul_nt(g, in(g, "x", NN_SHAPE2(5, 13)), in(g, "z", NN_SHAPE2(7, 13)));
}
static nn_id group(G *g)
{
    return nn_group_fc(g, rows(g, "x", 2, 5, 14), in(g, "p", NN_SHAPE3(5, 14, 5)),
                       vec(g, "b", 23));
}
static nn_id norm_train(G *g) { return norm(g, NN_SHAPE4(3, 6, 4, 5)); }
static nn_id norm_odd(G *g) { return norm(g, NN_SHAPE4(2, 13, 3, 3)); }
static enum nn_status read_param(void *user, const char *name, float *out, uint64_t count,
                                 struct nn_error *error)
{
    for (uint64_t i = 0; i < count; i++) {
        out[i] = 0.5f + 0.1f * (float)i;
    }
    return NN_OK;
}
static nn_id norm_frozen(G *g)
{
    return nn_batch_norm(g, in(g, "x", NN_SHAPE4(2, 5, 3, 4)), vec(g, "gamma", 5),
                         vec(g, "beta", 5), nn_param(g, "mean", NN_SHAPE1(5)),
                         nn_param(g, "var", NN_SHAPE1(5)), 1e-5f);
}
static nn_id group_linear(G *g)
{
    return nn_group_linear(g, rows(g, "x", 2, 3, 12), nn_param(g, "w", NN_SHAPE2(8, 6)),
                           NN_NONE, 2);
}
static nn_id dropout(G *g)
{
    nn_id random = nn_input(g, "random", NN_I32, NN_SHAPE1(NN_RANDOM_NUMBERS));
    return nn_dropout(g, rows(g, "x", 2, 9, 13), random, 0.3f, 2);
}
static nn_id blur(G *g) { return nn_blur_pool(g, in(g, "x", NN_SHAPE4(2, 6, 9, 12))); }
static nn_id blur_small(G *g) { return nn_blur_pool(g, in(g, "x", NN_SHAPE4(1, 3, 2, 3))); }
static nn_id pool_ceil(G *g) { return nn_avg_pool(g, in(g, "x", NN_SHAPE4(2, 5, 7, 9)), 2, true); }
static nn_id pool_floor(G *g) { return nn_avg_pool(g, in(g, "x", NN_SHAPE4(1, 5, 7, 9)), 3, false); }
static nn_id depth(G *g) { return nn_space_to_depth(g, in(g, "x", NN_SHAPE4(2, 3, 8, 12))); }
static nn_id mul_channels(G *g)
{
    return nn_mul_channels(g, in(g, "x", NN_SHAPE4(2, 6, 3, 5)), in(g, "s", NN_SHAPE2(2, 6)));
}
static nn_id mean_map(G *g) { return nn_mean_map(g, in(g, "x", NN_SHAPE4(2, 6, 3, 5))); }
static nn_id to_rows(G *g) { return nn_map_to_rows(g, in(g, "x", NN_SHAPE4(2, 6, 3, 5))); }
static nn_id act_relu(G *g) { return act(g, NN_ACT_RELU); }
static nn_id act_leaky(G *g) { return act(g, NN_ACT_LEAKY_RELU); }
static nn_id act_gelu(G *g) { return act(g, NN_ACT_GELU); }
static nn_id act_quick(G *g) { return act(g, NN_ACT_QUICK_GELU); }
static nn_id act_sigmoid(G *g) { return act(g, NN_ACT_SIGMOID); }
static nn_id act_exp(G *g) { return act(g, NN_ACT_EXP); }
static nn_id add_rows(G *g)
{
    nn_id x = nn_add(g, rows(g, "x", 3, 5, 7), in(g, "p", NN_SHAPE2(5, 7)));
    return nn_add(g, x, nn_add(g, x, rows(g, "q", 1, 5, 7)));
}
static nn_id products(G *g)
{
    nn_id x = rows(g, "x", 2, 3, 5);
    nn_id y = nn_mul_scalar(g, nn_mul(g, x, rows(g, "z", 2, 3, 5)),
                            in(g, "s", (struct nn_shape){ 0 }));
    nn_id one = nn_sum_to(g, y, NN_NONE, (struct nn_shape){ 0 });
    return nn_mul_scalar(g, nn_scale(g, y, 0.5f),
                         nn_add(g, one, nn_fill(g, (struct nn_shape){ 0 }, 2)));
}
static nn_id mean_rows(G *g) { return nn_mean_rows(g, rows(g, "x", 3, 11, 13)); }
static nn_id prepend(G *g)
{
    nn_id x = rows(g, "x", 2, 5, 6);
    return nn_prepend_row(g, in(g, "own", NN_SHAPE2(2, 6)),
                          nn_prepend_row(g, vec(g, "c", 6), x));
}
static nn_id select_row(G *g)
{
    return nn_select_row(g, rows(g, "x", 3, 5, 6), nn_input(g, "i", NN_I32, NN_SHAPE1(3)));
}
static nn_id slice_rows(G *g)
{
    nn_id x = nn_first_row(g, rows(g, "x", 6, 5, 7));
    x = nn_reshape(g, nn_slice_rows(g, nn_scale(g, x, 3), 1, 4), NN_SHAPE3(2, 2, 7));
    return nn_scale(g, x, 0.5f);
}
static nn_id transpose(G *g)
{
    return nn_scale(g, nn_transpose(g, in(g, "x", NN_SHAPE2(7, 9)), 1), 2);
}
static nn_id embed(G *g)
{
    return nn_embed(g, nn_input(g, "i", NN_I32, NN_SHAPE2(2, 9)), in(g, "x", NN_SHAPE2(4, 10)));
}
static nn_id layer_norm(G *g)
{
    return nn_layer_norm(g, rows(g, "x", 2, 3, 37), vec(g, "g", 37), vec(g, "b", 37), 1e-5f);
}
static nn_id normalize(G *g) { return nn_l2_normalize(g, rows(g, "x", 2, 3, 21)); }
static nn_id softmax(G *g) { return nn_softmax(g, rows(g, "x", 2, 3, 21)); }
static nn_id attend(G *g, uint32_t heads, uint32_t width, bool causal)
{
    struct nn_attention a = { .heads = heads, .width = width, .k_column = width,
                              .v_column = 2 * width, .causal = causal };
    nn_id x = rows(g, "x", 2, 7, 3 * width);
    return nn_attn_apply(g, nn_attn_probs(g, x, x, a), x, a);
}
static nn_id attention_causal(G *g) { return attend(g, 2, 8, true); }
static nn_id attention_odd(G *g) { return attend(g, 3, 9, false); }
static nn_id attention_shared(G *g)
{
    struct nn_attention a = { .heads = 4, .width = 12, .k_column = 1, .v_column = 2 };
    nn_id k = rows(g, "k", 3, 5, 14), q = rows(g, "x", 1, 6, 12);
    return nn_attn_apply(g, nn_attn_probs(g, q, k, a), k, a);
}
static nn_id asymmetric(G *g, bool detached, float positive, float clip)
{
    struct nn_asymmetric a = { 4, positive, clip, 1e-8f, detached };
    return nn_asymmetric_loss(g, in(g, "x", NN_SHAPE2(5, 7)), in(g, "t", NN_SHAPE2(5, 7)), a);
}
static nn_id asymmetric_full(G *g) { return asymmetric(g, false, 1, 0.05f); }
static nn_id asymmetric_plain(G *g) { return asymmetric(g, false, 0, 0); }
static nn_id label(G *g)
{
    struct nn_label_loss l = { 4, 1, 0.1f };
    return nn_label_loss(g, in(g, "x", NN_SHAPE2(5, 9)), nn_input(g, "i", NN_I32, NN_SHAPE1(5)),
                         l);
}
static nn_id contrastive(G *g)
{
    return nn_contrastive_loss(g, in(g, "x", NN_SHAPE2(5, 11)), in(g, "z", NN_SHAPE2(5, 7)),
                               in(g, "wi", NN_SHAPE2(11, 6)), in(g, "wj", NN_SHAPE2(7, 6)),
                               in(g, "s", (struct nn_shape){ 0 }));
}

static const struct { const char *name; nn_id (*build)(G *); } cases[] = {
#define CASE(name) { #name, name }
    CASE(conv_3x3), CASE(conv_1x1), CASE(conv_stride), CASE(conv_patch), CASE(conv_5x5),
    CASE(conv_runs), CASE(linear), CASE(linear_runs), CASE(linear_relu),
    CASE(matmul), CASE(group), CASE(group_linear),
    CASE(norm_train), CASE(norm_odd), CASE(norm_frozen), CASE(dropout), CASE(blur), CASE(blur_small),
    CASE(pool_ceil), CASE(pool_floor), CASE(depth), CASE(mul_channels), CASE(mean_map),
    CASE(to_rows), CASE(act_relu), CASE(act_leaky), CASE(act_gelu), CASE(act_quick),
    CASE(act_sigmoid), CASE(act_exp), CASE(add_rows), CASE(products), CASE(mean_rows),
    CASE(prepend), CASE(select_row), CASE(slice_rows), CASE(transpose), CASE(embed),
    CASE(layer_norm), CASE(normalize), CASE(softmax), CASE(attention_causal),
    CASE(attention_odd), CASE(attention_shared), CASE(asymmetric_full),
    CASE(asymmetric_plain), CASE(label), CASE(contrastive),
};

/* --- A case made ready -------------------------------------------------------------------- */

struct run {
    const char *name;
    G *graph;
    struct nn_binding inputs[MAX_INPUTS]; /* and variables */
    size_t n_inputs;
    nn_id wanted[MAX_INPUTS];             /* what is differentiated */
    struct nn_binding grads[MAX_INPUTS];  /* of the reference, by wanted input */
    size_t n_wanted;
    struct nn_binding result;             /* "y" */
    float *weights;                       /* of the loss */
};

static bool op_seen[NN_OP_COUNT];

static void fill(const struct nn_node *node, float *values, uint64_t count)
{
    uint64_t state = (uint64_t)node->name[0] * 77 + count;
    for (uint64_t i = 0; i < count; i++) {
        double u = noise(&state);
        if (node->type == NN_I32) {
            ((int32_t *)values)[i] = (int32_t)(i * 7 % 5) - (count == 18 && i == 3);
        } else if (node->name[0] == 't') {
            values[i] = u > 0.6 ? -1 : u > 0; /* some unknown */
        } else {
            /* Away from the corner of the rectifiers. */
            values[i] = (float)(u + (u < 0 ? -0.2 : 0.2));
        }
    }
}

static void bind_leaves(struct run *r)
{
    for (nn_id id = 0; id < nn_graph_size(r->graph); id++) {
        const struct nn_node *node = nn_graph_node(r->graph, id);
        if (node->op != NN_OP_input && node->op != NN_OP_variable) {
            continue;
        }
        uint64_t count = nn_shape_count(node->shape);
        float *values = malloc(count * sizeof *values);
        fill(node, values, count);
        r->inputs[r->n_inputs++] = (struct nn_binding){ node->name, values, count };
        if (node->op == NN_OP_input && node->type == NN_F32 && node->name[0] != 't') {
            r->wanted[r->n_wanted++] = id;
        }
    }
}

/* The graph with its result "y" and the gradients "d.NAME". */
static void prepare(struct run *r, size_t which)
{
    struct nn_error error = { 0 };
    nn_id out[MAX_INPUTS];
    r->name = cases[which].name;
    r->graph = nn_graph_create();
    nn_id y = nn_output(r->graph, cases[which].build(r->graph), "y");
    REQUIRE_OK(nn_graph_check(r->graph, &error));
    bind_leaves(r);
    struct nn_shape shape = nn_graph_node(r->graph, y)->shape;
    uint64_t count = nn_shape_count(shape), state = 5;
    r->result = (struct nn_binding){ "y", malloc(count * sizeof(float)), count };
    r->weights = malloc(count * sizeof(float));
    for (uint64_t i = 0; i < count; i++) {
        r->weights[i] = (float)noise(&state);
    }
    nn_id weights = nn_input(r->graph, "tweights", NN_F32, shape);
    r->inputs[r->n_inputs++] = (struct nn_binding){ "tweights", r->weights, count };
    nn_id loss = nn_sum_to(r->graph, y, weights, (struct nn_shape){ 0 });
    nn_graph_grad(r->graph, loss, r->wanted, r->n_wanted, NULL, 0, out);
    REQUIRE_OK(nn_graph_check(r->graph, &error));
    for (size_t i = 0; i < r->n_wanted; i++) {
        char name[64];
        const struct nn_node *node = nn_graph_node(r->graph, r->wanted[i]);
        snprintf(name, sizeof name, "d.%s", node->name);
        count = nn_shape_count(node->shape);
        nn_id named = nn_output(r->graph, nn_scale(r->graph, out[i], 1), name);
        REQUIRE_OK(nn_graph_check(r->graph, &error));
        r->grads[i] = (struct nn_binding){ nn_graph_node(r->graph, named)->name,
                                           malloc(count * sizeof(float)), count };
    }
    for (nn_id id = 0; id < nn_graph_size(r->graph); id++) {
        op_seen[nn_graph_node(r->graph, id)->op] = true;
    }
}

static void finish(struct run *r)
{
    for (size_t i = 0; i < r->n_inputs; i++) {
        free(r->inputs[i].values);
    }
    for (size_t i = 0; i < r->n_wanted; i++) {
        free(r->grads[i].values);
    }
    free(r->result.values);
    nn_graph_destroy(&r->graph);
}

/* --- Finite differences -------------------------------------------------------------------- */

static double loss_of(struct run *r)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, read_param };
    double sum = 0;
    REQUIRE_OK(nn_ref_run(r->graph, &params, r->inputs, r->n_inputs, &r->result, 1, &error));
    for (uint64_t i = 0; i < r->result.count; i++) {
        sum += (double)r->weights[i] * ((float *)r->result.values)[i];
    }
    return sum;
}

static double slope_at(struct run *r, float *value)
{
    const float step = 0.0078125f, kept = *value;
    double side[4];
    for (int i = 0; i < 4; i++) {
        *value = kept + step * (float)(i < 2 ? i - 2 : i - 1); /* -2 -1 1 2 */
        side[i] = loss_of(r);
    }
    *value = kept;
    return (8 * (side[2] - side[1]) - (side[3] - side[0])) / (12 * (double)step);
}

static struct nn_binding *input_of(struct run *r, size_t wanted)
{
    const char *name = nn_graph_node(r->graph, r->wanted[wanted])->name;
    for (size_t i = 0; i < r->n_inputs; i++) {
        if (strcmp(r->inputs[i].name, name) == 0) {
            return &r->inputs[i];
        }
    }
    return NULL;
}

static int check_differences(struct run *r)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, read_param };
    int failed = 0;
    REQUIRE_OK(nn_ref_run(r->graph, &params, r->inputs, r->n_inputs, r->grads, r->n_wanted,
                          &error));
    for (size_t w = 0; w < r->n_wanted; w++) {
        struct nn_binding *input = input_of(r, w);
        const float *grad = r->grads[w].values;
        double worst = 0, most = 0;
        /* At most some thirty values of each input: the rest is alike. */
        uint64_t step = input->count / 30 + 1;
        for (uint64_t i = 0; i < input->count; i += step) {
            double want = slope_at(r, (float *)input->values + i);
            worst = fabs(want - grad[i]) > worst ? fabs(want - grad[i]) : worst;
            most = fabs(want) > most ? fabs(want) : most;
        }
        if (!(most > 1e-6) || !(worst <= FD_TOLERANCE * most)) {
            fprintf(stderr, "%s: slope by %s is off by %g of %g\n", r->name, input->name,
                    worst, most);
            failed++;
        }
    }
    return failed;
}

/* --- The device --------------------------------------------------------------------------------- */

static int compare(const struct run *r, const char *how, const struct nn_binding *want,
                   const float *got)
{
    double worst = 0, most = 1e-6;
    for (uint64_t i = 0; i < want->count; i++) {
        double w = ((float *)want->values)[i], err = fabs(got[i] - w);
        worst = err > worst || isnan(err) ? err : worst;
        most = fabs(w) > most ? fabs(w) : most;
    }
    if (!(worst <= DEVICE_TOLERANCE * most)) {
        fprintf(stderr, "%s (%s): %s is off by %g of %g\n", r->name, how, want->name, worst,
                most);
        return 1;
    }
    return 0;
}

/* Variables are given to a plan by writing. */
static size_t split_variables(const struct run *r, struct nn_plan *plan,
                              struct nn_binding *inputs)
{
    struct nn_error error = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < r->n_inputs; i++) {
        nn_id id = nn_graph_find(r->graph, r->inputs[i].name);
        if (nn_graph_node(r->graph, id)->op == NN_OP_variable) {
            REQUIRE_OK(nn_plan_write(plan, &r->inputs[i], &error));
        } else {
            inputs[n++] = r->inputs[i];
        }
    }
    return n;
}

static int check_device(const struct run *r, struct gpu_device *device, const char *how)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, read_param };
    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    struct nn_plan_params plan_params = { .no_fuse = true };
    struct nn_binding inputs[MAX_INPUTS], outputs[MAX_INPUTS];
    int failed = 0;
    REQUIRE_OK(nn_store_create(&store, device, &params, &error));
    REQUIRE_OK(nn_plan_create(&plan, r->graph, store, &plan_params, &error));
    size_t n = split_variables(r, plan, inputs);
    for (size_t i = 0; i < r->n_wanted; i++) {
        outputs[i] = r->grads[i];
        outputs[i].values = malloc(outputs[i].count * sizeof(float));
    }
    for (int run = 0; run < 2; run++) { /* twice: a replay must not depend on the past */
        REQUIRE_OK(nn_plan_run(plan, inputs, n, outputs, r->n_wanted, NULL, &error));
        for (size_t i = 0; i < r->n_wanted; i++) {
            failed += compare(r, how, &r->grads[i], outputs[i].values);
        }
    }
    for (size_t i = 0; i < r->n_wanted; i++) {
        free(outputs[i].values);
    }
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    return failed;
}

/* --- Steps ---------------------------------------------------------------------------------------- */

/* Blend and both forms of Adam on one odd variable each, three steps long; one of them
 * with a clipped gradient. */
static void build_steps(G *g)
{
    nn_id numbers = nn_input(g, "numbers", NN_F32, NN_SHAPE1(NN_ADAM_NUMBERS));
    nn_id gradient = nn_input(g, "gradient", NN_F32, NN_SHAPE4(2, 5, 3, 3));
    nn_id square = nn_sum_to(g, gradient, gradient, (struct nn_shape){ 0 });
    nn_id factor = nn_clip_factor(g, square, numbers, 0.75f);
    for (int i = 0; i < 3; i++) {
        char name[3][8];
        nn_id v[3];
        for (int j = 0; j < 3; j++) {
            snprintf(name[j], sizeof name[j], "%c%d", "pmv"[j], i);
            v[j] = nn_variable(g, name[j], NN_SHAPE4(2, 5, 3, 3));
        }
        nn_adam_update(g, v[0], v[1], v[2], gradient, numbers,
                       i == 1 ? factor : NN_NONE, (enum nn_decay)i);
        nn_blend(g, v[0], v[1], 0.75f, 0.5f);
    }
    nn_output(g, nn_scale(g, gradient, 1), "y");
}

struct steps {
    struct nn_binding inputs[2], variables[9];
    struct nn_binding result;
};

static void fill_steps(struct steps *s)
{
    static char names[9][8];
    struct nn_adam adam = { .lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8,
                            .decay = 0.3, .gradient_factor = 0.5, .step = 2 };
    s->inputs[0] = (struct nn_binding){ "numbers", calloc(NN_ADAM_NUMBERS, 4),
                                        NN_ADAM_NUMBERS };
    nn_adam_numbers(&adam, s->inputs[0].values);
    s->inputs[1] = (struct nn_binding){ "gradient", malloc(90 * 4), 90 };
    s->result = (struct nn_binding){ "y", malloc(90 * 4), 90 };
    uint64_t state = 3;
    for (int k = 0; k < 90; k++) {
        ((float *)s->inputs[1].values)[k] = (float)noise(&state);
    }
    for (int i = 0; i < 9; i++) {
        snprintf(names[i], sizeof names[i], "%c%d", "pmv"[i % 3], i / 3);
        s->variables[i] = (struct nn_binding){ names[i], malloc(90 * 4), 90 };
        for (int k = 0; k < 90; k++) { /* second moments are not negative */
            double u = noise(&state);
            ((float *)s->variables[i].values)[k] = (float)(i % 3 == 2 ? u * u : u);
        }
    }
}

static void free_steps(struct steps *s)
{
    for (int i = 0; i < 9; i++) {
        free(s->variables[i].values);
    }
    free(s->inputs[0].values);
    free(s->inputs[1].values);
    free(s->result.values);
}

static int check_steps(struct gpu_device *device, const char *how)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, read_param };
    struct steps ref, dev;
    struct nn_binding all[11];
    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    struct nn_plan_params plan_params = { .no_fuse = true };
    struct run r = { .name = "steps", .graph = nn_graph_create() };
    int failed = 0;
    build_steps(r.graph);
    for (nn_id id = 0; id < nn_graph_size(r.graph); id++) {
        op_seen[nn_graph_node(r.graph, id)->op] = true;
    }
    fill_steps(&ref);
    fill_steps(&dev);
    REQUIRE_OK(nn_store_create(&store, device, &params, &error));
    REQUIRE_OK(nn_plan_create(&plan, r.graph, store, &plan_params, &error));
    memcpy(all, ref.inputs, sizeof ref.inputs);
    memcpy(all + 2, ref.variables, sizeof ref.variables);
    for (int i = 0; i < 9; i++) {
        REQUIRE_OK(nn_plan_write(plan, &dev.variables[i], &error));
    }
    for (int step = 0; step < 3; step++) {
        REQUIRE_OK(nn_ref_run(r.graph, &params, all, 11, &ref.result, 1, &error));
        REQUIRE_OK(nn_plan_run(plan, dev.inputs, 2, &dev.result, 1, NULL, &error));
    }
    for (int i = 0; i < 9; i++) {
        REQUIRE_OK(nn_plan_read(plan, &dev.variables[i], &error));
        failed += compare(&r, how, &ref.variables[i], dev.variables[i].values);
    }
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    nn_graph_destroy(&r.graph);
    free_steps(&ref);
    free_steps(&dev);
    return failed;
}

static int check_seen(void)
{
    static const char *const names[] = {
#define OP(name, min, max, kind, saved) #name,
#include "compute/graph/op.def"
#undef OP
    };
    static const char *const kinds[] = {
#define OP(name, min, max, kind, saved) #kind,
#include "compute/graph/op.def"
#undef OP
    };
    int failed = 0;
    for (int op = 0; op < NN_OP_COUNT; op++) {
        if (!op_seen[op] && strcmp(kinds[op], "INFER") != 0) {
            fprintf(stderr, "no case holds the operator %s\n", names[op]);
            failed++;
        }
    }
    return failed;
}

int main(void)
{
    int failed = 0, families = 0;
    size_t n = sizeof cases / sizeof cases[0];
    struct run *runs = calloc(n, sizeof *runs);
    for (size_t i = 0; i < n; i++) {
        prepare(&runs[i], i);
        failed += check_differences(&runs[i]);
    }
    for (int family = 0; family < 2; family++) {
        const char *how = family == GPU_FAMILY_DIRECT ? "direct" : "tiled";
        struct nn_error error = { 0 };
        struct gpu_device *device = NULL;
        struct gpu_device_params params = { .family = family,
                                            .choice.precision = GPU_PRECISION_F32 };
        if (gpu_device_create(&device, &params, &error) != NN_OK) {
            fprintf(stderr, "%s kernels not tried: %s\n", how, error.text);
            continue;
        }
        families++;
        for (size_t i = 0; i < n; i++) {
            failed += check_device(&runs[i], device, how);
        }
        failed += check_steps(device, how);
        REQUIRE_INT(gpu_device_validation_count(device), 0);
        gpu_device_destroy(&device);
    }
    for (size_t i = 0; i < n; i++) {
        finish(&runs[i]);
    }
    free(runs);
    failed += families ? check_seen() : 0;
    printf("%zu cases, %d failed\n", n, failed);
    return failed ? 1 : families ? 0 : CHECK_SKIP;
}
