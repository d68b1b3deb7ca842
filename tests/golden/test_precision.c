/* f16 against f32: test_precision TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT WORK_DIR. The
 * demo model's confidences must change, for another precision did run, and by little. */
#include "app/engine/precision.h"
#include "tests/check.h"

#define IMAGES 2

int main(int argc, char **argv)
{
    struct nn_error error = { 0 };
    REQUIRE(argc == 5);
    g_autofree char *bundle = g_strconcat(argv[4], "/precision-demo", NULL);
    g_autofree char *command = g_strdup_printf(
        "rm -rf '%s' && '%s/tests/tools/make_demo_model.sh' '%s' '%s' "
        "'%s/tests/corpus/text' '%s' >/dev/null", bundle, argv[3], argv[1], argv[2],
        argv[3], bundle);
    REQUIRE(system(command) == 0);
    struct model *model = NULL;
    REQUIRE_OK(model_open(&model, (const char *const[]){ bundle }, 1, NULL, &error));
    guint side = model_info(model)->preprocess.size, count = IMAGES * 3 * side * side;
    g_autofree float *pixels = g_new(float, count);
    for (guint i = 0; i < count; i++) {
        pixels[i] = (float)((i * 2654435761u) >> 16 & 255) / 255;
    }
    const char *const prompts[] = { "a photo of a cat", "a photo of a red bus", "snow" };
    struct session_params params = { .device = { .family = -1 } };
    struct precision_effect effect;
    enum nn_status status;
    if (!precision_compare(model, &params, pixels, IMAGES, prompts, 3, &effect, &status,
                           &error)) {
        fprintf(stderr, "%s\n", error.text);
        return status == NN_ERROR_UNSUPPORTED ? CHECK_SKIP : 1;
    }
    printf("largest change %.2e, mean %.2e\n", effect.largest, effect.mean);
    REQUIRE_INT(effect.count, IMAGES * 3);
    REQUIRE(effect.image < IMAGES && effect.label < 3);
    REQUIRE(effect.largest > 0 && effect.largest < 5e-3);
    REQUIRE(effect.mean > 0 && effect.mean <= effect.largest);
    REQUIRE(!precision_compare(model, &params, pixels, 0, prompts, 3, &effect, &status,
                               &error));
    REQUIRE_INT(status, NN_ERROR_INVALID);
    model_destroy(&model);
    return 0;
}
