/* The parameters of one or several checkpoints under one naming, whatever names their
 * files use: timm's for TResNet (`body.*`, `head.fc.*`), `head.decoder.*` and
 * `head.wordvec_proj.*` for ML-Decoder, OpenAI's for CLIP (`visual.*`, `transformer.*`).
 *
 * Values stay in the files and are converted when they are read: transposed or joined
 * for Hugging Face's projections, |w| + 1e-5 for in-place batch-norm of the original
 * repositories (spec 3.1). Immutable after creation; may be read from any thread. */
#ifndef TAGLIGHT_COMPUTE_STATE_H
#define TAGLIGHT_COMPUTE_STATE_H

#include "compute/graph/graph.h"
#include "compute/weights/weights.h"

struct state;

struct state_entry {
    char *name;            /* canonical */
    int rank;
    uint64_t shape[WEIGHTS_MAX_RANK];
    uint64_t count;
    bool half;             /* stored with 16 bits */
    /* Private: up to three source tensors, joined along the first dimension. */
    uint32_t n_sources;
    uint32_t file;
    const struct weights_tensor *source[3];
    bool transpose, absolute;
};

/* Takes over the opened files, also on failure. */
enum nn_status state_create(struct state **out, struct weights **files, size_t n_files,
                            struct nn_error *error);
void state_destroy(struct state **state);

size_t state_count(const struct state *state);
const struct state_entry *state_at(const struct state *state, size_t index);
const struct state_entry *state_find(const struct state *state, const char *name);
/* The same with a formatted name. */
const struct state_entry *state_findf(const struct state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum nn_status state_read(const struct state *state, const struct state_entry *entry,
                          float *out, struct nn_error *error);
/* Whether state_read_rows() can read this matrix: it lies in a file as it is. */
bool state_has_rows(const struct state *state, const struct state_entry *entry);
/* Rows of a matrix, out[n][shape[1]], without the rest; those outside it are zero. */
enum nn_status state_read_rows(const struct state *state, const struct state_entry *entry,
                               const int32_t *rows, uint32_t n, float *out,
                               struct nn_error *error);
/* Lets go of the files' pages in memory (weights_release). */
void state_release(const struct state *state);
size_t state_file_count(const struct state *state);
const struct weights *state_file(const struct state *state, size_t index);
/* Whether CLIP's names were Hugging Face's. */
bool state_is_hugging_face(const struct state *state);

/* The name that the entry's tensor has in its file; NULL when it is joined or converted
 * from several. */
const char *state_file_name(const struct state_entry *entry);

/* nn_param of the entry called so, with its shape checked against `shape`; records a
 * fault in the graph when it is missing or differs. */
nn_id state_param(struct nn_graph *graph, const struct state *state,
                  struct nn_shape shape, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
