/* Planners of conv2d and linear: both are one implicit matrix product, see
 * shaders/lib/gemm.glsl. The device's family chooses the kernel. */
#include "compute/graph/op_gpu_gemm.h"

#include <string.h>

/* So many flops at most in one dispatch, so that a submit can be short on any device. */
static double dispatch_limit(const struct plan_builder *b)
{
    return b->caps->type == GPU_SOFTWARE ? 1.5e9 : 4e11;
}

/* Columns of 8 results a subgroup of the direct kernels makes: many share the fetched
 * weights, few waste less when there are few results. */
static uint32_t direct_columns(uint32_t n)
{
    return n > 16 ? 4 : n > 8 ? 2 : 1;
}

void gemm_operands(const struct gemm *g, struct plan_step *step)
{
    bool bias = g->bias != UINT32_MAX, residual = g->residual != UINT32_MAX;
    uint32_t spec[6] = { g->kernel, g->stride, g->pad, g->epilogue.act, bias, residual };
    memcpy(step->kernel.spec, spec, sizeof spec);
    step->operand[0] = g->x;
    step->operand[1] = g->weight;
    step->operand[2] = g->y;
    step->operand[3] = bias ? g->bias : g->weight;
    step->operand[4] = residual ? g->residual : step->operand[3];
}

enum nn_status gemm_emit_columns(struct plan_builder *b, struct gemm *g,
                                 struct plan_step *step, uint32_t tile_n,
                                 struct nn_error *error)
{
    uint32_t n_tiles = (g->push.n_total + tile_n - 1) / tile_n;
    double parts = g->flops / dispatch_limit(b);
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

/* A tile is 32 channels by 8 to 32 columns. */
static enum nn_status emit_direct(struct plan_builder *b, struct gemm *g,
                                  struct nn_error *error)
{
    static const char *const names[5] = { [1] = "direct_gemm_1", [2] = "direct_gemm_2",
                                          [4] = "direct_gemm_4" };
    uint32_t columns = direct_columns(g->push.n_total);
    struct plan_step step = {
        .kernel = { .shader = names[columns], .n_bindings = 5,
                    .texel_mask = 0x3, .n_spec = 6, .subgroup_size = 8 },
        .label = g->label, .write_mask = 1u << 2,
        .groups = { 0, (g->push.m4 * 4 + 31) / 32, g->groups } };
    gemm_operands(g, &step);
    return gemm_emit_columns(b, g, &step, 8 * columns, error);
}

enum nn_status gemm_emit(struct plan_builder *b, struct gemm *g, struct nn_error *error)
{
    return b->caps->family == GPU_FAMILY_DIRECT ? emit_direct(b, g, error)
                                                : gemm_emit_tiled(b, g, error);
}

/* Finds the tensors of a conv2d or linear node and emits its product. */
static enum nn_status emit_node(struct plan_builder *b, nn_id id, struct gemm *g,
                                struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    bool direct = b->caps->family == GPU_FAMILY_DIRECT;
    enum nn_pack pack = direct ? NN_PACK_DIRECT : NN_PACK_TILED;
    nn_id bias = node->n_sources > 2 ? node->source[2] : NN_NONE;
    nn_id residual = node->n_sources > 3 ? node->source[3] : NN_NONE;
    g->bias = g->residual = UINT32_MAX;
    g->groups = 1;
    g->epilogue = node->attr.epilogue;
    enum nn_status status = plan_operand(b, node->source[0], &g->x, error);
    if (status == NN_OK) {
        status = b->constant[node->source[1]]
                     ? plan_constant(b, node->source[1], pack, &g->weight, error)
                     : plan_weight_panels(b, node->source[1], pack, &g->weight, error);
    }
    if (status == NN_OK) {
        status = plan_result(b, id, &g->y, error);
    }
    if (status == NN_OK && bias != NN_NONE) {
        status = plan_operand(b, bias, &g->bias, error);
    }
    if (status == NN_OK && residual != NN_NONE) {
        status = plan_operand(b, residual, &g->residual, error);
    }
    return status == NN_OK ? gemm_emit(b, g, error) : status;
}

enum nn_status plan_op_conv2d(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    bool done = false;
    enum nn_status status = winograd_emit(b, id, &done, error);
    if (status != NN_OK || done) {
        return status;
    }
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
        .flops = 2.0 * y.dim[0] * out_pixels * y.dim[1] * x.dim[1] * k * k,
        .label = k == 1 ? "conv 1x1" : k == 3 ? "conv 3x3" : "conv",
    };
    return emit_node(b, id, &g, error);
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
        .flops = 2.0 * rows * w.dim[0] * w.dim[1],
        .label = "linear",
    };
    return emit_node(b, id, &g, error);
}
