/* Shared by the planners of products: conv2d and linear (op_gpu_gemm.c), the products
 * between Winograd's transforms (op_gpu_winograd.c), and all of them on the tiled family
 * (op_gpu_tiled.c). */
#ifndef TAGLIGHT_COMPUTE_OP_GPU_GEMM_H
#define TAGLIGHT_COMPUTE_OP_GPU_GEMM_H

#include "compute/graph/plan_private.h"

/* The push block of shaders/lib/gemm.glsl. */
struct gemm_push {
    uint32_t n_total, n_base, m4, k4, out_pixels, out_width, in_height, in_width;
    uint32_t x_batch, x_channel, x_pixel, y_batch, y_channel, y_pixel;
    uint32_t m_tiles;
    float slope;
    uint32_t x_group, y_group;
    uint32_t split_steps;
};

struct gemm {
    struct gemm_push push;      /* n_base, m_tiles and slope are set by gemm_emit */
    uint32_t kernel, stride, pad;
    uint32_t groups;            /* products side by side; more than 1 in the direct family */
    bool rows;                  /* a linear layer: X and Y are rows */
    uint32_t columns;           /* of n_total, those of one image or one item */
    uint32_t x, weight, y;      /* tensors */
    uint32_t bias, residual;    /* tensors, UINT32_MAX for none */
    struct nn_epilogue epilogue;
    double flops;               /* of the whole */
    const char *label;
};

/* Emits the dispatches of a product by the kernels of the device's family. Every kernel
 * adds up one result over k in the same order, so a result does not depend on which was
 * chosen nor on what else is in the batch. */
enum nn_status gemm_emit(struct plan_builder *b, struct gemm *g, struct nn_error *error);

/* A 3x3 convolution by Winograd's method, if the builder wants it and it fits: *done
 * tells whether it was emitted. */
enum nn_status winograd_emit(struct plan_builder *b, nn_id id, bool *done,
                             struct nn_error *error);

/* --- Parts of gemm_emit ------------------------------------------------------------- */

/* Fills operands 0 to 4 (x, weight, y, bias, residual; absent ones repeat another) and the
 * specialization constants 0 to 5. */
void gemm_operands(const struct gemm *g, struct plan_step *step);
/* Emits the step for all column tiles of `tile_n`, in as many dispatches as a short submit
 * asks for; groups[1] and [2] are set already. */
enum nn_status gemm_emit_columns(struct plan_builder *b, struct gemm *g,
                                 struct plan_step *step, uint32_t tile_n,
                                 struct nn_error *error);
/* The whole product on the tiled family. */
enum nn_status gemm_emit_tiled(struct plan_builder *b, struct gemm *g,
                               struct nn_error *error);

/* --- Decisions of the tiled family, apart for their tests ---------------------------- */

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
