#version 450
// Writes one value to a range: y[i] = value.
layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint count; float value; };
layout(binding = 0) writeonly buffer Y { float y[]; };

void main()
{
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * 64u) {
        y[i] = value;
    }
}
