/* Planners of variables, of the losses and of the steps that change variables. */
#include "compute/graph/plan_private.h"

#include <string.h>

enum nn_status plan_op_variable(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return plan_op_input(b, id, error);
}

/* The push block of shaders/asymmetric_loss.comp. */
struct asymmetric_push {
    uint32_t count, size;
    float gamma_negative, gamma_positive, clip, eps;
};

static enum nn_status emit_asymmetric(struct plan_builder *b, nn_id id, bool gradient,
                                      struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const struct nn_attr *a = &node->attr;
    struct asymmetric_push push = { .count = plan_vec4s(b, id) * 4,
                                    .size = node->shape.dim[node->shape.rank - 1],
                                    .gamma_negative = a->gamma_negative,
                                    .gamma_positive = a->gamma_positive, .clip = a->clip,
                                    .eps = a->eps };
    struct plan_kernel k = {
        .shader = "asymmetric_loss", .label = "asymmetric_loss", .n_ids = 3,
        .ids = { node->source[0], node->source[1], gradient ? node->source[2] : NN_NONE },
        .n_spec = 2, .spec = { gradient, a->detached }, .push = &push,
        .push_bytes = sizeof push, .flops = 60.0 * push.count, .count = push.count };
    return plan_emit_kernel(b, id, &k, error);
}

enum nn_status plan_op_asymmetric_loss(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    return emit_asymmetric(b, id, false, error);
}

enum nn_status plan_op_asymmetric_loss_grad(struct plan_builder *b, nn_id id,
                                            struct nn_error *error)
{
    return emit_asymmetric(b, id, true, error);
}

/* The push block of shaders/label_loss.comp. */
struct label_push {
    uint32_t rows, row_base, size;
    float gamma_negative, gamma_positive, smoothing;
};

static enum nn_status emit_label(struct plan_builder *b, nn_id id, nn_id dy, nn_id classes,
                                 struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct nn_shape x = nn_graph_node(b->graph, node->source[0])->shape;
    struct label_push push = { .rows = x.dim[0], .size = x.dim[1],
                               .gamma_negative = node->attr.gamma_negative,
                               .gamma_positive = node->attr.gamma_positive,
                               .smoothing = node->attr.smoothing };
    struct plan_kernel k = {
        .shader = "label_loss", .label = "label_loss", .n_ids = 3,
        .ids = { node->source[0], dy, classes }, .n_spec = 3,
        .spec = { 0, dy != NN_NONE, classes == NN_NONE }, .push = &push,
        .push_bytes = sizeof push, .flops = 60.0 * push.rows * push.size, .rows = true,
        .count = push.rows, .base_word = 1 };
    return plan_emit_kernel(b, id, &k, error);
}

enum nn_status plan_op_label_loss(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    return emit_label(b, id, NN_NONE, node->n_sources > 1 ? node->source[1] : NN_NONE,
                      error);
}

enum nn_status plan_op_label_loss_grad(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    return emit_label(b, id, node->source[1],
                      node->n_sources > 2 ? node->source[2] : NN_NONE, error);
}

/* --- Dropout ------------------------------------------------------------------------------ */

/* The push block of shaders/dropout.comp. */
struct dropout_push {
    uint32_t count, place, threshold;
    float factor;
};

enum nn_status plan_op_dropout(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    double rate = node->attr.factor;
    struct dropout_push push = { .count = plan_vec4s(b, id), .place = node->attr.place,
                                 .threshold = (uint32_t)(rate * 4294967296.0),
                                 .factor = (float)(1 / (1 - rate)) };
    if (b->layout[id] != NN_LAYOUT_ROWS) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED, "dropout of a map");
    }
    struct plan_kernel k = {
        .shader = "dropout", .label = "dropout", .n_ids = 2,
        .ids = { node->source[0], node->source[1] }, .push = &push,
        .push_bytes = sizeof push, .flops = 100.0 * push.count, .count = push.count };
    return plan_emit_kernel(b, id, &k, error);
}

/* --- Steps -------------------------------------------------------------------------------- */

/* The first n_variables of ids are changed; the result of the node is ids[0]. */
static enum nn_status emit_update(struct plan_builder *b, nn_id id, const nn_id ids[6],
                                  uint32_t n_variables, const uint32_t spec[4],
                                  const char *label, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct plan_step step = { .label = label, .write_mask = (1u << n_variables) - 1 };
    enum nn_status status = NN_OK;
    for (uint32_t i = 0; i < 6 && status == NN_OK; i++) {
        status = plan_operand(b, ids[i], &step.operand[i], error);
    }
    if (status == NN_OK && b->layout[ids[3]] != b->layout[ids[0]]) {
        status = nn_fail(error, NN_ERROR_UNSUPPORTED, "a step of a value that is no map");
    }
    if (status != NN_OK) {
        return status;
    }
    b->tensor[id] = step.operand[0];
    struct { uint32_t count; float keep, take; } push = {
        plan_vec4s(b, ids[0]), node->attr.keep, node->attr.take };
    step.kernel = (struct gpu_kernel_desc){ .shader = "update", .n_bindings = 6,
                                            .n_spec = 4, .push_bytes = sizeof push };
    memcpy(step.kernel.spec, spec, 4 * sizeof spec[0]);
    memcpy(step.push, &push, sizeof push);
    step.flops = 40.0 * push.count;
    plan_groups(b, &step, push.count);
    return plan_emit(b, &step, error);
}

enum nn_status plan_op_blend(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const nn_id *s = nn_graph_node(b->graph, id)->source;
    const nn_id ids[6] = { s[0], s[0], s[0], s[1], s[0], s[0] };
    const uint32_t spec[4] = { 0, 0, 0, 0 };
    return emit_update(b, id, ids, 1, spec, "blend", error);
}

enum nn_status plan_op_adam(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const struct nn_attr *a = &node->attr;
    bool clip = node->n_sources > 5;
    const uint32_t spec[4] = { 1, a->decay && !a->decoupled, a->decay && a->decoupled,
                               clip };
    nn_id ids[6];
    memcpy(ids, node->source, sizeof ids);
    ids[5] = clip ? ids[5] : ids[4];
    return emit_update(b, id, ids, 3, spec, "adam", error);
}
