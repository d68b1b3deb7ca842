#version 450
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require
// Probabilities times values for software devices: 8 queries of one image and head by
// 32*COLUMNS columns of the head a subgroup. Lane l fetches the probabilities of query l
// for 4 keys at once and shuffles pass them round; values are fetched along their rows.
#include "storage.glsl"

layout(local_size_x = 8) in;
layout(constant_id = 0) const int COLUMNS = 1;
layout(push_constant) uniform Push {
    uint blocks, block_base; // images * heads * ceil(queries / 8) * chunks of columns
    uint heads, queries, keys, head_width;
    uint v_row, v_column;    // floats
    uint chunks;
};
layout(binding = 0) uniform samplerBuffer P;
layout(binding = 1) uniform samplerBuffer V;
layout(binding = 2) writeonly buffer YBuffer { STORED4 y[]; };

void main()
{
    uint block = block_base + gl_WorkGroupID.x, lane = gl_SubgroupInvocationID;
    if (block >= blocks) {
        return;
    }
    uint chunk = block % chunks, query_blocks = (queries + 7u) / 8u;
    block /= chunks;
    uint first = block % query_blocks * 8u, head = block / query_blocks % heads;
    uint image = block / query_blocks / heads;
    uint key_groups = (keys + 3u) / 4u, head_width4 = head_width / 4u;
    int p_at = int(((image * heads + head) * queries + min(first + lane, queries - 1u))
                   * key_groups);
    int v_at[COLUMNS];
    vec4 sum[COLUMNS][8];
    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        uint column = min((chunk * uint(COLUMNS) + uint(c)) * 8u + lane, head_width4 - 1u);
        v_at[c] = int((image * keys * v_row + v_column) / 4u + head * head_width4 + column);
        [[unroll]] for (int r = 0; r < 8; r++) {
            sum[c][r] = vec4(0.0);
        }
    }
    for (uint group = 0u; group < key_groups; group++) {
        vec4 probs = texelFetch(P, p_at + int(group));
        vec4 v[4][COLUMNS];
        [[unroll]] for (int j = 0; j < 4; j++) {
            uint key = min(group * 4u + uint(j), keys - 1u); // padding has probability 0
            [[unroll]] for (int c = 0; c < COLUMNS; c++) {
                v[j][c] = texelFetch(V, v_at[c] + int(key * (v_row / 4u)));
            }
        }
        [[unroll]] for (int r = 0; r < 8; r++) {
            vec4 row = subgroupShuffle(probs, uint(r));
            [[unroll]] for (int j = 0; j < 4; j++) {
                [[unroll]] for (int c = 0; c < COLUMNS; c++) {
                    sum[c][r] += row[j] * v[j][c];
                }
            }
        }
    }
    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        uint column = (chunk * uint(COLUMNS) + uint(c)) * 8u + lane;
        [[unroll]] for (int r = 0; r < 8; r++) {
            uint query = first + uint(r);
            if (column < head_width4 && query < queries) {
                y[(image * queries + query) * heads * head_width4 + head * head_width4
                  + column] = NARROW4(sum[c][r]);
            }
        }
    }
}
