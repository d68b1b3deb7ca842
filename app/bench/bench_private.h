/* Shared by the files of app/bench/. */
#pragma once

#include "app/bench/bench.h"

G_BEGIN_DECLS

struct bench {
    const struct bench_options *options;
    const struct bench_sink *sink;
};

struct gpu_device_params bench_device_params(const struct bench *bench);

/* Begins a row: its host peak counts from here. */
void bench_row_begin(struct bench_row *row, const char *net);
/* Tells the row and frees what it holds. */
void bench_row_end(const struct bench *bench, struct bench_row *row);
/* Median and least of `runs` times of one run, which the row's items share. */
void bench_row_times(struct bench_row *row, double *seconds, int runs);
double bench_now(void); /* seconds */

/* Times a plan on inputs made by formula and fills the row's times, flops and profile;
 * row->items must be set. `on_device`: the dispatches by the device's clock; else whole
 * runs with their transfers by the host's. */
enum nn_status bench_plan(const struct bench *bench, struct bench_row *row,
                          struct nn_plan *plan, gboolean on_device,
                          struct nn_error *error);

/* One kernel alone: a product of rows [rows,in] by a weight [out,in]. Owned by the
 * caller, freed with bench_kernel_clear. */
struct bench_kernel {
    struct nn_store *store;
    struct nn_plan *plan;
};
enum nn_status bench_product(struct bench_kernel *out, struct gpu_device *device,
                             guint32 rows, guint32 in, guint32 outs,
                             struct nn_error *error);
void bench_kernel_clear(struct bench_kernel *kernel);

enum nn_status bench_tresnet_m(struct bench *bench, struct nn_error *error);
enum nn_status bench_tresnet_l(struct bench *bench, struct nn_error *error);
enum nn_status bench_clip_text(struct bench *bench, struct nn_error *error);
enum nn_status bench_head(struct bench *bench, struct nn_error *error);
enum nn_status bench_train(struct bench *bench, struct nn_error *error);
enum nn_status bench_gemm(struct bench *bench, struct nn_error *error);
enum nn_status bench_conv(struct bench *bench, struct nn_error *error);
enum nn_status bench_decode(struct bench *bench, struct nn_error *error);

G_END_DECLS
