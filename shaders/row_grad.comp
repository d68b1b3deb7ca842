#version 450
#extension GL_GOOGLE_include_directive : require
// Gradients of the operators that reduce over the last dimension; MODE chooses. A row is a
// workgroup of one subgroup. Padding becomes zero.
#include "row.glsl"
layout(constant_id = 1) const uint MODE = 0;
layout(push_constant) uniform Push { uint rows, size, row_base; float eps; };
layout(binding = 0) readonly buffer XBuffer { vec4 x[]; };
layout(binding = 1) readonly buffer GBuffer { vec4 gamma[]; };
layout(binding = 2) readonly buffer DBuffer { vec4 d[]; };
layout(binding = 3) writeonly buffer YBuffer { vec4 y[]; };

const uint MODE_HAT = 0u, MODE_LAYER_NORM = 1u, MODE_L2 = 2u, MODE_SOFTMAX = 3u;

vec4 only_inside(uint i, vec4 v)
{
    return mix(vec4(0.0), v, row_inside(i, size));
}

float row_sum(vec4 part)
{
    return across_sum(dot(part, vec4(1.0)));
}

void layer_norm(uint at, uint width, uint lane)
{
    vec4 part = vec4(0.0), square = vec4(0.0), plain = vec4(0.0), product = vec4(0.0);
    for (uint i = lane; i < width; i += LANES) {
        part += only_inside(i, x[at + i]);
    }
    float mean = row_sum(part) / float(size);
    for (uint i = lane; i < width; i += LANES) {
        vec4 v = only_inside(i, x[at + i] - mean);
        square += v * v;
    }
    float inverse = 1.0 / sqrt(row_sum(square) / float(size) + eps);
    if (MODE == MODE_HAT) {
        for (uint i = lane; i < width; i += LANES) {
            y[at + i] = only_inside(i, (x[at + i] - mean) * inverse);
        }
        return;
    }
    for (uint i = lane; i < width; i += LANES) {
        vec4 g = only_inside(i, d[at + i] * gamma[i]);
        plain += g;
        product += g * (x[at + i] - mean) * inverse;
    }
    float mean_g = row_sum(plain) / float(size);
    float mean_product = row_sum(product) / float(size);
    for (uint i = lane; i < width; i += LANES) {
        vec4 hat = (x[at + i] - mean) * inverse;
        vec4 g = d[at + i] * gamma[i];
        y[at + i] = only_inside(i, inverse * (g - mean_g - hat * mean_product));
    }
}

void main()
{
    uint row = row_base + gl_WorkGroupID.x;
    if (row >= rows) {
        return;
    }
    uint lane = gl_LocalInvocationID.x, width = (size + 3u) / 4u, at = row * width;
    if (MODE == MODE_HAT || MODE == MODE_LAYER_NORM) {
        layer_norm(at, width, lane);
        return;
    }
    // What all gradients of a softmax row share takes no part in the result; without it
    // the differences below lose less.
    float shared_part = MODE == MODE_SOFTMAX ? d[at].x : 0.0;
    vec4 square = vec4(0.0), product = vec4(0.0);
    for (uint i = lane; i < width; i += LANES) {
        vec4 v = only_inside(i, x[at + i]);
        square += v * v;
        product += v * only_inside(i, d[at + i] - shared_part);
    }
    float dot_sum = row_sum(product), square_sum = row_sum(square);
    for (uint i = lane; i < width; i += LANES) {
        vec4 v = x[at + i], g = d[at + i] - shared_part;
        y[at + i] = only_inside(i, MODE == MODE_L2
                                       ? (g - v * (dot_sum / square_sum)) / sqrt(square_sum)
                                       : v * (g - dot_sum));
    }
}
