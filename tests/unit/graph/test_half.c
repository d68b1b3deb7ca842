/* 16-bit numbers, all of them, and what lies between. */
#include "compute/half.h"
#include "tests/check.h"

int main(void)
{
    for (uint32_t h = 0; h < 0x10000; h++) {
        float value = nn_half_to_float((uint16_t)h);
        if (isnan(value)) {
            REQUIRE((h & 0x7fff) > 0x7c00);
            REQUIRE(isnan(nn_half_to_float(nn_half_from_float(value))));
        } else if (isinf(value)) {
            REQUIRE_INT(nn_half_from_float(value), (h & 0x8000) | 0x7bff);
        } else {
            REQUIRE_INT(nn_half_from_float(value), h);
        }
    }
    /* Halfway between neighbours the even one is taken, just beside it the nearer. */
    for (uint32_t h = 0; h < 0x7bff; h++) {
        float low = nn_half_to_float((uint16_t)h), high = nn_half_to_float((uint16_t)(h + 1));
        float middle = (low + high) / 2;
        REQUIRE_INT(nn_half_from_float(middle), h + (h & 1));
        REQUIRE_INT(nn_half_from_float(nextafterf(middle, 0)), h);
        REQUIRE_INT(nn_half_from_float(nextafterf(middle, INFINITY)), h + 1);
        REQUIRE_INT(nn_half_from_float(-middle), 0x8000 | (h + (h & 1)));
    }
    REQUIRE_INT(nn_half_from_float(65505), 0x7bff);
    REQUIRE_INT(nn_half_from_float(-3e38f), 0xfbff);
    REQUIRE_INT(nn_half_from_float(1e-30f), 0);
    REQUIRE(nn_half_to_float(0x3c00) == 1 && nn_half_to_float(0x0001) == 0x1p-24f);
    return 0;
}
