/* A Vulkan device for compute work: choice, memory, pipelines, command replay.
 *
 * The rest of compute/ sees Vulkan only through this header; no Vulkan type appears in
 * it. Objects belong to the device that made them and must be destroyed before it.
 * A struct gpu_device and all that it made belong to one thread at a time.
 *
 * When any call meets VK_ERROR_DEVICE_LOST the device is marked lost and every later
 * call returns NN_ERROR_DEVICE_LOST at once. */
#ifndef TAGLIGHT_COMPUTE_GPU_H
#define TAGLIGHT_COMPUTE_GPU_H

#include "compute/status.h"

#include <stdbool.h>
#include <stdint.h>

struct gpu_device;
struct gpu_buffer;
struct gpu_kernel;
struct gpu_commands;

enum gpu_device_type { GPU_DISCRETE, GPU_INTEGRATED, GPU_VIRTUAL, GPU_SOFTWARE, GPU_OTHER };

/* Which family of kernels a plan chooses. */
enum gpu_family {
    GPU_FAMILY_TILED,  /* shared-memory tiles; for GPUs */
    GPU_FAMILY_DIRECT, /* texel buffers, subgroup shuffles and 64-bit words; for software
                        * devices */
};

/* How activations and weights lie in memory. All sums, statistics and softmaxes are f32
 * in both; values beyond f16's range become +-65504. */
enum gpu_precision {
    GPU_PRECISION_DEVICE, /* by device: f16 on graphics cards that can, else f32 */
    GPU_PRECISION_F32,
    GPU_PRECISION_F16,
};

/* "f32", "f16"; "device" for GPU_PRECISION_DEVICE. */
const char *gpu_precision_name(enum gpu_precision precision);
/* False when `name` is none of "f32" and "f16". */
bool gpu_precision_parse(const char *name, enum gpu_precision *out);

/* The square of channels and pixels that a workgroup of the tiled family makes. */
enum gpu_tile { GPU_TILE_ANY, GPU_TILE_SMALL, GPU_TILE_MEDIUM, GPU_TILE_LARGE };

/* Cooperative matrices, 16x16x16 with f16 factors and f32 sums, by extension. */
enum gpu_matrix {
    GPU_MATRIX_DEVICE,
    GPU_MATRIX_OFF,
    GPU_MATRIX_NV,
    GPU_MATRIX_KHR,
    GPU_MATRIX_PLAIN, /* the matrix kernel on a stand-in without matrices, for tests */
};

/* What a plan may decide by itself; zero leaves every decision to the device. */
struct gpu_choice {
    enum gpu_precision precision;
    enum gpu_tile tile;         /* tiled family: ANY by the sizes, else this one alone */
    enum gpu_matrix matrix;     /* tiled family in f16 */
    bool no_winograd;           /* no Winograd convolutions */
    bool no_split;              /* tiled family: never cut a sum over several workgroups */
    bool no_subgroups;          /* no subgroup arithmetic in the row kernels */
};

struct gpu_caps {
    char name[256];
    char driver[256];           /* driver name and version for a person */
    uint32_t vendor_id, device_id, driver_version, api_version;
    uint8_t pipeline_cache_uuid[16];
    enum gpu_device_type type;
    uint64_t memory_bytes;      /* the largest device-local heap */
    bool unified_memory;        /* device-local memory is host-visible too */
    uint32_t subgroup_size, min_subgroup_size, max_subgroup_size;
    bool subgroup_size_control; /* a kernel may require a size */
    bool full_subgroups;        /* and that no lane of it is missing */
    bool subgroup_arithmetic, subgroup_shuffle;
    bool int64;                 /* 64-bit integers in shaders */
    bool storage_16bit, float16;/* 16-bit storage buffers; 16-bit arithmetic */
    bool memory_model;          /* Vulkan's memory model, which matrices are built on */
    bool matrix_nv, matrix_khr; /* the device has the matrices and we have the kernel */
    bool cooperative_matrix;    /* f16 plans of the tiled family use them */
    bool timestamps;
    uint32_t timestamp_bits;    /* a timestamp counts modulo 2 to this */
    double timestamp_ns;        /* nanoseconds of one tick */
    uint64_t max_storage_range, max_texel_elements, max_allocation;
    uint32_t max_shared_bytes, max_invocations, max_push_bytes;
    uint32_t max_groups[3];
    uint32_t storage_alignment, texel_alignment;
    /* What a plan will choose: by itself in a list, as asked on an opened device. Never
     * GPU_PRECISION_DEVICE or GPU_MATRIX_DEVICE. */
    enum gpu_family family;
    struct gpu_choice choice;
};

struct gpu_list_entry { int index; struct gpu_caps caps; };

/* Lists usable devices (Vulkan 1.2, a compute queue), best first: discrete, integrated,
 * virtual, other, software. *out is malloc'ed, owned by the caller. Zero devices are
 * not a failure; no loader or no driver at all is. */
enum nn_status gpu_list(struct gpu_list_entry **out, size_t *count,
                        struct nn_error *error);

struct gpu_device_params {
    const char *select;         /* NULL or "": the best; "N": list index; or a part of
                                 * the name, case ignored */
    const char *cache_dir;      /* of the pipeline cache; NULL for none */
    int family;                 /* -1: by device; else an enum gpu_family */
    struct gpu_choice choice;   /* UNSUPPORTED when the device cannot do what is asked */
    bool validate;              /* core and synchronization validation; fails when the
                                 * layer is not installed */
    void (*log)(void *user, const char *text); /* validation messages and warnings; NULL: stderr */
    void *log_user;
    /* Fault injection, for tests: the n-th call from now (1 is the next) fails; 0 never. */
    uint32_t fail_submit_after; /* with device lost */
    uint32_t fail_alloc_after;  /* with out of device memory */
};

enum nn_status gpu_device_create(struct gpu_device **out,
                                 const struct gpu_device_params *params,
                                 struct nn_error *error);
/* Waits for work in flight (at most 2 s), saves the pipeline cache, frees. */
void gpu_device_destroy(struct gpu_device **device);
const struct gpu_caps *gpu_device_caps(const struct gpu_device *device);
bool gpu_device_lost(const struct gpu_device *device);
/* Number of validation messages so far that were errors or warnings. */
uint32_t gpu_device_validation_count(const struct gpu_device *device);
/* Bytes of device memory now held by buffers of this device. */
uint64_t gpu_device_bytes(const struct gpu_device *device);

/* --- Memory ------------------------------------------------------------------ */

/* A device-local buffer, usable as storage buffer, uniform texel buffer and transfer
 * source and destination. Content is undefined at first. */
enum nn_status gpu_buffer_create(struct gpu_buffer **out, struct gpu_device *device,
                                 uint64_t bytes, struct nn_error *error);
void gpu_buffer_destroy(struct gpu_buffer **buffer);
uint64_t gpu_buffer_bytes(const struct gpu_buffer *buffer);
/* The buffer's memory when the host can map it (unified memory), else NULL. Coherent.
 * The caller must not touch it while commands that use it run. */
void *gpu_buffer_map(struct gpu_buffer *buffer);

/* Synchronous copies, through staging where the buffer cannot be mapped. */
enum nn_status gpu_buffer_write(struct gpu_buffer *buffer, uint64_t offset,
                                const void *src, uint64_t bytes, struct nn_error *error);
enum nn_status gpu_buffer_read(struct gpu_buffer *buffer, uint64_t offset, void *dst,
                               uint64_t bytes, struct nn_error *error);

/* --- Kernels ----------------------------------------------------------------- */

#define GPU_MAX_BINDINGS 8
#define GPU_MAX_SPEC 16
#define GPU_MAX_PUSH 128

struct gpu_kernel_desc {
    const char *shader;         /* name in the shader registry, such as "direct_gemm" */
    uint32_t n_bindings;        /* bindings 0 .. n-1 of set 0 */
    uint32_t texel_mask;        /* bit i: binding i is a uniform texel buffer, of four
                                 * values of the kernel's precision */
    uint32_t half;              /* 1: the f16 variant, called shader + "_half" */
    uint32_t n_spec;            /* specialization constants, ids 0 .. n-1 */
    uint32_t spec[GPU_MAX_SPEC];/* 32-bit words: uint, int, bool or float bits */
    uint32_t push_bytes;        /* 0 .. 128, a multiple of 4 */
    uint32_t subgroup_size;     /* required size, or 0; local_size_x is a multiple */
};

/* A pipeline; equal descriptions give the same kernel, which the device owns. Compiles
 * at the first call, through the disk cache. */
enum nn_status gpu_kernel_get(const struct gpu_kernel **out, struct gpu_device *device,
                              const struct gpu_kernel_desc *desc,
                              struct nn_error *error);

/* Compiles what is new among n descriptions, on a thread for each processor. Plans ask for
 * all their kernels at once, so that a start does not wait for one after the other. */
enum nn_status gpu_kernels_prepare(struct gpu_device *device,
                                   const struct gpu_kernel_desc *const *descs, uint32_t n,
                                   struct nn_error *error);

/* --- Commands ---------------------------------------------------------------- */

struct gpu_range { struct gpu_buffer *buffer; uint64_t offset, bytes; };

struct gpu_dispatch {
    const struct gpu_kernel *kernel;
    struct gpu_range binding[GPU_MAX_BINDINGS]; /* offsets aligned as caps say */
    uint8_t push[GPU_MAX_PUSH];
    uint32_t groups[3];
    const char *label;          /* for debuggers and timestamps; may be NULL */
};

/* A recording: made once, submitted any number of times, one at a time. Descriptor
 * sets are written while recording. */
enum nn_status gpu_commands_create(struct gpu_commands **out, struct gpu_device *device,
                                   struct nn_error *error);
void gpu_commands_destroy(struct gpu_commands **commands);
enum nn_status gpu_commands_dispatch(struct gpu_commands *commands,
                                     const struct gpu_dispatch *dispatch,
                                     struct nn_error *error);
/* All earlier shader and transfer writes become visible to later shader and transfer
 * accesses (and later writes wait for earlier reads). Recordings begin and end with
 * the barriers needed against other submits and the host. */
void gpu_commands_barrier(struct gpu_commands *commands);
void gpu_commands_copy(struct gpu_commands *commands, struct gpu_range dst,
                       struct gpu_range src);
/* Writes a timestamp after all earlier commands; index counts from 0. Ignored when the
 * device has none. At most 4096 a recording. */
void gpu_commands_timestamp(struct gpu_commands *commands);
enum nn_status gpu_commands_finish(struct gpu_commands *commands,
                                   struct nn_error *error);
/* Submits; does not wait. */
enum nn_status gpu_commands_submit(struct gpu_commands *commands,
                                   struct nn_error *error);
/* Waits until its last submit is done. */
enum nn_status gpu_commands_wait(struct gpu_commands *commands, struct nn_error *error);
/* After a wait: fills nanoseconds[i] of timestamp i relative to timestamp 0. */
enum nn_status gpu_commands_times(struct gpu_commands *commands, double *nanoseconds,
                                  uint32_t count, struct nn_error *error);

#endif
