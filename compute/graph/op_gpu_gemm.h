/* Shared by the planners of products: conv2d and linear (op_gpu_gemm.c) and the products
 * between Winograd's transforms (op_gpu_winograd.c). */
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
};

struct gemm {
    struct gemm_push push;      /* n_base, m_tiles and slope are set by gemm_emit */
    uint32_t kernel, stride, pad;
    uint32_t groups;            /* products side by side; more than 1 in the direct family */
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

#endif
