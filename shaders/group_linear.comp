#version 450
#extension GL_GOOGLE_include_directive : require
// group_linear on any device: y[row, g*outs + o] = W[g*outs + o] . x[row, part g] + bias.
// One value an invocation, padding included.
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool HAS_BIAS = false;
layout(push_constant) uniform Push {
    uint count;     // values of the result with row padding
    uint columns;   // values of a row: groups * outs
    uint outs, ins; // of a group
    uint x_row, w_row; // floats of a row
};
layout(binding = 0) readonly buffer XBuffer { STORED x[]; };
layout(binding = 1) readonly buffer WBuffer { STORED w[]; };
layout(binding = 2) writeonly buffer YBuffer { STORED y[]; };
layout(binding = 3) readonly buffer BiasBuffer { STORED bias[]; };

void main()
{
    uint padded = (columns + 3u) / 4u * 4u, stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint row = i / padded, column = i % padded;
        float sum = 0.0;
        if (column < columns) {
            uint x_at = row * x_row + column / outs * ins, w_at = column * w_row;
            for (uint k = 0u; k < ins; k++) {
                sum += float(x[x_at + k]) * float(w[w_at + k]);
            }
            sum += HAS_BIAS ? float(bias[column]) : 0.0;
        }
        y[i] = NARROW(sum);
    }
}
