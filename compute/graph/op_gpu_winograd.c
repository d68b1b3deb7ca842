/* 3x3 convolutions of stride 1 by Winograd's method: a map is cut into tiles of 4x4 (or
 * 2x2) results, and a linear transform of tile and kernel turns the convolution of a tile
 * into 36 (16) products by points, which over all channels and tiles are 36 (16) matrix
 * products. They take a quarter (1/2.25) of the multiplications.
 *
 * Three dispatches: the transform of the input, the products, the transform of the
 * result with bias, residual and activation. What lies between them is 2.25 (4) times the
 * map; a batch therefore goes image by image as far as the caches ask for it. The tile is
 * chosen by the size of one map alone, so that one image's result does not depend on the
 * batch.
 *
 * In f32 only: rounding what lies between the transforms to f16 would lose digits. */
#include "compute/graph/op_gpu_gemm.h"

#include <string.h>

#define LEAST_CHANNELS 16      /* below it the transforms cost more than they save */
#define SMALL_MAP 16           /* maps below this side take tiles of 2x2 */
#define CHUNK_BYTES (4u << 20) /* of a transformed map that should stay in the caches */

/* The push block of shaders/lib/winograd.glsl. */
struct winograd_push {
    uint32_t n_total, first, tiles, tiles_x, channels4, height, width;
    float slope;
};

struct winograd {
    nn_id id;
    const struct nn_node *node;
    uint32_t out, points;      /* results on a tile's side; points of its transform */
    uint32_t tiles, tiles_x;   /* of one image */
    uint32_t k4, m4;
    uint32_t x, weight, y, bias, residual; /* tensors; UINT32_MAX for none */
};

static bool fits(const struct plan_builder *b, const struct nn_node *node)
{
    struct nn_shape x = nn_graph_node(b->graph, node->source[0])->shape;
    return b->winograd && !b->half && b->caps->family == GPU_FAMILY_DIRECT
           && node->attr.kernel == 3
           && node->attr.stride == 1 && node->attr.pad == 1
           && x.dim[1] >= LEAST_CHANNELS && node->shape.dim[1] >= LEAST_CHANNELS
           && b->constant[node->source[1]];
}

static enum nn_status find_operands(struct plan_builder *b, struct winograd *w,
                                    struct nn_error *error)
{
    const struct nn_node *node = w->node;
    enum nn_pack pack = w->out == 4 ? NN_PACK_WINOGRAD4 : NN_PACK_WINOGRAD2;
    nn_id bias = node->n_sources > 2 ? node->source[2] : NN_NONE;
    nn_id residual = node->n_sources > 3 ? node->source[3] : NN_NONE;
    w->bias = w->residual = UINT32_MAX;
    enum nn_status status = plan_operand(b, node->source[0], &w->x, error);
    if (status == NN_OK) {
        status = plan_constant(b, node->source[1], pack, &w->weight, error);
    }
    if (status == NN_OK && bias != NN_NONE) {
        status = plan_operand(b, bias, &w->bias, error);
    }
    if (status == NN_OK && residual != NN_NONE) {
        status = plan_operand(b, residual, &w->residual, error);
    }
    return status == NN_OK ? plan_result(b, w->id, &w->y, error) : status;
}

static struct winograd_push push_of(const struct winograd *w, uint32_t first,
                                    uint32_t images, uint32_t channels4)
{
    return (struct winograd_push){
        .n_total = images * w->tiles, .first = first, .tiles = w->tiles,
        .tiles_x = w->tiles_x, .channels4 = channels4, .height = w->node->shape.dim[2],
        .width = w->node->shape.dim[3], .slope = w->node->attr.epilogue.slope };
}

static enum nn_status emit_transform(struct plan_builder *b, struct plan_step *step,
                                     const struct winograd_push *push,
                                     struct nn_error *error)
{
    step->kernel.push_bytes = sizeof *push;
    step->kernel.subgroup_size = 8;
    memcpy(step->push, push, sizeof *push);
    step->groups[0] = (push->n_total + 7) / 8;
    step->groups[1] = push->channels4;
    step->groups[2] = 1;
    step->flops = 400.0 * push->n_total * push->channels4;
    return plan_emit(b, step, error);
}

static enum nn_status emit_input(struct plan_builder *b, const struct winograd *w,
                                 uint32_t first, uint32_t images, uint32_t v,
                                 struct nn_error *error)
{
    struct plan_step step = {
        .label = "winograd input", .operand = { w->x, v }, .write_mask = 1u << 1,
        .kernel = { .shader = w->out == 4 ? "winograd_input_4" : "winograd_input_2",
                    .n_bindings = 2, .texel_mask = 0x1 } };
    struct winograd_push push = push_of(w, first, images, w->k4);
    return emit_transform(b, &step, &push, error);
}

/* The step counts the flops of the convolution itself, so that figures compare with
 * other methods. */
static enum nn_status emit_product(struct plan_builder *b, const struct winograd *w,
                                   uint32_t images, uint32_t v, uint32_t m,
                                   struct nn_error *error)
{
    uint32_t n = images * w->tiles;
    struct nn_shape y = w->node->shape;
    uint32_t in = nn_graph_node(b->graph, w->node->source[0])->shape.dim[1];
    struct gemm g = {
        .push = { .n_total = n, .m4 = w->m4, .k4 = w->k4, .out_pixels = n,
                  .out_width = n, .in_height = 1, .in_width = n,
                  .x_channel = n, .x_pixel = 1, .y_channel = n, .y_pixel = 1,
                  .x_group = w->k4 * n, .y_group = w->m4 * n },
        .kernel = 1, .stride = 1, .groups = w->points,
        .x = v, .weight = w->weight, .y = m, .bias = UINT32_MAX, .residual = UINT32_MAX,
        .flops = 18.0 * images * y.dim[2] * y.dim[3] * y.dim[1] * in,
        .label = "winograd product" };
    return gemm_emit(b, &g, error);
}

static enum nn_status emit_output(struct plan_builder *b, const struct winograd *w,
                                  uint32_t first, uint32_t images, uint32_t m,
                                  struct nn_error *error)
{
    bool bias = w->bias != UINT32_MAX, residual = w->residual != UINT32_MAX;
    struct plan_step step = {
        .label = "winograd output", .write_mask = 1u << 3,
        .operand = { m, bias ? w->bias : m, residual ? w->residual : m, w->y },
        .kernel = { .shader = w->out == 4 ? "winograd_output_4" : "winograd_output_2",
                    .n_bindings = 4, .texel_mask = 0x7, .n_spec = 3,
                    .spec = { w->node->attr.epilogue.act, bias, residual } } };
    struct winograd_push push = push_of(w, first, images, w->m4);
    return emit_transform(b, &step, &push, error);
}

static enum nn_status emit_chunk(struct plan_builder *b, const struct winograd *w,
                                 uint32_t first, uint32_t images, struct nn_error *error)
{
    uint32_t v, m;
    uint64_t texels = (uint64_t)images * w->tiles * w->points;
    enum nn_status status = plan_scratch(b, texels * w->k4 * 16, &v, error);
    if (status == NN_OK) {
        status = plan_scratch(b, texels * w->m4 * 16, &m, error);
    }
    if (status == NN_OK) {
        status = emit_input(b, w, first, images, v, error);
    }
    if (status == NN_OK) {
        status = emit_product(b, w, images, v, m, error);
    }
    return status == NN_OK ? emit_output(b, w, first, images, m, error) : status;
}

/* Images whose transformed maps stay in the caches together; at least one. */
static uint32_t chunk_images(const struct winograd *w)
{
    uint64_t channels4 = w->k4 > w->m4 ? w->k4 : w->m4;
    uint64_t bytes = 16 * channels4 * w->tiles * w->points;
    return bytes < CHUNK_BYTES ? (uint32_t)(CHUNK_BYTES / bytes) : 1;
}

enum nn_status winograd_emit(struct plan_builder *b, nn_id id, bool *done,
                             struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    uint32_t height = node->shape.dim[2], width = node->shape.dim[3];
    *done = false;
    if (!fits(b, node)) {
        return NN_OK;
    }
    struct nn_shape x = nn_graph_node(b->graph, node->source[0])->shape;
    struct winograd w = { .id = id, .node = node, .k4 = (x.dim[1] + 3) / 4,
                          .m4 = (node->shape.dim[1] + 3) / 4 };
    w.out = height < SMALL_MAP || width < SMALL_MAP ? 2 : 4;
    w.points = (w.out + 2) * (w.out + 2);
    w.tiles_x = (width + w.out - 1) / w.out;
    w.tiles = (height + w.out - 1) / w.out * w.tiles_x;
    enum nn_status status = find_operands(b, &w, error);
    uint32_t most = chunk_images(&w);
    for (uint32_t i = 0; i < x.dim[0] && status == NN_OK; i += most) {
        uint32_t images = x.dim[0] - i < most ? x.dim[0] - i : most;
        status = emit_chunk(b, &w, i, images, error);
    }
    *done = status == NN_OK;
    return status;
}
