// Matrices of 16x16 that 32 invocations hold together: f16 factors W and X, f32 sums. One
// set of names over both extensions, and over a stand-in without any, in which a factor
// is only the place where it lies and each invocation keeps 8 values of a sum. With it,
// every index of the kernel is tested on devices that have no matrices. Its loops are kept,
// for unrolled they would take a software device minutes to compile.
//
// Include tile.glsl first; factors are loaded from its w_tile and x_tile, in quads.
#if defined(MATRIX_KHR) || defined(MATRIX_NV)
#define GROUP gl_SubgroupID
#define LANE gl_SubgroupInvocationID
#define GROUP_BARRIER subgroupBarrier()
#endif

#if defined(MATRIX_KHR)
#define FACTOR_W coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>
#define FACTOR_X coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>
#define SUM coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>
#define SUM_ZERO SUM(0.0)
#define LOAD_COLUMNS(m, from, at, stride)                                              \
    coopMatLoad(m, from, at, stride, gl_CooperativeMatrixLayoutColumnMajor)
#define STORE_COLUMNS(m, to, at, stride)                                               \
    coopMatStore(m, to, at, stride, gl_CooperativeMatrixLayoutColumnMajor)
#define MULTIPLY_ADD coopMatMulAdd

#elif defined(MATRIX_NV)
#define FACTOR_W fcoopmatNV<16, gl_ScopeSubgroup, 16, 16>
#define FACTOR_X fcoopmatNV<16, gl_ScopeSubgroup, 16, 16>
#define SUM fcoopmatNV<32, gl_ScopeSubgroup, 16, 16>
#define SUM_ZERO SUM(0.0)
#define LOAD_COLUMNS(m, from, at, stride) coopMatLoadNV(m, from, at, stride, true)
#define STORE_COLUMNS(m, to, at, stride) coopMatStoreNV(m, to, at, stride, true)
#define MULTIPLY_ADD coopMatMulAddNV

#else
#define GROUP (thread_id() / 32u)
#define LANE (thread_id() % 32u)
#define GROUP_BARRIER barrier()

struct Factor { uint at, stride; };
struct Sum { float value[8]; }; // values LANE*8 .. +7 of 16 columns of 16

#define FACTOR_W Factor
#define FACTOR_X Factor
#define SUM Sum
#define SUM_ZERO Sum(float[8](0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
#define LOAD_COLUMNS(m, from, place, step) m = Factor(place, step)

Sum MULTIPLY_ADD(Factor a, Factor b, Sum sum)
{
    [[dont_unroll]] for (uint i = 0u; i < 8u; i++) {
        uint row = (LANE * 8u + i) % 16u, column = (LANE * 8u + i) / 16u;
        [[dont_unroll]] for (uint k = 0u; k < 16u; k++) {
            float w_value = widen(w_tile[a.at + k * a.stride + row / 4u])[row % 4u];
            float x_value = widen(x_tile[b.at + column * b.stride + k / 4u])[k % 4u];
            sum.value[i] += w_value * x_value;
        }
    }
    return sum;
}

#define STORE_COLUMNS(m, to, place, step)                                              \
    for (uint i_ = 0u; i_ < 8u; i_++) {                                                \
        to[(place) + (LANE * 8u + i_) / 16u * (step) + (LANE * 8u + i_) % 16u] =       \
            m.value[i_];                                                               \
    }
#endif
