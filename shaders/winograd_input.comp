#version 450
#extension GL_GOOGLE_include_directive : require
// B^T d B of every tile of a map, zero outside it. X is [B][channels4][height * width],
// V as in lib/winograd.glsl.
#define WORDS
#include "storage.glsl"
#include "winograd.glsl"

layout(local_size_x = 8) in;
layout(binding = 0) uniform samplerBuffer X;
layout(binding = 1) writeonly buffer VBuffer { KEPT4 v[]; };

// One line of SIDE values, `step` apart from `d[at]`, by B^T in place.
#if OUT == 2
#define LINE(d, at, step)                                                              \
    {                                                                                  \
        vec4 a = d[at], b = d[at + step], c = d[at + 2 * step], e = d[at + 3 * step];  \
        d[at] = a - c;                                                                 \
        d[at + step] = b + c;                                                          \
        d[at + 2 * step] = c - b;                                                      \
        d[at + 3 * step] = b - e;                                                      \
    }
#else
#define LINE(d, at, step)                                                              \
    {                                                                                  \
        vec4 a = d[at], b = d[at + step], c = d[at + 2 * step], e = d[at + 3 * step];  \
        vec4 f = d[at + 4 * step], g = d[at + 5 * step];                               \
        d[at] = A2B2 * a - (A2 + B2) * c + f;                                          \
        vec4 even = f - B2 * c, odd = A * (e - B2 * b);                                \
        d[at + step] = even + odd;                                                     \
        d[at + 2 * step] = even - odd;                                                 \
        even = f - A2 * c;                                                             \
        odd = B * (e - A2 * b);                                                        \
        d[at + 3 * step] = even + odd;                                                 \
        d[at + 4 * step] = even - odd;                                                 \
        d[at + 5 * step] = A2B2 * b - (A2 + B2) * e + g;                               \
    }
#endif

void main()
{
    uint n = gl_WorkGroupID.x * 8u + gl_LocalInvocationID.x, c = gl_WorkGroupID.y;
    uint image;
    int row, column;
    locate(min(n, n_total - 1u), image, row, column);
    int base = int((image * channels4 + c) * height * width);
    int high = int(height), wide = int(width);
    vec4 d[SIDE * SIDE];
    for (int i = 0; i < SIDE; i++) {
        int y = row - 1 + i;
        for (int j = 0; j < SIDE; j++) {
            int x = column - 1 + j;
            bool inside = y >= 0 && y < high && x >= 0 && x < wide;
            vec4 value = texelFetch(X, base + clamp(y, 0, high - 1) * wide
                                           + clamp(x, 0, wide - 1));
            d[i * SIDE + j] = inside ? value : vec4(0.0);
        }
    }
    for (int i = 0; i < SIDE; i++) {
        LINE(d, i, SIDE)
    }
    for (int i = 0; i < SIDE; i++) {
        LINE(d, i * SIDE, 1)
    }
    if (n < n_total) {
        for (int q = 0; q < SIDE * SIDE; q++) {
            v[(uint(q) * channels4 + c) * n_total + n] = KEEP4(d[q]);
        }
    }
}
