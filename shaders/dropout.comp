#version 450
// Dropout of rows: a value is zero where a random word is below the threshold, and
// multiplied otherwise. Random words are made from the place of the value, the seed and
// the step alone (Philox4x32-10), so every device drops the same. One vec4 an invocation.
layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
    uint count;     // vec4s
    uint place;     // of this dropout in the graph
    uint threshold; // rate times 2^32
    float factor;   // 1 / (1 - rate)
};
layout(binding = 0) readonly buffer XBuffer { vec4 x[]; };
layout(binding = 1) readonly buffer RandomBuffer { uvec4 random; }; // seed, step
layout(binding = 2) writeonly buffer YBuffer { vec4 y[]; };

uvec4 philox(uvec4 word, uvec2 key)
{
    for (uint round = 0u; round < 10u; round++) {
        uint a_high, a_low, b_high, b_low;
        umulExtended(0xd2511f53u, word.x, a_high, a_low);
        umulExtended(0xcd9e8d57u, word.z, b_high, b_low);
        word = uvec4(b_high ^ word.y ^ key.x, b_low, a_high ^ word.w ^ key.y, a_low);
        key += uvec2(0x9e3779b9u, 0xbb67ae85u);
    }
    return word;
}

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        uvec4 word = philox(uvec4(i, place, random.zw), random.xy);
        y[i] = mix(vec4(0.0), x[i] * factor, greaterThanEqual(word, uvec4(threshold)));
    }
}
