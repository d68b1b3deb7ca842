/* Checkpoint readers: whatever is opened must also be readable to the last value. */
#define _GNU_SOURCE
#include "compute/weights/weights.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = fuzz_file(data, size, path);
    struct nn_error error = { 0 };
    struct weights *weights = NULL;
    if (weights_open(&weights, path, &error) == NN_OK) {
        for (size_t i = 0; i < weights_count(weights); i++) {
            const struct weights_tensor *t = weights_at(weights, i);
            float *values = t->count < 10000000 ? malloc(t->count * 4 + 4) : NULL;
            if (values) {
                weights_read_f32(weights, t, values, &error);
            }
            free(values);
        }
    }
    weights_destroy(&weights);
    close(fd);
    return 0;
}
