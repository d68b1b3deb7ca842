#version 450
// Steps that change variables in place: a blend with a value, or Adam. One vec4 an
// invocation.
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0; // 0 blend, 1 Adam
layout(constant_id = 1) const bool L2 = false;     // decay is added to the gradient
layout(constant_id = 2) const bool SHRINK = false; // decay shrinks the value
layout(constant_id = 3) const bool CLIP = false;   // gradients are multiplied by a factor
layout(push_constant) uniform Push { uint count; float keep, take; };
layout(binding = 0) buffer PBuffer { vec4 p[]; };
layout(binding = 1) buffer MBuffer { vec4 first[]; };
layout(binding = 2) buffer VBuffer { vec4 second[]; };
layout(binding = 3) readonly buffer GBuffer { vec4 g[]; };
// beta1, 1 - beta1, beta2, 1 - beta2; eps, step, root, decay; lr * decay, factor
layout(binding = 4) readonly buffer HBuffer { vec4 h[]; };
layout(binding = 5) readonly buffer CBuffer { vec4 c[]; };

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    float factor = CLIP ? c[0].x : 1.0;
    if (factor < 0.0) { // the gradients are not numbers
        return;
    }
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        if (MODE == 0u) {
            p[i] = keep * p[i] + take * g[i];
            continue;
        }
        vec4 value = p[i], grad = g[i] * h[2].y * factor;
        if (L2) {
            grad += h[1].w * value;
        }
        if (SHRINK) {
            value -= h[2].x * value;
        }
        vec4 m = h[0].x * first[i] + h[0].y * grad;
        vec4 v = h[0].z * second[i] + h[0].w * grad * grad;
        first[i] = m;
        second[i] = v;
        p[i] = value - h[1].y * m / (sqrt(v) * h[1].z + h[1].x);
    }
}
