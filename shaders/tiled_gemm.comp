#version 450
#extension GL_GOOGLE_include_directive : require
// Implicit matrix product for GPUs, see lib/tile.glsl: an invocation keeps SUMS_M vec4s
// of channels by SUMS_N columns in registers.
#define W_PADDING 0
#define X_PADDING 1
#include "tile.glsl"

void main()
{
    const uint columns = TILE / SUMS_N, rows = TILE / 4u / SUMS_M;
    uint my_column = thread_id() % columns, my_row = thread_id() / columns;
    vec4 sum[SUMS_M * SUMS_N];
    [[unroll]] for (uint i = 0u; i < SUMS_M * SUMS_N; i++) {
        sum[i] = vec4(0.0);
    }

    tile_begin();
    tile_fetch(first_step);
    for (uint step = first_step; step < end_step; step++) {
        tile_put();
        if (step + 1u < end_step) {
            tile_fetch(step + 1u);
        }
        for (uint k = 0u; k < TILE_K4; k++) {
            vec4 b[SUMS_N];
            [[unroll]] for (uint p = 0u; p < SUMS_N; p++) {
                b[p] = widen(x_tile[(my_column + p * columns) * X_STRIDE + k]);
            }
            [[unroll]] for (uint j = 0u; j < 4u; j++) {
                [[unroll]] for (uint m = 0u; m < SUMS_M; m++) {
                    vec4 a = widen(w_tile[(k * 4u + j) * W_STRIDE + my_row + m * rows]);
                    [[unroll]] for (uint p = 0u; p < SUMS_N; p++) {
                        sum[m * SUMS_N + p] += a * b[p][j];
                    }
                }
            }
        }
    }

    [[unroll]] for (uint m = 0u; m < SUMS_M; m++) {
        [[unroll]] for (uint p = 0u; p < SUMS_N; p++) {
            tile_result(my_row + m * rows, my_column + p * columns, sum[m * SUMS_N + p]);
        }
    }
}
