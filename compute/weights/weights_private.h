/* Shared by the container readers; nothing outside compute/weights/ includes it. */
#ifndef TAGLIGHT_COMPUTE_WEIGHTS_PRIVATE_H
#define TAGLIGHT_COMPUTE_WEIGHTS_PRIVATE_H

#include "compute/weights/weights.h"

/* Limits that no honest checkpoint comes near. */
#define WEIGHTS_MAX_TENSORS 1000000u
#define WEIGHTS_MAX_NAME 4096u

/* A file mapped for reading. */
struct weights_file {
    char *path;
    const uint8_t *data;
    uint64_t size;
};

/* Where a tensor's values lie: element e with index (i0, i1, …) is at
 * offset + (i0*stride[0] + i1*stride[1] + …) * element size in `file`. */
struct weights_source {
    uint32_t file;
    bool contiguous;
    uint64_t offset; /* bytes */
    uint64_t stride[WEIGHTS_MAX_RANK]; /* elements */
};

struct weights {
    char *path;          /* or the name of one that was made */
    weights_fill fill;   /* makes the values when there is no file */
    void *fill_user;     /* given to it; owned */
    const char *container;
    struct weights_file *files;
    uint32_t n_files;
    struct weights_tensor *tensors; /* location[0] is the index of its source */
    struct weights_source *sources;
    size_t n, room;
    struct weights_label *labels;
    size_t n_labels, labels_room;
    struct weights_pair *metadata;
    size_t n_metadata;
};

/* Maps a file and appends it; *out is its index. */
enum nn_status weights_add_file(struct weights *w, const char *path, uint32_t *out,
                                struct nn_error *error);
/* Appends a tensor; the name is copied. */
enum nn_status weights_add(struct weights *w, const struct weights_tensor *tensor,
                           const struct weights_source *source, struct nn_error *error);
enum nn_status weights_add_label(struct weights *w, int64_t index, const char *name,
                                 struct nn_error *error);
/* Product of a shape; false on overflow or above 2^40. */
bool weights_product(const uint64_t *shape, int rank, uint64_t *out);
char *weights_copy_text(const char *text, size_t size);
/* "dir of path" + "/" + name, malloc'ed. */
char *weights_sibling(const char *path, const char *name);

/* Readers fill `w` from file `file`; messages begin with the file's path. */
enum nn_status weights_read_safetensors(struct weights *w, uint32_t file,
                                        struct nn_error *error);
enum nn_status weights_read_shards(struct weights *w, uint32_t file,
                                   struct nn_error *error);
enum nn_status weights_read_torch(struct weights *w, uint32_t file,
                                  struct nn_error *error);

/* --- zip.c --------------------------------------------------------------------- */

struct zip_entry {
    const char *name; /* not terminated */
    size_t name_size;
    uint64_t offset, size; /* bytes of the file */
    uint32_t crc;
    bool plain;            /* stored; a compressed or encrypted one cannot be used */
};
struct zip { struct zip_entry *entries; size_t n; };

/* Lists the entries of a zip file in memory. Duplicate names and
 * anything that leaves the file are refused. Names point into the file. */
enum nn_status zip_open(struct zip *out, const struct weights_file *file,
                        struct nn_error *error);
void zip_close(struct zip *zip);
const struct zip_entry *zip_find(const struct zip *zip, const char *name, size_t size);

#endif
