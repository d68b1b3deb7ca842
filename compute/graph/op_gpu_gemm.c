/* Planners of conv2d and linear: both are one implicit matrix product, see
 * shaders/lib/gemm.glsl. The device's family chooses the kernel. */
#include "compute/graph/gemm_private.h"

#include <string.h>

double plan_dispatch_limit(const struct plan_builder *b)
{
    return b->caps->type == GPU_SOFTWARE ? 1.5e9 : 4e11;
}

enum nn_status plan_gemm_operands(struct plan_builder *b, const struct gemm *g,
                                  enum nn_pack pack, struct plan_step *step,
                                  struct nn_error *error)
{
    uint32_t spec[6] = { g->kernel, g->stride, g->pad, g->epilogue.act,
                         g->bias != NN_NONE, g->residual != NN_NONE };
    memcpy(step->kernel.spec, spec, sizeof spec);
    enum nn_status status = plan_operand(b, g->x, &step->operand[0], error);
    if (status == NN_OK) {
        status = b->constant[g->weight]
                     ? plan_constant(b, g->weight, pack, &step->operand[1], error)
                     : plan_weight_panels(b, g->weight, pack, &step->operand[1], error);
    }
    step->operand[3] = step->operand[1];
    if (status == NN_OK && g->bias != NN_NONE) {
        status = plan_operand(b, g->bias, &step->operand[3], error);
    }
    step->operand[4] = step->operand[3];
    if (status == NN_OK && g->residual != NN_NONE) {
        status = plan_operand(b, g->residual, &step->operand[4], error);
    }
    return status;
}

enum nn_status plan_gemm_emit(struct plan_builder *b, struct gemm *g,
                              struct plan_step *step, uint32_t tile_n,
                              struct nn_error *error)
{
    uint32_t n_tiles = (g->push.n_total + tile_n - 1) / tile_n;
    double parts = g->flops / plan_dispatch_limit(b);
    uint32_t most = parts > 1 ? (uint32_t)(n_tiles / parts) + 1 : n_tiles;
    most = most < b->caps->max_groups[0] ? most : b->caps->max_groups[0];
    g->push.m_tiles = step->groups[1];
    g->push.slope = g->epilogue.slope;
    step->kernel.push_bytes = sizeof g->push;
    enum nn_status status = NN_OK;
    for (uint32_t base = 0; base < n_tiles && status == NN_OK; base += most) {
        uint32_t count = n_tiles - base < most ? n_tiles - base : most;
        g->push.n_base = base;
        memcpy(step->push, &g->push, sizeof g->push);
        step->groups[0] = count;
        step->flops = g->flops * count / n_tiles;
        status = plan_emit(b, step, error);
    }
    return status;
}

/* The direct family, whose tile is 32 channels by 32 columns, or 8 where there are no
 * more. */
static enum nn_status emit_direct(struct plan_builder *b, nn_id id, struct gemm *g,
                                  struct nn_error *error)
{
    static const char *const names[2][2] = { { "direct_gemm_1x1", "direct_gemm_1x2" },
                                             { "direct_gemm_4x1", "direct_gemm_4x2" } };
    bool wide = g->push.n_total > 8, even = g->push.k4 % 2 == 0;
    struct plan_step step = {
        .kernel = { .shader = names[wide][even], .n_bindings = 5, .texel_mask = 0x3,
                    .n_spec = 6, .subgroup_size = 8 },
        .label = g->label, .write_mask = 1u << 2,
        .groups = { 0, (g->push.m4 * 4 + 31) / 32, 1 } };
    enum nn_status status = plan_gemm_operands(b, g, NN_PACK_DIRECT, &step, error);
    if (status == NN_OK) {
        status = plan_result(b, id, &step.operand[2], error);
    }
    return status != NN_OK ? status : plan_gemm_emit(b, g, &step, wide ? 32 : 8, error);
}

static enum nn_status emit_gemm(struct plan_builder *b, nn_id id, struct gemm *g,
                                struct nn_error *error)
{
    return b->caps->family == GPU_FAMILY_DIRECT ? emit_direct(b, id, g, error)
                                                : plan_gemm_tiled(b, id, g, error);
}

enum nn_status plan_op_conv2d(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct nn_shape x = nn_graph_node(b->graph, node->source[0])->shape;
    struct nn_shape y = node->shape;
    uint32_t in_pixels = x.dim[2] * x.dim[3], out_pixels = y.dim[2] * y.dim[3];
    uint32_t k4 = (x.dim[1] + 3) / 4, m4 = (y.dim[1] + 3) / 4, k = node->attr.kernel;
    struct gemm g = {
        .push = { .n_total = y.dim[0] * out_pixels, .m4 = m4, .k4 = k4,
                  .out_pixels = out_pixels, .out_width = y.dim[3],
                  .in_height = x.dim[2], .in_width = x.dim[3],
                  .x_batch = k4 * in_pixels, .x_channel = in_pixels, .x_pixel = 1,
                  .y_batch = m4 * out_pixels, .y_channel = out_pixels, .y_pixel = 1 },
        .kernel = k, .stride = node->attr.stride, .pad = node->attr.pad,
        .columns = out_pixels,
        .x = node->source[0], .weight = node->source[1],
        .bias = node->n_sources > 2 ? node->source[2] : NN_NONE,
        .residual = node->n_sources > 3 ? node->source[3] : NN_NONE,
        .epilogue = node->attr.epilogue,
        .flops = 2.0 * y.dim[0] * out_pixels * y.dim[1] * x.dim[1] * k * k,
        .label = k == 1 ? "conv 1x1" : k == 3 ? "conv 3x3" : "conv",
    };
    return emit_gemm(b, id, &g, error);
}

enum nn_status plan_op_linear(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    struct nn_shape w = nn_graph_node(b->graph, node->source[1])->shape;
    uint32_t rows = (uint32_t)(nn_shape_count(node->shape) / w.dim[0]);
    uint32_t k4 = (w.dim[1] + 3) / 4, m4 = (w.dim[0] + 3) / 4;
    struct gemm g = {
        .push = { .n_total = rows, .m4 = m4, .k4 = k4, .out_pixels = rows,
                  .out_width = rows, .in_height = 1, .in_width = rows,
                  .x_channel = 1, .x_pixel = k4, .y_channel = 1, .y_pixel = m4 },
        .kernel = 1, .stride = 1, .rows = true,
        .columns = node->shape.rank > 1 ? rows / node->shape.dim[0] : 1,
        .x = node->source[0], .weight = node->source[1],
        .bias = node->n_sources > 2 ? node->source[2] : NN_NONE,
        .residual = node->n_sources > 3 ? node->source[3] : NN_NONE,
        .epilogue = node->attr.epilogue,
        .flops = 2.0 * rows * w.dim[0] * w.dim[1],
        .label = "linear",
    };
    return emit_gemm(b, id, &g, error);
}
