// One workgroup is one subgroup of LANES lanes (or a single invocation, where the device
// has no subgroup arithmetic) and works on one row, or one channel group of a map.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint LANES = 1;

float across_sum(float v) { return LANES > 1u ? subgroupAdd(v) : v; }
vec4 across_sum(vec4 v) { return LANES > 1u ? subgroupAdd(v) : v; }
float across_max(float v) { return LANES > 1u ? subgroupMax(v) : v; }

// Lanes of vec4 number i of a row of `size` values that are values and not padding.
bvec4 row_inside(uint i, uint size)
{
    return lessThan(uvec4(i * 4u) + uvec4(0u, 1u, 2u, 3u), uvec4(size));
}
