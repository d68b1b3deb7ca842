/* Tokenizer files and texts: the input is taken for both. */
#define _GNU_SOURCE
#include "compute/text/tokenizer.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tokenizer *small;
    char path[64];
    int fd = fuzz_file(data, size, path);
    struct nn_error error = { 0 };
    struct tokenizer *tokenizer = NULL;
    if (!small && tokenizer_load(&small, CORPUS_TEXT, &error) != NN_OK) {
        abort();
    }
    tokenizer_load(&tokenizer, path, &error);
    tokenizer_destroy(&tokenizer);
    int32_t *ids = NULL;
    size_t n = 0;
    if (tokenizer_encode(small, (const char *)data, size, &ids, &n, &error) == NN_OK) {
        free(ids);
    }
    close(fd);
    return 0;
}
