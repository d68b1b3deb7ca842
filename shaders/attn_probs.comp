#version 450
#extension GL_GOOGLE_include_directive : require
// softmax(q k^T / sqrt(width of a head)) with an optional causal mask: one row of
// probabilities (image, head, query) a workgroup, one key a lane.
#include "row.glsl"
#include "storage.glsl"
layout(constant_id = 1) const bool CAUSAL = false;
layout(constant_id = 2) const bool VECTOR = false; // heads begin and end at vec4s
layout(push_constant) uniform Push {
    uint rows, row_base;       // images * heads * queries
    uint heads, queries, keys, head_width;
    uint q_row, k_row;         // floats of a row
    uint q_column, k_column;
    uint q_shared;             // the same queries for every image
};
layout(binding = 0) readonly buffer QBuffer { STORED q[]; };
layout(binding = 1) readonly buffer KBuffer { STORED k[]; };
layout(binding = 2) buffer PBuffer { STORED p[]; };
layout(binding = 3) readonly buffer Q4Buffer { STORED4 q4[]; };
layout(binding = 4) readonly buffer K4Buffer { STORED4 k4[]; };

float score(uint q_at, uint k_at)
{
    float sum = 0.0;
    if (VECTOR) {
        vec4 part = vec4(0.0);
        for (uint i = 0u; i < head_width / 4u; i++) {
            part += vec4(q4[q_at / 4u + i]) * vec4(k4[k_at / 4u + i]);
        }
        sum = dot(part, vec4(1.0));
    } else {
        for (uint i = 0u; i < head_width; i++) {
            sum += float(q[q_at + i]) * float(k[k_at + i]);
        }
    }
    return sum;
}

void main()
{
    uint row = row_base + gl_WorkGroupID.x;
    if (row >= rows) {
        return;
    }
    uint lane = gl_LocalInvocationID.x;
    uint query = row % queries, head = row / queries % heads, image = row / queries / heads;
    uint q_at = ((q_shared != 0u ? 0u : image * queries) + query) * q_row + q_column
                + head * head_width;
    uint k_at = image * keys * k_row + k_column + head * head_width;
    uint p_at = row * ((keys + 3u) / 4u * 4u);
    uint seen = CAUSAL ? min(keys, query + 1u) : keys;
    float scale = 1.0 / sqrt(float(head_width));

    // The largest score and the sum of exponentials below it, in one pass.
    float top = -3.0e38, sum = 0.0;
    for (uint t = lane; t < seen; t += LANES) {
        float s = score(q_at, k_at + t * k_row) * scale;
        float higher = max(top, s);
        sum = sum * exp(top - higher) + exp(s - higher);
        top = higher;
#ifndef HALF
        p[p_at + t] = s;
#endif
    }
    float all = across_max(top);
    float inverse = 1.0 / across_sum(sum * exp(top - all));
    for (uint t = lane; t < (keys + 3u) / 4u * 4u; t += LANES) {
        float e = 0.0;
        if (t < seen) {
#ifdef HALF
            // A score rounded to f16 would spoil its exponential: it is made again.
            float s = score(q_at, k_at + t * k_row) * scale;
#else
            float s = p[p_at + t];
#endif
            e = exp(s - all) * inverse;
        }
        p[p_at + t] = NARROW(e);
    }
}
