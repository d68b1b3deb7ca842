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
    double flops;               /* multiply and add counted as two */
};
void nn_plan_get_facts(const struct nn_plan *plan, struct nn_plan_facts *out);

/* Prints one line per operator family to `print`: calls, milliseconds, GFLOP/s. Runs
 * the plan `runs` times with timestamps on. */
enum nn_status nn_plan_profile(struct nn_plan *plan, int runs,
                               void (*print)(void *user, const char *line), void *user,
                               struct nn_error *error);

#endif
