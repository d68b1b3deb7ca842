/* What a person is asked next: the unsure, then the unlike, never what is decided. */
#include "app/select/select.h"
#include "tests/check.h"

/* Images 0 and 1 look alike, and 2 and 3. */
static const float features[4 * 2] = { 1, 0, 1, 0.01f, 0, 1, 0.01f, 1 };

static void test_unsure_first(void)
{
    const float confidence[4 * 2] = { 0.9f, 0.1f, 0.6f, 0.05f, 0.99f, 0.2f, 0.98f, 0.97f };
    const gint8 nothing[8] = { 0 };
    struct select_pool pool = { 4, 2, 2, confidence, nothing, features };
    struct select_pair out[8];
    REQUIRE_INT(select_pairs(&pool, SELECT_UNCERTAIN, 1, 1, out), 1);
    REQUIRE(out[0].image == 1 && out[0].label == 0);
    REQUIRE_INT(select_pairs(&pool, SELECT_UNCERTAIN, 1, 2, out), 2);
    REQUIRE(out[1].image == 2 && out[1].label == 1);
}

/* Of two images that are unsure the one unlike what was decided comes. */
static void test_unlike(void)
{
    const float confidence[4] = { 0.5f, 0.5f, 0.7f, 0.5f };
    gint8 decided[4] = { 1, 0, 0, 0 };
    struct select_pool pool = { 4, 1, 2, confidence, decided, features };
    struct select_pair out[4];
    REQUIRE_INT(select_pairs(&pool, SELECT_UNCERTAIN, 1, 4, out), 3);
    REQUIRE_INT(out[0].image, 3);
    REQUIRE_INT(out[1].image, 1); /* each has its like by now, and 1 is less sure than 2 */
    REQUIRE_INT(out[2].image, 2);
    for (int i = 0; i < 4; i++) {
        decided[i] = -1;
    }
    REQUIRE_INT(select_pairs(&pool, SELECT_UNCERTAIN, 1, 4, out), 0);
    REQUIRE_INT(select_pairs(&pool, SELECT_RANDOM, 1, 4, out), 0);
}

static void test_random(void)
{
    float confidence[40 * 3] = { 0 }, flat[40] = { 0 };
    gint8 decided[40 * 3] = { 0 };
    struct select_pool pool = { 40, 3, 1, confidence, decided, flat };
    struct select_pair a[120], b[120];
    gboolean hit[120] = { FALSE };
    decided[17] = 1;
    REQUIRE_INT(select_pairs(&pool, SELECT_RANDOM, 5, 120, a), 119);
    REQUIRE_INT(select_pairs(&pool, SELECT_RANDOM, 5, 119, b), 119);
    REQUIRE(memcmp(a, b, 119 * sizeof *a) == 0);
    for (int i = 0; i < 119; i++) {
        guint at = a[i].image * 3 + a[i].label;
        REQUIRE(at < 120 && at != 17 && !hit[at]);
        hit[at] = TRUE;
    }
    REQUIRE_INT(select_pairs(&pool, SELECT_RANDOM, 6, 119, b), 119);
    REQUIRE(memcmp(a, b, 119 * sizeof *a) != 0);
}

int main(void)
{
    test_unsure_first();
    test_unlike();
    test_random();
    return 0;
}
