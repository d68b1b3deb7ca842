// For software devices whose subgroups have 8 lanes: inner products of 8 rows A with
// 8*COLUMNS rows B, both along texel buffers. Lane l fetches a piece of row l of A and of
// rows 8c + l of B; a shuffle with a constant lane, one instruction there, then passes
// A's rows round. sum[c][r] of lane l is A[r] . B[8c + l], summed in order of k.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 8) in;
layout(constant_id = 0) const int COLUMNS = 1;
layout(binding = 0) uniform samplerBuffer A;
layout(binding = 1) uniform samplerBuffer B;

float sum[COLUMNS][8];

void dot_rows(int a_at, int b_at[COLUMNS], uint width4)
{
    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        [[unroll]] for (int r = 0; r < 8; r++) {
            sum[c][r] = 0.0;
        }
    }
    for (int k = 0; k < int(width4); k++) {
        vec4 a = texelFetch(A, a_at + k);
        vec4 b[COLUMNS];
        [[unroll]] for (int c = 0; c < COLUMNS; c++) {
            b[c] = texelFetch(B, b_at[c] + k);
        }
        [[unroll]] for (int r = 0; r < 8; r++) {
            vec4 row = subgroupShuffle(a, uint(r));
            [[unroll]] for (int c = 0; c < COLUMNS; c++) {
                sum[c][r] += row.x * b[c].x;
                sum[c][r] += row.y * b[c].y;
                sum[c][r] += row.z * b[c].z;
                sum[c][r] += row.w * b[c].w;
            }
        }
    }
}
