/* Decisions of the tiled family on devices that are not here. */
#include "compute/graph/op_gpu_gemm.h"
#include "tests/check.h"

static struct gpu_caps card(uint32_t shared_bytes, enum gpu_precision precision,
                            bool matrix)
{
    return (struct gpu_caps){ .max_shared_bytes = shared_bytes, .max_invocations = 1024,
                              .cooperative_matrix = matrix,
                              .choice = { .precision = precision } };
}

static void test_shared(void)
{
    for (int half = 0; half < 2; half++) {
        for (enum gpu_tile t = GPU_TILE_SMALL; t < GPU_TILE_LARGE; t++) {
            REQUIRE(tiled_shared_bytes(t, half, false)
                    < tiled_shared_bytes(t + 1, half, false));
        }
        /* Vulkan promises 16 KiB; most cards have 32. */
        REQUIRE(tiled_shared_bytes(GPU_TILE_MEDIUM, half, false) <= 16 << 10);
        REQUIRE(tiled_shared_bytes(GPU_TILE_LARGE, half, false) <= 32 << 10);
    }
    REQUIRE_INT(tiled_shared_bytes(GPU_TILE_LARGE, false, false),
                16 * 128 * 4 + 128 * (16 + 4) * 4);
    REQUIRE_INT(tiled_shared_bytes(GPU_TILE_LARGE, true, true),
                32 * (128 + 8) * 2 + 128 * (32 + 8) * 2 + 8 * 16 * 20 * 4);
}

static void test_tile(void)
{
    struct gpu_caps wide = card(48 << 10, GPU_PRECISION_F16, true);
    struct gpu_caps narrow = card(16 << 10, GPU_PRECISION_F32, false);
    struct gpu_caps none = card(4 << 10, GPU_PRECISION_F32, false);
    REQUIRE_INT(tiled_choose(&wide, 1024, 50000), GPU_TILE_LARGE);
    REQUIRE_INT(tiled_choose(&wide, 512, 49), GPU_TILE_SMALL);
    REQUIRE_INT(tiled_choose(&wide, 32, 100000), GPU_TILE_SMALL);
    REQUIRE_INT(tiled_choose(&wide, 64, 100000), GPU_TILE_MEDIUM);
    REQUIRE_INT(tiled_choose(&narrow, 1024, 50000), GPU_TILE_MEDIUM);
    REQUIRE_INT(tiled_choose(&none, 1024, 50000), GPU_TILE_ANY);
    wide.choice.tile = GPU_TILE_LARGE;
    narrow.choice.tile = GPU_TILE_LARGE;
    REQUIRE_INT(tiled_choose(&wide, 32, 1), GPU_TILE_LARGE);
    REQUIRE_INT(tiled_choose(&narrow, 1024, 50000), GPU_TILE_ANY);
}

static void test_parts(void)
{
    struct gpu_caps caps = card(48 << 10, GPU_PRECISION_F32, false);
    REQUIRE_INT(tiled_parts(&caps, 512, 49, 4608), 8);
    REQUIRE_INT(tiled_parts(&caps, 64, 1, 600), 2);
    REQUIRE_INT(tiled_parts(&caps, 64, 1, 511), 1);
    REQUIRE_INT(tiled_parts(&caps, 2048, 77, 4096), 2);
    REQUIRE_INT(tiled_parts(&caps, 4096, 1, 4096), 1);
    REQUIRE_INT(tiled_parts(&caps, 512, 196, 4608), 1);
    caps.choice.no_split = true;
    REQUIRE_INT(tiled_parts(&caps, 512, 49, 4608), 1);
}

int main(void)
{
    test_shared();
    test_tile();
    test_parts();
    return 0;
}
