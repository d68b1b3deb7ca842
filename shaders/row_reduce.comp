#version 450
#extension GL_GOOGLE_include_directive : require
// Operators that reduce over the last dimension: layer_norm, l2_normalize, softmax.
#include "row.glsl"
#include "storage.glsl"
layout(constant_id = 1) const uint MODE = 0;
layout(push_constant) uniform Push { uint rows, size, row_base; float eps; };
layout(binding = 0) readonly buffer XBuffer { STORED4 x[]; };
layout(binding = 1) readonly buffer GBuffer { STORED4 gamma[]; };
layout(binding = 2) readonly buffer BBuffer { STORED4 beta[]; };
layout(binding = 3) writeonly buffer YBuffer { STORED4 y[]; };

const uint MODE_LAYER_NORM = 0u, MODE_L2 = 1u, MODE_SOFTMAX = 2u;

void main()
{
    uint row = row_base + gl_WorkGroupID.x;
    if (row >= rows) {
        return;
    }
    uint lane = gl_LocalInvocationID.x, width = (size + 3u) / 4u, at = row * width;
    vec4 part = vec4(0.0);
    if (MODE == MODE_LAYER_NORM) {
        for (uint i = lane; i < width; i += LANES) {
            part += mix(vec4(0.0), vec4(x[at + i]), row_inside(i, size));
        }
        float mean = across_sum(dot(part, vec4(1.0))) / float(size);
        vec4 square = vec4(0.0);
        for (uint i = lane; i < width; i += LANES) {
            vec4 d = mix(vec4(0.0), vec4(x[at + i]) - mean, row_inside(i, size));
            square += d * d;
        }
        float variance = across_sum(dot(square, vec4(1.0))) / float(size);
        float inverse = 1.0 / sqrt(variance + eps);
        for (uint i = lane; i < width; i += LANES) {
            vec4 v = (vec4(x[at + i]) - mean) * inverse;
            y[at + i] = NARROW4(v * vec4(gamma[i]) + vec4(beta[i]));
        }
    } else if (MODE == MODE_L2) {
        for (uint i = lane; i < width; i += LANES) {
            vec4 v = mix(vec4(0.0), vec4(x[at + i]), row_inside(i, size));
            part += v * v;
        }
        float inverse = 1.0 / sqrt(across_sum(dot(part, vec4(1.0))));
        for (uint i = lane; i < width; i += LANES) {
            vec4 v = vec4(x[at + i]) * inverse;
            y[at + i] = NARROW4(mix(vec4(0.0), v, row_inside(i, size)));
        }
    } else {
        float top = -3.0e38;
        for (uint i = lane; i < width; i += LANES) {
            vec4 v = mix(vec4(-3.0e38), vec4(x[at + i]), row_inside(i, size));
            top = max(top, max(max(v.x, v.y), max(v.z, v.w)));
        }
        top = across_max(top);
        for (uint i = lane; i < width; i += LANES) {
            part += mix(vec4(0.0), exp(vec4(x[at + i]) - top), row_inside(i, size));
        }
        float inverse = 1.0 / across_sum(dot(part, vec4(1.0)));
        for (uint i = lane; i < width; i += LANES) {
            vec4 e = mix(vec4(0.0), exp(vec4(x[at + i]) - top), row_inside(i, size));
            y[at + i] = NARROW4(e * inverse);
        }
    }
}
