#version 450
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
// Implicit matrix product for software devices whose subgroups have 8 lanes: 32 output
// channels by 8*COLUMNS pixels a subgroup, no shared memory and no barrier. Texel fetches
// unroll into plain vector loads there, storage loads do not.
//
// W is packed [ceil(M/32)][taps * k4 * 4][32], so that the 8 lanes fetch the weights of
// one k for all 32 rows at once, lane l the rows 4l to 4l+3. They meet the pixels by
// turning: in turn r, lane l multiplies its pixels by the weights of lane l ^ r, which is
// one instruction for every r, where handing one lane's weights to all lanes takes two.
// After the last k three rounds of exchanges put the rows in order.
//
// The sums are too many for registers. A turn therefore runs over the four k of a fetch
// before the next one begins: its sums stay in registers meanwhile. A longer step is no
// faster, for its code outgrows the processor's cache of decoded instructions, and it
// doubles the kernels that a first start has to compile. The four products meet each other
// before they meet the sum, which halves what a long sum loses to rounding.
#include "epilogue.glsl"
#include "gemm.glsl"
#define WORDS
#include "storage.glsl"

layout(local_size_x = 8) in;
layout(binding = 0) uniform samplerBuffer X;
layout(binding = 1) uniform samplerBuffer W;
layout(binding = 2) writeonly buffer YBuffer { KEPT4 y[]; };
layout(binding = 3) readonly buffer BiasBuffer { STORED4 bias[]; };
layout(binding = 4) readonly buffer ResidualBuffer { STORED4 residual[]; };

#define ROWS4 8

void main()
{
    uint lane = gl_SubgroupInvocationID;
    uint tile_n = n_base + gl_WorkGroupID.x;
    uint tile_m = gl_WorkGroupID.y, group = gl_WorkGroupID.z;

    uint image[COLUMNS];
    int row[COLUMNS], column[COLUMNS];
    for (int p = 0; p < COLUMNS; p++) {
        uint n = min((tile_n * COLUMNS + p) * 8u + lane, n_total - 1u);
        image[p] = n / out_pixels;
        int pixel = int(n - image[p] * out_pixels);
        row[p] = pixel / int(out_width);
        column[p] = pixel - row[p] * int(out_width);
        row[p] = row[p] * int(STRIDE) - int(PAD);
        column[p] = column[p] * int(STRIDE) - int(PAD);
    }

    vec4 sum[COLUMNS][ROWS4];
    for (int p = 0; p < COLUMNS; p++) {
        for (int m = 0; m < ROWS4; m++) {
            sum[p][m] = vec4(0.0);
        }
    }

    int w_at = int((group * m_tiles + tile_m) * KERNEL * KERNEL * k4 * 32u + lane);
    for (int ky = 0; ky < int(KERNEL); ky++) {
        for (int kx = 0; kx < int(KERNEL); kx++) {
            int at[COLUMNS];
            bool inside[COLUMNS];
            for (int p = 0; p < COLUMNS; p++) {
                int iy = row[p] + ky, ix = column[p] + kx;
                inside[p] = true;
                if (PAD > 0u) {
                    inside[p] = iy >= 0 && ix >= 0 && iy < int(in_height) && ix < int(in_width);
                    iy = clamp(iy, 0, int(in_height) - 1);
                    ix = clamp(ix, 0, int(in_width) - 1);
                }
                at[p] = int(group * x_group + image[p] * x_batch)
                        + (iy * int(in_width) + ix) * int(x_pixel);
            }
            for (uint c = 0u; c < k4; c++) {
                vec4 x[COLUMNS];
                vec4 w[4];
                for (int p = 0; p < COLUMNS; p++) {
                    x[p] = texelFetch(X, at[p]);
                    at[p] += int(x_channel);
                }
                for (int k = 0; k < 4; k++) {
                    w[k] = texelFetch(W, w_at + k * 8);
                }
                w_at += 32;
                if (PAD > 0u) {
                    for (int p = 0; p < COLUMNS; p++) {
                        x[p] = inside[p] ? x[p] : vec4(0.0);
                    }
                }
#define TURN(r)                                                                        \
    {                                                                                  \
        vec4 a = subgroupShuffle(w[0], lane ^ r), b = subgroupShuffle(w[1], lane ^ r); \
        vec4 c = subgroupShuffle(w[2], lane ^ r), d = subgroupShuffle(w[3], lane ^ r); \
        for (int p = 0; p < COLUMNS; p++) {                                            \
            sum[p][r] += a * x[p][0] + b * x[p][1] + c * x[p][2] + d * x[p][3];        \
        }                                                                              \
    }
                TURN(0u) TURN(1u) TURN(2u) TURN(3u) TURN(4u) TURN(5u) TURN(6u) TURN(7u)
            }
        }
    }

    // sum[p][r] of lane l belongs to row group l ^ r; a round settles one bit of it.
#define EXCHANGE(bit, r)                                                               \
    for (int p = 0; p < COLUMNS; p++) {                                                \
        vec4 low = sum[p][r], high = sum[p][r | bit];                                  \
        sum[p][r] = (lane & bit) != 0u ? high : low;                                   \
        sum[p][r | bit] = (lane & bit) != 0u ? low : high;                             \
    }
    EXCHANGE(1u, 0u) EXCHANGE(1u, 2u) EXCHANGE(1u, 4u) EXCHANGE(1u, 6u)
    EXCHANGE(2u, 0u) EXCHANGE(2u, 1u) EXCHANGE(2u, 4u) EXCHANGE(2u, 5u)
    EXCHANGE(4u, 0u) EXCHANGE(4u, 1u) EXCHANGE(4u, 2u) EXCHANGE(4u, 3u)

    // Loops that stay loops, over what is always the first row and the first column: the
    // others move up, so that they stay values and need no array. Unrolled, the stores
    // would be hundreds of blocks, for which the compilers of software devices take seconds.
    [[dont_unroll]] for (uint m = 0u; m < ROWS4; m++) {
        uint channel = tile_m * ROWS4 + m;
        vec4 b = HAS_BIAS ? vec4(bias[min(channel, m4 - 1u)]) : vec4(0.0);
        [[dont_unroll]] for (uint p = 0u; p < COLUMNS; p++) {
            uint n = (tile_n * COLUMNS + p) * 8u + lane;
            if (n < n_total && channel < m4) {
                uint of = n / out_pixels;
                uint at = group * y_group + of * y_batch + channel * y_channel
                          + (n - of * out_pixels) * y_pixel;
                vec4 v = sum[0][0] + b;
                if (HAS_RESIDUAL) {
                    v += vec4(residual[at]);
                }
                v = activate(ACT, slope, v);
                y[at] = KEEP4(v);
            }
            for (int q = 0; q + 1 < COLUMNS; q++) {
                sum[q][0] = sum[q + 1][0];
            }
        }
        for (int q = 0; q < COLUMNS; q++) {
            for (int r = 0; r + 1 < ROWS4; r++) {
                sum[q][r] = sum[q][r + 1];
            }
        }
    }
}
