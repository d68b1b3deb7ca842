#version 450
#extension GL_GOOGLE_include_directive : require
// ids -> rows of a table. A texel buffer, for a table may be larger than a storage
// buffer's range.
#include "storage.glsl"

layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint count, width, vocabulary; };
layout(binding = 0) uniform samplerBuffer table;
layout(binding = 1) readonly buffer IdBuffer { int ids[]; };
layout(binding = 2) writeonly buffer YBuffer { STORED4 y[]; };

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        int id = ids[i / width];
        bool known = id >= 0 && id < int(vocabulary);
        int at = (known ? id : 0) * int(width) + int(i % width);
        y[i] = NARROW4(known ? texelFetch(table, at) : vec4(0.0));
    }
}
