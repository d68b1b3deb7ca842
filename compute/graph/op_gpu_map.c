/* Planners of the operators on feature maps and of the elementwise ones. */
#include "compute/graph/plan_private.h"

#include <string.h>

enum elementwise_mode { EW_ACTIVATION, EW_ADD, EW_SCALE, EW_MUL_CHANNELS,
                        EW_SCALE_ADD_ACT, EW_BATCH_NORM };

/* The push block of shaders/elementwise.comp. */
struct elementwise_push {
    uint32_t count, period, pixels, channels;
    float slope, factor;
};

static const struct nn_node *source_of(const struct plan_builder *b,
                                       const struct nn_node *node, int i)
{
    return nn_graph_node(b->graph, node->source[i]);
}

static uint32_t vec4_count(const struct plan_builder *b, nn_id id)
{
    return (uint32_t)(nn_layout_values(b->layout[id], nn_graph_node(b->graph, id)->shape)
                      / 4);
}

/* operand[1] and [2] are tensors already; unused ones repeat x. */
static enum nn_status emit_elementwise(struct plan_builder *b, nn_id id,
                                       enum elementwise_mode mode, const uint32_t *extra,
                                       int n_extra, const char *label,
                                       struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct plan_step step = { .label = label, .write_mask = 1u << 3 };
    enum nn_status status = plan_operand(b, node->source[0], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[3], error);
    }
    if (status != NN_OK) {
        return status;
    }
    step.operand[1] = n_extra > 0 ? extra[0] : step.operand[0];
    step.operand[2] = n_extra > 1 ? extra[1] : step.operand[0];
    struct elementwise_push push = {
        .count = vec4_count(b, id), .period = 1, .pixels = 1, .channels = 1,
        .slope = node->attr.epilogue.slope, .factor = node->attr.factor };
    if (mode == EW_ADD) {
        push.period = vec4_count(b, node->source[1]);
    }
    if (b->layout[id] == NN_LAYOUT_MAP) {
        push.pixels = node->shape.dim[2] * node->shape.dim[3];
        push.channels = (node->shape.dim[1] + 3) / 4;
    }
    bool direct = !b->half && plan_fit_texels(b, &step, 3);
    step.kernel = (struct gpu_kernel_desc){
        .shader = direct ? "direct_elementwise" : "elementwise", .n_bindings = 4,
        .texel_mask = direct ? 0x7 : 0, .n_spec = 2,
        .spec = { mode, node->attr.epilogue.act }, .push_bytes = sizeof push };
    memcpy(step.push, &push, sizeof push);
    step.flops = 16.0 * push.count;
    plan_groups(b, &step, push.count);
    return plan_emit(b, &step, error);
}

enum nn_status plan_op_activation(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return emit_elementwise(b, id, EW_ACTIVATION, NULL, 0, "activation", error);
}

enum nn_status plan_op_scale(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return emit_elementwise(b, id, EW_SCALE, NULL, 0, "scale", error);
}

enum nn_status plan_op_add(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    uint32_t extra;
    nn_id second = nn_graph_node(b->graph, id)->source[1];
    enum nn_status status = plan_operand(b, second, &extra, error);
    return status != NN_OK ? status
                           : emit_elementwise(b, id, EW_ADD, &extra, 1, "add", error);
}

enum nn_status plan_op_mul_channels(struct plan_builder *b, nn_id id,
                                    struct nn_error *error)
{
    uint32_t extra;
    nn_id second = nn_graph_node(b->graph, id)->source[1];
    enum nn_status status = plan_operand(b, second, &extra, error);
    return status != NN_OK
               ? status
               : emit_elementwise(b, id, EW_MUL_CHANNELS, &extra, 1, "mul_channels", error);
}

enum nn_status plan_op_scale_add_act(struct plan_builder *b, nn_id id,
                                     struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    uint32_t extra[2];
    enum nn_status status = plan_operand(b, node->source[1], &extra[0], error);
    if (status == NN_OK) {
        status = plan_operand(b, node->source[2], &extra[1], error);
    }
    return status != NN_OK ? status
                           : emit_elementwise(b, id, EW_SCALE_ADD_ACT, extra, 2,
                                              "scale_add_act", error);
}

enum nn_status plan_op_batch_norm(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    for (int i = 1; i < 5; i++) {
        if (!b->constant[node->source[i]]) {
            return plan_batch_norm_computed(b, id, error);
        }
    }
    uint32_t extra[2];
    enum nn_status status = plan_constant(b, id, NN_PACK_BN_SCALE, &extra[0], error);
    if (status == NN_OK) {
        status = plan_constant(b, id, NN_PACK_BN_SHIFT, &extra[1], error);
    }
    return status != NN_OK
               ? status
               : emit_elementwise(b, id, EW_BATCH_NORM, extra, 2, "batch_norm", error);
}

static enum nn_status emit_window(struct plan_builder *b, nn_id id, uint32_t mode,
                                  const char *label, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct nn_shape x = source_of(b, node, 0)->shape, y = node->shape;
    struct plan_step step = { .label = label, .write_mask = 1u << 1 };
    enum nn_status status = plan_operand(b, node->source[0], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[1], error);
    }
    if (status != NN_OK) {
        return status;
    }
    uint32_t push[5] = { vec4_count(b, id), y.dim[2], y.dim[3], x.dim[2], x.dim[3] };
    step.kernel = (struct gpu_kernel_desc){
        .shader = "map_window", .n_bindings = 2, .n_spec = 2,
        .spec = { mode, mode == 0 ? 3 : node->attr.kernel }, .push_bytes = sizeof push };
    memcpy(step.push, push, sizeof push);
    step.flops = 40.0 * push[0];
    plan_groups(b, &step, push[0]);
    return plan_emit(b, &step, error);
}

enum nn_status plan_op_blur_pool(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return emit_window(b, id, 0, "blur_pool", error);
}

enum nn_status plan_op_avg_pool(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return emit_window(b, id, 1, "avg_pool", error);
}

enum nn_status plan_op_space_to_depth(struct plan_builder *b, nn_id id,
                                      struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct plan_step step = { .label = "space_to_depth", .write_mask = 1u << 1 };
    enum nn_status status = plan_operand(b, node->source[0], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[1], error);
    }
    if (status != NN_OK) {
        return status;
    }
    uint32_t push[4] = { vec4_count(b, id), node->shape.dim[2], node->shape.dim[3],
                         source_of(b, node, 0)->shape.dim[1] };
    step.kernel = (struct gpu_kernel_desc){ .shader = "space_to_depth", .n_bindings = 2,
                                            .push_bytes = sizeof push };
    memcpy(step.push, push, sizeof push);
    step.flops = 16.0 * push[0];
    plan_groups(b, &step, push[0]);
    return plan_emit(b, &step, error);
}

/* The push block of shaders/mean.comp. */
struct mean_push {
    uint32_t count, columns, length, group_stride, column_stride, step_stride, base;
};

static enum nn_status emit_mean(struct plan_builder *b, nn_id id, struct mean_push push,
                                const char *label, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct plan_step step = { .label = label, .write_mask = 1u << 1 };
    enum nn_status status = plan_operand(b, node->source[0], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[1], error);
    }
    if (status != NN_OK) {
        return status;
    }
    step.kernel = (struct gpu_kernel_desc){
        .shader = "mean", .n_bindings = 2, .n_spec = 1, .spec = { b->lanes },
        .push_bytes = sizeof push, .subgroup_size = b->lanes > 1 ? b->lanes : 0 };
    memcpy(step.push, &push, sizeof push);
    step.flops = 8.0 * push.count * push.length;
    return plan_emit_rows(b, &step, push.count, 6, error);
}

enum nn_status plan_op_mean_map(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    struct nn_shape x = source_of(b, nn_graph_node(b->graph, id), 0)->shape;
    uint32_t groups = (x.dim[1] + 3) / 4, pixels = x.dim[2] * x.dim[3];
    struct mean_push push = { .count = x.dim[0] * groups, .columns = 1, .length = pixels,
                              .group_stride = pixels, .step_stride = 1 };
    return emit_mean(b, id, push, "mean_map", error);
}

enum nn_status plan_op_mean_rows(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    struct nn_shape x = source_of(b, nn_graph_node(b->graph, id), 0)->shape;
    uint32_t width = (x.dim[2] + 3) / 4;
    struct mean_push push = { .count = x.dim[0] * width, .columns = width,
                              .length = x.dim[1], .group_stride = x.dim[1] * width,
                              .column_stride = 1, .step_stride = width };
    return emit_mean(b, id, push, "mean_rows", error);
}
