/* Precision, family and matrices that are chosen on devices which are not here. */
#include "compute/gpu/gpu_internal.h"
#include "tests/check.h"

static struct gpu_caps card(void)
{
    struct gpu_caps caps = { .name = "a card", .type = GPU_DISCRETE, .subgroup_size = 32,
                             .subgroup_shuffle = true, .int64 = true, .subgroup_arithmetic = true,
                             .storage_16bit = true, .matrix_nv = true };
    gpu_choose(&caps);
    return caps;
}

static enum nn_status ask(struct gpu_caps *caps, int family, struct gpu_choice choice,
                          struct nn_error *error)
{
    struct gpu_device_params params = { .family = family, .choice = choice };
    return gpu_choose_as_asked(caps, &params, error);
}

static void test_defaults(void)
{
    struct gpu_caps caps = card();
    REQUIRE_INT(caps.family, GPU_FAMILY_TILED);
    REQUIRE_INT(caps.choice.precision, GPU_PRECISION_F16);
    REQUIRE_INT(caps.choice.matrix, GPU_MATRIX_NV);
    REQUIRE(caps.cooperative_matrix);
    caps.matrix_khr = true;
    gpu_choose(&caps);
    REQUIRE_INT(caps.choice.matrix, GPU_MATRIX_KHR);
    caps.storage_16bit = false;
    gpu_choose(&caps);
    REQUIRE_INT(caps.choice.precision, GPU_PRECISION_F32);
    REQUIRE(!caps.cooperative_matrix);
    caps = card();
    caps.type = GPU_SOFTWARE;
    caps.subgroup_size = 8;
    gpu_choose(&caps);
    REQUIRE_INT(caps.family, GPU_FAMILY_DIRECT);
    REQUIRE_INT(caps.choice.precision, GPU_PRECISION_F32);
    REQUIRE(!caps.cooperative_matrix);
    caps.int64 = false;
    gpu_choose(&caps);
    REQUIRE_INT(caps.family, GPU_FAMILY_TILED);
}

static void test_asked(void)
{
    struct nn_error error = { 0 };
    struct gpu_caps caps = card();
    REQUIRE_OK(ask(&caps, -1, (struct gpu_choice){ 0 }, &error));
    REQUIRE(caps.choice.precision == GPU_PRECISION_F16 && caps.cooperative_matrix);
    REQUIRE(caps.subgroup_arithmetic);
    struct gpu_choice plain = { .precision = GPU_PRECISION_F32, .no_subgroups = true };
    REQUIRE_OK(ask(&caps, -1, plain, &error));
    REQUIRE(caps.choice.precision == GPU_PRECISION_F32 && !caps.cooperative_matrix);
    REQUIRE(!caps.subgroup_arithmetic);
    caps = card();
    REQUIRE_OK(ask(&caps, -1, (struct gpu_choice){ .matrix = GPU_MATRIX_OFF }, &error));
    REQUIRE(caps.choice.precision == GPU_PRECISION_F16 && !caps.cooperative_matrix);
}

static void test_refused(void)
{
    struct nn_error error = { 0 };
    struct gpu_caps caps = card();
    struct gpu_choice khr = { .matrix = GPU_MATRIX_KHR };
    REQUIRE_INT(ask(&caps, -1, khr, &error), NN_ERROR_UNSUPPORTED);
    REQUIRE(strstr(error.text, "a card") && strstr(error.text, "matrices"));
    REQUIRE_INT(ask(&caps, GPU_FAMILY_DIRECT, (struct gpu_choice){ 0 }, &error),
                NN_ERROR_UNSUPPORTED);
    struct gpu_choice unknown = { .precision = 7 };
    REQUIRE_INT(ask(&caps, -1, unknown, &error), NN_ERROR_INVALID);
    caps.storage_16bit = false;
    gpu_choose(&caps);
    struct gpu_choice half = { .precision = GPU_PRECISION_F16 };
    REQUIRE_INT(ask(&caps, -1, half, &error), NN_ERROR_UNSUPPORTED);
    REQUIRE(strstr(error.text, "a card") && strstr(error.text, "f32"));
}

static void test_names(void)
{
    enum gpu_precision got = GPU_PRECISION_DEVICE;
    REQUIRE(gpu_precision_parse("f16", &got) && got == GPU_PRECISION_F16);
    REQUIRE(gpu_precision_parse("f32", &got) && got == GPU_PRECISION_F32);
    REQUIRE(!gpu_precision_parse("device", &got) && !gpu_precision_parse("", &got));
    REQUIRE_STR(gpu_precision_name(got), "f32");
}

int main(void)
{
    test_defaults();
    test_asked();
    test_refused();
    test_names();
    return 0;
}
