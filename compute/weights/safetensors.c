/* The safetensors reader (spec 5.1), strict as the reference: contiguous tensors without
 * holes or overlaps, and nothing after them. */
#include "compute/json.h"
#include "compute/weights/weights_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER 100000000u

struct reader {
    struct weights *w;
    uint32_t file;
    const char *path;
    const struct json *json;
    uint64_t data_start, data_size;
    struct nn_error *error;
};

/* Types of the format that we know by size only are opaque: (name, bits). */
static bool find_type(const struct json *json, uint32_t token, enum weights_type *type,
                      uint32_t *bits)
{
    static const struct { const char *name; uint32_t bits; } others[] = {
        { "C64", 64 }, { "F8_E5M2", 8 }, { "F8_E4M3", 8 }, { "F8_E8M0", 8 },
        { "F8_E4M3FNUZ", 8 }, { "F8_E5M2FNUZ", 8 }, { "F4", 4 }, { "F6_E2M3", 6 },
        { "F6_E3M2", 6 } };
    for (int t = 0; t < WEIGHTS_OPAQUE; t++) {
        if (json_string_is(json, token, weights_type_name((enum weights_type)t))) {
            *type = (enum weights_type)t;
            *bits = (uint32_t)weights_type_size(*type) * 8;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (json_string_is(json, token, others[i].name)) {
            *type = WEIGHTS_OPAQUE;
            *bits = others[i].bits;
            return true;
        }
    }
    return false;
}

static enum nn_status fail(const struct reader *r, const char *name, const char *what)
{
    return nn_fail(r->error, NN_ERROR_INVALID, "%s: tensor \"%.200s\": %s", r->path, name,
                   what);
}

static bool read_shape(const struct reader *r, uint32_t array, struct weights_tensor *t)
{
    if (json_type_of(r->json, array) != JSON_ARRAY) {
        return false;
    }
    for (uint32_t i = json_first(r->json, array); i != JSON_NONE;
         i = json_next(r->json, array, i)) {
        if (t->rank == WEIGHTS_MAX_RANK || !json_u64(r->json, i, &t->shape[t->rank])) {
            return false;
        }
        t->rank++;
    }
    return weights_product(t->shape, t->rank, &t->count);
}

static enum nn_status read_entry(const struct reader *r, const char *name, uint32_t entry)
{
    struct weights_tensor t = { .name = name };
    struct weights_source s = { .file = r->file, .contiguous = true };
    uint32_t bits;
    if (json_type_of(r->json, entry) != JSON_OBJECT) {
        return fail(r, name, "its entry is not an object");
    }
    if (!find_type(r->json, json_get(r->json, entry, "dtype"), &t.type, &bits)) {
        return fail(r, name, "unknown dtype");
    }
    if (!read_shape(r, json_get(r->json, entry, "shape"), &t)) {
        return fail(r, name, "wrong shape");
    }
    uint32_t offsets = json_get(r->json, entry, "data_offsets");
    uint32_t first = json_type_of(r->json, offsets) == JSON_ARRAY
                         ? json_first(r->json, offsets) : JSON_NONE;
    uint64_t begin, end;
    if (first == JSON_NONE || json_count(r->json, offsets) != 2
        || !json_u64(r->json, first, &begin)
        || !json_u64(r->json, json_next(r->json, offsets, first), &end)) {
        return fail(r, name, "wrong data_offsets");
    }
    if (begin > end || end > r->data_size) {
        return fail(r, name, "its data lies outside the file");
    }
    if (t.count * bits % 8 != 0 || end - begin != t.count * bits / 8) {
        return fail(r, name, "its shape and its size differ");
    }
    s.offset = r->data_start + begin;
    t.location[1] = end - begin;
    return weights_add(r->w, &t, &s, r->error);
}

static enum nn_status read_metadata(const struct reader *r, uint32_t object)
{
    struct weights *w = r->w;
    uint32_t count = json_count(r->json, object);
    if (json_type_of(r->json, object) != JSON_OBJECT) {
        return nn_fail(r->error, NN_ERROR_INVALID, "%s: __metadata__ is not an object",
                       r->path);
    }
    if (w->metadata) {
        return NN_OK; /* of an earlier shard */
    }
    w->metadata = calloc(count / 2 + 1, sizeof *w->metadata);
    if (!w->metadata) {
        return nn_fail(r->error, NN_ERROR_MEMORY, "%s: out of memory", r->path);
    }
    for (uint32_t key = json_first(r->json, object); key != JSON_NONE;) {
        uint32_t value = json_next(r->json, object, key);
        if (json_type_of(r->json, value) != JSON_STRING) {
            return nn_fail(r->error, NN_ERROR_INVALID,
                           "%s: a value in __metadata__ is not a string", r->path);
        }
        w->metadata[w->n_metadata++] = (struct weights_pair){
            json_string(r->json, key, NULL), json_string(r->json, value, NULL) };
        if (!w->metadata[w->n_metadata - 1].key || !w->metadata[w->n_metadata - 1].value) {
            return nn_fail(r->error, NN_ERROR_MEMORY, "%s: out of memory", r->path);
        }
        key = json_next(r->json, object, value);
    }
    return NN_OK;
}

static enum nn_status read_entries(const struct reader *r)
{
    for (uint32_t key = json_first(r->json, 0); key != JSON_NONE;) {
        uint32_t value = json_next(r->json, 0, key);
        size_t size = 0;
        char *name = json_string(r->json, key, &size);
        if (!name) {
            return nn_fail(r->error, NN_ERROR_MEMORY, "%s: out of memory", r->path);
        }
        enum nn_status status;
        if (strlen(name) != size || size > WEIGHTS_MAX_NAME) {
            status = nn_fail(r->error, NN_ERROR_INVALID,
                             "%s: a tensor's name is too long or holds a NUL", r->path);
        } else if (strcmp(name, "__metadata__") == 0) {
            status = read_metadata(r, value);
        } else {
            status = read_entry(r, name, value);
        }
        free(name);
        if (status != NN_OK) {
            return status;
        }
        key = json_next(r->json, 0, value);
    }
    return NN_OK;
}

struct extent { uint64_t begin, size; const char *name; };

static int by_begin(const void *left, const void *right)
{
    const struct extent *a = left, *b = right;
    if (a->begin != b->begin) {
        return a->begin < b->begin ? -1 : 1;
    }
    return a->size < b->size ? -1 : a->size > b->size;
}

/* Tensors first .. n-1 of the list must cover the data without holes or overlaps. */
static enum nn_status check_cover(const struct reader *r, size_t first)
{
    size_t n = r->w->n - first;
    struct extent *extents = malloc((n + 1) * sizeof *extents);
    if (!extents) {
        return nn_fail(r->error, NN_ERROR_MEMORY, "%s: out of memory", r->path);
    }
    for (size_t i = 0; i < n; i++) {
        const struct weights_tensor *t = &r->w->tensors[first + i];
        extents[i] = (struct extent){ r->w->sources[first + i].offset - r->data_start,
                                      t->location[1], t->name };
    }
    qsort(extents, n, sizeof *extents, by_begin);
    uint64_t end = 0;
    enum nn_status status = NN_OK;
    for (size_t i = 0; i < n && status == NN_OK; i++) {
        if (extents[i].begin != end) {
            status = fail(r, extents[i].name, extents[i].begin < end
                          ? "its data overlaps another's" : "there is a hole before it");
        }
        end = extents[i].begin + extents[i].size;
    }
    free(extents);
    if (status == NN_OK && end != r->data_size) {
        status = nn_fail(r->error, NN_ERROR_INVALID,
                         "%s: %llu bytes follow the last tensor", r->path,
                         (unsigned long long)(r->data_size - end));
    }
    return status;
}

enum nn_status weights_read_safetensors(struct weights *w, uint32_t file,
                                        struct nn_error *error)
{
    /* Adding files moves the list, so nothing of it is kept by pointer. */
    struct weights_file f = w->files[file];
    if (f.size < 8) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: too short for a safetensors file",
                       f.path);
    }
    uint64_t header;
    memcpy(&header, f.data, 8);
    if (header < 2 || header > MAX_HEADER || header > f.size - 8) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "%s: byte 0: not a safetensors file, or cut short (header of %llu "
                       "bytes in a file of %llu)", f.path, (unsigned long long)header,
                       (unsigned long long)f.size);
    }
    if (f.data[8] != '{') {
        return nn_fail(error, NN_ERROR_INVALID, "%s: byte 8: the header is not an object",
                       f.path);
    }
    struct json *json = NULL;
    enum nn_status status =
        json_parse(&json, (const char *)f.data + 8, header, f.path, error);
    if (status != NN_OK) {
        return status;
    }
    struct reader r = { w, file, f.path, json, 8 + header, f.size - 8 - header, error };
    size_t first = w->n;
    status = read_entries(&r);
    if (status == NN_OK) {
        status = check_cover(&r, first);
    }
    json_destroy(&json);
    return status;
}
