/* Planners of the kernels on rows for software devices: attention and group_linear with
 * texel buffers and shuffles. Each says whether it fits; the planners in op_gpu_rows.c
 * fall back on the portable kernels. What fits depends on the shapes of one image only,
 * so that an image gets the same sums in any batch. */
#include "compute/graph/plan_direct.h"

#include <string.h>

#define LANES 8u
#define MAX_COLUMNS 32u /* accumulators: 8 rows each */

static uint32_t padded4(uint32_t n)
{
    return (n + 3) / 4 * 4;
}

static uint32_t divide_up(uint32_t n, uint32_t by)
{
    return (n + by - 1) / by;
}

static bool is_direct(const struct plan_builder *b)
{
    return b->caps->family == GPU_FAMILY_DIRECT && b->caps->subgroup_arithmetic;
}

/* Columns of 8 keys: few sizes, for each is a shader to compile. */
static uint32_t key_columns(uint32_t keys)
{
    static const uint32_t sizes[] = { 1, 2, 4, 7, 10, 16, 25, MAX_COLUMNS };
    size_t i = 0;
    while (sizes[i] * LANES < keys) {
        i++;
    }
    return sizes[i];
}

/* --- Attention ----------------------------------------------------------------------- */

bool plan_direct_probs_fit(const struct plan_builder *b, const struct nn_attr *a,
                           uint32_t keys)
{
    return is_direct(b) && a->width / a->heads % 4 == 0 && a->q_column % 4 == 0
           && a->k_column % 4 == 0 && keys <= MAX_COLUMNS * LANES;
}

/* The push block of shaders/direct_probs.comp. */
struct probs_push {
    uint32_t blocks, block_base, heads, queries, keys, head_width;
    uint32_t q_row, k_row, q_column, k_column, q_shared;
};

enum nn_status plan_direct_probs(struct plan_builder *b, const struct nn_node *node,
                                 uint32_t images, struct plan_step step,
                                 struct nn_error *error)
{
    const struct nn_attr *a = &node->attr;
    struct nn_shape q = nn_graph_node(b->graph, node->source[0])->shape;
    struct nn_shape k = nn_graph_node(b->graph, node->source[1])->shape;
    struct probs_push push = {
        .blocks = images * a->heads * divide_up(q.dim[1], LANES), .heads = a->heads,
        .queries = q.dim[1], .keys = k.dim[1], .head_width = a->width / a->heads,
        .q_row = padded4(q.dim[2]), .k_row = padded4(k.dim[2]), .q_column = a->q_column,
        .k_column = a->k_column, .q_shared = q.dim[0] == 1 && images > 1 };
    step.kernel = (struct gpu_kernel_desc){
        .shader = "direct_probs", .n_bindings = 3, .texel_mask = 0x3, .n_spec = 2,
        .spec = { key_columns(push.keys), a->causal }, .push_bytes = sizeof push,
        .subgroup_size = LANES };
    memcpy(step.push, &push, sizeof push);
    step.flops = 2.0 * images * a->width * q.dim[1] * k.dim[1];
    return plan_emit_rows(b, &step, push.blocks, 1, error);
}

bool plan_direct_apply_fit(const struct plan_builder *b, const struct nn_attr *a)
{
    return is_direct(b) && a->width / a->heads % 4 == 0 && a->v_column % 4 == 0;
}

/* The push block of shaders/direct_apply.comp. */
struct apply_push {
    uint32_t blocks, block_base, heads, queries, keys, head_width, v_row, v_column;
    uint32_t chunks;
};

enum nn_status plan_direct_apply(struct plan_builder *b, nn_id id, nn_id values,
                                 struct plan_step step, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(b->graph, id);
    const struct nn_attr *a = &node->attr;
    struct nn_shape v = nn_graph_node(b->graph, values)->shape;
    /* Chunks of 96, 64 or 32 columns of a head, whichever leaves no lane idle. */
    uint32_t head_width = a->width / a->heads, parts = divide_up(head_width, 4 * LANES);
    uint32_t columns = parts % 3 == 0 ? 3 : parts % 2 == 0 ? 2 : 1;
    struct apply_push push = {
        .heads = a->heads, .queries = node->shape.dim[1], .keys = v.dim[1],
        .head_width = head_width, .v_row = padded4(v.dim[2]), .v_column = a->v_column,
        .chunks = parts / columns };
    push.blocks = node->shape.dim[0] * a->heads * divide_up(push.queries, LANES)
                  * push.chunks;
    step.kernel = (struct gpu_kernel_desc){
        .shader = "direct_apply", .n_bindings = 3, .texel_mask = 0x3, .n_spec = 1,
        .spec = { columns }, .push_bytes = sizeof push, .subgroup_size = LANES };
    memcpy(step.push, &push, sizeof push);
    step.flops = 2.0 * nn_shape_count(node->shape) * push.keys;
    return plan_emit_rows(b, &step, push.blocks, 1, error);
}

/* --- group_linear ---------------------------------------------------------------------- */

bool plan_direct_group_fit(const struct plan_builder *b, uint32_t outs, uint32_t ins)
{
    return is_direct(b) && outs % 4 == 0 && ins % 4 == 0;
}

/* The push block of shaders/direct_group.comp. */
struct group_push { uint32_t rows, groups, outs, ins4, tile_base; };

enum nn_status plan_direct_group(struct plan_builder *b, struct plan_step step,
                                 const struct plan_group *g, struct nn_error *error)
{
    double flops = step.flops;
    /* 48 outputs a tile is the most that pays; 6 columns fit heads of 96 and 64. */
    uint32_t columns = g->outs >= 48 ? 6 : divide_up(g->outs, LANES);
    uint32_t tiles = divide_up(g->outs, columns * LANES);
    uint32_t blocks = divide_up(g->rows, LANES);
    struct group_push push = { g->rows, g->groups, g->outs, g->ins / 4, 0 };
    if (tiles * g->groups > b->caps->max_groups[1]) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED, "a grouped layer of %u groups",
                       g->groups);
    }
    step.kernel = (struct gpu_kernel_desc){
        .shader = "direct_group", .n_bindings = 4, .texel_mask = 0x3, .n_spec = 2,
        .spec = { columns, g->bias }, .push_bytes = sizeof push,
        .subgroup_size = LANES };
    enum nn_status status = NN_OK;
    uint32_t most = b->caps->max_groups[0];
    for (uint32_t base = 0; base < blocks && status == NN_OK; base += most) {
        uint32_t count = blocks - base < most ? blocks - base : most;
        push.tile_base = base;
        memcpy(step.push, &push, sizeof push);
        memcpy(step.groups, (const uint32_t[3]){ count, tiles * g->groups, 1 },
               sizeof step.groups);
        step.flops = flops * count / blocks;
        status = plan_emit(b, &step, error);
    }
    return status;
}
