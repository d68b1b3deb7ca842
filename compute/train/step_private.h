/* Shared by the files of a training step: what it holds, and the building of its graph. */
#ifndef TAGLIGHT_COMPUTE_STEP_PRIVATE_H
#define TAGLIGHT_COMPUTE_STEP_PRIVATE_H

#include "compute/train/step.h"

#define TRAIN_MAX_NAME 560

struct variable {
    struct train_variable info;
    nn_id id;       /* in the graph */
    nn_id gradient; /* NN_NONE for running statistics */
};

struct train_step {
    const struct state *state;
    struct train_step_params params;
    uint32_t images, labels; /* of a batch; no labels where L_c has no part */
    uint32_t classes;        /* of the auxiliary classifier; 0 without it */
    bool contrast;           /* L_clip takes part */
    struct nn_graph *graph;
    struct nn_store *store;
    struct nn_plan *plan;
    struct variable *variables;
    size_t n_variables;
};

/* The name in the graph of what a slot of the variable `name` holds. */
void train_slot_name(const char *name, enum train_slot slot, char out[TRAIN_MAX_NAME]);
/* Builds step->graph and lists the variables. Outputs that a run reads are called "loss.…",
 * "norm.square" (of the gradients, the sum of squares) and "grad.NAME". */
enum nn_status train_graph_build(struct train_step *step, struct nn_error *error);

#endif
