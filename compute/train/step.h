/* One step of training a CLIP-Decoder: forward, backward, update, in one plan.
 *
 * The loss is alpha * L_clip + beta * L_c (spec 1.3): the contrastive loss between the
 * mean image token and the caption's text feature through align.W_i, align.W_j and
 * align.temperature, and the asymmetric loss of the label logits. A state without
 * `align.` or without a text encoder is trained by L_c alone.
 *
 * A step belongs to one thread at a time; the device, opened for f32, and the state must
 * outlive it. */
#ifndef TAGLIGHT_COMPUTE_STEP_H
#define TAGLIGHT_COMPUTE_STEP_H

#include "compute/graph/grad.h"
#include "compute/nets/nets.h"
#include "compute/train/schedule.h"

struct train_step;

enum train_scope {
    TRAIN_ALL,
    TRAIN_HEAD,      /* head.* and align.* */
    TRAIN_HEAD_TEXT, /* and the text encoder */
    TRAIN_DECODER,   /* head.* without what makes tokens of the encoder's rows, so that
                      * tokens that were made before stay good */
};

struct train_step_params {
    const struct model_settings *settings;
    struct nn_shape images;           /* [B,3,H,W], sides multiples of 4 */
    struct nn_shape features;         /* [B,T,F] in place of images: rows of the image
                                       * encoder, which is then not in the graph; for the
                                       * scopes HEAD and HEAD_TEXT. For DECODER, and always
                                       * then, the decoder's tokens [B,T,D] */
    struct nn_shape label_embeddings; /* [N,E], constants */
    struct nn_shape label_tokens;     /* [N,T] in place of label_embeddings: the state's
                                       * text encoder makes them at every step, and is
                                       * trained through them where the scope has it */
    struct nn_shape tokens;           /* [B,T]; rank 0 for L_c alone */
    double alpha, beta;
    double auxiliary;                 /* weight of the same loss of a linear classifier on
                                       * the mean of the image encoder's map, which makes a
                                       * new encoder learn sooner and is thrown away: the
                                       * state's auxiliary.weight [M,F] and auxiliary.bias
                                       * [M]. Needs `images`; 0: none. With it and without
                                       * beta the decoder is not in the graph */
    struct nn_asymmetric asymmetric;
    bool mean;                        /* L_c is the mean, not the sum, over logits */
    enum train_scope scope;
    enum nn_decay decay;              /* L2 is Adam, DECOUPLED is AdamW */
    bool keep_gradients;              /* for train_step_read_gradient(); costs memory */
    double dropout;                   /* rate in the head, at the published places; 0: none.
                                       * The queries' own is one for all images of a
                                       * batch, which share the queries */
    uint64_t seed;                    /* of dropout, with the step's number */
    double ema;                       /* decay of an average over all variables with the
                                       * running statistics, such as 0.9997; 0: none */
    double max_norm;                  /* the norm of all gradients together is cut to it; 0:
                                       * it is not */
    bool mixed;                       /* f16 activations, f32 variables: UNSUPPORTED yet */
    bool recompute;                   /* forget activations inside the stages of the image
                                       * encoder and compute them again: the same bits,
                                       * less memory, about a third more work */
};

enum nn_status train_step_create(struct train_step **out, struct gpu_device *device,
                                 const struct state *state,
                                 const struct train_step_params *params,
                                 struct nn_error *error);
void train_step_destroy(struct train_step **step);

/* Host arrays of the shapes above; NULL where the shape has rank 0. targets [B,N] in 0..1,
 * below 0 where unknown. eot [B] and label_eot [N] are the rows of the end tokens. */
struct train_batch {
    const float *images, *label_embeddings, *targets;
    const int32_t *tokens, *eot;
    const float *features;
    const int32_t *label_tokens, *label_eot;
    const float *auxiliary_targets; /* [B,M], as targets */
};

struct train_losses {
    float total, clip, labels;
    float gradient_norm;  /* before it is cut; 0 without max_norm */
};

/* Runs the next step; adam->step counts from 1. The losses are those before the update.
 * Fails with NN_ERROR_INVALID when the loss or a gradient is not a number, and names the
 * first operator that made such a value; the parameters stay as they were then, the
 * running statistics do not. */
enum nn_status train_step_run(struct train_step *step, const struct train_batch *batch,
                              const struct nn_adam *adam, struct train_losses *out,
                              struct nn_error *error);

/* The plan of the step, for tools that measure it; the step owns it. */
struct nn_plan *train_step_plan(struct train_step *step);

/* What the step trains or keeps as a running statistic. */
struct train_variable {
    const struct state_entry *entry;
    bool trained;  /* has a gradient; running statistics have none */
    bool decays;   /* matrices and kernels; not vectors, biases and norms */
};
size_t train_step_count(const struct train_step *step);
const struct train_variable *train_step_variable(const struct train_step *step,
                                                 size_t index);
/* What is kept for a variable: with all slots written back a training goes on as if it had
 * not been stopped. */
enum train_slot { TRAIN_SLOT_VALUE, TRAIN_SLOT_FIRST, TRAIN_SLOT_SECOND, /* moments */
                  TRAIN_SLOT_AVERAGE, TRAIN_SLOTS };
/* False for a slot that the variable does not have: a running statistic has no moments,
 * and without `ema` there is no average. */
bool train_step_has(const struct train_step *step, size_t index, enum train_slot slot);
/* Row-major values of entry->count. */
enum nn_status train_step_read_slot(struct train_step *step, size_t index,
                                    enum train_slot slot, float *out,
                                    struct nn_error *error);
enum nn_status train_step_write_slot(struct train_step *step, size_t index,
                                     enum train_slot slot, const float *values,
                                     struct nn_error *error);

/* TRAIN_SLOT_VALUE, and the gradient of the latest step. */
enum nn_status train_step_read(struct train_step *step, size_t index, float *out,
                               struct nn_error *error);
enum nn_status train_step_read_gradient(struct train_step *step, size_t index, float *out,
                                        struct nn_error *error);

#endif
