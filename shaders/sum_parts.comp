#version 450
// y[i] = sum over parts of x[part * count + i], in order.
layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint count, parts; };
layout(binding = 0) readonly buffer XBuffer { vec4 x[]; };
layout(binding = 1) writeonly buffer YBuffer { vec4 y[]; };

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        vec4 sum = vec4(0.0);
        for (uint part = 0u; part < parts; part++) {
            sum += x[part * count + i];
        }
        y[i] = sum;
    }
}
