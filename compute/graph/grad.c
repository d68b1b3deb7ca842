/* Reverse mode: walks a graph from a loss to what is wanted and lets every operator add
 * the nodes of its own gradient. A value that several nodes read gets the sum of their
 * contributions, added in the order of the walk, so that the sum is always the same. */
#include "compute/graph/grad.h"

#include "compute/graph/graph_private.h"

#include <math.h>
#include <stdlib.h>

/* What a rule sees. It fills dx[i] for the sources with need[i], or leaves NN_NONE where
 * there is no gradient. The node is a copy, for adding nodes moves the graph's own. */
struct rule_call {
    struct nn_graph *graph;
    nn_id id;             /* of the node: its result */
    struct nn_node node;
    nn_id dy;             /* gradient of the result */
    bool need[NN_MAX_SOURCES];
    nn_id dx[NN_MAX_SOURCES];
};

#define RULE(name) static void grad_##name(struct rule_call *c)
#define ADD(op, attr, ...)                                                             \
    nn_graph_add(c->graph, NN_OP_##op, (const nn_id[]){ __VA_ARGS__ },                 \
                 sizeof((const nn_id[]){ __VA_ARGS__ }) / sizeof(nn_id), attr)

static struct nn_shape shape_of(const struct rule_call *c, uint32_t i)
{
    return nn_graph_node(c->graph, c->node.source[i])->shape;
}

static nn_id src(const struct rule_call *c, uint32_t i)
{
    return c->node.source[i];
}

/* Nothing flows through these. */
RULE(input) { (void)c; }
RULE(param) { (void)c; }
RULE(variable) { (void)c; }
RULE(fill) { (void)c; }
/* The statistics of a batch: their part of the gradient is in batch_norm's. */
RULE(channel_mean) { (void)c; }
RULE(channel_variance) { (void)c; }

/* --- Products ------------------------------------------------------------------------- */

static bool is_plain(struct rule_call *c)
{
    if (c->node.attr.epilogue.act == NN_ACT_NONE && c->node.n_sources <= 3) {
        return true;
    }
    nn_graph_fail(c->graph, "a fused %s has no gradient", nn_op_name(c->node.op));
    return false;
}

RULE(conv2d)
{
    const struct nn_attr *a = &c->node.attr;
    struct nn_attr shaped = { .shape = shape_of(c, 0), .kernel = a->kernel,
                              .stride = a->stride, .pad = a->pad };
    if (!is_plain(c)) {
        return;
    }
    if (c->need[0] && a->stride == 1) {
        nn_id flipped = ADD(flip_weight, NULL, src(c, 1));
        c->dx[0] = nn_conv2d(c->graph, c->dy, flipped, NN_NONE, 1, a->kernel - 1 - a->pad);
    } else if (c->need[0]) {
        c->dx[0] = ADD(conv_grad_input, &shaped, c->dy, src(c, 1));
    }
    if (c->need[1]) {
        shaped.shape = shape_of(c, 1);
        c->dx[1] = ADD(weight_grad, &shaped, src(c, 0), c->dy);
    }
    if (c->need[2]) {
        c->dx[2] = nn_sum_to(c->graph, c->dy, NN_NONE, shape_of(c, 2));
    }
}

/* Where a ReLU was fused its gradient comes first: it passes where the result is not 0. */
RULE(linear)
{
    struct nn_attr relu = { .epilogue = c->node.attr.epilogue };
    if (relu.epilogue.act == NN_ACT_RELU && c->node.n_sources <= 3) {
        c->dy = ADD(activation_grad, &relu, c->id, c->dy);
    } else if (!is_plain(c)) {
        return;
    }
    if (c->need[0]) {
        c->dx[0] = nn_linear(c->graph, c->dy, nn_transpose(c->graph, src(c, 1), 1),
                             NN_NONE);
    }
    if (c->need[1]) {
        struct nn_attr attr = { .shape = shape_of(c, 1), .kernel = 1, .stride = 1 };
        c->dx[1] = ADD(weight_grad, &attr, src(c, 0), c->dy);
    }
    if (c->need[2]) {
        c->dx[2] = nn_sum_to(c->graph, c->dy, NN_NONE, shape_of(c, 2));
    }
}

/* It serves inference with few labels; its weights are slices of trained ones. */
RULE(group_linear)
{
    uint32_t groups = c->node.attr.heads;
    if (c->need[1] || c->need[2]) {
        nn_graph_fail(c->graph, "group_linear has no gradient by its weights");
        return;
    }
    c->dx[0] = nn_group_linear(c->graph, c->dy,
                               nn_transpose(c->graph, src(c, 1), groups), NN_NONE, groups);
}

RULE(matmul_nt)
{
    if (c->need[0]) {
        c->dx[0] = nn_matmul_nt(c->graph, c->dy, nn_transpose(c->graph, src(c, 1), 1));
    }
    if (c->need[1]) {
        c->dx[1] = nn_matmul_nt(c->graph, nn_transpose(c->graph, c->dy, 1),
                                nn_transpose(c->graph, src(c, 0), 1));
    }
}

RULE(group_fc)
{
    if (c->need[0]) {
        c->dx[0] = ADD(group_fc_grad_rows, NULL, c->dy, src(c, 1));
    }
    if (c->need[1]) {
        struct nn_attr attr = { .shape = shape_of(c, 1) };
        c->dx[1] = ADD(group_fc_grad_pooling, &attr, src(c, 0), c->dy);
    }
    if (c->need[2]) {
        c->dx[2] = nn_sum_to(c->graph, c->dy, NN_NONE, shape_of(c, 2));
    }
}

/* --- Maps ------------------------------------------------------------------------------- */

/* Statistics that are computed from x itself take part in its gradient, which then has
 * sums over the batch; constant ones do not (factor 0). */
RULE(batch_norm)
{
    struct nn_shape x = shape_of(c, 0);
    nn_id mean = src(c, 3), variance = src(c, 4);
    bool train = nn_graph_node(c->graph, mean)->op == NN_OP_channel_mean;
    struct nn_attr attr = { .eps = c->node.attr.eps };
    if (train) {
        attr.factor = (float)(1.0 / ((double)x.dim[0] * x.dim[2] * x.dim[3]));
    }
    nn_id dbeta = nn_sum_to(c->graph, c->dy, NN_NONE, shape_of(c, 2));
    nn_id dgamma = ADD(norm_products, &attr, src(c, 0), mean, variance, c->dy);
    c->dx[0] = ADD(batch_norm_grad, &attr, src(c, 0), src(c, 1), mean, variance, c->dy,
                   dbeta, dgamma);
    c->dx[1] = dgamma;
    c->dx[2] = dbeta;
    if (!train && (c->need[3] || c->need[4])) {
        nn_graph_fail(c->graph, "batch_norm has no gradient for computed statistics");
    }
}

RULE(blur_pool)
{
    struct nn_attr attr = { .shape = shape_of(c, 0) };
    c->dx[0] = ADD(blur_pool_grad, &attr, c->dy);
}

RULE(avg_pool)
{
    struct nn_attr attr = { .shape = shape_of(c, 0), .kernel = c->node.attr.kernel };
    c->dx[0] = ADD(avg_pool_grad, &attr, c->dy);
}

RULE(space_to_depth)
{
    c->dx[0] = ADD(depth_to_space, NULL, c->dy);
}

RULE(mul_channels)
{
    if (c->need[0]) {
        c->dx[0] = nn_mul_channels(c->graph, c->dy, src(c, 1));
    }
    if (c->need[1]) {
        c->dx[1] = nn_sum_to(c->graph, c->dy, src(c, 0), shape_of(c, 1));
    }
}

RULE(mean_map)
{
    struct nn_shape x = shape_of(c, 0);
    struct nn_attr attr = { .shape = x,
                            .factor = 1.0f / (float)((double)x.dim[2] * x.dim[3]) };
    c->dx[0] = ADD(expand, &attr, c->dy);
}

RULE(map_to_rows)
{
    struct nn_attr attr = { .shape = shape_of(c, 0) };
    c->dx[0] = ADD(rows_to_map, &attr, c->dy);
}

/* --- Elementwise ------------------------------------------------------------------------ */

RULE(activation)
{
    struct nn_attr attr = { .epilogue = c->node.attr.epilogue };
    c->dx[0] = ADD(activation_grad, &attr, src(c, 0), c->dy);
}

RULE(add)
{
    struct nn_shape b = shape_of(c, 1);
    c->dx[0] = c->dy;
    if (c->need[1]) {
        c->dx[1] = nn_shape_equal(b, c->node.shape)
                       ? c->dy : nn_sum_to(c->graph, c->dy, NN_NONE, b);
    }
}

RULE(scale)
{
    c->dx[0] = nn_scale(c->graph, c->dy, c->node.attr.factor);
}

RULE(mul)
{
    for (uint32_t i = 0; i < 2; i++) {
        if (c->need[i]) {
            c->dx[i] = nn_mul(c->graph, c->dy, src(c, 1 - i));
        }
    }
}

RULE(mul_scalar)
{
    if (c->need[0]) {
        c->dx[0] = nn_mul_scalar(c->graph, c->dy, src(c, 1));
    }
    if (c->need[1]) {
        c->dx[1] = nn_sum_to(c->graph, c->dy, src(c, 0), (struct nn_shape){ 0 });
    }
}

RULE(sum_to)
{
    struct nn_attr attr = { .shape = shape_of(c, 0), .factor = 1 };
    if (c->node.shape.rank != 0) {
        nn_graph_fail(c->graph, "only a sum of everything has a gradient");
        return;
    }
    if (c->node.n_sources < 2) {
        c->dx[0] = ADD(expand, &attr, c->dy);
        return;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (c->need[i]) {
            c->dx[i] = nn_mul_scalar(c->graph, src(c, 1 - i), c->dy);
        }
    }
}

/* The same values are dropped again, and the same factor is taken. */
RULE(dropout)
{
    c->dx[0] = nn_dropout(c->graph, c->dy, src(c, 1), c->node.attr.factor,
                          c->node.attr.place);
}

/* --- Rows ----------------------------------------------------------------------------------- */

RULE(mean_rows)
{
    struct nn_shape x = shape_of(c, 0);
    struct nn_attr attr = { .shape = x, .factor = 1.0f / (float)x.dim[1] };
    c->dx[0] = ADD(expand, &attr, c->dy);
}

RULE(prepend_row)
{
    if (c->need[0]) {
        nn_id row = nn_first_row(c->graph, c->dy);
        c->dx[0] = shape_of(c, 0).rank == 2
                       ? row : nn_sum_to(c->graph, row, NN_NONE, shape_of(c, 0));
    }
    if (c->need[1]) {
        c->dx[1] = ADD(drop_first_row, NULL, c->dy);
    }
}

RULE(select_row)
{
    struct nn_attr attr = { .shape = shape_of(c, 0) };
    c->dx[0] = ADD(place_row, &attr, c->dy, src(c, 1));
}

RULE(first_row)
{
    struct nn_attr attr = { .shape = shape_of(c, 0) };
    c->dx[0] = ADD(place_row, &attr, c->dy);
}

RULE(slice_rows)
{
    struct nn_attr attr = { .shape = shape_of(c, 0), .first = c->node.attr.first };
    c->dx[0] = ADD(pad_rows, &attr, c->dy);
}

RULE(reshape)
{
    c->dx[0] = nn_reshape(c->graph, c->dy, shape_of(c, 0));
}

RULE(transpose)
{
    c->dx[0] = nn_transpose(c->graph, c->dy, c->node.attr.heads);
}

RULE(embed)
{
    struct nn_attr attr = { .shape = shape_of(c, 1) };
    c->dx[1] = ADD(embed_grad, &attr, src(c, 0), c->dy);
}

RULE(layer_norm)
{
    struct nn_attr attr = { .eps = c->node.attr.eps };
    if (c->need[0]) {
        c->dx[0] = ADD(layer_norm_grad, &attr, src(c, 0), src(c, 1), c->dy);
    }
    if (c->need[1]) {
        nn_id hat = ADD(layer_norm_hat, &attr, src(c, 0));
        c->dx[1] = nn_sum_to(c->graph, c->dy, hat, shape_of(c, 1));
    }
    if (c->need[2]) {
        c->dx[2] = nn_sum_to(c->graph, c->dy, NN_NONE, shape_of(c, 2));
    }
}

RULE(l2_normalize)
{
    c->dx[0] = ADD(l2_normalize_grad, NULL, src(c, 0), c->dy);
}

RULE(softmax)
{
    c->dx[0] = ADD(softmax_grad, NULL, c->id, c->dy);
}

/* --- Attention -------------------------------------------------------------------------------- */

/* A masked probability is zero, and softmax_grad gives it a zero gradient. */
RULE(attn_probs)
{
    const struct nn_attr *a = &c->node.attr;
    double scale = 1 / sqrt((double)(a->width / a->heads));
    nn_id ds = ADD(softmax_grad, NULL, c->id, c->dy);
    struct nn_attr attr = { .heads = a->heads, .width = a->width, .factor = (float)scale };
    if (c->need[0]) {
        attr.shape = shape_of(c, 0);
        attr.q_column = a->q_column;
        attr.k_column = a->k_column;
        c->dx[0] = ADD(attn_grad_query, &attr, ds, src(c, 1));
    }
    if (c->need[1]) {
        attr.shape = shape_of(c, 1);
        attr.q_column = a->k_column;
        attr.k_column = a->q_column;
        c->dx[1] = ADD(attn_grad_key, &attr, ds, src(c, 0));
    }
}

RULE(attn_apply)
{
    const struct nn_attr *a = &c->node.attr;
    struct nn_attr attr = { .heads = a->heads, .width = a->width, .factor = 1 };
    if (c->need[0]) {
        attr.v_column = a->v_column;
        c->dx[0] = ADD(attn_grad_probs, &attr, c->dy, src(c, 1));
    }
    if (c->need[1]) {
        attr.shape = shape_of(c, 1);
        attr.q_column = a->v_column;
        c->dx[1] = ADD(attn_grad_key, &attr, src(c, 0), c->dy);
    }
}

/* --- Losses -------------------------------------------------------------------------------------- */

static struct nn_attr loss_attr(const struct rule_call *c)
{
    const struct nn_attr *a = &c->node.attr;
    return (struct nn_attr){ .gamma_negative = a->gamma_negative,
                             .gamma_positive = a->gamma_positive, .clip = a->clip,
                             .eps = a->eps, .smoothing = a->smoothing,
                             .detached = a->detached };
}

RULE(asymmetric_loss)
{
    struct nn_attr attr = loss_attr(c);
    if (c->need[1]) {
        nn_graph_fail(c->graph, "the targets of a loss have no gradient");
        return;
    }
    c->dx[0] = ADD(asymmetric_loss_grad, &attr, src(c, 0), src(c, 1), c->dy);
}

RULE(label_loss)
{
    struct nn_attr attr = loss_attr(c);
    c->dx[0] = ADD(label_loss_grad, &attr, src(c, 0), c->dy,
                   c->node.n_sources > 1 ? src(c, 1) : NN_NONE);
}

/* --- The walk --------------------------------------------------------------------------------------- */

typedef void (*grad_rule)(struct rule_call *);

#define FOR_TRAIN(name) grad_##name
#define FOR_INFER(name) NULL
#define FOR_STEP(name) NULL
static const grad_rule rules[NN_OP_COUNT] = {
#define OP(name, min, max, kind, saved) [NN_OP_##name] = FOR_##kind(name),
#include "compute/graph/op.def"
#undef OP
};

/* Marks what leads from the wanted values to later nodes. */
static void mark_needed(const struct nn_graph *graph, const nn_id *wanted, size_t n,
                        bool *needed)
{
    for (size_t i = 0; i < n; i++) {
        needed[wanted[i]] = true;
    }
    for (nn_id id = 0; id < nn_graph_size(graph); id++) {
        const struct nn_node *node = nn_graph_node(graph, id);
        for (uint32_t i = 0; i < node->n_sources; i++) {
            needed[id] |= node->source[i] != NN_NONE && needed[node->source[i]];
        }
    }
}

static void contribute(struct nn_graph *graph, nn_id source, nn_id part, nn_id *sum)
{
    if (nn_graph_check(graph, NULL) != NN_OK || part == NN_NONE) {
        return;
    }
    if (!nn_shape_equal(nn_graph_node(graph, source)->shape,
                        nn_graph_node(graph, part)->shape)) {
        nn_graph_fail(graph, "the gradient of %s has another shape",
                      nn_op_name(nn_graph_node(graph, source)->op));
        return;
    }
    *sum = *sum == NN_NONE ? part : nn_add(graph, *sum, part);
}

/* A walk back. copy[id] is the node to be read in place of id: itself, or what makes its
 * value again. */
struct walk {
    struct nn_graph *graph;
    bool *needed;
    nn_id *sum, *copy;
    const nn_id *kept;
    size_t n_kept; /* whose stretches before them are not made again yet */
};

/* Adds what lies between the nodes `begin` and `end` once more, reading `begin`. */
static void make_again(struct walk *w, nn_id begin, nn_id end)
{
    for (nn_id id = begin + 1; id < end && nn_graph_check(w->graph, NULL) == NN_OK; id++) {
        struct nn_node node = *nn_graph_node(w->graph, id);
        if (node.n_sources == 0 || nn_op_updates(node.op)) {
            continue;
        }
        for (uint32_t i = 0; i < node.n_sources; i++) {
            nn_id source = node.source[i];
            node.source[i] = source == NN_NONE ? source : w->copy[source];
        }
        w->copy[id] = nn_graph_add(w->graph, node.op, node.source, node.n_sources,
                                   &node.attr);
    }
}

static void step_back(struct walk *w, nn_id id)
{
    struct rule_call call = { .graph = w->graph, .id = w->copy[id],
                              .node = *nn_graph_node(w->graph, id), .dy = w->sum[id] };
    nn_id source[NN_MAX_SOURCES];
    if (!rules[call.node.op]) {
        nn_graph_fail(w->graph, "%s has no gradient", nn_op_name(call.node.op));
        return;
    }
    for (uint32_t i = 0; i < NN_MAX_SOURCES; i++) {
        source[i] = i < call.node.n_sources ? call.node.source[i] : NN_NONE;
        call.need[i] = source[i] != NN_NONE && w->needed[source[i]];
        call.node.source[i] = source[i] == NN_NONE ? NN_NONE : w->copy[source[i]];
        call.dx[i] = NN_NONE;
    }
    rules[call.node.op](&call);
    for (uint32_t i = 0; i < call.node.n_sources; i++) {
        if (call.need[i]) {
            contribute(w->graph, source[i], call.dx[i], &w->sum[source[i]]);
        }
    }
}

static void walk_back(struct walk *w, nn_id loss)
{
    w->sum[loss] = nn_fill(w->graph, (struct nn_shape){ 0 }, 1);
    for (nn_id id = loss + 1; id-- > 0 && nn_graph_check(w->graph, NULL) == NN_OK;) {
        while (w->n_kept > 1 && id <= w->kept[w->n_kept - 1]) {
            w->n_kept--;
            make_again(w, w->kept[w->n_kept - 1], w->kept[w->n_kept]);
        }
        if (w->sum[id] != NN_NONE && w->needed[id]) {
            step_back(w, id);
        }
    }
}

bool nn_graph_grad(struct nn_graph *graph, nn_id loss, const nn_id *wanted, size_t n,
                   const nn_id *kept, size_t n_kept, nn_id *out)
{
    if (nn_graph_check(graph, NULL) != NN_OK) {
        return false;
    }
    if (nn_graph_node(graph, loss)->shape.rank != 0) {
        nn_graph_fail(graph, "only a scalar has gradients");
        return false;
    }
    uint32_t size = nn_graph_size(graph);
    struct walk w = { graph, calloc(size, sizeof *w.needed), malloc(size * sizeof *w.sum),
                      malloc(size * sizeof *w.copy), kept, n_kept };
    if (!w.needed || !w.sum || !w.copy) {
        nn_graph_fail(graph, "out of memory for gradients");
    } else {
        for (nn_id id = 0; id < size; id++) {
            w.sum[id] = NN_NONE;
            w.copy[id] = id;
        }
        mark_needed(graph, wanted, n, w.needed);
        walk_back(&w, loss);
    }
    bool good = nn_graph_check(graph, NULL) == NN_OK;
    for (size_t i = 0; i < n && good; i++) {
        out[i] = w.sum[wanted[i]];
    }
    free(w.needed);
    free(w.sum);
    free(w.copy);
    return good;
}
