/* The implicit matrix product behind conv2d and linear, between the planner that
 * describes it (op_gpu_gemm.c) and the one of the tiled family (op_gpu_tiled.c). */
#ifndef TAGLIGHT_COMPUTE_GEMM_PRIVATE_H
#define TAGLIGHT_COMPUTE_GEMM_PRIVATE_H

#include "compute/graph/plan_private.h"

/* The push block of shaders/lib/gemm.glsl. */
struct gemm_push {
    uint32_t n_total, n_base, m4, k4, out_pixels, out_width, in_height, in_width;
    uint32_t x_batch, x_channel, x_pixel, y_batch, y_channel, y_pixel;
    uint32_t m_tiles;
    float slope;
    uint32_t split_steps;
};

struct gemm {
    struct gemm_push push;
    uint32_t kernel, stride, pad;
    uint32_t columns; /* of n_total, those that belong to one image or one row's item */
    bool rows;        /* a linear layer: X and Y are rows */
    nn_id x, weight, bias, residual;
    struct nn_epilogue epilogue;
    double flops;
    const char *label;
};

/* So many flops at most in one dispatch, so that a submit can be short on any device. */
double plan_dispatch_limit(const struct plan_builder *b);

/* Fills operands 0, 1, 3 and 4 (x, weights in `pack`, bias, residual; absent ones repeat
 * another) and the specialization constants 0 to 5. */
enum nn_status plan_gemm_operands(struct plan_builder *b, const struct gemm *g,
                                  enum nn_pack pack, struct plan_step *step,
                                  struct nn_error *error);
/* Emits the step for all column tiles of `tile_n`, in as many dispatches as the limit
 * asks for; groups[1] and [2] are set already. */
enum nn_status plan_gemm_emit(struct plan_builder *b, struct gemm *g,
                              struct plan_step *step, uint32_t tile_n,
                              struct nn_error *error);

/* The same product on the tiled family, into the result of node `id`. */
enum nn_status plan_gemm_tiled(struct plan_builder *b, nn_id id, struct gemm *g,
                               struct nn_error *error);

/* --- Decisions of the tiled family, apart for their tests ------------------------- */

/* Bytes of shared memory that a tile takes. */
uint32_t tiled_shared_bytes(enum gpu_tile tile, bool half, bool matrix);
/* The tile for an [m, n] result: the one asked for, or the one with the shortest
 * estimate. GPU_TILE_ANY when the device has no room for it. */
enum gpu_tile tiled_choose(const struct gpu_caps *caps, uint32_t m, uint32_t n);
/* In how many parts the sum over k of an [m, columns] item is cut; 1 for not at all. By
 * one item's size alone, so that its result is the same in every batch. */
uint32_t tiled_parts(const struct gpu_caps *caps, uint32_t m, uint32_t columns,
                     uint32_t k);

#endif
