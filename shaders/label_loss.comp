#version 450
#extension GL_GOOGLE_include_directive : require
// Focused cross entropy of rows of logits with one class each, or with GRADIENT its
// gradient. A row is a workgroup of one subgroup; gradient padding becomes zero.
#include "loss.glsl"
#include "row.glsl"
layout(constant_id = 1) const bool GRADIENT = false;
layout(constant_id = 2) const bool DIAGONAL = false; // row i has class i
layout(push_constant) uniform Push {
    uint rows, row_base, size;
    float gamma_negative, gamma_positive, smoothing;
};
layout(binding = 0) readonly buffer XBuffer { float x[]; };
layout(binding = 1) readonly buffer DBuffer { float d[]; };
layout(binding = 2) readonly buffer IBuffer { int index[]; };
layout(binding = 3) writeonly buffer YBuffer { float y[]; };

// The loss's part of class j and its derivative by log p of that class. `others` is the
// probability of all classes but the row's own.
vec2 part(float log_p, bool own, float others)
{
    float p = exp(log_p), gamma = own ? gamma_positive : gamma_negative;
    float miss = own ? others : p;
    float weight = power(miss, gamma), dweight = 0.0;
    if (gamma > 0.0) {
        dweight = gamma * power(miss, gamma - 1.0) * (own ? -p : p);
    }
    float target = smoothing / float(size) + (own ? 1.0 - smoothing : 0.0);
    return -target * vec2(weight * log_p, weight + log_p * dweight);
}

void main()
{
    uint row = row_base + gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
    if (row >= rows) {
        return;
    }
    uint padded = (size + 3u) / 4u * 4u, at = row * padded;
    uint label = DIAGONAL ? row : uint(index[row]);
    float top = -3.0e38, sum = 0.0, others = 0.0;
    for (uint j = lane; j < size; j += LANES) {
        top = max(top, x[at + j]);
    }
    top = across_max(top);
    for (uint j = lane; j < size; j += LANES) {
        float e = exp(x[at + j] - top);
        sum += e;
        others += j == label ? 0.0 : e;
    }
    sum = across_sum(sum);
    others = across_sum(others) / sum;
    float log_sum = log(sum);
    vec2 total = vec2(0.0);
    for (uint j = lane; j < size; j += LANES) {
        total += part(x[at + j] - top - log_sum, j == label, others);
    }
    float loss = across_sum(total.x), slope = across_sum(total.y);
    if (!GRADIENT) {
        if (lane == 0u) {
            y[row] = loss;
            for (uint i = rows; row + 1u == rows && i % 4u != 0u; i++) {
                y[i] = 0.0; // padding
            }
        }
        return;
    }
    for (uint j = lane; j < padded; j += LANES) {
        float value = 0.0;
        if (j < size) {
            float log_p = x[at + j] - top - log_sum;
            value = d[row] * (part(log_p, j == label, others).y - exp(log_p) * slope);
        }
        y[at + j] = value;
    }
}
