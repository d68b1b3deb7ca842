/* Checkpoint files: a list of named tensors, read without running any code in them.
 *
 * One opened checkpoint looks the same whatever its container is: safetensors (single
 * or sharded with an index), PyTorch archives (zip and legacy pickle form) and
 * TorchScript archives. Wrappers are taken off on opening: a top-level `model` or
 * `state_dict` dictionary and a `module.` prefix; the class names of `idx_to_class`
 * become the labels. Values are read on demand; opening reads only the index, so its
 * memory is bounded by the number of tensors and not by their size.
 *
 * A struct weights may be read from several threads at once after it was opened. */
#ifndef TAGLIGHT_COMPUTE_WEIGHTS_H
#define TAGLIGHT_COMPUTE_WEIGHTS_H

#include "compute/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum weights_type {
    WEIGHTS_F32, WEIGHTS_F64, WEIGHTS_F16, WEIGHTS_BF16,
    WEIGHTS_I64, WEIGHTS_I32, WEIGHTS_I16, WEIGHTS_I8,
    WEIGHTS_U64, WEIGHTS_U32, WEIGHTS_U16, WEIGHTS_U8, WEIGHTS_BOOL,
    WEIGHTS_OPAQUE, /* a type that is known to the container, but of no use to us */
};

#define WEIGHTS_MAX_RANK 8

struct weights_tensor {
    const char *name;                /* UTF-8, owned by the struct weights */
    enum weights_type type;
    int rank;                        /* 0 for a scalar */
    uint64_t shape[WEIGHTS_MAX_RANK]; /* outermost first */
    uint64_t count;                  /* product of the shape; 1 for a scalar */
    uint64_t location[2];            /* private to the reader */
};

struct weights_label {
    int64_t index;
    const char *name; /* UTF-8, owned by the struct weights */
};

struct weights;

/* Opens `path`. Tensors are sorted by name (strcmp order). The message of a failure
 * begins with the path, and says where in the file the fault is. */
enum nn_status weights_open(struct weights **out, const char *path,
                            struct nn_error *error);
/* A checkpoint without a file: F32 tensors whose values `fill` makes at each reading,
 * tensor->count numbers in row-major order. Names, ranks and shapes are taken from
 * `tensors` and copied, and so are the user_bytes that `fill` gets as `user`; `name`
 * stands where messages name the file. `fill` must be callable from any thread. */
typedef void (*weights_fill)(const void *user, const struct weights_tensor *tensor,
                             float *out);
enum nn_status weights_make(struct weights **out, const char *name,
                            const struct weights_tensor *tensors, size_t n,
                            weights_fill fill, const void *user, size_t user_bytes,
                            struct nn_error *error);
void weights_destroy(struct weights **weights);

const char *weights_path(const struct weights *weights);
/* "safetensors", "safetensors (sharded)", "PyTorch zip", "PyTorch legacy",
 * "TorchScript", or "formula" for one that was made. */
const char *weights_container(const struct weights *weights);

size_t weights_count(const struct weights *weights);
const struct weights_tensor *weights_at(const struct weights *weights, size_t index);
/* NULL when there is none of that name. */
const struct weights_tensor *weights_find(const struct weights *weights,
                                          const char *name);

/* Sorted by index; *count is 0 when the checkpoint names no classes. */
const struct weights_label *weights_labels(const struct weights *weights,
                                           size_t *count);
/* The value of a `__metadata__` entry of a safetensors file, or NULL. */
const char *weights_metadata(const struct weights *weights, const char *key);

/* Size of one element in bytes; 0 for WEIGHTS_OPAQUE. */
size_t weights_type_size(enum weights_type type);
/* "F32", "I64", … as in safetensors headers. */
const char *weights_type_name(enum weights_type type);

/* Copies the tensor to `out`, contiguous and row-major, `tensor->count` elements.
 * _f32 widens or narrows floating types and converts integers; _i64 accepts integer
 * types only; _raw keeps the type and its bytes (little-endian). */
enum nn_status weights_read_f32(const struct weights *weights,
                                const struct weights_tensor *tensor, float *out,
                                struct nn_error *error);
/* Some rows of a matrix: out[n][shape[1]]. False, and nothing read, when the rows are not
 * lying in a file one after the other or are no numbers; rows outside the matrix are
 * zero. */
bool weights_read_rows_f32(const struct weights *weights,
                           const struct weights_tensor *tensor, const int32_t *rows,
                           uint32_t n, float *out);
enum nn_status weights_read_i64(const struct weights *weights,
                                const struct weights_tensor *tensor, int64_t *out,
                                struct nn_error *error);
enum nn_status weights_read_raw(const struct weights *weights,
                                const struct weights_tensor *tensor, void *out,
                                struct nn_error *error);

/* Lets go of the file's pages in memory, when most of it has been read. It may be read
 * again, from disk. */
void weights_release(const struct weights *weights);

/* Writes a safetensors file: to a temporary name beside `path`, fsync, rename. Entries
 * are laid out by descending type size and then by name; the header is padded to 8
 * bytes. `values` may be freed afterwards. `read`, when not NULL, is called instead of
 * using `values`, once per tensor in file order, to fill a buffer of its size in bytes,
 * so that a large model need not be in memory at once. */
struct weights_output {
    const char *name;
    enum weights_type type;
    int rank;
    uint64_t shape[WEIGHTS_MAX_RANK];
    const void *values;
    enum nn_status (*read)(void *user, void *out, struct nn_error *error);
    void *user;
};
struct weights_pair { const char *key, *value; };
enum nn_status weights_save(const char *path, const struct weights_output *tensors,
                            size_t n_tensors, const struct weights_pair *metadata,
                            size_t n_metadata, struct nn_error *error);

#endif
