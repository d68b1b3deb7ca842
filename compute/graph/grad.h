/* Training in a graph: values that stay, losses, gradients, and steps that change values.
 *
 * A training graph is built by the same network builders as an inference graph. After
 * nn_graph_set_trainable() their params become variables, which live as long as a plan
 * and are changed by the operators blend and adam. Nodes run in order, so a node added
 * after such a step sees the changed values and one added before sees the old ones.
 *
 * All sums have a fixed order: the same plan gives the same bits at every run. */
#ifndef TAGLIGHT_COMPUTE_GRAD_H
#define TAGLIGHT_COMPUTE_GRAD_H

#include "compute/graph/plan.h"

/* --- Variables --------------------------------------------------------------------- */

/* A value that a plan keeps between runs; zero until nn_plan_write() gives another.
 * Asking twice for one name gives one node. */
nn_id nn_variable(struct nn_graph *graph, const char *name, struct nn_shape shape);
/* From now on nn_param() makes a variable of every name for which `chosen` says so, and
 * nn_batch_norm() takes its training form where its statistics are variables. */
void nn_graph_set_trainable(struct nn_graph *graph,
                            bool (*chosen)(void *user, const char *name), void *user);
/* Between a host array and the plan's variable of that name; logical, row-major. An output
 * of the latest run may be read too. In nn_ref_run() variables are bound among the inputs,
 * and their arrays are changed in place. */
enum nn_status nn_plan_write(struct nn_plan *plan, const struct nn_binding *variable,
                             struct nn_error *error);
enum nn_status nn_plan_read(struct nn_plan *plan, const struct nn_binding *variable,
                            struct nn_error *error);

/* --- Arithmetic ---------------------------------------------------------------------- */

/* Every value is `value`. */
nn_id nn_fill(struct nn_graph *graph, struct nn_shape shape, float value);
/* a and b of one shape. */
nn_id nn_mul(struct nn_graph *graph, nn_id a, nn_id b);
/* x times the scalar s (rank 0). */
nn_id nn_mul_scalar(struct nn_graph *graph, nn_id x, nn_id s);
/* Sum of a, or of a times b where b is not NN_NONE, to a smaller shape: [] everything;
 * [C] or [B,C] of a map [B,C,H,W]; else the trailing dimensions of rows. */
nn_id nn_sum_to(struct nn_graph *graph, nn_id a, nn_id b, struct nn_shape shape);

/* What dropout draws its random numbers from, an input I32 [NN_RANDOM_NUMBERS] filled by
 * nn_random_numbers(): equal seeds and steps drop the same values on every device. */
enum { NN_RANDOM_NUMBERS = 4 };
void nn_random_numbers(uint64_t seed, uint64_t step, int32_t out[NN_RANDOM_NUMBERS]);
/* x of rows (or attention probabilities) with each value zero at `rate` in 0..1, and
 * divided by 1 - rate otherwise. `place` tells apart the dropouts of one graph. */
nn_id nn_dropout(struct nn_graph *graph, nn_id x, nn_id random, float rate, uint32_t place);

/* --- Losses ---------------------------------------------------------------------------- */

struct nn_asymmetric {
    float gamma_negative, gamma_positive;
    float clip;        /* margin m of the negative probabilities, 0 for none */
    float eps;         /* smallest argument of a logarithm */
    bool detached;     /* the focusing weight is a constant to the gradient */
};
/* logits and targets [...,N], targets in 0..1 -> loss of each, to be summed or averaged
 * with nn_sum_to (spec 2.5). A target below 0 is unknown and costs nothing. */
nn_id nn_asymmetric_loss(struct nn_graph *graph, nn_id logits, nn_id targets,
                         struct nn_asymmetric a);

struct nn_label_loss { float gamma_negative, gamma_positive, smoothing; };
/* logits [B,C], classes I32 [B] -> loss of each row [B] (spec 2.5, the single-label
 * variant); with all numbers zero it is the cross entropy. With NN_NONE for classes row
 * i has class i. */
nn_id nn_label_loss(struct nn_graph *graph, nn_id logits, nn_id classes,
                    struct nn_label_loss l);
/* Symmetric contrastive loss of u [B,P] and v [B,Q] (spec 1.3): both are multiplied by
 * wi [P,D] and wj [Q,D] unless these are NN_NONE, normalised, and
 * exp(temperature) u v^T is scored by cross entropy with the diagonal in both directions.
 * The mean over the batch -> scalar. */
nn_id nn_contrastive_loss(struct nn_graph *graph, nn_id u, nn_id v, nn_id wi, nn_id wj,
                          nn_id temperature);

/* --- Gradients --------------------------------------------------------------------------- */

/* Adds nodes for the derivatives of the scalar `loss` by each of wanted[n], of their
 * shapes, to out[n]. A value that loss does not depend on gets NN_NONE. False and a fault
 * in the graph when something on the way has no derivative, or memory is out.
 *
 * kept[n_kept], ascending, are nodes between which values are forgotten after the forward
 * pass and made again from the one before, stretch by stretch: less memory, more work. All
 * that later nodes read of a stretch should be its end. NULL and 0 for none. */
bool nn_graph_grad(struct nn_graph *graph, nn_id loss, const nn_id *wanted, size_t n,
                   const nn_id *kept, size_t n_kept, nn_id *out);

/* --- Steps --------------------------------------------------------------------------------- */

/* variable = keep * variable + take * value, in place. */
nn_id nn_blend(struct nn_graph *graph, nn_id variable, nn_id value, float keep,
               float take);

/* What an Adam step reads besides values, an input [NN_ADAM_NUMBERS] filled by
 * nn_adam_numbers(). */
enum { NN_ADAM_BETA1, NN_ADAM_REST1, NN_ADAM_BETA2, NN_ADAM_REST2, NN_ADAM_EPS,
       NN_ADAM_STEP, NN_ADAM_ROOT, NN_ADAM_DECAY, NN_ADAM_SHRINK, NN_ADAM_FACTOR,
       NN_ADAM_NUMBERS = 12 };

struct nn_adam {
    double lr, beta1, beta2, eps;
    double decay;          /* of variables that decay */
    double gradient_factor; /* multiplies gradients first; 1 unless clipped or scaled */
    uint64_t step;         /* 1 at the first; for the bias corrections */
};
void nn_adam_numbers(const struct nn_adam *adam, float out[NN_ADAM_NUMBERS]);

/* Which form of weight decay a variable gets. */
enum nn_decay {
    NN_DECAY_NONE,
    NN_DECAY_L2,        /* Adam: decay * p is added to the gradient */
    NN_DECAY_DECOUPLED, /* AdamW: p shrinks by lr * decay */
};
/* The factor of all gradients that makes their common norm at most `limit` (0: no limit),
 * from the sum of their squares: a scalar of at most 1, or -1 when the sum is not a
 * number. The norm is that of the gradients times their gradient_factor. */
nn_id nn_clip_factor(struct nn_graph *graph, nn_id square, nn_id numbers, float limit);
/* Changes the variables p, first and second moment (all of one shape) in place. `factor`
 * is NN_NONE or a clip factor; below 0 it leaves the variables as they are. */
nn_id nn_adam_update(struct nn_graph *graph, nn_id p, nn_id first, nn_id second,
                     nn_id gradient, nn_id numbers, nn_id factor, enum nn_decay decay);

#endif
