/* Shape rules of the operators of inference, and the table of all operators. */
#include "compute/graph/op_shape.h"

#include <string.h>

RULE(input) { return "an input is not computed"; }
RULE(param) { return "a param is not computed"; }

RULE(conv2d)
{
    struct nn_shape x = source(graph, node, 0), w = source(graph, node, 1);
    uint32_t k = node->attr.kernel, pad = node->attr.pad, stride = node->attr.stride;
    if (x.rank != 4 || w.rank != 4 || w.dim[1] != x.dim[1]) {
        return "channels of the map and of the weights differ";
    }
    if (w.dim[2] != w.dim[3] || k != w.dim[2] || k == 0 || k > 64 || pad >= k) {
        return "the kernel must be a square of 1 to 64";
    }
    if (stride == 0 || x.dim[2] + 2 * pad < k || x.dim[3] + 2 * pad < k) {
        return "the map is smaller than the kernel";
    }
    *out = NN_SHAPE4(x.dim[0], w.dim[0], (x.dim[2] + 2 * pad - k) / stride + 1,
                     (x.dim[3] + 2 * pad - k) / stride + 1);
    if (!is_vector(graph, node, 2, w.dim[0])) {
        return "the bias does not fit";
    }
    return is_residual(graph, node, 3, *out) ? NULL : "the residual does not fit";
}

RULE(linear)
{
    struct nn_shape x = source(graph, node, 0), w = source(graph, node, 1);
    if (x.rank < 1 || w.rank != 2 || x.dim[x.rank - 1] != w.dim[1]) {
        return "widths of the rows and of the weights differ";
    }
    *out = x;
    out->dim[x.rank - 1] = w.dim[0];
    if (!is_vector(graph, node, 2, w.dim[0])) {
        return "the bias does not fit";
    }
    return is_residual(graph, node, 3, *out) ? NULL : "the residual does not fit";
}

RULE(group_linear)
{
    struct nn_shape x = source(graph, node, 0), w = source(graph, node, 1);
    uint32_t groups = node->attr.heads;
    if (x.rank < 2 || w.rank != 2 || groups == 0 || w.dim[0] % groups != 0
        || (uint64_t)groups * w.dim[1] != x.dim[x.rank - 1]) {
        return "the weights do not fit the parts of a row";
    }
    *out = x;
    out->dim[x.rank - 1] = w.dim[0];
    return is_vector(graph, node, 2, w.dim[0]) ? NULL : "the bias does not fit";
}

RULE(matmul_nt)
{
    struct nn_shape a = source(graph, node, 0), b = source(graph, node, 1);
    if (a.rank != 2 || b.rank != 2 || a.dim[1] != b.dim[1]) {
        return "widths of the rows differ";
    }
    *out = NN_SHAPE2(a.dim[0], b.dim[0]);
    return NULL;
}

RULE(batch_norm)
{
    struct nn_shape x = source(graph, node, 0);
    for (uint32_t i = 1; i < 5; i++) {
        if (x.rank != 4 || !is_vector(graph, node, i, x.dim[1])) {
            return "the statistics do not fit the channels";
        }
    }
    *out = x;
    return NULL;
}

RULE(fold_weight)
{
    struct nn_shape w = source(graph, node, 0);
    if (w.rank < 1 || !is_vector(graph, node, 1, w.dim[0])
        || !is_vector(graph, node, 2, w.dim[0])) {
        return "the statistics do not fit the weights";
    }
    *out = w;
    return NULL;
}

RULE(fold_bias)
{
    struct nn_shape gamma = source(graph, node, 0);
    for (uint32_t i = 0; i < 5; i++) {
        if (gamma.rank != 1 || !is_vector(graph, node, i, gamma.dim[0])) {
            return "the statistics do not fit each other";
        }
    }
    *out = gamma;
    return NULL;
}

RULE(blur_pool)
{
    struct nn_shape x = source(graph, node, 0);
    if (x.rank != 4 || x.dim[2] < 2 || x.dim[3] < 2) {
        return "reflect padding needs a map of 2x2 or more";
    }
    *out = NN_SHAPE4(x.dim[0], x.dim[1], (x.dim[2] + 1) / 2, (x.dim[3] + 1) / 2);
    return NULL;
}

RULE(avg_pool)
{
    struct nn_shape x = source(graph, node, 0);
    uint32_t k = node->attr.kernel, more = node->attr.stride ? k - 1 : 0;
    if (x.rank != 4 || k == 0 || k > 64) {
        return "the window must be 1 to 64";
    }
    *out = NN_SHAPE4(x.dim[0], x.dim[1], (x.dim[2] + more) / k, (x.dim[3] + more) / k);
    return NULL;
}

RULE(space_to_depth)
{
    struct nn_shape x = source(graph, node, 0);
    if (x.rank != 4 || x.dim[2] % 4 || x.dim[3] % 4) {
        return "sides must be multiples of 4";
    }
    *out = NN_SHAPE4(x.dim[0], x.dim[1] * 16, x.dim[2] / 4, x.dim[3] / 4);
    return NULL;
}

RULE(activation) { *out = source(graph, node, 0); return NULL; }
RULE(scale) { *out = source(graph, node, 0); return NULL; }

bool shape_is_trailing(struct nn_shape b, struct nn_shape a)
{
    if (b.rank == a.rank && b.rank > 1 && b.dim[0] == 1) {
        b.rank--;
        memmove(b.dim, b.dim + 1, (size_t)b.rank * sizeof b.dim[0]);
    }
    for (int i = 0; i < b.rank && b.rank <= a.rank; i++) {
        if (b.dim[b.rank - 1 - i] != a.dim[a.rank - 1 - i]) {
            return false;
        }
    }
    return b.rank <= a.rank;
}

RULE(add)
{
    *out = source(graph, node, 0);
    return shape_is_trailing(source(graph, node, 1), *out) ? NULL : "shapes differ";
}

RULE(mul_channels)
{
    struct nn_shape x = source(graph, node, 0), s = source(graph, node, 1);
    if (x.rank != 4 || s.rank != 2 || s.dim[0] != x.dim[0] || s.dim[1] != x.dim[1]) {
        return "the factors do not fit the channels";
    }
    *out = x;
    return NULL;
}

RULE(scale_add_act)
{
    const char *wrong = shape_mul_channels(graph, node, out);
    if (wrong) {
        return wrong;
    }
    return is_residual(graph, node, 2, *out) ? NULL : "the residual does not fit";
}

RULE(mean_map)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE2(x.dim[0], x.dim[1]);
    return x.rank == 4 ? NULL : "it is not a map";
}

RULE(mean_rows)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE2(x.dim[0], x.dim[2]);
    return x.rank == 3 ? NULL : "these are not rows";
}

RULE(map_to_rows)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE3(x.dim[0], x.dim[2] * x.dim[3], x.dim[1]);
    return x.rank == 4 ? NULL : "it is not a map";
}

RULE(prepend_row)
{
    struct nn_shape first = source(graph, node, 0), x = source(graph, node, 1);
    bool shared = first.rank == 1 && first.dim[0] == x.dim[2];
    bool own = first.rank == 2 && first.dim[0] == x.dim[0] && first.dim[1] == x.dim[2];
    *out = NN_SHAPE3(x.dim[0], x.dim[1] + 1, x.dim[2]);
    return x.rank == 3 && (shared || own) ? NULL : "the row does not fit";
}

RULE(select_row)
{
    struct nn_shape x = source(graph, node, 0), index = source(graph, node, 1);
    bool integer = nn_graph_node(graph, node->source[1])->type == NN_I32;
    *out = NN_SHAPE2(x.dim[0], x.dim[2]);
    return x.rank == 3 && index.rank == 1 && index.dim[0] == x.dim[0] && integer
               ? NULL : "the index does not fit";
}

RULE(first_row)
{
    struct nn_shape x = source(graph, node, 0);
    *out = NN_SHAPE2(x.dim[0], x.dim[2]);
    return x.rank == 3 ? NULL : "these are not rows";
}

RULE(slice_rows)
{
    struct nn_shape x = source(graph, node, 0);
    uint32_t first = node->attr.first, count = node->attr.width;
    *out = x;
    out->dim[0] = count;
    return (x.rank == 1 || x.rank == 2) && first <= x.dim[0] && count <= x.dim[0] - first
               ? NULL : "there are fewer rows";
}

RULE(reshape)
{
    struct nn_shape x = source(graph, node, 0);
    *out = node->attr.shape;
    if (x.rank <= 0 || x.rank > 3 || out->rank <= 0 || out->rank > 3
        || nn_shape_count(x) != nn_shape_count(*out)) {
        return "only rows can be counted anew";
    }
    uint32_t before = x.dim[x.rank - 1], after = out->dim[out->rank - 1];
    return before == after || (before % 4 == 0 && after % 4 == 0)
               ? NULL : "rows of such widths cannot be counted anew";
}

RULE(transpose)
{
    struct nn_shape x = source(graph, node, 0);
    uint32_t groups = node->attr.heads;
    if (x.rank != 2 || groups == 0 || x.dim[0] % groups != 0) {
        return "it is not a matrix of so many blocks of rows";
    }
    *out = NN_SHAPE2(groups * x.dim[1], x.dim[0] / groups);
    return NULL;
}

RULE(embed)
{
    struct nn_shape ids = source(graph, node, 0), table = source(graph, node, 1);
    bool integer = nn_graph_node(graph, node->source[0])->type == NN_I32;
    *out = NN_SHAPE3(ids.dim[0], ids.dim[1], table.dim[1]);
    return ids.rank == 2 && table.rank == 2 && integer ? NULL : "ids or table do not fit";
}

RULE(layer_norm)
{
    struct nn_shape x = source(graph, node, 0);
    uint32_t width = x.rank > 0 ? x.dim[x.rank - 1] : 0;
    *out = x;
    return x.rank > 0 && is_vector(graph, node, 1, width)
                   && is_vector(graph, node, 2, width)
               ? NULL : "gamma or beta do not fit the width";
}

RULE(l2_normalize)
{
    *out = source(graph, node, 0);
    return out->rank > 0 ? NULL : "a scalar has no rows";
}

RULE(softmax)
{
    *out = source(graph, node, 0);
    return out->rank > 0 ? NULL : "a scalar has no rows";
}

static const char *check_heads(const struct nn_attr *a)
{
    return a->heads > 0 && a->width > 0 && a->width % a->heads == 0
               ? NULL : "the width is not a multiple of the number of heads";
}

static bool columns_fit(struct nn_shape x, uint32_t column, uint32_t width)
{
    return x.rank == 3 && column <= x.dim[2] && width <= x.dim[2] - column;
}

RULE(attn_probs)
{
    const struct nn_attr *a = &node->attr;
    struct nn_shape q = source(graph, node, 0), k = source(graph, node, 1);
    if (!columns_fit(q, a->q_column, a->width) || !columns_fit(k, a->k_column, a->width)
        || (q.dim[0] != k.dim[0] && q.dim[0] != 1)) {
        return "queries and keys do not fit";
    }
    *out = NN_SHAPE4(k.dim[0], a->heads, q.dim[1], k.dim[1]);
    return check_heads(a);
}

RULE(attn_apply)
{
    const struct nn_attr *a = &node->attr;
    struct nn_shape p = source(graph, node, 0), v = source(graph, node, 1);
    if (p.rank != 4 || !columns_fit(v, a->v_column, a->width) || p.dim[0] != v.dim[0]
        || p.dim[1] != a->heads || p.dim[3] != v.dim[1]) {
        return "probabilities and values do not fit";
    }
    *out = NN_SHAPE3(p.dim[0], p.dim[2], a->width);
    return check_heads(a);
}

RULE(attention)
{
    const struct nn_attr *a = &node->attr;
    struct nn_shape q = source(graph, node, 0), v = source(graph, node, 2);
    struct nn_shape probs;
    const char *wrong = shape_attn_probs(graph, node, &probs);
    if (wrong) {
        return wrong;
    }
    *out = NN_SHAPE3(probs.dim[0], q.dim[1], a->width);
    return columns_fit(v, a->v_column, a->width) && v.dim[0] == probs.dim[0]
                   && v.dim[1] == probs.dim[3]
               ? NULL : "values do not fit";
}

RULE(group_fc)
{
    struct nn_shape h = source(graph, node, 0), p = source(graph, node, 1);
    struct nn_shape bias = source(graph, node, 2);
    if (h.rank != 3 || p.rank != 3 || h.dim[1] != p.dim[0] || h.dim[2] != p.dim[1]) {
        return "queries and pooling do not fit";
    }
    *out = NN_SHAPE2(h.dim[0], bias.dim[0]);
    return bias.rank == 1 && bias.dim[0] <= (uint64_t)p.dim[0] * p.dim[2]
               ? NULL : "more classes than groups can hold";
}

typedef const char *(*shape_rule)(const struct nn_graph *, const struct nn_node *,
                                  struct nn_shape *);

static const struct {
    const char *name;
    uint32_t min, max;
    shape_rule shape;
} table[NN_OP_COUNT] = {
#define OP(name, min, max, kind, saved) { #name, min, max, shape_##name },
#include "compute/graph/op.def"
#undef OP
};

const char *nn_op_name(enum nn_op op)
{
    return table[op].name;
}

bool nn_op_updates(enum nn_op op)
{
    return op == NN_OP_blend || op == NN_OP_adam;
}

bool nn_op_is_leaf(enum nn_op op)
{
    return op == NN_OP_input || op == NN_OP_param || op == NN_OP_variable;
}

const char *nn_op_shape(const struct nn_graph *graph, const struct nn_node *node,
                        struct nn_shape *out)
{
    if (node->n_sources < table[node->op].min || node->n_sources > table[node->op].max) {
        return "wrong number of sources";
    }
    for (uint32_t i = 0; i < table[node->op].min; i++) {
        if (node->source[i] == NN_NONE) {
            return "a source is missing";
        }
    }
    return table[node->op].shape(graph, node, out);
}
