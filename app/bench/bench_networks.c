/* The networks, by the plans that a session runs. */
#include "app/bench/bench_private.h"
#include "compute/nets/model.h"

#include <stdio.h>

/* A model by formula in a session of its own, so that each row's memory is its own. */
struct subject {
    struct model *model;
    struct session *session;
};

static enum nn_status subject_open(struct subject *s, const struct bench *bench,
                                   const char *kind, guint32 side,
                                   struct nn_error *error)
{
    struct session_params params = { .device = bench_device_params(bench),
                                     .max_batch = (uint32_t)bench->options->batch };
    enum nn_status status = model_open_synthetic(&s->model, kind, side, error);
    return status == NN_OK ? session_create(&s->session, s->model, &params, error)
                           : status;
}

static void subject_close(struct subject *s)
{
    session_destroy(&s->session);
    model_destroy(&s->model);
}

static enum nn_status run_task(const struct bench *bench, struct subject *s,
                               struct bench_row *row, enum session_task task, guint32 n,
                               struct nn_error *error)
{
    struct nn_plan *plan = NULL;
    row->items = bench->options->batch;
    enum nn_status status =
        session_plan(s->session, task, (uint32_t)row->items, n, &plan, error);
    if (status == NN_OK) {
        status = bench_plan(bench, row, plan, FALSE, error);
    }
    if (status == NN_OK) {
        row->weight_bytes = session_weight_bytes(s->session);
        bench_row_end(bench, row);
    }
    return status;
}

static enum nn_status image_row(const struct bench *bench, const char *net,
                                const char *kind, guint32 side, struct nn_error *error)
{
    struct bench_row row;
    struct subject s = { 0 };
    bench_row_begin(&row, net);
    snprintf(row.what, sizeof row.what, "%ux%u", side, side);
    enum nn_status status = subject_open(&s, bench, kind, side, error);
    if (status == NN_OK) {
        status = run_task(bench, &s, &row, SESSION_IMAGE, 0, error);
    }
    subject_close(&s);
    return status;
}

enum nn_status bench_tresnet_m(struct bench *bench, struct nn_error *error)
{
    return image_row(bench, "tresnet_m", "clip_decoder_m", 224, error);
}

enum nn_status bench_tresnet_l(struct bench *bench, struct nn_error *error)
{
    return image_row(bench, "tresnet_l", "clip_decoder_l", 448, error);
}

enum nn_status bench_clip_text(struct bench *bench, struct nn_error *error)
{
    static const guint32 lengths[] = { 5, 16, 77 };
    struct subject s = { 0 };
    enum nn_status status = subject_open(&s, bench, "clip_vitb32_text", 0, error);
    for (size_t i = 0; i < G_N_ELEMENTS(lengths) && status == NN_OK; i++) {
        struct bench_row row;
        bench_row_begin(&row, "clip_text");
        snprintf(row.what, sizeof row.what, "%u tokens", lengths[i]);
        status = run_task(bench, &s, &row, SESSION_TEXT, lengths[i], error);
    }
    subject_close(&s);
    return status;
}

enum nn_status bench_head(struct bench *bench, struct nn_error *error)
{
    static const guint32 labels[] = { 1, 80, 1000 };
    struct subject s = { 0 };
    enum nn_status status = subject_open(&s, bench, "clip_decoder_m", 224, error);
    for (size_t i = 0; i < G_N_ELEMENTS(labels) && status == NN_OK; i++) {
        struct bench_row row;
        bench_row_begin(&row, "head");
        snprintf(row.what, sizeof row.what, "%u label%s, %u tokens", labels[i],
                 labels[i] == 1 ? "" : "s", session_token_count(s.session));
        status = run_task(bench, &s, &row, SESSION_SCORE, labels[i], error);
    }
    subject_close(&s);
    return status;
}
