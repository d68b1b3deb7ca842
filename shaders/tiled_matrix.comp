#version 450
#extension GL_GOOGLE_include_directive : require
#if defined(MATRIX_KHR) || defined(MATRIX_NV)
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#endif
#if defined(MATRIX_KHR)
#extension GL_KHR_cooperative_matrix : require
#elif defined(MATRIX_NV)
#extension GL_NV_cooperative_matrix : require
#endif
// Implicit matrix product on cooperative matrices, see lib/tile.glsl: a subgroup of 32
// keeps SUMS_M by SUMS_N blocks of 16 channels by 16 columns. Indices are those of
// tiled_gemm.comp, and its own ones any device can run, see lib/matrix.glsl.
#define W_PADDING 2
#define X_PADDING 2
#include "tile.glsl"
#include "matrix.glsl"

// [subgroup][column][channel]; a column is longer than its 16, again against banks.
const uint BLOCK_STRIDE = 20u, BLOCK = 16u * BLOCK_STRIDE;
shared float block[THREADS / 32u * BLOCK];

void main()
{
    const uint across = TILE / 16u / SUMS_N;
    uint my_column = GROUP % across * SUMS_N * 16u;
    uint my_row = GROUP / across * SUMS_M * 16u;
    SUM sum[SUMS_M * SUMS_N];
    [[unroll]] for (uint i = 0u; i < SUMS_M * SUMS_N; i++) {
        sum[i] = SUM_ZERO;
    }

    tile_begin();
    tile_fetch(first_step);
    for (uint step = first_step; step < end_step; step++) {
        tile_put();
        if (step + 1u < end_step) {
            tile_fetch(step + 1u);
        }
        [[unroll]] for (uint k = 0u; k < TILE_K4; k += 4u) {
            FACTOR_X b[SUMS_N];
            [[unroll]] for (uint p = 0u; p < SUMS_N; p++) {
                LOAD_COLUMNS(b[p], x_tile, (my_column + p * 16u) * X_STRIDE + k, X_STRIDE);
            }
            [[unroll]] for (uint m = 0u; m < SUMS_M; m++) {
                FACTOR_W a;
                LOAD_COLUMNS(a, w_tile, k * 4u * W_STRIDE + (my_row + m * 16u) / 4u,
                             W_STRIDE);
                [[unroll]] for (uint p = 0u; p < SUMS_N; p++) {
                    sum[m * SUMS_N + p] = MULTIPLY_ADD(a, b[p], sum[m * SUMS_N + p]);
                }
            }
        }
    }

    // Out through shared memory, a block at a time: how a matrix lies in its lanes is
    // the device's secret.
    uint mine = GROUP * BLOCK;
    [[unroll]] for (uint m = 0u; m < SUMS_M; m++) {
        [[unroll]] for (uint p = 0u; p < SUMS_N; p++) {
            STORE_COLUMNS(sum[m * SUMS_N + p], block, mine, BLOCK_STRIDE);
            GROUP_BARRIER;
            [[unroll]] for (uint i = LANE; i < 64u; i += 32u) {
                uint column = i % 16u, channel = i / 16u;
                uint at = mine + column * BLOCK_STRIDE + channel * 4u;
                vec4 v = vec4(block[at], block[at + 1u], block[at + 2u], block[at + 3u]);
                tile_result(my_row / 4u + m * 4u + channel, my_column + p * 16u + column, v);
            }
            GROUP_BARRIER;
        }
    }
}
