/* A step of training a small CLIP-Decoder, text encoder and all: forward, backward and
 * update. */
#include "app/bench/bench_private.h"
#include "compute/train/init.h"
#include "compute/train/step.h"

#include <stdio.h>

#define IMAGES 32 /* unless the options ask for more than one */
#define SIDE 128
#define LABELS 322
#define TOKENS 10

static const struct network_config network = {
    .layers = { 1, 1, 1, 1 }, .width_factor = 0.25, .decoder_width = 128,
    .label_width = 128, .text_context = 16, .text_width = 128, .text_layers = 2,
    .text_heads = 4, .vocabulary = 1000, .image_size = SIDE };

static enum nn_status make_step(struct train_step **out, struct gpu_device *device,
                                const struct state *state, guint32 images,
                                struct nn_error *error)
{
    struct model_settings settings;
    model_settings_init(&settings);
    settings.text_heads = network.text_heads;
    struct train_step_params params = {
        .settings = &settings, .images = NN_SHAPE4(images, 3, SIDE, SIDE),
        .label_tokens = NN_SHAPE2(LABELS, TOKENS), .beta = 1,
        .asymmetric = { .gamma_negative = 4, .clip = 0.05f, .eps = 1e-8f,
                        .detached = true },
        .decay = NN_DECAY_DECOUPLED, .ema = 0.999, .max_norm = 1 };
    return train_step_create(out, device, state, &params, error);
}

enum nn_status bench_train(struct bench *bench, struct nn_error *error)
{
    struct bench_row row;
    struct gpu_device_params params = bench_device_params(bench);
    struct gpu_device *device = NULL;
    struct state *state = NULL;
    struct train_step *step = NULL;
    bench_row_begin(&row, "train");
    row.items = bench->options->batch > 1 ? bench->options->batch : IMAGES;
    snprintf(row.what, sizeof row.what, "%d of %ux%u, %u labels", row.items, SIDE, SIDE,
             LABELS);
    params.choice.precision = GPU_PRECISION_F32;
    enum nn_status status = state_create_random(&state, &network, 1, error);
    if (status == NN_OK) {
        status = gpu_device_create(&device, &params, error);
    }
    if (status == NN_OK) {
        status = make_step(&step, device, state, (guint32)row.items, error);
    }
    if (status == NN_OK) {
        status = bench_plan(bench, &row, train_step_plan(step), FALSE, error);
    }
    if (status == NN_OK) {
        bench_row_end(bench, &row);
    }
    train_step_destroy(&step);
    gpu_device_destroy(&device);
    state_destroy(&state);
    return status;
}
