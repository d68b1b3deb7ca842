#version 450
#extension GL_GOOGLE_include_directive : require
// Elementwise operators of training; MODE chooses. One vec4 of the result an invocation.
#include "epilogue.glsl"
#include "source.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0;
layout(constant_id = 1) const uint ACT = 0;
layout(push_constant) uniform Push {
    uint count;    // vec4s of the result
    uint pixels;   // vec4s that share one channel group
    uint channels; // channel groups of an image
    uint width;    // expand to rows: vec4s of a row
    uint rows;     // expand to rows: rows of an image
    float slope, factor, eps;
};
SOURCE(0, x);
SOURCE(1, a);
SOURCE(2, b);
SOURCE(3, c);
SOURCE(4, d);
SOURCE(5, e);
SOURCE(6, f);
layout(binding = 7) writeonly buffer YBuffer { vec4 y[]; };

const uint MODE_FILL = 0u, MODE_MUL = 1u, MODE_MUL_SCALAR = 2u, MODE_EXPAND_SCALAR = 3u,
           MODE_EXPAND_MAP = 4u, MODE_EXPAND_ROWS = 5u, MODE_ACTIVATION = 6u,
           MODE_NORM = 7u, MODE_NORM_GRAD = 8u, MODE_CLIP_FACTOR = 9u;

// s (1 - s) of the sigmoid s of v, exact where s is next to 1 and 1 - s would be lost.
vec4 sigmoid_slope(vec4 v)
{
    vec4 e = exp(-abs(v));
    return e / ((1.0 + e) * (1.0 + e));
}

// The slope of the activation at v.
vec4 slope_at(vec4 v)
{
    switch (ACT) {
    case ACT_RELU: return mix(vec4(0.0), vec4(1.0), greaterThan(v, vec4(0.0)));
    case ACT_LEAKY_RELU: return mix(vec4(1.0), vec4(slope), lessThan(v, vec4(0.0)));
    case ACT_GELU:
        return 0.5 * (1.0 + erf4(v * 0.70710678118654752))
               + v * exp(-0.5 * v * v) * 0.39894228040143268;
    case ACT_QUICK_GELU:
        return 1.0 / (1.0 + exp(-1.702 * v)) + 1.702 * v * sigmoid_slope(1.702 * v);
    case ACT_SIGMOID: return sigmoid_slope(v);
    case ACT_EXP: return exp(v);
    }
    return vec4(1.0);
}

// x, gamma, mean, variance, dy, dbeta, dgamma
vec4 norm_grad(uint i, uint channel)
{
    vec4 inverse = 1.0 / sqrt(AT(c, channel) + eps);
    vec4 hat = (AT(x, i) - AT(b, channel)) * inverse;
    vec4 shared_part = factor * (AT(e, channel) + hat * AT(f, channel));
    return AT(a, channel) * inverse * (AT(d, i) - shared_part);
}

// x the sum of squares, a the numbers of update.comp, factor the limit
float clip_factor()
{
    float norm = sqrt(AT(x, 0).x) * AT(a, 2).y;
    if (isnan(norm) || isinf(norm)) {
        return -1.0;
    }
    return factor > 0.0 && norm > factor ? factor / norm : 1.0;
}

vec4 value(uint i)
{
    uint channel = i / pixels % channels;
    switch (MODE) {
    case MODE_FILL: return vec4(factor);
    case MODE_MUL: return AT(x, i) * AT(a, i);
    case MODE_MUL_SCALAR: return AT(x, i) * AT(a, 0).x;
    case MODE_EXPAND_SCALAR: return vec4(AT(x, 0).x * factor);
    case MODE_EXPAND_MAP: return AT(x, i / pixels) * factor;
    case MODE_EXPAND_ROWS: return AT(x, i / (rows * width) * width + i % width) * factor;
    case MODE_ACTIVATION: return AT(a, i) * slope_at(AT(x, i));
    case MODE_NORM: // x, gamma, beta, mean, variance
        return (AT(x, i) - AT(c, channel)) / sqrt(AT(d, channel) + eps) * AT(a, channel)
               + AT(b, channel);
    case MODE_CLIP_FACTOR: return vec4(clip_factor());
    }
    return norm_grad(i, channel);
}

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        y[i] = value(i);
    }
}
