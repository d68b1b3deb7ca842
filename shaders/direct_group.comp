#version 450
#extension GL_GOOGLE_include_directive : require
// group_linear for software devices: 8 rows by 8*COLUMNS outputs of one group a subgroup.
// A is x, B is the weight, row-major.
#include "dot_rows.glsl"
#include "storage.glsl"
layout(constant_id = 1) const bool HAS_BIAS = false;
layout(push_constant) uniform Push {
    uint rows, groups;
    uint outs, ins4;  // of a group: outputs; vec4s of a row of the weight
    uint tile_base;   // first block of 8 rows of this dispatch
};
layout(binding = 2) writeonly buffer YBuffer { STORED y[]; };
layout(binding = 3) readonly buffer BiasBuffer { STORED bias[]; };

void main()
{
    uint lane = gl_SubgroupInvocationID;
    uint tiles = (outs + 8u * uint(COLUMNS) - 1u) / (8u * uint(COLUMNS));
    uint group = gl_WorkGroupID.y / tiles;
    uint first_out = gl_WorkGroupID.y % tiles * 8u * uint(COLUMNS) + lane;
    uint first_row = (tile_base + gl_WorkGroupID.x) * 8u;
    int w_at[COLUMNS];
    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        uint o = min(first_out + uint(c) * 8u, outs - 1u);
        w_at[c] = int((group * outs + o) * ins4);
    }
    uint row = min(first_row + lane, rows - 1u);
    dot_rows(int((row * groups + group) * ins4), w_at, ins4);

    uint y_row = (groups * outs + 3u) / 4u * 4u;
    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        uint o = first_out + uint(c) * 8u;
        float b = HAS_BIAS ? float(bias[group * outs + min(o, outs - 1u)]) : 0.0;
        [[unroll]] for (int r = 0; r < 8; r++) {
            if (o < outs && first_row + uint(r) < rows) {
                y[(first_row + uint(r)) * y_row + group * outs + o] =
                    NARROW(sum[c][r] + b);
            }
        }
    }
}
