/* Sharded safetensors: an index file that says which shard holds which tensor. */
#include "compute/json.h"
#include "compute/weights/weights_private.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SHARDS 1000u
#define MAX_INDEX_BYTES (100u << 20)

/* A shard lies beside its index: no folders, no way up, nothing hidden. */
static bool is_plain_name(const char *name, size_t size)
{
    return size > 0 && size < 256 && strlen(name) == size && name[0] != '.'
           && !strchr(name, '/') && !strchr(name, '\\');
}

/* Opens the shard when it is new; *out is its number among `names`. */
static enum nn_status open_shard(struct weights *w, const char *index_path,
                                 const char *name, uint32_t first, uint32_t *out,
                                 struct nn_error *error)
{
    char *path = weights_sibling(index_path, name);
    if (!path) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", index_path);
    }
    enum nn_status status = NN_OK;
    uint32_t i = first;
    while (i < w->n_files && strcmp(w->files[i].path, path) != 0) {
        i++;
    }
    if (i == w->n_files) {
        if (i - first >= MAX_SHARDS) {
            status = nn_fail(error, NN_ERROR_INVALID, "%s: too many shards", index_path);
        } else {
            status = weights_add_file(w, path, &i, error);
        }
        if (status == NN_OK) {
            status = weights_read_safetensors(w, i, error);
        }
        if (status != NN_OK) {
            char prefix[300];
            strncpy(prefix, index_path, sizeof prefix - 1);
            prefix[sizeof prefix - 1] = '\0';
            nn_prefix(error, status, prefix);
        }
    }
    *out = i;
    free(path);
    return status;
}

struct mapping { char *tensor; uint32_t file; };

static int by_tensor(const void *left, const void *right)
{
    return strcmp(((const struct mapping *)left)->tensor,
                  ((const struct mapping *)right)->tensor);
}

/* Each tensor of the shards stands once in the map, at the shard that holds it. */
static enum nn_status check_map(const struct weights *w, const char *path,
                                const struct mapping *map, size_t n,
                                struct nn_error *error)
{
    if (n != w->n) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "%s: the index lists %zu tensors and the shards hold %zu", path, n,
                       w->n);
    }
    for (size_t i = 0; i < w->n; i++) {
        struct mapping key = { (char *)w->tensors[i].name, 0 };
        const struct mapping *found = bsearch(&key, map, n, sizeof *map, by_tensor);
        if (!found || found->file != w->sources[i].file) {
            return nn_fail(error, NN_ERROR_INVALID,
                           "%s: tensor \"%.200s\" is not in the shard that the index names",
                           path, w->tensors[i].name);
        }
    }
    return NN_OK;
}

static enum nn_status read_map(struct weights *w, const char *path,
                               const struct json *json, uint32_t object,
                               struct mapping *map, size_t *n, struct nn_error *error)
{
    uint32_t first = w->n_files;
    for (uint32_t key = json_first(json, object); key != JSON_NONE;) {
        uint32_t value = json_next(json, object, key);
        size_t size = 0;
        char *shard = json_string(json, value, &size);
        if (!shard || !is_plain_name(shard, size)) {
            free(shard);
            return nn_fail(error, NN_ERROR_INVALID,
                           "%s: a shard's name is not a plain file name", path);
        }
        enum nn_status status = open_shard(w, path, shard, first, &map[*n].file, error);
        free(shard);
        map[*n].tensor = json_string(json, key, NULL);
        *n += map[*n].tensor != NULL;
        if (status != NN_OK) {
            return status;
        }
        key = json_next(json, object, value);
    }
    return NN_OK;
}

enum nn_status weights_read_shards(struct weights *w, uint32_t file,
                                   struct nn_error *error)
{
    struct weights_file f = w->files[file];
    if (f.size > MAX_INDEX_BYTES) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: too large for an index", f.path);
    }
    struct json *json = NULL;
    enum nn_status status = json_parse(&json, (const char *)f.data, f.size, f.path, error);
    if (status != NN_OK) {
        return status;
    }
    uint32_t object = json_get(json, 0, "weight_map");
    struct mapping *map = NULL;
    size_t n = 0;
    if (json_type_of(json, object) != JSON_OBJECT) {
        status = nn_fail(error, NN_ERROR_INVALID, "%s: the index has no weight_map",
                         f.path);
    } else {
        map = calloc(json_count(json, object) / 2 + 1, sizeof *map);
        status = map ? read_map(w, f.path, json, object, map, &n, error)
                     : nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", f.path);
    }
    if (status == NN_OK) {
        qsort(map, n, sizeof *map, by_tensor);
        status = check_map(w, f.path, map, n, error);
    }
    for (size_t i = 0; i < n; i++) {
        free(map[i].tensor);
    }
    free(map);
    json_destroy(&json);
    return status;
}
