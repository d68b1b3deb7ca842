#version 450
#extension GL_NV_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
// Compiles where glslc knows VK_NV_cooperative_matrix.
shared uvec2 tile[64];

void main()
{
    fcoopmatNV<16, gl_ScopeSubgroup, 16, 16> a;
    coopMatLoadNV(a, tile, 0, 4, true);
}
