/* Planner of the matrix product on the tiled family: which tile, whether the sum is cut,
 * and on which kernel; see shaders/lib/tile.glsl. */
#include "compute/graph/op_gpu_gemm.h"

#include <string.h>

/* Work for one round of a large card's processors. Smaller devices only come to more
 * rounds, which every tile meets alike. */
#define PROCESSORS 128

struct tile {
    uint32_t side;               /* channels and columns; 2*side invocations */
    uint32_t sums_m, sums_n;     /* of an invocation: vec4s of channels, columns */
    uint32_t blocks_m, blocks_n; /* of a subgroup of 32, 16x16 each */
    double cost;                 /* of one value, for a small tile loads more of k a sum */
};

static const struct tile tiles[] = {
    [GPU_TILE_SMALL] = { 32, 1, 4, 1, 2, 2.0 },
    [GPU_TILE_MEDIUM] = { 64, 2, 4, 2, 2, 1.3 },
    [GPU_TILE_LARGE] = { 128, 2, 8, 2, 4, 1.0 },
};

static uint32_t div_up(uint32_t a, uint32_t b)
{
    return (a + b - 1) / b;
}

/* The shared arrays of tile.glsl, and of tiled_matrix.comp. */
uint32_t tiled_shared_bytes(enum gpu_tile tile, bool half, bool matrix)
{
    uint32_t side = tiles[tile].side, quad = half ? 8 : 16, k4 = half ? 8 : 4;
    uint32_t w = 4 * k4 * (side / 4 + (matrix ? 2 : 0));
    uint32_t x = side * (k4 + (matrix ? 2 : 1));
    return (w + x) * quad + (matrix ? 2 * side / 32 * 16 * 20 * 4 : 0);
}

static bool fits(const struct gpu_caps *caps, enum gpu_tile tile)
{
    bool half = caps->choice.precision == GPU_PRECISION_F16;
    return tiled_shared_bytes(tile, half, caps->cooperative_matrix)
               <= caps->max_shared_bytes
           && 2 * tiles[tile].side <= caps->max_invocations;
}

enum gpu_tile tiled_choose(const struct gpu_caps *caps, uint32_t m, uint32_t n)
{
    enum gpu_tile asked = caps->choice.tile, best = GPU_TILE_ANY;
    double least = 0;
    for (enum gpu_tile t = GPU_TILE_SMALL; t <= GPU_TILE_LARGE; t++) {
        if ((asked != GPU_TILE_ANY && t != asked) || !fits(caps, t)) {
            continue;
        }
        uint32_t side = tiles[t].side;
        uint64_t count = (uint64_t)div_up(m, side) * div_up(n, side);
        double rounds = (double)((count + PROCESSORS - 1) / PROCESSORS);
        double time = rounds * side * side * tiles[t].cost;
        if (best == GPU_TILE_ANY || time < least) {
            best = t;
            least = time;
        }
    }
    return best;
}

/* A map of 7x7 or a prompt has too few tiles to keep a card busy, and its sums are long. */
uint32_t tiled_parts(const struct gpu_caps *caps, uint32_t m, uint32_t columns, uint32_t k)
{
    if (caps->choice.no_split || columns > 128) {
        return 1;
    }
    uint32_t most = 64 / div_up(m, 64), by_length = k / 256;
    most = most < by_length ? most : by_length;
    most = most < 8 ? most : 8;
    return most < 2 ? 1 : most;
}

static void choose_kernel(const struct plan_builder *b, const struct gemm *g,
                          const struct tile *tile, bool split,
                          struct gpu_kernel_desc *kernel)
{
    static const char *const matrix_shaders[] = { [GPU_MATRIX_NV] = "tiled_matrix_nv",
                                                  [GPU_MATRIX_KHR] = "tiled_matrix_khr",
                                                  [GPU_MATRIX_PLAIN] =
                                                      "tiled_matrix_plain" };
    enum gpu_matrix kind = b->caps->choice.matrix;
    bool matrix = b->caps->cooperative_matrix;
    kernel->shader = matrix ? matrix_shaders[kind] : "tiled_gemm";
    kernel->subgroup_size = matrix && kind != GPU_MATRIX_PLAIN ? 32 : 0;
    bool whole = !g->rows && g->push.k4 % (b->half ? 8 : 4) == 0;
    uint32_t spec[6] = { 2 * tile->side, matrix ? tile->blocks_m : tile->sums_m,
                         matrix ? tile->blocks_n : tile->sums_n, g->rows, split, whole };
    memcpy(kernel->spec + 6, spec, sizeof spec);
    kernel->n_spec = 12;
    kernel->n_bindings = 6;
}

/* The second pass of a sum in parts: adds them up and finishes. */
static enum nn_status emit_sum(struct plan_builder *b, const struct gemm *g,
                               const struct plan_step *product, uint32_t parts,
                               struct nn_error *error)
{
    struct plan_step step = *product;
    step.label = "sum of parts";
    step.write_mask = 1u << 2;
    step.operand[0] = step.operand[1] = product->operand[5];
    step.operand[2] = g->y;
    step.kernel.shader = "tiled_sum";
    step.kernel.subgroup_size = 0;
    step.kernel.n_bindings = 5;
    step.kernel.n_spec = 7;
    step.kernel.spec[6] = parts;
    uint64_t count = (uint64_t)g->push.m4 * g->push.n_total;
    step.flops = 16.0 * (double)count * parts;
    plan_groups(b, &step, count);
    return plan_emit(b, &step, error);
}

static enum nn_status emit_split(struct plan_builder *b, struct gemm *g,
                                 struct plan_step *step, const struct tile *tile,
                                 uint32_t parts, struct nn_error *error)
{
    uint64_t bytes = (uint64_t)parts * g->push.m4 * g->push.n_total * 16;
    uint32_t scratch;
    enum nn_status status = plan_scratch(b, bytes, &scratch, error);
    if (status != NN_OK) {
        return status;
    }
    step->operand[2] = step->operand[5] = scratch;
    step->write_mask = 1u << 5;
    step->groups[2] = parts;
    status = gemm_emit_columns(b, g, step, tile->side, error);
    return status != NN_OK ? status : emit_sum(b, g, step, parts, error);
}

enum nn_status gemm_emit_tiled(struct plan_builder *b, struct gemm *g,
                               struct nn_error *error)
{
    uint32_t m = g->push.m4 * 4, k = g->kernel * g->kernel * g->push.k4 * 4;
    enum gpu_tile chosen = tiled_choose(b->caps, m, g->push.n_total);
    if (chosen == GPU_TILE_ANY) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "%s has %u bytes of shared memory, too few for its matrix tiles",
                       b->caps->name, b->caps->max_shared_bytes);
    }
    const struct tile *tile = &tiles[chosen];
    uint32_t steps = div_up(k, b->half ? 32 : 16);
    g->push.split_steps = div_up(steps, tiled_parts(b->caps, m, g->columns, k));
    uint32_t parts = div_up(steps, g->push.split_steps); /* none of them empty */
    struct plan_step step = { .label = g->label, .write_mask = 1u << 2 };
    gemm_operands(g, &step);
    choose_kernel(b, g, tile, parts > 1, &step.kernel);
    step.operand[5] = step.operand[2];
    step.groups[1] = div_up(m, tile->side);
    step.groups[2] = 1;
    return parts > 1 ? emit_split(b, g, &step, tile, parts, error)
                     : gemm_emit_columns(b, g, &step, tile->side, error);
}
