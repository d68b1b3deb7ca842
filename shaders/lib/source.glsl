// What a kernel of training reads, in vec4s: storage buffers, or texel buffers with
// -DDIRECT, whose fetches software devices turn into plain vector loads.
#ifdef DIRECT
#define SOURCE(place, name) layout(binding = place) uniform samplerBuffer name
#define AT(name, i) texelFetch(name, int(i))
#else
#define SOURCE(place, name)                                                            \
    layout(binding = place) readonly buffer name##Buffer { vec4 name##_values[]; }
#define AT(name, i) name##_values[i]
#endif
