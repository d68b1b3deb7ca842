/* What the program's work costs on this machine: whole networks with weights made by
 * formula, single kernels, and the decoding of images.
 *
 * Networks are timed from host array to host array, as the program uses them. Kernels
 * (gemm, conv) are timed by the device's clock, without transfers. Every time is the
 * median over runs, after one run to warm up. Rates count the operations of products
 * and convolutions in their direct form, so an algorithm that needs fewer shows as a
 * higher rate. To be called from one thread at a time. */
#pragma once

#include "compute/gpu/gpu.h"
#include "compute/graph/plan.h"

#include <glib.h>

G_BEGIN_DECLS

struct bench_options {
    const char *device;    /* NULL: the best; else as gpu_device_params.select */
    const char *cache_dir; /* of compiled kernels; may be NULL */
    int batch;             /* images, or prompts, of one run of a network; at least 1 */
    int runs;              /* timed; at least 1 */
    gboolean profile;      /* fill the profiles of rows */
};

/* The device, and its own measure: the rate of the best of several 1024^3 products. */
struct bench_device {
    const char *name, *driver;
    enum gpu_family family;
    gboolean timestamps; /* FALSE: kernels are timed by the host, a submit for each */
    double peak_flops;   /* a second */
};

struct bench_row {
    const char *net;     /* one of bench_names() */
    char what[64];       /* the case: "224x224", "80 labels, 49 tokens" */
    int items;           /* of one run: images, prompts, products */
    double seconds, best_seconds; /* of one item: median and least */
    double flops;        /* of one item; 0 when it has no meaning */
    guint64 weight_bytes, arena_bytes; /* on the device; 0 for decode */
    guint64 host_peak_bytes; /* most resident memory of the process in this row; where
                              * the system cannot reset it, since the start. A software
                              * device's memory is in it. */
    struct nn_profile profile; /* of one run; empty unless asked for */
};

/* Told once, then told each row as soon as it is measured. Borrowed during the call. */
struct bench_sink {
    void (*device)(void *user, const struct bench_device *device);
    void (*row)(void *user, const struct bench_row *row);
    void *user;
};

/* The names that bench_run takes, in its order; ends with NULL. */
const char *const *bench_names(void);

/* Measures the device, then what is named. Fails at the first thing that fails: an
 * unknown name (NN_ERROR_INVALID) before anything is measured. */
enum nn_status bench_run(const char *const *names, const struct bench_options *options,
                         const struct bench_sink *sink, struct nn_error *error);

G_END_DECLS
