#version 450
#extension GL_GOOGLE_include_directive : require
// y = act(A^T m A + bias + residual) of every tile; M as in lib/winograd.glsl, Y and the
// residual are [B][channels4][height * width].
#include "epilogue.glsl"
#include "winograd.glsl"

layout(local_size_x = 8) in;
layout(constant_id = 0) const uint ACT = 0;
layout(constant_id = 1) const bool HAS_BIAS = false;
layout(constant_id = 2) const bool HAS_RESIDUAL = false;
layout(binding = 0) uniform samplerBuffer M;
layout(binding = 1) uniform samplerBuffer Bias;
layout(binding = 2) uniform samplerBuffer Residual;
layout(binding = 3) writeonly buffer YBuffer { vec4 y[]; };

// One line of SIDE values, `step` apart from `m[at]`, by A^T: OUT values in place.
#if OUT == 2
#define LINE(m, at, step)                                                              \
    {                                                                                  \
        vec4 even = m[at + step] + m[at + 2 * step];                                   \
        vec4 odd = m[at + step] - m[at + 2 * step];                                    \
        m[at] = m[at] + even;                                                          \
        m[at + step] = odd - m[at + 3 * step];                                         \
    }
#else
#define LINE(m, at, step)                                                              \
    {                                                                                  \
        vec4 even = m[at + step] + m[at + 2 * step];                                   \
        vec4 odd = m[at + step] - m[at + 2 * step];                                    \
        vec4 even2 = m[at + 3 * step] + m[at + 4 * step];                              \
        vec4 odd2 = m[at + 3 * step] - m[at + 4 * step];                               \
        m[at] = m[at] + even + even2;                                                  \
        m[at + step] = A * odd + B * odd2;                                             \
        m[at + 2 * step] = A2 * even + B2 * even2;                                     \
        m[at + 3 * step] = A * A2 * odd + B * B2 * odd2 + m[at + 5 * step];            \
    }
#endif

void main()
{
    uint n = gl_WorkGroupID.x * 8u + gl_LocalInvocationID.x, c = gl_WorkGroupID.y;
    bool live = n < n_total;
    n = min(n, n_total - 1u);
    uint image;
    int row, column;
    locate(n, image, row, column);
    vec4 m[SIDE * SIDE];
    for (int q = 0; q < SIDE * SIDE; q++) {
        m[q] = texelFetch(M, int((uint(q) * channels4 + c) * n_total + n));
    }
    for (int i = 0; i < SIDE; i++) {
        LINE(m, i, SIDE)
    }
    for (int i = 0; i < OUT; i++) {
        LINE(m, i * SIDE, 1)
    }
    int high = int(height), wide = int(width);
    int base = int((image * channels4 + c) * height * width);
    vec4 bias = HAS_BIAS ? texelFetch(Bias, int(c)) : vec4(0.0);
    for (int i = 0; i < OUT; i++) {
        for (int j = 0; j < OUT; j++) {
            int at = base + (row + i) * wide + column + j;
            vec4 value = m[i * SIDE + j] + bias;
            bool inside = live && row + i < high && column + j < wide;
            if (HAS_RESIDUAL) {
                value += texelFetch(Residual, inside ? at : base);
            }
            value = activate(ACT, slope, value);
            if (inside) {
                y[at] = value;
            }
        }
    }
}
