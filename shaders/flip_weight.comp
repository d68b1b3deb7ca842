#version 450
// [rows][columns][taps] -> [columns][rows][taps backwards], both as maps: [row][column /
// 4][tap][4]. A transposed matrix is the case of one tap. Padding becomes zero. One vec4
// of the result an invocation.
layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint count, rows, columns, taps; };
layout(binding = 0) readonly buffer XBuffer { float x[]; };
layout(binding = 1) writeonly buffer YBuffer { vec4 y[]; };

void main()
{
    uint rows4 = (rows + 3u) / 4u, columns4 = (columns + 3u) / 4u;
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uint tap = taps - 1u - i % taps, row = i / taps % rows4 * 4u;
        uint column = i / taps / rows4;
        vec4 v = vec4(0.0);
        for (uint j = 0u; j < 4u && row + j < rows; j++) {
            v[j] = x[(((row + j) * columns4 + column / 4u) * taps + tap) * 4u + column % 4u];
        }
        y[i] = v;
    }
}
