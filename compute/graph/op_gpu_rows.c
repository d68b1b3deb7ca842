/* Planners of the operators on rows: copies, norms, attention, products of rows. */
#include "compute/graph/plan_direct.h"

#include <string.h>

static uint32_t last_dim(struct nn_shape shape)
{
    return shape.rank == 0 ? 1 : shape.dim[shape.rank - 1];
}

static uint32_t padded4(uint32_t n)
{
    return (n + 3) / 4 * 4;
}

static uint32_t vec4_count(const struct plan_builder *b, nn_id id)
{
    return (uint32_t)(nn_layout_values(b->layout[id], nn_graph_node(b->graph, id)->shape)
                      / 4);
}

/* Fills operands 0.. from `ids`; NN_NONE repeats operand 0. The result is the last. */
static enum nn_status bind(struct plan_builder *b, struct plan_step *step, nn_id id,
                           const nn_id *ids, uint32_t n, uint32_t result,
                           struct nn_error *error)
{
    for (uint32_t i = 0; i < n; i++) {
        if (ids[i] == NN_NONE) {
            step->operand[i] = step->operand[0];
            continue;
        }
        enum nn_status status = plan_operand(b, ids[i], &step->operand[i], error);
        if (status != NN_OK) {
            return status;
        }
    }
    step->write_mask = 1u << result;
    return plan_result(b, id, &step->operand[result], error);
}

/* The operators that hold no computation of their own. */
enum nn_status plan_op_input(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    uint32_t tensor;
    return plan_result(b, id, &tensor, error);
}

static enum nn_status constant_only(struct plan_builder *b, nn_id id,
                                    struct nn_error *error)
{
    if (!b->constant[id]) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "folding of values that are not constants");
    }
    return NN_OK;
}

enum nn_status plan_op_param(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return constant_only(b, id, error);
}

enum nn_status plan_op_fold_weight(struct plan_builder *b, nn_id id,
                                   struct nn_error *error)
{
    return constant_only(b, id, error);
}

enum nn_status plan_op_fold_bias(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return constant_only(b, id, error);
}

enum copy_mode { COPY_MAP_TO_ROWS, COPY_PREPEND, COPY_SELECT, COPY_FIRST, COPY_SLICE };

static enum nn_status emit_copy(struct plan_builder *b, nn_id id, enum copy_mode mode,
                                const nn_id ids[3], uint32_t rows, uint32_t first_shared,
                                const char *label, struct nn_error *error)
{
    struct plan_step step = { .label = label };
    enum nn_status status = bind(b, &step, id, ids, 3, 3, error);
    if (status != NN_OK) {
        return status;
    }
    uint32_t width = (last_dim(nn_graph_node(b->graph, id)->shape) + 3) / 4;
    uint32_t push[4] = { vec4_count(b, id), width, rows, first_shared };
    step.kernel = (struct gpu_kernel_desc){ .shader = "rows_copy", .n_bindings = 4,
                                            .n_spec = 1, .spec = { mode },
                                            .push_bytes = sizeof push };
    memcpy(step.push, push, sizeof push);
    step.flops = 16.0 * push[0];
    plan_groups(b, &step, push[0]);
    return plan_emit(b, &step, error);
}

enum nn_status plan_op_map_to_rows(struct plan_builder *b, nn_id id,
                                   struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const nn_id ids[3] = { node->source[0], NN_NONE, NN_NONE };
    return emit_copy(b, id, COPY_MAP_TO_ROWS, ids, node->shape.dim[1], 0, "map_to_rows",
                     error);
}

enum nn_status plan_op_prepend_row(struct plan_builder *b, nn_id id,
                                   struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const struct nn_node *first = nn_graph_node(b->graph, node->source[0]);
    const nn_id ids[3] = { node->source[1], node->source[0], NN_NONE };
    return emit_copy(b, id, COPY_PREPEND, ids, node->shape.dim[1] - 1,
                     first->shape.rank == 1, "prepend_row", error);
}

enum nn_status plan_op_select_row(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const struct nn_node *x = nn_graph_node(b->graph, node->source[0]);
    const nn_id ids[3] = { node->source[0], NN_NONE, node->source[1] };
    return emit_copy(b, id, COPY_SELECT, ids, x->shape.dim[1], 0, "select_row", error);
}

enum nn_status plan_op_first_row(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const struct nn_node *x = nn_graph_node(b->graph, node->source[0]);
    const nn_id ids[3] = { node->source[0], NN_NONE, NN_NONE };
    return emit_copy(b, id, COPY_FIRST, ids, x->shape.dim[1], 0, "first_row", error);
}

/* The value lies in its source's memory as it is. */
static enum nn_status alias(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return plan_operand(b, nn_graph_node(b->graph, id)->source[0], &b->tensor[id], error);
}

enum nn_status plan_op_slice_rows(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    if (node->shape.rank == 1) {
        return constant_only(b, id, error);
    }
    if (node->attr.first == 0) {
        return alias(b, id, error);
    }
    const nn_id ids[3] = { node->source[0], NN_NONE, NN_NONE };
    return emit_copy(b, id, COPY_SLICE, ids, node->attr.first, 0, "slice_rows", error);
}

enum nn_status plan_op_reshape(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return alias(b, id, error);
}

enum nn_status plan_op_embed(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct plan_step step = { .label = "embed", .write_mask = 1u << 2 };
    enum nn_status status = plan_operand(b, node->source[1], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_operand(b, node->source[0], &step.operand[1], error);
    }
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[2], error);
    }
    if (status != NN_OK) {
        return status;
    }
    uint32_t width = (last_dim(node->shape) + 3) / 4;
    uint32_t push[3] = { vec4_count(b, id), width,
                         nn_graph_node(b->graph, node->source[1])->shape.dim[0] };
    step.kernel = (struct gpu_kernel_desc){ .shader = "embed", .n_bindings = 3,
                                            .texel_mask = 0x1, .push_bytes = sizeof push };
    memcpy(step.push, push, sizeof push);
    step.flops = 16.0 * push[0];
    plan_groups(b, &step, push[0]);
    return plan_emit(b, &step, error);
}

/* --- Reductions over a row --------------------------------------------------------- */

enum reduce_mode { REDUCE_LAYER_NORM, REDUCE_L2, REDUCE_SOFTMAX };

struct reduce_push { uint32_t rows, size, row_base; float eps; };

static enum nn_status emit_reduce(struct plan_builder *b, nn_id id, enum reduce_mode mode,
                                  const nn_id ids[3], const char *label,
                                  struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct plan_step step = { .label = label };
    enum nn_status status = bind(b, &step, id, ids, 3, 3, error);
    if (status != NN_OK) {
        return status;
    }
    uint32_t size = last_dim(node->shape);
    struct reduce_push push = { .rows = (uint32_t)(nn_shape_count(node->shape) / size),
                                .size = size, .eps = node->attr.eps };
    step.kernel = (struct gpu_kernel_desc){
        .shader = "row_reduce", .n_bindings = 4, .n_spec = 2, .spec = { b->lanes, mode },
        .push_bytes = sizeof push, .subgroup_size = b->lanes > 1 ? b->lanes : 0 };
    memcpy(step.push, &push, sizeof push);
    step.flops = 30.0 * push.rows * push.size;
    return plan_emit_rows(b, &step, push.rows, 2, error);
}

enum nn_status plan_op_layer_norm(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    return emit_reduce(b, id, REDUCE_LAYER_NORM, node->source, "layer_norm", error);
}

enum nn_status plan_op_l2_normalize(struct plan_builder *b, nn_id id,
                                    struct nn_error *error)
{
    const nn_id ids[3] = { nn_graph_node(b->graph, id)->source[0], NN_NONE, NN_NONE };
    return emit_reduce(b, id, REDUCE_L2, ids, "l2_normalize", error);
}

enum nn_status plan_op_softmax(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const nn_id ids[3] = { nn_graph_node(b->graph, id)->source[0], NN_NONE, NN_NONE };
    return emit_reduce(b, id, REDUCE_SOFTMAX, ids, "softmax", error);
}

/* --- Attention ---------------------------------------------------------------------- */

/* The push block of shaders/attn_probs.comp. */
struct probs_push {
    uint32_t rows, row_base, heads, queries, keys, head_width;
    uint32_t q_row, k_row, q_column, k_column, q_shared;
};

static enum nn_status emit_probs(struct plan_builder *b, const struct nn_node *node,
                                 uint32_t images, uint32_t result, struct nn_error *error)
{
    const struct nn_attr *a = &node->attr;
    struct nn_shape q = nn_graph_node(b->graph, node->source[0])->shape;
    struct nn_shape k = nn_graph_node(b->graph, node->source[1])->shape;
    struct plan_step step = { .label = "attn_probs", .write_mask = 1u << 2 };
    enum nn_status status = plan_operand(b, node->source[0], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_operand(b, node->source[1], &step.operand[1], error);
    }
    if (status != NN_OK) {
        return status;
    }
    step.operand[2] = result;
    if (plan_direct_probs_fit(b, a, k.dim[1])) {
        return plan_direct_probs(b, node, images, step, error);
    }
    step.operand[3] = step.operand[0];
    step.operand[4] = step.operand[1];
    struct probs_push push = {
        .rows = images * a->heads * q.dim[1], .heads = a->heads, .queries = q.dim[1],
        .keys = k.dim[1], .head_width = a->width / a->heads,
        .q_row = padded4(q.dim[2]), .k_row = padded4(k.dim[2]),
        .q_column = a->q_column, .k_column = a->k_column,
        .q_shared = q.dim[0] == 1 && images > 1 };
    bool vector = push.head_width % 4 == 0 && push.q_column % 4 == 0
                  && push.k_column % 4 == 0;
    step.kernel = (struct gpu_kernel_desc){
        .shader = "attn_probs", .n_bindings = 5, .n_spec = 3,
        .spec = { b->lanes, a->causal, vector }, .push_bytes = sizeof push,
        .subgroup_size = b->lanes > 1 ? b->lanes : 0 };
    memcpy(step.push, &push, sizeof push);
    step.flops = 2.0 * push.rows * push.keys * push.head_width;
    return plan_emit_rows(b, &step, push.rows, 1, error);
}

/* The push block of shaders/attn_apply.comp. */
struct apply_push {
    uint32_t count, heads, queries, keys, head_width, v_row, v_column, p_row;
};

static enum nn_status emit_apply(struct plan_builder *b, nn_id id, nn_id values,
                                 uint32_t probs, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const struct nn_attr *a = &node->attr;
    struct nn_shape v = nn_graph_node(b->graph, values)->shape;
    struct plan_step step = { .label = "attn_apply", .write_mask = 1u << 2 };
    step.operand[0] = probs;
    enum nn_status status = plan_operand(b, values, &step.operand[1], error);
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[2], error);
    }
    if (status != NN_OK) {
        return status;
    }
    if (plan_direct_apply_fit(b, a)) {
        return plan_direct_apply(b, id, values, step, error);
    }
    step.operand[3] = step.operand[1];
    struct apply_push push = {
        .count = vec4_count(b, id), .heads = a->heads, .queries = node->shape.dim[1],
        .keys = v.dim[1], .head_width = a->width / a->heads, .v_row = padded4(v.dim[2]),
        .v_column = a->v_column, .p_row = padded4(v.dim[1]) };
    bool vector = push.head_width % 4 == 0 && push.v_column % 4 == 0;
    step.kernel = (struct gpu_kernel_desc){
        .shader = "attn_apply", .n_bindings = 4, .n_spec = 1, .spec = { vector },
        .push_bytes = sizeof push };
    memcpy(step.push, &push, sizeof push);
    step.flops = 8.0 * push.count * push.keys;
    plan_groups(b, &step, push.count);
    return plan_emit(b, &step, error);
}

enum nn_status plan_op_attn_probs(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    uint32_t result;
    enum nn_status status = plan_result(b, id, &result, error);
    return status != NN_OK ? status
                           : emit_probs(b, node, node->shape.dim[0], result, error);
}

enum nn_status plan_op_attn_apply(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    uint32_t probs;
    enum nn_status status = plan_operand(b, node->source[0], &probs, error);
    return status != NN_OK ? status : emit_apply(b, id, node->source[1], probs, error);
}

enum nn_status plan_op_attention(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct nn_shape k = nn_graph_node(b->graph, node->source[1])->shape;
    struct nn_shape probs = NN_SHAPE4(node->shape.dim[0], node->attr.heads,
                                      node->shape.dim[1], k.dim[1]);
    uint32_t scratch;
    enum nn_status status =
        plan_scratch(b, nn_layout_bytes(NN_LAYOUT_ROWS, probs, b->half), &scratch, error);
    if (status == NN_OK) {
        status = emit_probs(b, node, node->shape.dim[0], scratch, error);
    }
    return status != NN_OK ? status : emit_apply(b, id, node->source[2], scratch, error);
}

/* --- Products of rows ------------------------------------------------------------------ */

/* The push block of shaders/group_linear.comp. */
struct group_push { uint32_t count, columns, outs, ins, x_row, w_row; };

enum nn_status plan_op_group_linear(struct plan_builder *b, nn_id id,
                                    struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct nn_shape w = nn_graph_node(b->graph, node->source[1])->shape;
    nn_id bias = node->n_sources > 2 ? node->source[2] : NN_NONE;
    const nn_id ids[2] = { node->source[0], node->source[1] };
    struct plan_step step = { .label = "group_linear" };
    enum nn_status status = bind(b, &step, id, ids, 2, 2, error);
    step.operand[3] = step.operand[1];
    if (status == NN_OK && bias != NN_NONE) {
        status = plan_operand(b, bias, &step.operand[3], error);
    }
    if (status != NN_OK) {
        return status;
    }
    struct plan_group g = { .rows = (uint32_t)(nn_shape_count(node->shape) / w.dim[0]),
                            .groups = node->attr.heads, .ins = w.dim[1],
                            .outs = w.dim[0] / node->attr.heads, .bias = bias != NN_NONE };
    step.flops = 2.0 * g.rows * w.dim[0] * w.dim[1];
    if (plan_direct_group_fit(b, g.outs, g.ins)) {
        return plan_direct_group(b, step, &g, error);
    }
    struct group_push push = { vec4_count(b, id) * 4, w.dim[0], g.outs, g.ins,
                               padded4(g.groups * g.ins), padded4(g.ins) };
    step.kernel = (struct gpu_kernel_desc){ .shader = "group_linear", .n_bindings = 4,
                                            .n_spec = 1, .spec = { g.bias },
                                            .push_bytes = sizeof push };
    memcpy(step.push, &push, sizeof push);
    plan_groups(b, &step, push.count);
    return plan_emit(b, &step, error);
}

struct dot_push { uint32_t count, columns, width, group, queries; };

static enum nn_status emit_dot(struct plan_builder *b, nn_id id, struct plan_step *step,
                               struct dot_push push, bool grouped, struct nn_error *error)
{
    push.count = vec4_count(b, id) * 4;
    step->kernel = (struct gpu_kernel_desc){ .shader = "row_dot", .n_bindings = 4,
                                             .n_spec = 1, .spec = { grouped },
                                             .push_bytes = sizeof push };
    memcpy(step->push, &push, sizeof push);
    step->flops = 8.0 * push.count * push.width;
    plan_groups(b, step, push.count);
    return plan_emit(b, step, error);
}

enum nn_status plan_op_matmul_nt(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const nn_id ids[3] = { node->source[0], node->source[1], NN_NONE };
    struct plan_step step = { .label = "matmul_nt" };
    enum nn_status status = bind(b, &step, id, ids, 3, 3, error);
    if (status != NN_OK) {
        return status;
    }
    struct nn_shape a = nn_graph_node(b->graph, node->source[0])->shape;
    struct dot_push push = { .columns = node->shape.dim[1],
                             .width = (a.dim[1] + 3) / 4, .group = 1, .queries = 1 };
    return emit_dot(b, id, &step, push, false, error);
}

enum nn_status plan_op_group_fc(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct nn_shape pooling = nn_graph_node(b->graph, node->source[1])->shape;
    if (!b->constant[node->source[1]]) {
        return plan_group_fc_computed(b, id, error);
    }
    struct plan_step step = { .label = "group_fc", .write_mask = 1u << 3 };
    enum nn_status status = plan_operand(b, node->source[0], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_constant(b, node->source[1], NN_PACK_GROUP, &step.operand[1], error);
    }
    if (status == NN_OK) {
        status = plan_operand(b, node->source[2], &step.operand[2], error);
    }
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[3], error);
    }
    if (status != NN_OK) {
        return status;
    }
    struct dot_push push = { .columns = node->shape.dim[1],
                             .width = (pooling.dim[1] + 3) / 4,
                             .group = pooling.dim[2], .queries = pooling.dim[0] };
    return emit_dot(b, id, &step, push, true, error);
}
