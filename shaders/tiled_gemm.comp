#version 450
#extension GL_GOOGLE_include_directive : require
// Implicit matrix product for GPUs: a workgroup of 256 makes 64 output channels by 64
// pixels; tiles of 16 k pass through shared memory, each invocation keeps 4 x 4 sums.
//
// W is packed [ceil(M/64)][ceil(K/16)][16][64] with zeros beyond M and K, k = (tap,
// channel rounded up to 4).
#include "epilogue.glsl"
#include "gemm.glsl"

layout(local_size_x = 256) in;
layout(binding = 0) readonly buffer XBuffer { vec4 x[]; };
layout(binding = 1) readonly buffer WBuffer { vec4 w[]; };
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };
layout(binding = 3) readonly buffer BiasBuffer { vec4 bias[]; };
layout(binding = 4) readonly buffer ResidualBuffer { vec4 residual[]; };

shared vec4 w_tile[16][16]; // [k][row / 4]
shared float x_tile[16][65]; // [k][pixel]; one more against bank conflicts

void main()
{
    uint id = gl_LocalInvocationID.x;
    uint tile_n = n_base + gl_WorkGroupID.x;
    uint tile_m = gl_WorkGroupID.y;
    uint taps_k4 = KERNEL * KERNEL * k4;

    // For loading: one vec4 of 4 channels of one pixel.
    uint load_pixel = id % 64u, load_k4 = id / 64u;
    uint n = min(tile_n * 64u + load_pixel, n_total - 1u);
    uint image = n / out_pixels;
    uint pixel = n - image * out_pixels;
    int row = int(pixel / out_width) * int(STRIDE) - int(PAD);
    int column = int(pixel % out_width) * int(STRIDE) - int(PAD);

    uint my_row4 = id / 16u, my_column = id % 16u;
    vec4 sum[4];
    for (int p = 0; p < 4; p++) {
        sum[p] = vec4(0.0);
    }

    uint steps = (taps_k4 + 3u) / 4u;
    uint w_at = tile_m * steps * 256u + id;
    for (uint step = 0u; step < steps; step++) {
        uint k = step * 4u + load_k4;
        uint tap = k / k4;
        uint channel = k - tap * k4;
        int iy = row + int(tap / KERNEL), ix = column + int(tap % KERNEL);
        vec4 value = vec4(0.0);
        if (k < taps_k4 && iy >= 0 && ix >= 0 && iy < int(in_height) && ix < int(in_width)) {
            value = x[image * x_batch + channel * x_channel
                      + (uint(iy) * in_width + uint(ix)) * x_pixel];
        }
        vec4 weights = w[w_at + step * 256u];
        barrier();
        x_tile[load_k4 * 4u + 0u][load_pixel] = value.x;
        x_tile[load_k4 * 4u + 1u][load_pixel] = value.y;
        x_tile[load_k4 * 4u + 2u][load_pixel] = value.z;
        x_tile[load_k4 * 4u + 3u][load_pixel] = value.w;
        w_tile[id / 16u][id % 16u] = weights;
        barrier();
        for (int j = 0; j < 16; j++) {
            vec4 a = w_tile[j][my_row4];
            for (int p = 0; p < 4; p++) {
                sum[p] += a * x_tile[j][my_column + uint(p) * 16u];
            }
        }
    }

    uint channel = tile_m * 16u + my_row4;
    if (channel >= m4) {
        return;
    }
    vec4 b = HAS_BIAS ? bias[channel] : vec4(0.0);
    for (int p = 0; p < 4; p++) {
        uint out_n = tile_n * 64u + my_column + uint(p) * 16u;
        if (out_n >= n_total) {
            continue;
        }
        uint out_image = out_n / out_pixels;
        uint at = out_image * y_batch + channel * y_channel
                  + (out_n - out_image * out_pixels) * y_pixel;
        vec4 v = sum[p] + b;
        if (HAS_RESIDUAL) {
            v += residual[at];
        }
        y[at] = activate(ACT, slope, v);
    }
}
