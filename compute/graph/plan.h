/* A graph made ready for a device: weights packed and uploaded, activations placed in
 * one arena by liveness, hazards found from byte ranges, commands recorded once and
 * replayed at every run.
 *
 * Plans that share an nn_store share packed weights. A plan belongs to one thread at a
 * time; the device and store must outlive it. */
#ifndef TAGLIGHT_COMPUTE_PLAN_H
#define TAGLIGHT_COMPUTE_PLAN_H

#include "compute/graph/graph.h"

#include <stdatomic.h>

struct gpu_device;
struct nn_store;
struct nn_plan;

/* Device-resident params of one model, filled as plans ask for them. */
enum nn_status nn_store_create(struct nn_store **out, struct gpu_device *device,
                               const struct nn_params *params, struct nn_error *error);
void nn_store_destroy(struct nn_store **store);
uint64_t nn_store_bytes(const struct nn_store *store);

struct nn_plan_params {
    bool no_fuse;               /* run the graph as built, one kernel per operator */
    bool no_winograd;           /* no Winograd convolutions, for bisecting; they are left
                                 * out with no_fuse too */
    const char *const *wanted;  /* names of outputs; NULL for all of them */
    size_t n_wanted;
    double submit_seconds;      /* time budget of one submit; 0 for the default 0.05 */
};

enum nn_status nn_plan_create(struct nn_plan **out, const struct nn_graph *graph,
                              struct nn_store *store,
                              const struct nn_plan_params *params,
                              struct nn_error *error);
void nn_plan_destroy(struct nn_plan **plan);

struct nn_run_params {
    const atomic_bool *cancel;  /* looked at between submits; NULL for never */
    void (*progress)(void *user, double fraction); /* after each submit; may be NULL */
    void *user;
};

/* Uploads inputs, replays, downloads outputs. Host arrays are logical, row-major. */
enum nn_status nn_plan_run(struct nn_plan *plan, const struct nn_binding *inputs,
                           size_t n_inputs, const struct nn_binding *outputs,
                           size_t n_outputs, const struct nn_run_params *run,
                           struct nn_error *error);

struct nn_plan_facts {
    uint64_t arena_bytes;       /* activations */
    uint64_t peak_bytes;        /* the most that lives at once, a lower bound of it */
    uint32_t n_dispatches, n_submits, n_barriers, n_nodes;
    double flops;               /* planned; multiply and add counted as two */
    double nominal_flops;       /* of the matrix products and convolutions in their
                                 * direct form, whatever algorithm runs */
};
void nn_plan_get_facts(const struct nn_plan *plan, struct nn_plan_facts *out);

/* The graph that the plan runs, after fusion; borrowed. Its input nodes say what a run
 * takes, its output nodes what it can give. */
const struct nn_graph *nn_plan_graph(const struct nn_plan *plan);

/* Runs the plan again, one dispatch at a time, and looks for the first value that is no
 * finite number: among inputs and variables that are read, then in the order of work. `what` gets a
 * few words, such as "linear [8, 6, 64] by head.decoder.layers.0.linear1.weight", or ""
 * when all values are finite. Slow; steps that change variables do so. f32 only. */
enum nn_status nn_plan_find_fault(struct nn_plan *plan, const struct nn_binding *inputs,
                                  size_t n_inputs, char *what, size_t size,
                                  struct nn_error *error);

/* --- Profiling ------------------------------------------------------------------- */

/* All dispatches of one run that do the same work: one kernel label on one size. */
struct nn_profile_row {
    char what[96];              /* "conv 3x3 304->304 @28x28", sizes of the result */
    uint32_t calls;
    double seconds;             /* medians over the runs, summed over the calls */
    double flops;               /* as planned; multiply and add counted as two */
    uint64_t bytes;             /* of the operands, each counted once a call */
};

struct nn_profile {
    struct nn_profile_row *rows; /* the most seconds first; owned */
    size_t n_rows;
    double seconds;              /* sum of the rows: device time of one run */
    bool by_submits;             /* see nn_profile_params */
};

struct nn_profile_params {
    uint32_t runs;              /* 0 counts as 1 */
    bool by_submits;            /* give each dispatch a submit of its own and take the
                                 * host's clock, which adds the cost of a submit to
                                 * each; always so when the device has no timestamps */
};

/* Times every dispatch, after one run to warm up. Inputs are as for nn_plan_run and are
 * uploaded before each run, outside the times. Commands are recorded for this and
 * recorded again at the end, so that ordinary runs stay untimed; when that last step
 * fails the plan can only be destroyed. `params` may be NULL. */
enum nn_status nn_plan_profile(struct nn_plan *plan, const struct nn_binding *inputs,
                               size_t n_inputs, const struct nn_profile_params *params,
                               struct nn_profile *out, struct nn_error *error);
void nn_profile_clear(struct nn_profile *profile);

#endif
