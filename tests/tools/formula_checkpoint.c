/* Writes full-size checkpoints with weights by formula: formula_checkpoint KIND OUT. */
#include "compute/nets/synthetic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const struct weights *weights;
    const struct weights_tensor *tensor;
};

static enum nn_status read_values(void *user, void *out, struct nn_error *error)
{
    const struct source *s = user;
    return weights_read_f32(s->weights, s->tensor, out, error);
}

static enum nn_status save(const struct weights *weights, const char *path,
                           struct nn_error *error)
{
    size_t n = weights_count(weights);
    struct weights_output *outputs = calloc(n + 1, sizeof *outputs);
    struct source *sources = calloc(n + 1, sizeof *sources);
    if (!outputs || !sources) {
        free(outputs);
        free(sources);
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        const struct weights_tensor *t = weights_at(weights, i);
        sources[i] = (struct source){ weights, t };
        outputs[i] = (struct weights_output){ .name = t->name, .type = WEIGHTS_F32,
                                              .rank = t->rank, .read = read_values,
                                              .user = &sources[i] };
        memcpy(outputs[i].shape, t->shape, sizeof t->shape);
    }
    enum nn_status status = weights_save(path, outputs, n, NULL, 0, error);
    free(outputs);
    free(sources);
    return status;
}

int main(int argc, char **argv)
{
    struct nn_error error = { 0 };
    struct weights *weights = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: formula_checkpoint KIND OUT.safetensors\n");
        return 2;
    }
    enum nn_status status = synthetic_open(&weights, argv[1], &error);
    if (status == NN_OK) {
        status = save(weights, argv[2], &error);
    }
    weights_destroy(&weights);
    if (status != NN_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    return 0;
}
