#version 450
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_GOOGLE_include_directive : require
// softmax(q k^T / sqrt(width of a head)) with an optional causal mask, for software
// devices: 8 queries of one image and head a subgroup, all their keys along the lanes
// (COLUMNS of 8), so that scores never leave the registers. A is q, B is k.
#include "dot_rows.glsl"
#include "storage.glsl"
layout(constant_id = 1) const bool CAUSAL = false;
layout(push_constant) uniform Push {
    uint blocks, block_base;   // images * heads * ceil(queries / 8)
    uint heads, queries, keys, head_width;
    uint q_row, k_row;         // floats of a row
    uint q_column, k_column;
    uint q_shared;             // the same queries for every image
};
layout(binding = 2) writeonly buffer PBuffer { STORED p[]; };

void main()
{
    uint block = block_base + gl_WorkGroupID.x, lane = gl_SubgroupInvocationID;
    if (block >= blocks) {
        return;
    }
    uint query_blocks = (queries + 7u) / 8u;
    uint first = block % query_blocks * 8u, head = block / query_blocks % heads;
    uint image = block / query_blocks / heads;
    uint q_at = (q_shared != 0u ? 0u : image * queries) + min(first + lane, queries - 1u);
    int k_at[COLUMNS];
    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        uint key = min(uint(c) * 8u + lane, keys - 1u);
        k_at[c] = int(((image * keys + key) * k_row + k_column + head * head_width) / 4u);
    }
    dot_rows(int((q_at * q_row + q_column + head * head_width) / 4u), k_at,
             head_width / 4u);

    float scale = 1.0 / sqrt(float(head_width));
    uint padded = (keys + 3u) / 4u * 4u;
    [[unroll]] for (int r = 0; r < 8; r++) {
        uint query = first + uint(r);
        uint seen = CAUSAL ? min(keys, query + 1u) : keys;
        float top = -3.0e38;
        [[unroll]] for (int c = 0; c < COLUMNS; c++) {
            sum[c][r] = uint(c) * 8u + lane < seen ? sum[c][r] * scale : -3.0e38;
            top = max(top, sum[c][r]);
        }
        top = subgroupMax(top);
        float total = 0.0;
        [[unroll]] for (int c = 0; c < COLUMNS; c++) {
            sum[c][r] = uint(c) * 8u + lane < seen ? exp(sum[c][r] - top) : 0.0;
            total += sum[c][r];
        }
        float inverse = 1.0 / subgroupAdd(total);
        uint p_at = ((image * heads + head) * queries + query) * padded + lane;
        [[unroll]] for (int c = 0; c < COLUMNS; c++) {
            if (query < queries && uint(c) * 8u + lane < padded) {
                p[p_at + uint(c) * 8u] = NARROW(sum[c][r] * inverse);
            }
        }
    }
}
