/* The SPIR-V modules built from shaders/, as data. Generated: see shaders/meson.build. */
#ifndef TAGLIGHT_SHADERS_REGISTRY_H
#define TAGLIGHT_SHADERS_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

struct shader_blob {
    const char *name;      /* file name without suffix, with the variant's suffix */
    const uint32_t *words; /* SPIR-V */
    size_t bytes;
    uint64_t hash;         /* FNV-1a of the words, for pipeline cache keys */
};

/* Sorted by name. */
extern const struct shader_blob shader_blobs[];
extern const size_t shader_blob_count;

/* NULL when there is none of that name. */
const struct shader_blob *shader_find(const char *name);

#endif
