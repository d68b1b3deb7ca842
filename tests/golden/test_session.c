/* Sessions when devices fail: test_session FORMULA_CHECKPOINT WORK_DIR. A lost device is
 * made again once, memory that is out makes batches smaller, and the numbers stay. */
#include "compute/nets/model.h"
#include "tests/check.h"

#include <stdatomic.h>

static struct model *model;
static float *pixels, *tokens[2];
static uint64_t n_pixels, n_tokens;

static enum nn_status encode(struct gpu_device_params device, uint32_t batch, float *out,
                             const struct nn_run_params *run, uint32_t *max_batch,
                             struct nn_error *error)
{
    struct session *session = NULL;
    struct session_params params = { .device = device, .max_batch = batch };
    enum nn_status status = session_create(&session, model, &params, error);
    if (status == NN_OK) {
        status = session_encode_image(session, pixels, batch, out, run, error);
        *max_batch = session_max_batch(session);
    }
    session_destroy(&session);
    return status;
}

static void require_same(const char *what)
{
    for (uint64_t i = 0; i < n_tokens; i++) {
        if (fabsf(tokens[0][i] - tokens[1][i]) > 1e-5f) {
            fprintf(stderr, "%s: other numbers\n", what);
            exit(1);
        }
    }
    memset(tokens[1], 0, n_tokens * sizeof(float));
}

int main(int argc, char **argv)
{
    char path[1024], command[2200];
    struct nn_error error = { 0 };
    uint32_t batch = 0;
    REQUIRE(argc == 3);
    snprintf(path, sizeof path, "%s/demo.safetensors", argv[2]);
    snprintf(command, sizeof command, "'%s' demo '%s'", argv[1], path);
    REQUIRE(system(command) == 0);
    struct model_settings settings;
    model_settings_init(&settings);
    settings.text_heads = 4;
    REQUIRE_OK(model_open(&model, (const char *const[]){ path }, 1, &settings, &error));
    n_pixels = 2ull * 3 * 224 * 224;
    n_tokens = 2ull * 49 * model_info(model)->token_width;
    pixels = malloc(n_pixels * sizeof *pixels);
    tokens[0] = malloc(n_tokens * sizeof(float));
    tokens[1] = calloc(n_tokens, sizeof(float));
    for (uint64_t i = 0; i < n_pixels; i++) {
        pixels[i] = (float)(i % 251) / 251;
    }
    struct gpu_device_params good = { .family = -1 };
    if (encode(good, 2, tokens[0], NULL, &batch, &error) != NN_OK) {
        fprintf(stderr, "skipped: %s\n", error.text);
        return CHECK_SKIP;
    }
    struct gpu_device_params lost = { .family = -1, .fail_submit_after = 1 };
    REQUIRE_OK(encode(lost, 2, tokens[1], NULL, &batch, &error));
    require_same("after a lost device");

    /* Allocations fail from the arena's on, once: the same batch passes at the second
     * try, or a smaller one does. */
    for (uint32_t n = 1; n <= 3; n++) {
        struct gpu_device_params full = { .family = -1, .fail_alloc_after = n };
        REQUIRE_OK(encode(full, 2, tokens[1], NULL, &batch, &error));
        require_same("after memory was out");
    }
    atomic_bool cancel = true;
    struct nn_run_params run = { .cancel = &cancel };
    REQUIRE_INT(encode(good, 2, tokens[1], &run, &batch, &error), NN_ERROR_CANCELLED);
    struct gpu_device_params wrong = { .select = "no such device", .family = -1 };
    REQUIRE(encode(wrong, 2, tokens[1], NULL, &batch, &error) != NN_OK);
    REQUIRE(strstr(error.text, "no such device"));
    model_destroy(&model);
    free(pixels);
    free(tokens[0]);
    free(tokens[1]);
    return 0;
}
