/* Shared by the planner (plan.c), the weight store (store.c) and the operator planners
 * (op_gpu_*.c). Nothing outside compute/graph/ includes it. */
#ifndef TAGLIGHT_COMPUTE_PLAN_PRIVATE_H
#define TAGLIGHT_COMPUTE_PLAN_PRIVATE_H

#include "compute/gpu/gpu.h"
#include "compute/graph/plan.h"

/* How a value lies in device memory. Padding lanes hold finite numbers of no meaning. */
enum nn_layout {
    NN_LAYOUT_ROWS,  /* row-major, the last dimension rounded up to 4 */
    NN_LAYOUT_MAP,   /* [B][C/4 rounded up][H*W][4] */
    NN_LAYOUT_INDEX, /* I32, contiguous */
};

#define NN_ALIGN 256u
#define NN_MAX_OPERANDS GPU_MAX_BINDINGS

/* Values with padding, and the bytes that they take; `half` is the f16 precision, which
 * is not for indices. */
uint64_t nn_layout_values(enum nn_layout layout, struct nn_shape shape);
uint64_t nn_layout_bytes(enum nn_layout layout, struct nn_shape shape, bool half);
/* Between f32 and f16 in place; the buffer has room for the f32. */
void nn_layout_narrow(void *values, uint64_t count);
void nn_layout_widen(void *values, uint64_t count);
/* Whether the layout's f32 are those of the logical array, so that nothing is packed. */
bool nn_layout_is_logical(enum nn_layout layout, struct nn_shape shape);
/* Between a logical row-major array and device layout in f32; padding becomes zero. */
void nn_layout_pack(enum nn_layout layout, struct nn_shape shape, const void *logical,
                    void *device);
void nn_layout_unpack(enum nn_layout layout, struct nn_shape shape, const void *device,
                      void *logical);

/* --- Store -------------------------------------------------------------------- */

/* How a constant is laid out for its kernel. */
enum nn_pack { NN_PACK_ROWS, NN_PACK_MAP, NN_PACK_DIRECT, NN_PACK_TILED,
               NN_PACK_WINOGRAD2, NN_PACK_WINOGRAD4, NN_PACK_BN_SCALE, NN_PACK_BN_SHIFT, NN_PACK_GROUP };

struct nn_key { uint64_t word[2]; };

struct gpu_device *nn_store_device(const struct nn_store *store);
/* The range that holds constant `id` of `graph` in that packing; packs and uploads it
 * at the first call. Constants are nodes that depend on params alone; they are computed
 * by the reference operators. */
enum nn_status nn_store_get(struct nn_store *store, const struct nn_graph *graph,
                            nn_id id, enum nn_pack pack, struct gpu_range *out,
                            struct nn_error *error);
/* Weights [O,C,k,k] or [O,D] as panels [ceil(O/panel)][depth][panel], with k = (tap,
 * channel rounded up to 4) and depth its count rounded up to the kernel's step. */
struct panels {
    uint32_t rows, channels, taps, panel, step;
    uint64_t depth;
};
struct panels nn_panels_of(struct nn_shape shape, enum nn_pack pack);
uint64_t nn_panels_bytes(const struct panels *p);

/* Weights [O,C,3,3] for Winograd's method with tiles of out x out results (2 or 4), as
 * (out+2)^2 matrices in the panels of NN_PACK_DIRECT: [point][ceil(O/32)][C][32] with C
 * rounded up to 4. `packed` must hold zeros. */
uint64_t nn_pack_winograd_bytes(struct nn_shape shape, uint32_t out);
void nn_pack_winograd(struct nn_shape shape, uint32_t out, const float *weights,
                      float *packed);
/* Throughput seen so far, for cutting submits; seconds of one flop. */
double *nn_store_seconds_per_flop(struct nn_store *store);

/* --- Plan building -------------------------------------------------------------- */

struct plan_tensor {
    uint64_t bytes;
    uint64_t offset;        /* in the arena */
    struct gpu_range fixed; /* of constants; buffer is NULL for arena tensors */
    uint32_t first, last;   /* steps between which it lives */
    bool used;
};

struct plan_step {
    struct gpu_kernel_desc kernel;
    uint32_t operand[NN_MAX_OPERANDS]; /* indices of tensors */
    uint32_t write_mask;
    uint8_t push[GPU_MAX_PUSH];
    uint32_t groups[3];
    double flops;
    const char *label;
    nn_id node; /* that it was emitted for */
};

struct plan_builder {
    const struct nn_graph *graph;
    struct nn_store *store;
    const struct gpu_caps *caps;
    bool winograd;              /* 3x3 convolutions may go by Winograd's method */
    uint32_t lanes;             /* subgroup width of row kernels, 1 without arithmetic */
    bool half;                  /* values are stored in f16 */
    bool *constant;             /* by node */
    enum nn_layout *layout;     /* by node */
    uint32_t *tensor;           /* by node; UINT32_MAX when not made yet */
    struct plan_tensor *tensors;
    uint32_t n_tensors, tensors_room;
    struct plan_step *steps;
    uint32_t n_steps, steps_room;
    nn_id node;                 /* whose planner runs now */
};

/* The tensor that holds node `id` (made now when it is a constant). */
enum nn_status plan_operand(struct plan_builder *b, nn_id id, uint32_t *out,
                            struct nn_error *error);
/* A constant in a packing of its own. */
enum nn_status plan_constant(struct plan_builder *b, nn_id id, enum nn_pack pack,
                             uint32_t *out, struct nn_error *error);
/* The tensor for the result of node `id`. */
enum nn_status plan_result(struct plan_builder *b, nn_id id, uint32_t *out,
                           struct nn_error *error);
enum nn_status plan_scratch(struct plan_builder *b, uint64_t bytes, uint32_t *out,
                            struct nn_error *error);
enum nn_status plan_emit(struct plan_builder *b, const struct plan_step *step,
                         struct nn_error *error);
/* Sets groups[0] for `count` invocations of 64 a group with a striding loop. */
void plan_groups(const struct plan_builder *b, struct plan_step *step, uint64_t count);
/* Emits `rows` workgroups of one subgroup, cut at the device's limit; the base row goes
 * to the push word `base_word`. */
enum nn_status plan_emit_rows(struct plan_builder *b, struct plan_step *step,
                              uint32_t rows, uint32_t base_word,
                              struct nn_error *error);

/* One kernel that reads nodes and makes node `id`: bindings are `ids` in order (NN_NONE
 * repeats the first, or the result where that is absent too), then the result. */
struct plan_kernel {
    const char *shader, *label;
    const char *direct; /* for the direct family: the same on texel buffers, or NULL */
    nn_id ids[NN_MAX_OPERANDS];
    uint32_t n_ids;
    uint32_t n_spec, spec[4];
    const void *push;
    uint32_t push_bytes;
    double flops;
    bool rows;          /* one workgroup of a subgroup for each of `count`; spec[0] = lanes */
    uint32_t count;     /* invocations, or rows */
    uint32_t base_word; /* of the push block, for rows */
};
/* Whether the family is the direct one and the first n operands, which are f32, are small
 * enough for texel buffers. */
bool plan_fit_texels(const struct plan_builder *b, const struct plan_step *step, uint32_t n);
enum nn_status plan_emit_kernel(struct plan_builder *b, nn_id id,
                                const struct plan_kernel *k, struct nn_error *error);
uint32_t plan_vec4s(const struct plan_builder *b, nn_id id);

/* Panels of weights that change between runs, made by a step of their own. */
enum nn_status plan_weight_panels(struct plan_builder *b, nn_id id, enum nn_pack pack,
                                  uint32_t *out, struct nn_error *error);
/* The forms of batch_norm and group_fc whose parameters change between runs. */
enum nn_status plan_batch_norm_computed(struct plan_builder *b, nn_id id,
                                        struct nn_error *error);
enum nn_status plan_group_fc_computed(struct plan_builder *b, nn_id id,
                                      struct nn_error *error);

/* One planner an operator: plan_op_<name>. */
#define OP(name, min, max, kind, saved)                                                \
    enum nn_status plan_op_##name(struct plan_builder *b, nn_id id,                    \
                                  struct nn_error *error);
#include "compute/graph/op.def"
#undef OP

/* --- Profiling (profile.c) ------------------------------------------------------------ */

enum plan_timing {
    PLAN_UNTIMED,
    PLAN_BY_TIMESTAMPS, /* the device's clock between dispatches */
    PLAN_BY_SUBMITS,    /* the host's clock around a submit for each dispatch */
};

const struct plan_builder *nn_plan_builder(const struct nn_plan *plan);
/* Records the plan's commands anew, for ordinary runs or for timed ones. */
enum nn_status plan_record(struct nn_plan *plan, enum plan_timing timing,
                           struct nn_error *error);
/* Runs a plan that was recorded with that timing; seconds has one number a step. */
enum nn_status plan_run_timed(struct nn_plan *plan, enum plan_timing timing,
                              const struct nn_binding *inputs, size_t n_inputs,
                              double *seconds, struct nn_error *error);
/* For diagnose.c: inputs alone; one step of a plan recorded by submits; a tensor's bytes as
 * they lie on the device. */
enum nn_status plan_upload(struct nn_plan *plan, const struct nn_binding *inputs,
                           size_t n_inputs, struct nn_error *error);
enum nn_status plan_run_step(struct nn_plan *plan, uint32_t step, struct nn_error *error);
enum nn_status plan_read_tensor(const struct nn_plan *plan, uint32_t tensor, void *out,
                                struct nn_error *error);
/* The multiplications and additions that the steps' products take in their direct
 * form, whatever algorithm was planned. */
double plan_nominal_flops(const struct plan_builder *b);

#endif
