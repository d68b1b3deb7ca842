/* Planners of the operators that training adds, losses and steps excepted. */
#include "compute/graph/plan_private.h"

#include <string.h>

static const struct nn_node *node_of(const struct plan_builder *b, nn_id id)
{
    return nn_graph_node(b->graph, id);
}

static struct nn_shape source_shape(const struct plan_builder *b, nn_id id, uint32_t i)
{
    return node_of(b, node_of(b, id)->source[i])->shape;
}

static uint32_t last_dim(struct nn_shape shape)
{
    return shape.rank == 0 ? 1 : shape.dim[shape.rank - 1];
}

static uint32_t padded4(uint32_t n)
{
    return (n + 3) / 4 * 4;
}

uint32_t plan_vec4s(const struct plan_builder *b, nn_id id)
{
    return (uint32_t)(nn_layout_values(b->layout[id], node_of(b, id)->shape) / 4);
}

bool plan_fit_texels(const struct plan_builder *b, const struct plan_step *step, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (b->tensors[step->operand[i]].bytes / 16 > b->caps->max_texel_elements) {
            return false;
        }
    }
    return b->caps->family == GPU_FAMILY_DIRECT;
}

enum nn_status plan_emit_kernel(struct plan_builder *b, nn_id id,
                                const struct plan_kernel *k, struct nn_error *error)
{
    struct plan_step step = { .label = k->label, .write_mask = 1u << k->n_ids };
    enum nn_status status = plan_result(b, id, &step.operand[k->n_ids], error);
    for (uint32_t i = 0; i < k->n_ids && status == NN_OK; i++) {
        if (k->ids[i] != NN_NONE) {
            status = plan_operand(b, k->ids[i], &step.operand[i], error);
        } else {
            step.operand[i] = k->ids[0] != NN_NONE ? step.operand[0]
                                                   : step.operand[k->n_ids];
        }
    }
    if (status != NN_OK) {
        return status;
    }
    bool direct = k->direct && plan_fit_texels(b, &step, k->n_ids);
    step.kernel = (struct gpu_kernel_desc){
        .shader = direct ? k->direct : k->shader, .n_bindings = k->n_ids + 1,
        .texel_mask = direct ? (1u << k->n_ids) - 1 : 0, .n_spec = k->n_spec,
        .push_bytes = k->push_bytes };
    memcpy(step.kernel.spec, k->spec, sizeof k->spec);
    memcpy(step.push, k->push, k->push_bytes);
    step.flops = k->flops;
    if (k->rows) {
        step.kernel.spec[0] = b->lanes;
        step.kernel.subgroup_size = b->lanes > 1 ? b->lanes : 0;
        return plan_emit_rows(b, &step, k->count, k->base_word, error);
    }
    plan_groups(b, &step, k->count);
    return plan_emit(b, &step, error);
}

/* --- Elementwise ------------------------------------------------------------------------ */

enum elementwise_mode { EW_FILL, EW_MUL, EW_MUL_SCALAR, EW_EXPAND_SCALAR, EW_EXPAND_MAP,
                        EW_EXPAND_ROWS, EW_ACTIVATION, EW_NORM, EW_NORM_GRAD, EW_CLIP_FACTOR };

/* The push block of shaders/elementwise_grad.comp. */
struct elementwise_push {
    uint32_t count, pixels, channels, width, rows;
    float slope, factor, eps;
};

static enum nn_status emit_elementwise(struct plan_builder *b, nn_id id,
                                       enum elementwise_mode mode, const char *label,
                                       struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    struct nn_shape y = node->shape;
    struct elementwise_push push = {
        .count = plan_vec4s(b, id), .pixels = 1, .channels = 1, .width = 1, .rows = 1,
        .slope = node->attr.epilogue.slope, .factor = node->attr.factor,
        .eps = node->attr.eps };
    if (b->layout[id] == NN_LAYOUT_MAP) {
        push.pixels = y.dim[2] * y.dim[3];
        push.channels = (y.dim[1] + 3) / 4;
    } else if (y.rank == 3) {
        push.width = (y.dim[2] + 3) / 4;
        push.rows = y.dim[1];
    }
    struct plan_kernel k = {
        .shader = "elementwise_grad", .direct = "direct_elementwise_grad",
        .label = label, .n_ids = 7, .n_spec = 2,
        .spec = { mode, node->attr.epilogue.act }, .push = &push,
        .push_bytes = sizeof push, .flops = 30.0 * push.count, .count = push.count };
    for (uint32_t i = 0; i < 7; i++) {
        k.ids[i] = i < node->n_sources ? node->source[i] : NN_NONE;
    }
    return plan_emit_kernel(b, id, &k, error);
}

/* Two rank-4 values may be laid out as maps or as rows; one kernel cannot read both. */
static enum nn_status same_layout(const struct plan_builder *b, nn_id id,
                                  struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    if (node->n_sources > 1 && node->source[1] != NN_NONE
        && b->layout[node->source[0]] != b->layout[node->source[1]]) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "a product of a map and of attention probabilities");
    }
    return NN_OK;
}

enum nn_status plan_op_fill(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return emit_elementwise(b, id, EW_FILL, "fill", error);
}

enum nn_status plan_op_mul(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    enum nn_status status = same_layout(b, id, error);
    return status != NN_OK ? status : emit_elementwise(b, id, EW_MUL, "mul", error);
}

enum nn_status plan_op_mul_scalar(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return emit_elementwise(b, id, EW_MUL_SCALAR, "mul_scalar", error);
}

enum nn_status plan_op_expand(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    bool map = b->layout[id] == NN_LAYOUT_MAP;
    return emit_elementwise(b, id, source_shape(b, id, 0).rank == 0 ? EW_EXPAND_SCALAR
                                   : map ? EW_EXPAND_MAP : EW_EXPAND_ROWS,
                            "expand", error);
}

enum nn_status plan_op_activation_grad(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    return emit_elementwise(b, id, EW_ACTIVATION, "activation_grad", error);
}

enum nn_status plan_batch_norm_computed(struct plan_builder *b, nn_id id,
                                        struct nn_error *error)
{
    return emit_elementwise(b, id, EW_NORM, "batch_norm", error);
}

enum nn_status plan_op_batch_norm_grad(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    return emit_elementwise(b, id, EW_NORM_GRAD, "batch_norm_grad", error);
}

enum nn_status plan_op_clip_factor(struct plan_builder *b, nn_id id,
                                   struct nn_error *error)
{
    return emit_elementwise(b, id, EW_CLIP_FACTOR, "clip_factor", error);
}

/* --- Sums ------------------------------------------------------------------------------- */

enum reduce_mode { REDUCE_SUM, REDUCE_PRODUCT, REDUCE_VARIANCE, REDUCE_NORM };

/* The push block of shaders/reduce.comp. */
struct reduce_push {
    uint32_t count, outers, outer_stride, inners, inner_stride, result_stride;
    uint32_t pixels, size;
    float factor, eps;
    uint32_t base;
};

static enum nn_status emit_reduce(struct plan_builder *b, nn_id id, enum reduce_mode mode,
                                  const nn_id ids[4], struct reduce_push push, bool total,
                                  const char *label, struct nn_error *error)
{
    struct plan_kernel k = {
        .shader = "reduce", .direct = "direct_reduce", .label = label, .n_ids = 4,
        .ids = { ids[0], ids[1], ids[2], ids[3] }, .n_spec = 3, .spec = { 0, mode, total },
        .push = &push, .push_bytes = sizeof push, .rows = true, .count = push.count,
        .base_word = 10, .flops = 8.0 * push.count * push.outers * push.inners };
    return plan_emit_kernel(b, id, &k, error);
}

/* Sums of a map over images and pixels. */
static struct reduce_push channel_sums(struct nn_shape x)
{
    uint32_t groups = (x.dim[1] + 3) / 4, pixels = x.dim[2] * x.dim[3];
    return (struct reduce_push){ .count = groups, .outers = x.dim[0],
                                 .outer_stride = groups * pixels, .inners = pixels,
                                 .inner_stride = 1, .result_stride = pixels, .pixels = 1,
                                 .size = x.dim[1], .factor = 1 };
}

static struct reduce_push sums_of(const struct plan_builder *b, nn_id id)
{
    const struct nn_node *node = node_of(b, id);
    struct nn_shape x = source_shape(b, id, 0), y = node->shape;
    bool map = b->layout[node->source[0]] == NN_LAYOUT_MAP;
    uint32_t all = plan_vec4s(b, node->source[0]), pixels = map ? x.dim[2] * x.dim[3] : 1;
    if (y.rank == 0) {
        return (struct reduce_push){ .count = 1, .outers = 1, .inners = all,
                                     .inner_stride = 1, .pixels = pixels,
                                     .size = map ? x.dim[1] : last_dim(x), .factor = 1 };
    }
    if (map && y.rank == 1) {
        return channel_sums(x);
    }
    if (map) {
        return (struct reduce_push){ .count = plan_vec4s(b, id), .outers = 1,
                                     .inners = pixels, .inner_stride = 1,
                                     .result_stride = pixels, .pixels = 1,
                                     .size = x.dim[1], .factor = 1 };
    }
    uint32_t period = plan_vec4s(b, id);
    return (struct reduce_push){ .count = period, .outers = 1, .inners = all / period,
                                 .inner_stride = period, .result_stride = 1, .pixels = 1,
                                 .size = last_dim(y), .factor = 1 };
}

enum nn_status plan_op_sum_to(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    bool product = node->n_sources > 1;
    const nn_id ids[4] = { node->source[0], product ? node->source[1] : NN_NONE, NN_NONE,
                           NN_NONE };
    enum nn_status status = same_layout(b, id, error);
    return status != NN_OK
               ? status
               : emit_reduce(b, id, product ? REDUCE_PRODUCT : REDUCE_SUM, ids,
                             sums_of(b, id), node->shape.rank == 0, "sum", error);
}

static enum nn_status emit_statistic(struct plan_builder *b, nn_id id,
                                     enum reduce_mode mode, nn_id mean,
                                     struct nn_error *error)
{
    const nn_id ids[4] = { node_of(b, id)->source[0], NN_NONE, mean, NN_NONE };
    struct nn_shape x = source_shape(b, id, 0);
    struct reduce_push push = channel_sums(x);
    push.factor = (float)(1.0 / ((double)x.dim[0] * x.dim[2] * x.dim[3]));
    return emit_reduce(b, id, mode, ids, push, false, "batch statistics", error);
}

enum nn_status plan_op_channel_mean(struct plan_builder *b, nn_id id,
                                    struct nn_error *error)
{
    return emit_statistic(b, id, REDUCE_SUM, NN_NONE, error);
}

enum nn_status plan_op_channel_variance(struct plan_builder *b, nn_id id,
                                        struct nn_error *error)
{
    return emit_statistic(b, id, REDUCE_VARIANCE, node_of(b, id)->source[1], error);
}

enum nn_status plan_op_norm_products(struct plan_builder *b, nn_id id,
                                     struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    const nn_id ids[4] = { node->source[3], node->source[0], node->source[1],
                           node->source[2] };
    struct reduce_push push = channel_sums(source_shape(b, id, 0));
    push.eps = node->attr.eps;
    return emit_reduce(b, id, REDUCE_NORM, ids, push, false, "norm_products", error);
}

/* --- Weights ------------------------------------------------------------------------------ */

enum nn_status plan_weight_panels(struct plan_builder *b, nn_id id, enum nn_pack pack,
                                  uint32_t *out, struct nn_error *error)
{
    struct panels p = nn_panels_of(node_of(b, id)->shape, pack);
    uint64_t bytes = nn_panels_bytes(&p);
    struct plan_step step = { .label = "pack_weight", .write_mask = 1u << 1 };
    enum nn_status status = plan_operand(b, id, &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_scratch(b, bytes, &step.operand[1], error);
    }
    if (status != NN_OK) {
        return status;
    }
    uint32_t push[6] = { (uint32_t)(bytes / 4), p.rows, p.channels, p.taps, p.panel,
                         (uint32_t)p.depth };
    step.kernel = (struct gpu_kernel_desc){ .shader = "pack_weight", .n_bindings = 2,
                                            .push_bytes = sizeof push };
    memcpy(step.push, push, sizeof push);
    step.flops = 8.0 * push[0];
    plan_groups(b, &step, push[0]);
    *out = step.operand[1];
    return plan_emit(b, &step, error);
}

static enum nn_status emit_flip(struct plan_builder *b, nn_id id, uint32_t taps,
                                const char *label, struct nn_error *error)
{
    struct nn_shape x = source_shape(b, id, 0);
    uint32_t push[4] = { plan_vec4s(b, id), x.dim[0], x.dim[1], taps };
    struct plan_kernel k = { .shader = "flip_weight", .label = label, .n_ids = 1,
                             .ids = { node_of(b, id)->source[0] }, .push = push,
                             .push_bytes = sizeof push, .flops = 16.0 * push[0],
                             .count = push[0] };
    return plan_emit_kernel(b, id, &k, error);
}

enum nn_status plan_op_flip_weight(struct plan_builder *b, nn_id id,
                                   struct nn_error *error)
{
    struct nn_shape w = source_shape(b, id, 0);
    return emit_flip(b, id, w.dim[2] * w.dim[3], "flip_weight", error);
}

enum nn_status plan_op_transpose(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    if (node_of(b, id)->attr.heads != 1) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "transposing by groups of values that are not constants");
    }
    return emit_flip(b, id, 1, "transpose", error);
}

/* The push block of shaders/weight_grad.comp. */
struct weight_push {
    uint32_t count, rows, channels, lines, run_lines;
    uint32_t out_height, out_width, in_height, in_width;
    uint32_t x_batch, x_channel, x_pixel, d_batch, d_channel, d_pixel;
};

static struct weight_push weight_push_of(const struct plan_builder *b, nn_id id)
{
    struct nn_shape w = node_of(b, id)->shape;
    struct nn_shape x = source_shape(b, id, 0), d = source_shape(b, id, 1);
    uint32_t k4 = (w.dim[1] + 3) / 4, m4 = (w.dim[0] + 3) / 4;
    if (w.rank == 2) {
        uint32_t rows = (uint32_t)(nn_shape_count(x) / w.dim[1]);
        return (struct weight_push){ .rows = w.dim[0], .channels = w.dim[1],
                                     .lines = rows, .out_height = rows, .out_width = 1,
                                     .in_height = rows, .in_width = 1, .x_channel = 1,
                                     .x_pixel = k4, .d_channel = 1, .d_pixel = m4 };
    }
    uint32_t in_pixels = x.dim[2] * x.dim[3], out_pixels = d.dim[2] * d.dim[3];
    return (struct weight_push){
        .rows = w.dim[0], .channels = w.dim[1], .lines = d.dim[0] * d.dim[2],
        .out_height = d.dim[2], .out_width = d.dim[3], .in_height = x.dim[2],
        .in_width = x.dim[3], .x_batch = k4 * in_pixels, .x_channel = in_pixels,
        .x_pixel = 1, .d_batch = m4 * out_pixels, .d_channel = out_pixels, .d_pixel = 1 };
}

/* How many runs the lines are cut in: short ones keep rounding small and give the device
 * work side by side, but each costs a copy of the weights in memory. */
static uint32_t cut_runs(uint64_t all, uint64_t length, uint64_t result_bytes)
{
    uint64_t most = (32u << 20) / result_bytes + 1, wanted = all / length + 1;
    return (uint32_t)(wanted < most ? wanted : most);
}

/* Adds what `runs` runs made, one after the other in `parts`. */
static enum nn_status emit_parts(struct plan_builder *b, uint32_t parts, uint32_t result,
                                 uint32_t vec4s, uint32_t runs, struct nn_error *error)
{
    struct plan_step step = { .label = "sum_parts", .write_mask = 1u << 1,
                              .operand = { parts, result } };
    uint32_t push[2] = { vec4s, runs };
    step.kernel = (struct gpu_kernel_desc){ .shader = "sum_parts", .n_bindings = 2,
                                            .push_bytes = sizeof push };
    memcpy(step.push, push, sizeof push);
    step.flops = 4.0 * vec4s * runs;
    plan_groups(b, &step, vec4s);
    return plan_emit(b, &step, error);
}

/* The push block of shaders/direct_weight.comp. */
struct direct_weight_push {
    uint32_t rows, channels, n_total, run;
    uint32_t out_pixels, out_width, in_height, in_width;
    uint32_t x_batch, x_channel, x_pixel, d_batch, d_channel, d_pixel;
    float per_pixels, per_width;
};

/* A subgroup of the direct kernel takes tiles of 16 rows by 16 channels. Returns the runs. */
static uint32_t fill_direct_weight(const struct weight_push *p, const struct nn_attr *a,
                                   uint64_t result_bytes, struct plan_step *step)
{
    bool rows = p->out_width == 1 && p->x_channel == 1 && p->d_channel == 1;
    uint32_t pixels = rows ? 1 : p->out_height * p->out_width;
    struct direct_weight_push push = {
        .rows = p->rows, .channels = p->channels, .n_total = p->lines * p->out_width,
        .out_pixels = pixels, .out_width = p->out_width, .in_height = p->in_height,
        .in_width = p->in_width, .x_batch = p->x_batch, .x_channel = p->x_channel,
        .x_pixel = p->x_pixel, .d_batch = p->d_batch, .d_channel = p->d_channel,
        .d_pixel = p->d_pixel,
        .per_pixels = 1.0f / (float)pixels, .per_width = 1.0f / (float)p->out_width };
    /* So long that both factors of a tile stay in a core's own cache. */
    uint32_t runs = cut_runs(push.n_total, 1024, result_bytes);
    push.run = ((push.n_total + runs - 1) / runs + 31) / 32 * 32;
    runs = (push.n_total + push.run - 1) / push.run;
    /* The fewer tiles follow each other, so that what they read stays in the cache. */
    uint32_t m_tiles = (p->rows + 15) / 16, k_tiles = (p->channels + 15) / 16;
    bool swap = k_tiles < m_tiles;
    step->kernel = (struct gpu_kernel_desc){
        .shader = "direct_weight", .n_bindings = 3, .texel_mask = 0x3, .n_spec = 5,
        .spec = { a->kernel, a->stride, a->pad, rows, swap }, .push_bytes = sizeof push,
        .subgroup_size = 8 };
    memcpy(step->push, &push, sizeof push);
    step->groups[swap] = m_tiles;
    step->groups[!swap] = k_tiles * a->kernel * a->kernel;
    step->groups[2] = runs;
    return runs;
}

/* The same for the kernel of all devices. */
static uint32_t fill_weight(const struct plan_builder *b, struct weight_push *push,
                            const struct nn_attr *a, uint64_t result_bytes,
                            struct plan_step *step)
{
    uint32_t runs = cut_runs((uint64_t)push->lines * push->out_width, 256, result_bytes);
    push->run_lines = (push->lines + runs - 1) / runs;
    runs = (push->lines + push->run_lines - 1) / push->run_lines;
    push->count = runs * ((push->rows + 3) / 4) * ((push->channels + 3) / 4) * a->kernel
                  * a->kernel;
    step->kernel = (struct gpu_kernel_desc){
        .shader = "weight_grad", .n_bindings = 3, .n_spec = 3,
        .spec = { a->kernel, a->stride, a->pad }, .push_bytes = sizeof *push };
    memcpy(step->push, push, sizeof *push);
    plan_groups(b, step, push->count);
    return runs;
}

enum nn_status plan_op_weight_grad(struct plan_builder *b, nn_id id,
                                   struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    uint32_t vec4s = plan_vec4s(b, id);
    struct weight_push push = weight_push_of(b, id);
    struct plan_step step = { .label = "weight_grad", .write_mask = 1u << 2 };
    uint32_t runs = b->caps->family == GPU_FAMILY_DIRECT
                        ? fill_direct_weight(&push, &node->attr, 16u * (uint64_t)vec4s, &step)
                        : fill_weight(b, &push, &node->attr, 16u * (uint64_t)vec4s, &step);
    uint32_t result;
    enum nn_status status = plan_operand(b, node->source[0], &step.operand[0], error);
    if (status == NN_OK) {
        status = plan_operand(b, node->source[1], &step.operand[1], error);
    }
    if (status == NN_OK) {
        status = plan_result(b, id, &result, error);
    }
    step.operand[2] = result;
    if (status == NN_OK && runs > 1) {
        status = plan_scratch(b, 16u * (uint64_t)vec4s * runs, &step.operand[2], error);
    }
    if (status != NN_OK) {
        return status;
    }
    step.flops = 8.0 * vec4s * push.lines * push.out_width;
    status = plan_emit(b, &step, error);
    return status != NN_OK || runs == 1
               ? status : emit_parts(b, step.operand[2], result, vec4s, runs, error);
}

enum nn_status plan_op_conv_grad_input(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    const struct nn_attr *a = &node->attr;
    struct nn_shape d = source_shape(b, id, 0), x = node->shape;
    uint32_t push[7] = { plan_vec4s(b, id), d.dim[1], (x.dim[1] + 3) / 4, d.dim[2],
                         d.dim[3], x.dim[2], x.dim[3] };
    struct plan_kernel k = {
        .shader = "conv_grad_input", .label = "conv_grad_input", .n_ids = 2,
        .ids = { node->source[0], node->source[1] }, .n_spec = 3,
        .spec = { a->kernel, a->stride, a->pad }, .push = push, .push_bytes = sizeof push,
        .flops = 8.0 * push[0] * d.dim[1] * a->kernel * a->kernel / a->stride / a->stride,
        .count = push[0] };
    return plan_emit_kernel(b, id, &k, error);
}

/* --- Windows of maps ------------------------------------------------------------------------- */

static enum nn_status emit_window(struct plan_builder *b, nn_id id, uint32_t mode,
                                  const char *label, struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    struct nn_shape d = source_shape(b, id, 0), x = node->shape;
    uint32_t push[6] = { plan_vec4s(b, id), x.dim[1], d.dim[2], d.dim[3], x.dim[2],
                         x.dim[3] };
    struct plan_kernel k = {
        .shader = "map_window_grad", .label = label, .n_ids = 2,
        .ids = { node->source[0], NN_NONE }, .n_spec = 2,
        .spec = { mode, node->attr.kernel ? node->attr.kernel : 1 }, .push = push,
        .push_bytes = sizeof push, .flops = 60.0 * push[0], .count = push[0] };
    return plan_emit_kernel(b, id, &k, error);
}

enum nn_status plan_op_blur_pool_grad(struct plan_builder *b, nn_id id,
                                      struct nn_error *error)
{
    return emit_window(b, id, 0, "blur_pool_grad", error);
}

enum nn_status plan_op_avg_pool_grad(struct plan_builder *b, nn_id id,
                                     struct nn_error *error)
{
    return emit_window(b, id, 1, "avg_pool_grad", error);
}

enum nn_status plan_op_depth_to_space(struct plan_builder *b, nn_id id,
                                      struct nn_error *error)
{
    return emit_window(b, id, 2, "depth_to_space", error);
}

/* --- Rows ---------------------------------------------------------------------------------------- */

enum place_mode { PLACE_TO_MAP, PLACE_DROP_FIRST, PLACE_FIRST, PLACE_INDEX, PLACE_PAD };

static enum nn_status emit_place(struct plan_builder *b, nn_id id, enum place_mode mode,
                                 const char *label, struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    struct nn_shape x = source_shape(b, id, 0), y = node->shape;
    uint32_t rows = mode == PLACE_TO_MAP ? x.dim[1] : mode == PLACE_PAD ? 1 : y.dim[1];
    uint32_t push[5] = { plan_vec4s(b, id), (last_dim(x) + 3) / 4, rows, x.dim[0],
                         node->attr.first };
    struct plan_kernel k = {
        .shader = "rows_place", .label = label, .n_ids = 2,
        .ids = { node->source[0], node->n_sources > 1 ? node->source[1] : NN_NONE },
        .n_spec = 1, .spec = { mode }, .push = push, .push_bytes = sizeof push,
        .flops = 16.0 * push[0], .count = push[0] };
    return plan_emit_kernel(b, id, &k, error);
}

enum nn_status plan_op_rows_to_map(struct plan_builder *b, nn_id id,
                                   struct nn_error *error)
{
    return emit_place(b, id, PLACE_TO_MAP, "rows_to_map", error);
}

enum nn_status plan_op_drop_first_row(struct plan_builder *b, nn_id id,
                                      struct nn_error *error)
{
    return emit_place(b, id, PLACE_DROP_FIRST, "drop_first_row", error);
}

enum nn_status plan_op_place_row(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    bool index = node_of(b, id)->n_sources > 1;
    return emit_place(b, id, index ? PLACE_INDEX : PLACE_FIRST, "place_row", error);
}

enum nn_status plan_op_pad_rows(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    return emit_place(b, id, PLACE_PAD, "pad_rows", error);
}

enum nn_status plan_op_embed_grad(struct plan_builder *b, nn_id id, struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    uint32_t places = (uint32_t)nn_shape_count(source_shape(b, id, 0));
    uint32_t push[4] = { node->shape.dim[0], 0, (node->shape.dim[1] + 3) / 4, places };
    struct plan_kernel k = {
        .shader = "embed_grad", .label = "embed_grad", .n_ids = 2,
        .ids = { node->source[0], node->source[1] }, .n_spec = 1, .push = push,
        .push_bytes = sizeof push, .flops = 4.0 * push[0] * places, .rows = true,
        .count = push[0], .base_word = 1 };
    return plan_emit_kernel(b, id, &k, error);
}

enum row_mode { ROW_HAT, ROW_LAYER_NORM, ROW_L2, ROW_SOFTMAX };

static enum nn_status emit_row_grad(struct plan_builder *b, nn_id id, enum row_mode mode,
                                    nn_id gamma, nn_id dy, const char *label,
                                    struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    struct { uint32_t rows, size, row_base; float eps; } push = {
        .size = last_dim(node->shape), .eps = node->attr.eps };
    push.rows = (uint32_t)(nn_shape_count(node->shape) / push.size);
    struct plan_kernel k = {
        .shader = "row_grad", .label = label, .n_ids = 3,
        .ids = { node->source[0], gamma, dy }, .n_spec = 2, .spec = { 0, mode },
        .push = &push, .push_bytes = sizeof push, .flops = 40.0 * push.rows * push.size,
        .rows = true, .count = push.rows, .base_word = 2 };
    return plan_emit_kernel(b, id, &k, error);
}

enum nn_status plan_op_layer_norm_hat(struct plan_builder *b, nn_id id,
                                      struct nn_error *error)
{
    return emit_row_grad(b, id, ROW_HAT, NN_NONE, NN_NONE, "layer_norm_hat", error);
}

enum nn_status plan_op_layer_norm_grad(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    return emit_row_grad(b, id, ROW_LAYER_NORM, node->source[1], node->source[2],
                         "layer_norm_grad", error);
}

enum nn_status plan_op_l2_normalize_grad(struct plan_builder *b, nn_id id,
                                         struct nn_error *error)
{
    return emit_row_grad(b, id, ROW_L2, NN_NONE, node_of(b, id)->source[1],
                         "l2_normalize_grad", error);
}

enum nn_status plan_op_softmax_grad(struct plan_builder *b, nn_id id,
                                    struct nn_error *error)
{
    return emit_row_grad(b, id, ROW_SOFTMAX, NN_NONE, node_of(b, id)->source[1],
                         "softmax_grad", error);
}

/* --- Attention ------------------------------------------------------------------------------------ */

/* The push block of shaders/attn_grad.comp. */
struct attn_push {
    uint32_t count, images, heads, queries, keys, head_width;
    uint32_t y_row, y_column, a_row, a_column, v_row, v_column, y_shared, a_shared;
    float factor;
};

enum attn_mode { ATTN_QUERY, ATTN_KEY, ATTN_PROBS };

static enum nn_status emit_attention(struct plan_builder *b, nn_id id, enum attn_mode mode,
                                     struct attn_push push, const nn_id ids[3],
                                     struct nn_error *error)
{
    const struct nn_attr *a = &node_of(b, id)->attr;
    push.count = plan_vec4s(b, id);
    push.heads = a->heads;
    push.head_width = a->width / a->heads;
    uint32_t length = mode == ATTN_QUERY ? push.keys
                      : mode == ATTN_KEY ? push.queries : push.head_width;
    uint32_t columns = push.head_width | push.y_column | push.a_column | push.v_column;
    bool whole = columns % 4 == 0;
    struct plan_kernel k = {
        .shader = "attn_grad", .direct = "direct_attn_grad", .label = "attn_grad",
        .n_ids = 3,
        .ids = { ids[0], ids[1], ids[2] }, .n_spec = 2, .spec = { mode, whole },
        .push = &push, .push_bytes = sizeof push, .flops = 8.0 * push.count * length,
        .count = push.count };
    return plan_emit_kernel(b, id, &k, error);
}

static enum nn_status emit_attention_rows(struct plan_builder *b, nn_id id,
                                          enum attn_mode mode, struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    struct nn_shape p = source_shape(b, id, 0), other = source_shape(b, id, 1);
    struct nn_shape y = node->shape;
    struct attn_push push = {
        .images = p.dim[0], .queries = p.dim[2], .keys = p.dim[3],
        .y_row = padded4(y.dim[2]), .y_column = node->attr.q_column,
        .a_row = padded4(other.dim[2]), .a_column = node->attr.k_column,
        .y_shared = y.dim[0] == 1, .a_shared = other.dim[0] == 1,
        .factor = node->attr.factor };
    const nn_id ids[3] = { node->source[0], node->source[1], NN_NONE };
    return emit_attention(b, id, mode, push, ids, error);
}

enum nn_status plan_op_attn_grad_query(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    return emit_attention_rows(b, id, ATTN_QUERY, error);
}

enum nn_status plan_op_attn_grad_key(struct plan_builder *b, nn_id id,
                                     struct nn_error *error)
{
    return emit_attention_rows(b, id, ATTN_KEY, error);
}

enum nn_status plan_op_attn_grad_probs(struct plan_builder *b, nn_id id,
                                       struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    struct nn_shape d = source_shape(b, id, 0), v = source_shape(b, id, 1);
    struct attn_push push = { .images = d.dim[0], .queries = d.dim[1], .keys = v.dim[1],
                              .a_row = padded4(d.dim[2]), .v_row = padded4(v.dim[2]),
                              .v_column = node->attr.v_column, .factor = 1 };
    const nn_id ids[3] = { node->source[0], node->source[0], node->source[1] };
    return emit_attention(b, id, ATTN_PROBS, push, ids, error);
}

/* --- Group decoding ---------------------------------------------------------------------------------- */

enum group_mode { GROUP_FORWARD, GROUP_ROWS, GROUP_POOLING };

static enum nn_status emit_group(struct plan_builder *b, nn_id id, enum group_mode mode,
                                 const nn_id ids[3], struct nn_shape pooling,
                                 struct nn_shape logits, struct nn_error *error)
{
    uint32_t push[6] = { plan_vec4s(b, id) * 4, logits.dim[0], pooling.dim[0],
                         pooling.dim[1], pooling.dim[2], logits.dim[1] };
    uint32_t length = mode == GROUP_FORWARD ? push[3] : mode == GROUP_ROWS ? push[4]
                                                                           : push[1];
    struct plan_kernel k = {
        .shader = "group_grad", .label = "group_grad", .n_ids = 3,
        .ids = { ids[0], ids[1], ids[2] }, .n_spec = 1, .spec = { mode }, .push = push,
        .push_bytes = sizeof push, .flops = 2.0 * push[0] * length, .count = push[0] };
    return plan_emit_kernel(b, id, &k, error);
}

enum nn_status plan_group_fc_computed(struct plan_builder *b, nn_id id,
                                      struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    return emit_group(b, id, GROUP_FORWARD, node->source, source_shape(b, id, 1),
                      node->shape, error);
}

enum nn_status plan_op_group_fc_grad_rows(struct plan_builder *b, nn_id id,
                                          struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    const nn_id ids[3] = { node->source[1], node->source[1], node->source[0] };
    return emit_group(b, id, GROUP_ROWS, ids, source_shape(b, id, 1),
                      source_shape(b, id, 0), error);
}

enum nn_status plan_op_group_fc_grad_pooling(struct plan_builder *b, nn_id id,
                                             struct nn_error *error)
{
    const struct nn_node *node = node_of(b, id);
    const nn_id ids[3] = { node->source[0], node->source[0], node->source[1] };
    return emit_group(b, id, GROUP_POOLING, ids, node->shape, source_shape(b, id, 1),
                      error);
}
