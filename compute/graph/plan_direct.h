/* Between op_gpu_rows.c and op_gpu_direct.c: kernels on rows for software devices. */
#ifndef TAGLIGHT_COMPUTE_PLAN_DIRECT_H
#define TAGLIGHT_COMPUTE_PLAN_DIRECT_H

#include "compute/graph/plan_private.h"

/* Whether the device's family and the shapes of one image allow the kernel. */
bool plan_direct_probs_fit(const struct plan_builder *b, const struct nn_attr *a,
                           uint32_t keys);
bool plan_direct_apply_fit(const struct plan_builder *b, const struct nn_attr *a);
bool plan_direct_group_fit(const struct plan_builder *b, uint32_t outs, uint32_t ins);

/* Each takes a step with its operands, label and write mask set. Probabilities of `node`
 * (attn_probs or attention): operands q, k, result. */
enum nn_status plan_direct_probs(struct plan_builder *b, const struct nn_node *node,
                                 uint32_t images, struct plan_step step,
                                 struct nn_error *error);
/* Node `id` from the values of node `values`: operands probabilities, values, result. */
enum nn_status plan_direct_apply(struct plan_builder *b, nn_id id, nn_id values,
                                 struct plan_step step, struct nn_error *error);

struct plan_group { uint32_t rows, groups, outs, ins; bool bias; };

/* Operands x, weight, result, bias; the step has the flops of the whole. */
enum nn_status plan_direct_group(struct plan_builder *b, struct plan_step step,
                                 const struct plan_group *g, struct nn_error *error);

#endif
