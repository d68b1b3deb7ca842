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
