#version 450
#extension GL_GOOGLE_include_directive : require
// Products of rows: matmul_nt, y[m, n] = a[m] . b[n], and group_fc, y[image, c] =
// a[image, c / group] . b[c] + bias[c]. One value an invocation.
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool GROUPED = false;
layout(push_constant) uniform Push {
    uint count;   // values of the result with row padding
    uint columns; // values of a row
    uint width;   // vec4s of a row of a and b
    uint group;   // group_fc: classes of one query
    uint queries; // group_fc
};
layout(binding = 0) readonly buffer ABuffer { STORED4 a[]; };
layout(binding = 1) readonly buffer BBuffer { STORED4 b[]; };
layout(binding = 2) readonly buffer BiasBuffer { STORED bias[]; };
layout(binding = 3) writeonly buffer YBuffer { STORED y[]; };

void main()
{
    uint padded = (columns + 3u) / 4u * 4u, stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint row = i / padded, column = i % padded;
        float value = 0.0;
        if (column < columns) {
            uint a_at = (GROUPED ? row * queries + column / group : row) * width;
            vec4 part = vec4(0.0);
            for (uint k = 0u; k < width; k++) {
                part += vec4(a[a_at + k]) * vec4(b[column * width + k]);
            }
            value = dot(part, vec4(1.0));
            if (GROUPED) {
                value += float(bias[column]);
            }
        }
        y[i] = NARROW(value);
    }
}
