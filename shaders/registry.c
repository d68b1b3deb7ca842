#include "shaders/registry.h"

#include <string.h>

const struct shader_blob *shader_find(const char *name)
{
    size_t low = 0, high = shader_blob_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, shader_blobs[middle].name);
        if (order == 0) {
            return &shader_blobs[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
