/* Constructors of the operators of training. */
#include "compute/graph/grad.h"
#include "compute/graph/graph_private.h"

#include <math.h>

#define ADD(op, attr, ...)                                                             \
    nn_graph_add(graph, NN_OP_##op, (const nn_id[]){ __VA_ARGS__ },                    \
                 sizeof((const nn_id[]){ __VA_ARGS__ }) / sizeof(nn_id), attr)

nn_id nn_fill(struct nn_graph *graph, struct nn_shape shape, float value)
{
    struct nn_attr attr = { .shape = shape, .factor = value };
    return nn_graph_add(graph, NN_OP_fill, NULL, 0, &attr);
}

nn_id nn_mul(struct nn_graph *graph, nn_id a, nn_id b)
{
    return ADD(mul, NULL, a, b);
}

nn_id nn_mul_scalar(struct nn_graph *graph, nn_id x, nn_id s)
{
    return ADD(mul_scalar, NULL, x, s);
}

nn_id nn_sum_to(struct nn_graph *graph, nn_id a, nn_id b, struct nn_shape shape)
{
    struct nn_attr attr = { .shape = shape };
    return ADD(sum_to, &attr, a, b);
}

void nn_random_numbers(uint64_t seed, uint64_t step, int32_t out[NN_RANDOM_NUMBERS])
{
    uint64_t words[2] = { seed, step };
    for (int i = 0; i < NN_RANDOM_NUMBERS; i++) {
        out[i] = (int32_t)(uint32_t)(words[i / 2] >> (32 * (i % 2)));
    }
}

nn_id nn_dropout(struct nn_graph *graph, nn_id x, nn_id random, float rate, uint32_t place)
{
    struct nn_attr attr = { .factor = rate, .place = place };
    return ADD(dropout, &attr, x, random);
}

nn_id nn_asymmetric_loss(struct nn_graph *graph, nn_id logits, nn_id targets,
                         struct nn_asymmetric a)
{
    struct nn_attr attr = { .gamma_negative = a.gamma_negative,
                            .gamma_positive = a.gamma_positive, .clip = a.clip,
                            .eps = a.eps, .detached = a.detached };
    return ADD(asymmetric_loss, &attr, logits, targets);
}

nn_id nn_label_loss(struct nn_graph *graph, nn_id logits, nn_id classes,
                    struct nn_label_loss l)
{
    struct nn_attr attr = { .gamma_negative = l.gamma_negative,
                            .gamma_positive = l.gamma_positive,
                            .smoothing = l.smoothing };
    return ADD(label_loss, &attr, logits, classes);
}

/* x [B,P] through w [P,D], and its rows normalised. */
static nn_id align(struct nn_graph *graph, nn_id x, nn_id w)
{
    if (w != NN_NONE) {
        x = nn_linear(graph, x, nn_transpose(graph, w, 1), NN_NONE);
    }
    return nn_l2_normalize(graph, x);
}

nn_id nn_contrastive_loss(struct nn_graph *graph, nn_id u, nn_id v, nn_id wi, nn_id wj,
                          nn_id temperature)
{
    struct nn_label_loss cross_entropy = { 0, 0, 0 };
    nn_id a = align(graph, u, wi), b = align(graph, v, wj);
    nn_id factor = nn_activation(graph, temperature, (struct nn_epilogue){ NN_ACT_EXP, 0 });
    nn_id logits = nn_mul_scalar(graph, nn_matmul_nt(graph, a, b), factor);
    nn_id rows = nn_label_loss(graph, logits, NN_NONE, cross_entropy);
    nn_id columns = nn_label_loss(graph, nn_transpose(graph, logits, 1), NN_NONE,
                                  cross_entropy);
    if (nn_graph_check(graph, NULL) != NN_OK) {
        return NN_NONE;
    }
    uint32_t batch = nn_graph_node(graph, rows)->shape.dim[0];
    nn_id sum = nn_sum_to(graph, nn_add(graph, rows, columns), NN_NONE,
                          (struct nn_shape){ 0 });
    return nn_scale(graph, sum, 0.5f / (float)batch);
}

nn_id nn_blend(struct nn_graph *graph, nn_id variable, nn_id value, float keep,
               float take)
{
    struct nn_attr attr = { .keep = keep, .take = take };
    return ADD(blend, &attr, variable, value);
}

nn_id nn_clip_factor(struct nn_graph *graph, nn_id square, nn_id numbers, float limit)
{
    struct nn_attr attr = { .factor = limit };
    return ADD(clip_factor, &attr, square, numbers);
}

nn_id nn_adam_update(struct nn_graph *graph, nn_id p, nn_id first, nn_id second,
                     nn_id gradient, nn_id numbers, nn_id factor, enum nn_decay decay)
{
    struct nn_attr attr = { .decay = decay != NN_DECAY_NONE,
                            .decoupled = decay == NN_DECAY_DECOUPLED };
    return ADD(adam, &attr, p, first, second, gradient, numbers, factor);
}

void nn_adam_numbers(const struct nn_adam *adam, float out[NN_ADAM_NUMBERS])
{
    double t = (double)adam->step;
    for (int i = 0; i < NN_ADAM_NUMBERS; i++) {
        out[i] = 0;
    }
    out[NN_ADAM_BETA1] = (float)adam->beta1;
    out[NN_ADAM_REST1] = (float)(1 - adam->beta1);
    out[NN_ADAM_BETA2] = (float)adam->beta2;
    out[NN_ADAM_REST2] = (float)(1 - adam->beta2);
    out[NN_ADAM_EPS] = (float)adam->eps;
    out[NN_ADAM_STEP] = (float)(adam->lr / (1 - pow(adam->beta1, t)));
    out[NN_ADAM_ROOT] = (float)(1 / sqrt(1 - pow(adam->beta2, t)));
    out[NN_ADAM_DECAY] = (float)adam->decay;
    out[NN_ADAM_SHRINK] = (float)(adam->lr * adam->decay);
    out[NN_ADAM_FACTOR] = (float)adam->gradient_factor;
}
