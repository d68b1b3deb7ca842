#version 450
// Group decoding (group_fc) with pooling [E,D,g] as it is trained, and its gradients; MODE
// chooses. One value of the result, padding included, an invocation.
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0;
layout(push_constant) uniform Push {
    uint count;   // values of the result with row padding
    uint images, queries, width, group, classes;
};
layout(binding = 0) readonly buffer HBuffer { float h[]; }; // rows [B,E,D]
layout(binding = 1) readonly buffer PBuffer { float p[]; }; // pooling [E,D,g]
layout(binding = 2) readonly buffer CBuffer { float c[]; }; // [B,N] or the bias [N]
layout(binding = 3) writeonly buffer YBuffer { float y[]; };

const uint MODE_FORWARD = 0u, MODE_ROWS = 1u, MODE_POOLING = 2u;

uint padded(uint n)
{
    return (n + 3u) / 4u * 4u;
}

float forward(uint i)
{
    uint n = i % padded(classes), image = i / padded(classes), query = n / group;
    if (n >= classes) {
        return 0.0;
    }
    float sum = c[n];
    for (uint d = 0u; d < width; d++) {
        sum += h[(image * queries + query) * padded(width) + d]
               * p[(query * width + d) * padded(group) + n % group];
    }
    return sum;
}

float rows(uint i)
{
    uint d = i % padded(width), query = i / padded(width) % queries;
    uint image = i / padded(width) / queries;
    float sum = 0.0;
    for (uint j = 0u; d < width && j < group && query * group + j < classes; j++) {
        sum += c[image * padded(classes) + query * group + j]
               * p[(query * width + d) * padded(group) + j];
    }
    return sum;
}

float pooling(uint i)
{
    uint j = i % padded(group), d = i / padded(group) % width;
    uint query = i / padded(group) / width, n = query * group + j;
    float sum = 0.0;
    for (uint b = 0u; j < group && n < classes && b < images; b++) {
        sum += h[(b * queries + query) * padded(width) + d] * c[b * padded(classes) + n];
    }
    return sum;
}

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        y[i] = MODE == MODE_FORWARD ? forward(i) : MODE == MODE_ROWS ? rows(i) : pooling(i);
    }
}
