// Activations shared by every kernel: y = act(x), chosen by a specialization constant.
const uint ACT_NONE = 0u, ACT_RELU = 1u, ACT_LEAKY_RELU = 2u, ACT_GELU = 3u,
           ACT_QUICK_GELU = 4u, ACT_SIGMOID = 5u, ACT_EXP = 6u;

// Abramowitz and Stegun 7.1.26; absolute error below 1.5e-7.
vec4 erf4(vec4 x)
{
    vec4 a = abs(x);
    vec4 t = 1.0 / (1.0 + 0.3275911 * a);
    vec4 p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
              + 0.254829592) * t;
    vec4 y = 1.0 - p * exp(-a * a);
    return mix(y, -y, lessThan(x, vec4(0.0)));
}

vec4 activate(uint act, float slope, vec4 x)
{
    switch (act) {
    case ACT_RELU: return max(x, vec4(0.0));
    case ACT_LEAKY_RELU: return mix(x, slope * x, lessThan(x, vec4(0.0)));
    case ACT_GELU: return 0.5 * x * (1.0 + erf4(x * 0.70710678118654752));
    case ACT_QUICK_GELU: return x / (1.0 + exp(-1.702 * x));
    case ACT_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case ACT_EXP: return exp(x);
    }
    return x;
}
