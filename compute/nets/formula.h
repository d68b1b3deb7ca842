/* Weights and inputs by formula: everything that knows a tensor's name and shape makes
 * the same values, so full-size networks can be run and compared without files. */
#ifndef TAGLIGHT_COMPUTE_FORMULA_H
#define TAGLIGHT_COMPUTE_FORMULA_H

#include <stdint.h>

uint64_t formula_hash(const char *name);
/* In [-1, 1), exact in F32. */
double formula_uniform(uint64_t hash, uint64_t index);
/* The value rules by name and shape; out has the product of the shape. */
void formula_weights(const char *name, const uint64_t *shape, int rank, float *out);

#endif
