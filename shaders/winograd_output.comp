#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
// y = act(A^T m A + bias + residual) of every tile; M as in lib/winograd.glsl, Y and the
// residual are [B][channels4][height * width].
#include "epilogue.glsl"
#define WORDS
#include "storage.glsl"
#include "winograd.glsl"

layout(local_size_x = 8) in;
layout(constant_id = 0) const uint ACT = 0;
layout(constant_id = 1) const bool HAS_BIAS = false;
layout(constant_id = 2) const bool HAS_RESIDUAL = false;
layout(binding = 0) uniform samplerBuffer M;
layout(binding = 1) uniform samplerBuffer Bias;
layout(binding = 2) uniform samplerBuffer Residual;
layout(binding = 3) writeonly buffer YBuffer { KEPT4 y[]; };

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
    // A round takes a column of the tile to OUT values. It comes in at the right, the others
    // move left: loops that stay loops, without an array, for the compilers of software
    // devices take seconds for hundreds of unrolled fetches and stores.
    vec4 m[OUT * SIDE];
    for (int i = 0; i < OUT * SIDE; i++) {
        m[i] = vec4(0.0);
    }
    uint from = c * n_total + n;
    [[dont_unroll]] for (int q = 0; q < SIDE; q++) {
        vec4 line[SIDE];
        for (int i = 0; i < SIDE; i++) {
            line[i] = texelFetch(M, int(from + uint(i * SIDE + q) * channels4 * n_total));
        }
        LINE(line, 0, 1)
        for (int i = 0; i < OUT; i++) {
            for (int j = 0; j + 1 < SIDE; j++) {
                m[i * SIDE + j] = m[i * SIDE + j + 1];
            }
            m[i * SIDE + SIDE - 1] = line[i];
        }
    }
    int high = int(height), wide = int(width);
    int at = int((image * channels4 + c) * height * width) + row * wide + column;
    vec4 bias = HAS_BIAS ? texelFetch(Bias, int(c)) : vec4(0.0);
    // Always the first row's first value is stored: the others move up.
    [[dont_unroll]] for (int i = 0; i < OUT; i++) {
        LINE(m, 0, 1)
        [[dont_unroll]] for (int j = 0; j < OUT; j++) {
            vec4 value = m[0] + bias;
            bool inside = live && row + i < high && column + j < wide;
            if (HAS_RESIDUAL) {
                value += texelFetch(Residual, inside ? at + j : 0);
            }
            value = activate(ACT, slope, value);
            if (inside) {
                y[at + j] = KEEP4(value);
            }
            for (int q = 0; q + 1 < OUT; q++) {
                m[q] = m[q + 1];
            }
        }
        at += wide;
        for (int q = 0; q < (OUT - 1) * SIDE; q++) {
            m[q] = m[q + SIDE];
        }
    }
}
