// How values lie in memory: f32, or f16 in the modules built with -DHALF. Arithmetic is
// f32 in both: a load widens, and a store narrows after clamping, so that a value beyond
// f16's range becomes the largest one and not an infinity.
#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#define STORED float16_t
#define STORED4 f16vec4
#define NARROW(v) STORED(clamp(v, -65504.0, 65504.0))
#define NARROW4(v) STORED4(clamp(v, -65504.0, 65504.0))
#else
#define STORED float
#define STORED4 vec4
#define NARROW(v) (v)
#define NARROW4(v) (v)
#endif

// With -DWORDS, in kernels for software devices, whose compilers store a vector number by
// number in a loop over the lanes: four values as two words of 64 bits take half the time
// to run and to compile. Values of 16 bits have no cheap way into a word.
#if defined(WORDS) && !defined(HALF)
#extension GL_ARB_gpu_shader_int64 : require
#define KEPT4 u64vec2
#define KEEP4(v)                                                                       \
    u64vec2(packUint2x32(floatBitsToUint((v).xy)), packUint2x32(floatBitsToUint((v).zw)))
#else
#define KEPT4 STORED4
#define KEEP4(v) NARROW4(v)
#endif
