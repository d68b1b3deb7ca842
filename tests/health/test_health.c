/* The checks on sets that are made here: numbers by hand, errors that were planted,
 * groups against comparing all with all, Exif of all kinds. */
#include "app/card/card.h"
#include "app/health/health_private.h"
#include "app/image/exif.h"
#include "app/image/image_hash.h"
#include "app/scenes/scene.h"
#include "tests/check.h"

#define CLOSE(a, b) (fabs((a) - (b)) < 1e-6)

static HealthReport *run(HealthSet *set, guint checks)
{
    HealthOptions o = { .checks = checks, .jobs = 2 };
    HealthReport *report = health_run(set, &o, NULL);
    REQUIRE(report);
    return report;
}

static guint count_kind(const HealthReport *report, const char *kind)
{
    guint n = 0;
    for (guint i = 0; i < report->findings->len; i++) {
        const HealthFinding *f = report->findings->pdata[i];
        n += strcmp(f->kind, kind) == 0;
    }
    return n;
}

/* --- Disagreement
 * ------------------------------------------------------------------ */

/* Accepted with .9 .8 .7 .2: t(accepted) = .65. Rejected with .1 .3 .9: p(rejected) is
 * .9 .7 .1, so t(rejected) = 1.7 / 3. */
static void test_numbers(void)
{
    const float confidence[] = { .9f, .8f, .7f, .2f, .1f, .3f, .9f };
    const gint8 verdict[] = { 1, 1, 1, 1, -1, -1, -1 };
    double odds[7];
    HealthConfusion c;
    health_disagree(confidence, verdict, 7, &c, odds);
    REQUIRE(CLOSE(c.threshold[1], .65) && CLOSE(c.threshold[0], 1.7 / 3));
    REQUIRE_INT(c.joint[1][1], 3);
    REQUIRE_INT(c.joint[1][0], 1);
    REQUIRE_INT(c.joint[0][0], 2);
    REQUIRE_INT(c.joint[0][1], 1);
    REQUIRE(CLOSE(c.wrong[1], 1) && CLOSE(c.wrong[0], 1));
    for (int i = 0; i < 7; i++) {
        REQUIRE(isnan(odds[i]) == (i != 3 && i != 6));
    }
    REQUIRE(CLOSE(odds[3], .8 - 1.7 / 3 - (.2 - .65)));
    REQUIRE(CLOSE(odds[6], .9 - .65 - (.1 - 1.7 / 3)));
}

/* t(accepted) = .8 and t(rejected) = .67: .6 and .4 reach neither and count as nothing;
 * the rows are scaled to all five, and all three. */
static void test_unsure(void)
{
    const float confidence[] = { .9f, .9f, .6f, .1f, .1f, .1f, .4f, .95f };
    const gint8 verdict[] = { 1, 1, 1, -1, -1, -1, -1, -1 };
    double odds[8];
    HealthConfusion c;
    health_disagree(confidence, verdict, 8, &c, odds);
    REQUIRE(CLOSE(c.threshold[1], .8) && CLOSE(c.threshold[0], .67));
    REQUIRE_INT(c.joint[1][1], 2);
    REQUIRE_INT(c.joint[1][0], 0);
    REQUIRE_INT(c.joint[0][0], 3);
    REQUIRE_INT(c.joint[0][1], 1);
    REQUIRE(CLOSE(c.wrong[1], 0) && CLOSE(c.wrong[0], 1.25));
    REQUIRE(isnan(odds[2]) && isnan(odds[6]) && !isnan(odds[7]));
}

static void test_one_kind(void)
{
    const float confidence[] = { .9f, .1f };
    const gint8 verdict[] = { 1, 1 };
    double odds[2];
    HealthConfusion c;
    health_disagree(confidence, verdict, 2, &c, odds);
    REQUIRE(isnan(c.threshold[0]) && isnan(odds[0]) && isnan(odds[1]));
    REQUIRE(c.wrong[0] == 0 && c.wrong[1] == 0);
}

/* 0 to 1, the mean of three: bell-shaped. */
static double bell(GRand *rand)
{
    return (g_rand_double(rand) + g_rand_double(rand) + g_rand_double(rand)) / 3;
}

/* flipped: [images, labels]. */
static gboolean is_finding_of(const HealthFinding *f, const HealthSet *set,
                              const gboolean *flipped)
{
    for (guint i = 0; i < set->pairs->len; i++) {
        const HealthPair *pair = &g_array_index(set->pairs, HealthPair, i);
        if (flipped[pair->image * set->labels->len + pair->label] && health_image(set, pair->image)->path == f->paths->pdata[0]
            && health_label(set, pair->label)->name == f->label) {
            return TRUE;
        }
    }
    return FALSE;
}

/* What is true of drawn scenes, with confidences as of a good model, .3 and .7 in the
 * middle: one decision in twenty is turned round. Most of what is listed first must be
 * among them. */
static void test_planted(void)
{
    enum { SCENES = 800, LABELS = 6 };
    HealthSet *set = health_set_new();
    GRand *rand = g_rand_new_with_seed(5);
    struct scene_style style = SCENE_USUAL_STYLE;
    gboolean *flipped = g_new0(gboolean, SCENES * LABELS);
    guint n_flipped = 0;
    for (int l = 0; l < LABELS; l++) {
        g_autofree char *name = g_strdup_printf("shape %d", l);
        health_add_label(set, name);
    }
    for (guint i = 0; i < SCENES; i++) {
        struct scene scene;
        g_autofree char *path = g_strdup_printf("/scenes/%u.jpg", i);
        REQUIRE(scene_plan(&scene, 1, i, i, SCENE_ANY, &style));
        guint image = health_add_image(set, path);
        for (guint l = 0; l < LABELS; l++) {
            gboolean true_of = FALSE;
            for (int o = 0; o < scene.count; o++) {
                true_of = true_of || scene.objects[o].shape == (int)l;
            }
            gboolean flip = g_rand_double(rand) < .05;
            double c = (true_of ? .7 : .3) + .6 * (bell(rand) - .5);
            HealthPair pair = { image, l, true_of != flip ? 1 : -1, (float)c };
            flipped[set->pairs->len] = flip;
            n_flipped += flip;
            g_array_append_val(set->pairs, pair);
        }
    }
    HealthReport *report = run(set, HEALTH_DISAGREEMENT);
    guint found = 0, listed = report->findings->len;
    REQUIRE(n_flipped > 200 && listed > n_flipped / 2);
    for (guint i = 0; i < n_flipped / 2; i++) {
        found += is_finding_of(report->findings->pdata[i], set, flipped);
    }
    printf("planted %u errors; %u of the first %u listed are among them\n", n_flipped, found,
           n_flipped / 2);
    REQUIRE(found > n_flipped / 2 * 9 / 10);
    health_report_free(&report);
    health_set_free(&set);
    g_rand_free(rand);
    g_free(flipped);
}

/* --- Groups
 * ------------------------------------------------------------------------ */

static guint add_looking(HealthSet *set, guint64 looks, const char *hash)
{
    g_autofree char *path = g_strdup_printf("/p/%u.jpg", set->images->len);
    guint number = health_add_image(set, path);
    HealthImage *image = health_image(set, number);
    image->hashed = TRUE;
    image->looks = looks;
    image->hash = hash ? health_text(set, hash) : NULL;
    return number;
}

static guint64 draw(GRand *rand)
{
    return (guint64)g_rand_int(rand) << 32 | g_rand_int(rand);
}

/* The smallest number that can be reached from each, by comparing all with all until
 * nothing changes. */
static void reach_slowly(const HealthSet *set, guint *least)
{
    guint n = set->images->len;
    gboolean changed = TRUE;
    for (guint i = 0; i < n; i++) {
        least[i] = i;
    }
    while (changed) {
        changed = FALSE;
        for (guint i = 0; i < n; i++) {
            for (guint j = 0; j < n; j++) {
                const HealthImage *a = health_image(set, i), *b = health_image(set, j);
                gboolean near = img_hash_tells(a->looks) && img_hash_tells(b->looks)
                                && img_hash_distance(a->looks, b->looks) <= 4;
                gboolean same = a->hash && b->hash && strcmp(a->hash, b->hash) == 0;
                if ((near || same) && least[j] > least[i]) {
                    least[j] = least[i];
                    changed = TRUE;
                }
            }
        }
    }
}

static void test_groups(void)
{
    enum { N = 600 };
    HealthSet *set = health_set_new();
    GRand *rand = g_rand_new_with_seed(11);
    g_autofree guint *least = g_new(guint, N);
    for (guint i = 0; i < N; i++) {
        guint64 looks = i < 10 ? (i % 2 ? G_MAXUINT64 : 0) : draw(rand);
        if (i > 200 && i % 3) {
            guint other = (guint)g_rand_int_range(rand, 10, (gint32)i);
            looks = health_image(set, other)->looks;
            for (guint b = 0; b < i % 7; b++) {
                looks ^= (guint64)1 << g_rand_int_range(rand, 0, 64);
            }
        }
        g_autofree char *hash = i % 5 ? NULL : g_strdup_printf("h%u", i % 50);
        add_looking(set, looks, hash);
    }
    reach_slowly(set, least);
    g_autoptr(GPtrArray) groups = health_groups(set, TRUE);
    guint in_groups = 0, alone = 0;
    for (guint g = 0; g < groups->len; g++) {
        const GArray *images = ((const HealthGroup *)groups->pdata[g])->images;
        guint first = g_array_index(images, guint, 0);
        REQUIRE(images->len >= 2);
        in_groups += images->len;
        for (guint i = 0; i < images->len; i++) {
            REQUIRE_INT(least[g_array_index(images, guint, i)], first);
        }
    }
    for (guint i = 0; i < N; i++) {
        guint others = 0;
        for (guint j = 0; j < N; j++) {
            others += i != j && least[i] == least[j];
        }
        alone += others == 0;
    }
    REQUIRE(alone > 0 && groups->len > 10);
    REQUIRE_INT(in_groups, N - alone);
    g_rand_free(rand);
    health_set_free(&set);
}

/* --- Leakage, copies
 * ---------------------------------------------------------------- */

static void test_leakage(void)
{
    const guint64 looks = G_GUINT64_CONSTANT(0x123456789abcdef0);
    HealthSet *set = health_set_new();
    health_add_label(set, "boat");
    g_ptr_array_add(set->splits, (gpointer)health_text(set, "train"));
    g_ptr_array_add(set->splits, (gpointer)health_text(set, "test"));
    guint a = add_looking(set, looks, "a"), b = add_looking(set, looks ^ 7, "b");
    guint c = add_looking(set, ~looks, "c"), d = add_looking(set, ~looks, "c");
    health_image(set, a)->split = health_image(set, c)->split = 0;
    health_image(set, b)->split = health_image(set, d)->split = 1;
    health_decide(set, c, 0, 1);
    health_decide(set, d, 0, -1);
    HealthReport *report = run(set, HEALTH_LEAKAGE | HEALTH_DUPLICATES);
    REQUIRE_INT(count_kind(report, "same-in-splits"), 1);
    REQUIRE_INT(count_kind(report, "near-in-splits"), 1);
    REQUIRE_INT(count_kind(report, "same-content-labels"), 1);
    REQUIRE_INT(count_kind(report, "near"), 1);
    REQUIRE_INT(report->findings->len, 4);
    health_report_free(&report);
    health_image(set, b)->split = health_image(set, d)->split = 0;
    report = run(set, HEALTH_LEAKAGE);
    REQUIRE_INT(report->findings->len, 0);
    health_report_free(&report);
    health_set_free(&set);
}

/* --- Balance
 * ------------------------------------------------------------------------ */

static void test_balance(void)
{
    HealthSet *set = health_set_new();
    for (int l = 0; l < 4; l++) {
        const char *const names[] = { "often", "twin", "other", "seldom" };
        health_add_label(set, names[l]);
    }
    for (guint i = 0; i < 240; i++) {
        guint image = add_looking(set, 0, NULL);
        if (i < 200) {
            health_decide(set, image, 0, 1);
            health_decide(set, image, 1, 1);
            health_decide(set, image, 2, i == 0 ? -1 : 1);
        } else if (i < 220) {
            health_decide(set, image, 0, -1);
            health_decide(set, image, 1, -1);
            health_decide(set, image, 2, i == 200 ? 1 : -1);
            health_decide(set, image, 3, i == 200 ? 1 : -1);
        }
    }
    HealthReport *report = run(set, HEALTH_BALANCE);
    REQUIRE_INT(count_kind(report, "few-accepted"), 1); /* seldom */
    REQUIRE_INT(count_kind(report, "few-rejected"), 0);
    REQUIRE_INT(count_kind(report, "uneven"), 1);
    REQUIRE_INT(count_kind(report, "together"), 1);     /* often and twin, not other */
    for (guint i = 0; i < report->findings->len; i++) {
        const HealthFinding *f = report->findings->pdata[i];
        REQUIRE(strcmp(f->kind, "together") != 0 || strcmp(f->label, "twin") == 0);
        REQUIRE(strcmp(f->kind, "undecided") != 0 || f->paths->len == 20);
        REQUIRE(strcmp(f->kind, "no-label") != 0 || f->paths->len == 19);
    }
    REQUIRE_INT(count_kind(report, "undecided") + count_kind(report, "no-label"), 2);
    health_report_free(&report);
    health_set_free(&set);
}

/* --- Stopping
 * ------------------------------------------------------------------------ */

static void test_cancel(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    HealthSet *set = health_set_new();
    HealthOptions o = { .checks = HEALTH_ALL, .cancellable = cancellable };
    health_add_label(set, "boat");
    health_add_image(set, "/nowhere/at/all.jpg");
    g_cancellable_cancel(cancellable);
    REQUIRE(!health_run(set, &o, &error));
    REQUIRE(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    health_set_free(&set);
}

/* --- Exif
 * --------------------------------------------------------------------------- */

static void put(GByteArray *out, guint64 value, int bytes, gboolean little)
{
    for (int i = 0; i < bytes; i++) {
        int place = little ? i : bytes - 1 - i;
        guint8 byte = place < 8 ? (guint8)(value >> 8 * place) : 0;
        g_byte_array_append(out, &byte, 1);
    }
}

static void put_entry(GByteArray *out, guint tag, guint type, guint value,
                      gboolean little)
{
    put(out, tag, 2, little);
    put(out, type, 2, little);
    put(out, 1, 4, little);
    put(out, value, type == 3 ? 2 : 4, little);
    put(out, 0, type == 3 ? 2 : 0, little);
}

/* A JPEG as far as its frame header. */
static GByteArray *make_head(guint orientation, gboolean little)
{
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, (const guint8 *)"\xff\xd8\xff\xe1\0\x4c" "Exif\0\0", 12);
    g_byte_array_append(out, (const guint8 *)(little ? "II*\0" : "MM\0*"), 4);
    put(out, 8, 4, little);
    put(out, 2, 2, little);
    put_entry(out, 0x0112, 3, orientation, little);
    put_entry(out, 0x8769, 4, 38, little);
    put(out, 0, 4, little);
    put(out, 2, 2, little);
    put_entry(out, 0xa002, 4, 640, little);
    put_entry(out, 0xa003, 3, 480, little);
    put(out, 0, 4, little);
    const guint8 frame[] = { 0xff, 0xc0, 0, 17, 8, 2, 128, 1, 224, 3 }; /* 480 x 640 */
    g_byte_array_append(out, frame, sizeof frame);
    return out;
}

static void test_exif(void)
{
    for (int little = 0; little < 2; little++) {
        g_autoptr(GByteArray) head = make_head(6, little);
        struct img_exif exif;
        guint width, height;
        img_exif_of_jpeg(head->data, head->len, &exif, &width, &height);
        REQUIRE(exif.turns && exif.orientation == 6);
        REQUIRE(exif.width == 640 && exif.height == 480);
        REQUIRE(width == 0); /* the frame's segment is cut short */
        put(head, 0, 20, TRUE);
        img_exif_of_jpeg(head->data, head->len, &exif, &width, &height);
        REQUIRE(width == 480 && height == 640);
        /* Whatever is cut off or changed, it is read within its bounds. */
        for (gsize n = 0; n < head->len; n++) {
            g_autofree guint8 *part = g_malloc(MAX(n, 1));
            memcpy(part, head->data, n);
            img_exif_of_jpeg(part, n, &exif, &width, &height);
            REQUIRE(n >= 99 || width == 0);
        }
    }
}

/* --- Shares
 * ------------------------------------------------------------------------- */

/* Against Wilson's formula worked out elsewhere. */
static void test_share(void)
{
    CardShare eight = card_share(8, 10), none = card_share(0, 10);
    CardShare all = card_share(5, 5), nothing = card_share(0, 0);
    REQUIRE(fabs(eight.low - .490162) < 1e-5 && fabs(eight.high - .943318) < 1e-5);
    REQUIRE(none.low == 0 && fabs(none.high - .277533) < 1e-5);
    REQUIRE(fabs(all.low - .565518) < 1e-5 && all.high == 1);
    REQUIRE(nothing.low == 0 && nothing.high == 1);
}

int main(void)
{
    test_numbers();
    test_unsure();
    test_one_kind();
    test_planted();
    test_groups();
    test_leakage();
    test_balance();
    test_cancel();
    test_exif();
    test_share();
    return 0;
}
