/* Private to the reference: one call of an operator, and the functions behind op.def. */
#ifndef TAGLIGHT_COMPUTE_OP_REF_H
#define TAGLIGHT_COMPUTE_OP_REF_H

#include "compute/graph/graph_private.h"

struct ref_call {
    const struct nn_node *node;
    struct nn_shape shape[NN_MAX_SOURCES]; /* of the sources */
    const float *x[NN_MAX_SOURCES];        /* NULL when absent */
    const int32_t *index[NN_MAX_SOURCES];  /* the same for I32 sources */
    float *y;
};

double ref_activate(struct nn_epilogue epilogue, double x);

/* False when out of memory. */
#define OP(name, min, max, kind, saved) bool ref_##name(const struct ref_call *c);
#include "compute/graph/op.def"
#undef OP

#endif
