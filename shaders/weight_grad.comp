#version 450
// Gradient of weights: out[m, c, tap] = sum over images and pixels of dY[m] X[c at tap].
// An invocation makes 4 rows m by 4 channels of one tap over a run of output lines; runs
// lie one after the other in Y and are added by sum_parts. Addresses count vec4s as in
// lib/gemm.glsl; a linear layer is a map of one column, its rows the lines.
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint KERNEL = 1;
layout(constant_id = 1) const uint STRIDE = 1;
layout(constant_id = 2) const uint PAD = 0;
layout(push_constant) uniform Push {
    uint count;     // invocations: runs * m4 * k4 * taps
    uint rows, channels;
    uint lines;     // images * out_height
    uint run_lines; // lines of a run
    uint out_height, out_width, in_height, in_width;
    uint x_batch, x_channel, x_pixel;
    uint d_batch, d_channel, d_pixel;
};
layout(binding = 0) readonly buffer XBuffer { vec4 x[]; };
layout(binding = 1) readonly buffer DBuffer { vec4 d[]; };
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };

void add_line(uint line, uint group, uint row4, int ky, int kx, inout vec4 sum[4])
{
    uint image = line / out_height, oy = line % out_height;
    int iy = int(oy * STRIDE) - int(PAD) + ky;
    if (iy < 0 || iy >= int(in_height)) {
        return;
    }
    uint x_at = image * x_batch + group * x_channel + uint(iy) * in_width * x_pixel;
    uint d_at = image * d_batch + row4 * d_channel + oy * out_width * d_pixel;
    for (uint ox = 0u; ox < out_width; ox++) {
        int ix = int(ox * STRIDE) - int(PAD) + kx;
        if (ix >= 0 && ix < int(in_width)) {
            vec4 value = x[x_at + uint(ix) * x_pixel], grad = d[d_at + ox * d_pixel];
            for (int j = 0; j < 4; j++) {
                sum[j] += grad[j] * value;
            }
        }
    }
}

void main()
{
    uint taps = KERNEL * KERNEL, k4 = (channels + 3u) / 4u, m4 = (rows + 3u) / 4u;
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint tap = i % taps, group = i / taps % k4;
        uint row4 = i / taps / k4 % m4, run = i / taps / k4 / m4;
        vec4 sum[4] = vec4[4](vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
        uint end = min(run * run_lines + run_lines, lines);
        for (uint line = run * run_lines; line < end; line++) {
            add_line(line, group, row4, int(tap / KERNEL), int(tap % KERNEL), sum);
        }
        bvec4 inside = lessThan(uvec4(group * 4u) + uvec4(0u, 1u, 2u, 3u), uvec4(channels));
        for (uint j = 0u; j < 4u && row4 * 4u + j < rows; j++) {
            uint row = run * rows + row4 * 4u + j;
            y[(row * k4 + group) * taps + tap] = mix(vec4(0.0), sum[j], inside);
        }
    }
}
