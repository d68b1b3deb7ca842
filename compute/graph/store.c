/* Constants of a model on a device, packed for their kernels.
 *
 * Small constants share blocks; a large one has a block of its own. Nothing is freed
 * before the store is. A constant is known by a hash of the operators and params that
 * make it, so that plans of different graphs share it. */
#include "compute/graph/graph_private.h"
#include "compute/graph/plan_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (16u << 20)

struct entry {
    struct nn_key key;
    struct gpu_range range;
};

struct nn_store {
    struct gpu_device *device;
    bool half;           /* the device's precision: constants are stored in f16 */
    struct nn_params params;
    struct gpu_buffer **blocks;
    size_t n_blocks, blocks_room;
    uint64_t block_used; /* of the last block */
    struct entry *entries;
    size_t n_entries, entries_room;
    uint64_t bytes;
    double seconds_per_flop;
};

enum nn_status nn_store_create(struct nn_store **out, struct gpu_device *device,
                               const struct nn_params *params, struct nn_error *error)
{
    struct nn_store *store = calloc(1, sizeof *store);
    if (!store) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for the weight store");
    }
    store->device = device;
    store->params = *params;
    store->half = gpu_device_caps(device)->choice.precision == GPU_PRECISION_F16;
    const struct gpu_caps *caps = gpu_device_caps(device);
    store->seconds_per_flop = caps->type == GPU_SOFTWARE  ? 1.0 / 30e9
                              : caps->cooperative_matrix ? 1.0 / 5e13
                                                         : 1.0 / 2e12;
    *out = store;
    return NN_OK;
}

void nn_store_destroy(struct nn_store **store)
{
    if (!store || !*store) {
        return;
    }
    for (size_t i = 0; i < (*store)->n_blocks; i++) {
        gpu_buffer_destroy(&(*store)->blocks[i]);
    }
    free((*store)->blocks);
    free((*store)->entries);
    free(*store);
    *store = NULL;
}

uint64_t nn_store_bytes(const struct nn_store *store)
{
    return store->bytes;
}

struct gpu_device *nn_store_device(const struct nn_store *store)
{
    return store->device;
}

double *nn_store_seconds_per_flop(struct nn_store *store)
{
    return &store->seconds_per_flop;
}

/* --- Names ---------------------------------------------------------------------- */

static void key_add(struct nn_key *key, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < bytes; i++) {
        key->word[0] = (key->word[0] ^ at[i]) * 0x100000001b3u;
        key->word[1] = (key->word[1] + at[i]) * 0x9e3779b97f4a7c15u;
        key->word[1] ^= key->word[1] >> 29;
    }
}

static void key_add_node(struct nn_key *key, const struct nn_graph *graph, nn_id id)
{
    const struct nn_node *node = nn_graph_node(graph, id);
    key_add(key, &node->op, sizeof node->op);
    key_add(key, node->shape.dim, sizeof node->shape.dim);
    if (node->op == NN_OP_param) {
        key_add(key, node->name, strlen(node->name) + 1);
        return;
    }
    const struct nn_attr *a = &node->attr;
    uint32_t words[11] = { a->epilogue.act, a->kernel, a->stride, a->pad, a->heads,
                           a->q_column, a->k_column, a->v_column, a->width, a->causal,
                           a->first };
    key_add(key, a->shape.dim, sizeof a->shape.dim);
    float numbers[3] = { a->epilogue.slope, a->eps, a->factor };
    key_add(key, words, sizeof words);
    key_add(key, numbers, sizeof numbers);
    for (uint32_t i = 0; i < node->n_sources; i++) {
        if (node->source[i] != NN_NONE) {
            key_add_node(key, graph, node->source[i]);
        }
        key_add(key, &i, sizeof i);
    }
}

static struct nn_key key_of(const struct nn_graph *graph, nn_id id, enum nn_pack pack)
{
    struct nn_key key = { { 0xcbf29ce484222325u, 0x243f6a8885a308d3u } };
    key_add(&key, &pack, sizeof pack);
    key_add_node(&key, graph, id);
    return key;
}

/* --- Values --------------------------------------------------------------------- */

static float *alloc_values(struct nn_shape shape, struct nn_error *error)
{
    uint64_t count = nn_shape_count(shape);
    float *values = malloc((count ? count : 1) * sizeof *values);
    if (!values) {
        nn_fail(error, NN_ERROR_MEMORY, "out of memory for a constant of %llu values",
                (unsigned long long)count);
    }
    return values;
}

static enum nn_status evaluate(struct nn_store *store, const struct nn_graph *graph,
                               nn_id id, float **out, struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(graph, id);
    float *values = alloc_values(node->shape, error);
    if (!values) {
        return NN_ERROR_MEMORY;
    }
    enum nn_status status = NN_OK;
    if (node->op == NN_OP_param) {
        status = store->params.read(store->params.user, node->name, values,
                                    nn_shape_count(node->shape), error);
    } else {
        float *source[NN_MAX_SOURCES] = { NULL };
        for (uint32_t i = 0; i < node->n_sources && status == NN_OK; i++) {
            if (node->source[i] != NN_NONE) {
                status = evaluate(store, graph, node->source[i], &source[i], error);
            }
        }
        if (status == NN_OK) {
            status = nn_ref_node(graph, node, (const void *const *)source, values, error);
        }
        for (uint32_t i = 0; i < node->n_sources; i++) {
            free(source[i]);
        }
    }
    if (status != NN_OK) {
        free(values);
        return status;
    }
    *out = values;
    return NN_OK;
}

/* --- Packings --------------------------------------------------------------------- */

struct panels nn_panels_of(struct nn_shape shape, enum nn_pack pack)
{
    struct panels p = { .rows = shape.dim[0], .channels = shape.dim[1], .taps = 1 };
    if (shape.rank == 4) {
        p.taps = shape.dim[2] * shape.dim[3];
    }
    p.panel = 32;
    p.step = pack == NN_PACK_DIRECT ? 4 : 32;
    uint64_t depth = (uint64_t)p.taps * ((p.channels + 3) / 4) * 4;
    p.depth = (depth + p.step - 1) / p.step * p.step;
    return p;
}

uint64_t nn_panels_bytes(const struct panels *p)
{
    return (uint64_t)((p->rows + p->panel - 1) / p->panel) * p->panel * p->depth * 4;
}

static void pack_panels(const struct panels *p, const float *weights, float *out)
{
    uint32_t padded = (p->channels + 3) / 4 * 4;
    for (uint32_t row = 0; row < p->rows; row++) {
        float *panel = out + (uint64_t)(row / p->panel) * p->depth * p->panel
                       + row % p->panel;
        const float *from = weights + (uint64_t)row * p->channels * p->taps;
        for (uint32_t c = 0; c < p->channels; c++) {
            for (uint32_t tap = 0; tap < p->taps; tap++) {
                panel[((uint64_t)tap * padded + c) * p->panel] = *from++;
            }
        }
    }
}

/* [E,D,g] -> one row of D for each class e*g + j. */
static void pack_group(struct nn_shape shape, const float *values, float *out)
{
    uint32_t width = shape.dim[1], padded = (width + 3) / 4 * 4, group = shape.dim[2];
    for (uint32_t e = 0; e < shape.dim[0]; e++) {
        for (uint32_t d = 0; d < width; d++) {
            for (uint32_t j = 0; j < group; j++) {
                out[((uint64_t)e * group + j) * padded + d] = *values++;
            }
        }
    }
}

/* In f32, in which packing is done. */
static uint64_t packed_bytes(struct nn_shape shape, enum nn_pack pack)
{
    switch (pack) {
    case NN_PACK_MAP: return nn_layout_bytes(NN_LAYOUT_MAP, shape, false);
    case NN_PACK_DIRECT:
    case NN_PACK_TILED: {
        struct panels p = nn_panels_of(shape, pack);
        return nn_panels_bytes(&p);
    }
    case NN_PACK_WINOGRAD2: return nn_pack_winograd_bytes(shape, 2);
    case NN_PACK_WINOGRAD4: return nn_pack_winograd_bytes(shape, 4);
    case NN_PACK_GROUP:
        return (uint64_t)shape.dim[0] * shape.dim[2] * ((shape.dim[1] + 3) / 4) * 16;
    case NN_PACK_ROWS:
    case NN_PACK_BN_SCALE:
    case NN_PACK_BN_SHIFT:
        break;
    }
    return nn_layout_bytes(NN_LAYOUT_ROWS, shape, false);
}

/* scale = gamma / sqrt(variance + eps), shift = beta - mean * scale. */
static enum nn_status batch_norm_values(struct nn_store *store,
                                        const struct nn_graph *graph, nn_id id,
                                        enum nn_pack pack, float **out,
                                        struct nn_error *error)
{
    const struct nn_node *node = nn_graph_node(graph, id);
    float *v[5] = { NULL };
    enum nn_status status = NN_OK;
    for (int i = 1; i < 5 && status == NN_OK; i++) {
        status = evaluate(store, graph, node->source[i], &v[i], error);
    }
    if (status == NN_OK) {
        for (uint32_t c = 0; c < node->shape.dim[1]; c++) {
            double scale = v[1][c] / sqrt((double)v[4][c] + node->attr.eps);
            v[1][c] = pack == NN_PACK_BN_SCALE ? (float)scale
                                               : (float)(v[2][c] - v[3][c] * scale);
        }
        *out = v[1];
        v[1] = NULL;
    }
    for (int i = 1; i < 5; i++) {
        free(v[i]);
    }
    return status;
}

static enum nn_status pack_values(struct nn_store *store, const struct nn_graph *graph,
                                  nn_id id, enum nn_pack pack, void **out,
                                  uint64_t *bytes, struct nn_error *error)
{
    struct nn_shape shape = nn_graph_node(graph, id)->shape;
    bool norm = pack == NN_PACK_BN_SCALE || pack == NN_PACK_BN_SHIFT;
    float *values = NULL;
    enum nn_status status;
    if (norm) {
        shape = NN_SHAPE1(shape.dim[1]);
        status = batch_norm_values(store, graph, id, pack, &values, error);
    } else {
        status = evaluate(store, graph, id, &values, error);
    }
    if (status != NN_OK) {
        return status;
    }
    *bytes = packed_bytes(shape, pack);
    float *packed = calloc(1, *bytes ? *bytes : 16);
    if (!packed) {
        free(values);
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for packed weights");
    }
    if (pack == NN_PACK_DIRECT || pack == NN_PACK_TILED) {
        struct panels p = nn_panels_of(shape, pack);
        pack_panels(&p, values, packed);
    } else if (pack == NN_PACK_WINOGRAD2 || pack == NN_PACK_WINOGRAD4) {
        nn_pack_winograd(shape, pack == NN_PACK_WINOGRAD4 ? 4 : 2, values, packed);
    } else if (pack == NN_PACK_GROUP) {
        pack_group(shape, values, packed);
    } else {
        nn_layout_pack(pack == NN_PACK_MAP ? NN_LAYOUT_MAP : NN_LAYOUT_ROWS, shape, values,
                       packed);
    }
    free(values);
    if (store->half) {
        nn_layout_narrow(packed, *bytes / 4);
        *bytes /= 2;
    }
    *out = packed;
    return NN_OK;
}

/* --- Placement ---------------------------------------------------------------------- */

static enum nn_status add_block(struct nn_store *store, uint64_t bytes,
                                struct nn_error *error)
{
    if (store->n_blocks == store->blocks_room) {
        size_t room = store->blocks_room ? 2 * store->blocks_room : 8;
        void *grown = realloc(store->blocks, room * sizeof *store->blocks);
        if (!grown) {
            return nn_fail(error, NN_ERROR_MEMORY, "out of memory for the weight store");
        }
        store->blocks = grown;
        store->blocks_room = room;
    }
    enum nn_status status =
        gpu_buffer_create(&store->blocks[store->n_blocks], store->device, bytes, error);
    if (status == NN_OK) {
        store->n_blocks++;
        store->block_used = 0;
        store->bytes += bytes;
    }
    return status;
}

static enum nn_status place(struct nn_store *store, uint64_t bytes, struct gpu_range *out,
                            struct nn_error *error)
{
    struct gpu_buffer *last = store->n_blocks ? store->blocks[store->n_blocks - 1] : NULL;
    if (!last || store->block_used + bytes > gpu_buffer_bytes(last)) {
        uint64_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        enum nn_status status = add_block(store, size, error);
        if (status != NN_OK) {
            return status;
        }
        last = store->blocks[store->n_blocks - 1];
    }
    *out = (struct gpu_range){ last, store->block_used, bytes };
    store->block_used += (bytes + NN_ALIGN - 1) / NN_ALIGN * NN_ALIGN;
    return NN_OK;
}

/* Reads a param that needs no packing straight into mapped memory; *done is false when it
 * cannot be so. Embedding tables are the largest constants, and copies of them would be
 * the peak of the program's memory. */
static enum nn_status read_in_place(struct nn_store *store, const struct nn_node *node,
                                    enum nn_pack pack, struct gpu_range *range, bool *done,
                                    struct nn_error *error)
{
    uint64_t count = nn_shape_count(node->shape);
    *done = false;
    if (node->op != NN_OP_param || pack != NN_PACK_ROWS || count == 0 || store->half
        || !nn_layout_is_logical(NN_LAYOUT_ROWS, node->shape)
        || !gpu_device_caps(store->device)->unified_memory) {
        return NN_OK;
    }
    enum nn_status status = place(store, count * sizeof(float), range, error);
    char *map = status == NN_OK ? gpu_buffer_map(range->buffer) : NULL;
    if (map) {
        status = store->params.read(store->params.user, node->name,
                                    (float *)(map + range->offset), count, error);
        *done = status == NN_OK;
    }
    return status;
}

enum nn_status nn_store_get(struct nn_store *store, const struct nn_graph *graph,
                            nn_id id, enum nn_pack pack, struct gpu_range *out,
                            struct nn_error *error)
{
    struct nn_key key = key_of(graph, id, pack);
    for (size_t i = 0; i < store->n_entries; i++) {
        if (memcmp(&store->entries[i].key, &key, sizeof key) == 0) {
            *out = store->entries[i].range;
            return NN_OK;
        }
    }
    if (store->n_entries == store->entries_room) {
        size_t room = store->entries_room ? 2 * store->entries_room : 256;
        void *grown = realloc(store->entries, room * sizeof *store->entries);
        if (!grown) {
            return nn_fail(error, NN_ERROR_MEMORY, "out of memory for the weight store");
        }
        store->entries = grown;
        store->entries_room = room;
    }
    void *packed = NULL;
    uint64_t bytes = 0;
    bool done = false;
    struct gpu_range range;
    enum nn_status status =
        read_in_place(store, nn_graph_node(graph, id), pack, &range, &done, error);
    if (done) {
        store->entries[store->n_entries++] = (struct entry){ key, range };
        *out = range;
    }
    if (done || status != NN_OK) {
        return status;
    }
    status = pack_values(store, graph, id, pack, &packed, &bytes, error);
    if (status != NN_OK) {
        return status;
    }
    status = place(store, bytes ? bytes : 16, &range, error);
    if (status == NN_OK) {
        status = gpu_buffer_write(range.buffer, range.offset, packed, bytes, error);
    }
    free(packed);
    if (status != NN_OK) {
        return status;
    }
    store->entries[store->n_entries++] = (struct entry){ key, range };
    *out = range;
    return NN_OK;
}
