#include "compute/nets/formula.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

uint64_t formula_hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++) {
        h = (h ^ (uint8_t)*name) * 0x100000001b3u;
    }
    return h;
}

double formula_uniform(uint64_t hash, uint64_t index)
{
    uint64_t z = hash + (index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 40) / 8388608.0 - 1.0;
}

static bool ends(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

/* Matrices and kernels are scaled by their fan-in, so that activations stay near 1. */
static double matrix_scale(const char *name, const uint64_t *shape, int rank)
{
    double fan = 1, gain = 1;
    bool by_rows = ends(name, "text_projection") || ends(name, "visual.proj")
                   || ends(name, "duplicate_pooling");
    for (int i = 1; i < rank; i++) {
        fan *= (double)shape[i];
    }
    fan = by_rows ? (double)shape[0] : fan;
    if (rank == 4 && !strstr(name, ".se.") && !strstr(name, ".fc")) {
        gain = strstr(name, ".downsample.") ? 1.0 : sqrt(2.0);
    }
    if (ends(name, "in_proj_weight") || ends(name, "q_proj.weight")
        || ends(name, "k_proj.weight")) {
        gain = 1.5;
    }
    if (ends(name, "out_proj.weight") || ends(name, "c_proj.weight")
        || ends(name, "linear2.weight")) {
        gain = 0.5;
    }
    return gain * sqrt(3.0 / fan);
}

void formula_weights(const char *name, const uint64_t *shape, int rank, float *out)
{
    uint64_t hash = formula_hash(name), count = 1;
    for (int i = 0; i < rank; i++) {
        count *= shape[i];
    }
    double offset = 0, scale;
    if (ends(name, "num_batches_tracked")) {
        scale = 0;
    } else if (strcmp(name, "logit_scale") == 0) {
        offset = 2.6592;
        scale = 0;
    } else if (ends(name, "running_mean")) {
        scale = 0.1;
    } else if (ends(name, "running_var")) {
        offset = 1;
        scale = 0.25;
    } else if (rank == 1 && ends(name, ".weight")) {
        offset = ends(name, "conv2.bn.weight") ? 0.6
                 : ends(name, "conv3.bn.weight") || ends(name, ".bn3.weight") ? 0.4 : 1.0;
        scale = offset * 0.2;
    } else if (ends(name, "class_embedding") || ends(name, "positional_embedding")
               || ends(name, "token_embedding.weight")) {
        scale = 1;
    } else {
        scale = rank == 1 ? 0.1 : matrix_scale(name, shape, rank);
    }
    bool gamma = rank == 1 && ends(name, ".weight");
    for (uint64_t i = 0; i < count; i++) {
        double u = formula_uniform(hash, i);
        /* Written as the rule is, for the last bit of a product. */
        out[i] = (float)(gamma ? offset * (1.0 + 0.2 * u) : offset + scale * u);
    }
}
