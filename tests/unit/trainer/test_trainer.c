/* The parts of a training that need no device: changes of pictures, choices by chance,
 * captions, the order and pixels of the feed, the log. */
#include "app/trainer/augment.h"
#include "app/trainer/caption.h"
#include "app/trainer/feed.h"
#include "app/trainer/sampler.h"
#include "app/trainer/train_log.h"
#include "app/trainer/training_set.h"
#include "tests/check.h"

#include <glib/gstdio.h>

#define SIDE 16
#define BYTES (SIDE * SIDE * 3)

static char *dir;

/* --- Changes of pictures ------------------------------------------------------------- */

/* A picture without symmetry: x to the right in red, y downwards in green. */
static void fill(guint8 *rgb)
{
    for (int i = 0; i < SIDE * SIDE; i++) {
        rgb[3 * i] = (guint8)(8 * (i % SIDE) + 40);
        rgb[3 * i + 1] = (guint8)(8 * (i / SIDE) + 60);
        rgb[3 * i + 2] = 100;
    }
}

static void test_names(void)
{
    guint kinds = 99;
    REQUIRE(augment_parse("none", &kinds) && kinds == 0);
    REQUIRE(augment_parse("flip, colour", &kinds)
            && kinds == (AUGMENT_FLIP | AUGMENT_COLOUR));
    REQUIRE(!augment_parse("", &kinds) && !augment_parse("flip,", &kinds)
            && !augment_parse("blur", &kinds));
}

static void test_flip(void)
{
    guint8 rgb[BYTES], before[BYTES];
    fill(rgb);
    memcpy(before, rgb, BYTES);
    augment_flip(rgb, SIDE);
    REQUIRE_INT(rgb[0], before[3 * (SIDE - 1)]);
    REQUIRE_INT(rgb[1], before[1]);
    augment_flip(rgb, SIDE);
    REQUIRE(memcmp(rgb, before, BYTES) == 0);
}

/* No level changes nothing; but for autocontrast, which has none. */
static void test_no_level(void)
{
    guint8 rgb[BYTES], before[BYTES];
    fill(before);
    before[3 * (5 * SIDE + 5)] = 255; /* a smooth slope cannot be sharpened */
    for (int op = 0; op < AUGMENT_OPERATIONS; op++) {
        memcpy(rgb, before, BYTES);
        augment_operate((enum augment_operation)op, 0, rgb, SIDE);
        REQUIRE((memcmp(rgb, before, BYTES) == 0) == (op != AUGMENT_AUTOCONTRAST));
        memcpy(rgb, before, BYTES);
        augment_operate((enum augment_operation)op, 1, rgb, SIDE);
        REQUIRE(memcmp(rgb, before, BYTES) != 0);
    }
}

/* Figures that can be worked out by hand. */
static void test_operations(void)
{
    guint8 rgb[BYTES];
    fill(rgb);
    augment_operate(AUGMENT_TRANSLATE_X, 4.0 / (0.3 * SIDE), rgb, SIDE);
    REQUIRE_INT(rgb[0], 8 * 4 + 40);              /* what stood 4 to the right */
    REQUIRE_INT(rgb[3 * (SIDE - 1)], 128);        /* from outside */
    fill(rgb);
    augment_operate(AUGMENT_BRIGHTNESS, -1, rgb, SIDE);
    REQUIRE_INT(rgb[0], 4);                       /* a tenth of 40 */
    fill(rgb);
    augment_operate(AUGMENT_SATURATION, 1, rgb, SIDE);
    int grey = (19595 * 40 + 38470 * 60 + 7471 * 100 + 0x8000) >> 16;
    REQUIRE_INT(rgb[2], (int)floor(grey + 1.9 * (100 - grey) + 0.5));
    fill(rgb);
    augment_operate(AUGMENT_AUTOCONTRAST, 0, rgb, SIDE);
    REQUIRE_INT(rgb[0], 0);
    REQUIRE_INT(rgb[BYTES - 3], 255);
    REQUIRE_INT(rgb[2], 100);                     /* a colour of one value stays */
    fill(rgb);
    augment_operate(AUGMENT_POSTERIZE, 1, rgb, SIDE);
    REQUIRE_INT(rgb[0], 40 & 0xf0);
}

/* Six times 30 degrees, twice, is all around. */
static void test_rotation(void)
{
    guint8 rgb[BYTES], before[BYTES];
    memset(rgb, 128, BYTES);
    for (int i = 0; i < 4; i++) {
        rgb[((6 + i) * SIDE + 11) * 3] = 228;     /* a bar right of the middle */
    }
    memcpy(before, rgb, BYTES);
    augment_operate(AUGMENT_ROTATE, 3, rgb, SIDE); /* a quarter */
    int up = 0, down = 0;
    for (int i = 0; i < 4; i++) {
        up += rgb[(4 * SIDE + 6 + i) * 3] - 128;
        down += rgb[(11 * SIDE + 6 + i) * 3] - 128;
    }
    REQUIRE(abs(up - down) > 380);
    augment_operate(AUGMENT_ROTATE, -3, rgb, SIDE);
    for (int i = 0; i < BYTES; i++) {
        REQUIRE(abs(rgb[i] - before[i]) <= 2);
    }
}

static void test_cutout(void)
{
    gboolean cut_at_edge = FALSE;
    for (guint64 seed = 0; seed < 50; seed++) {
        struct rng r = rng_new(seed, 0, 0);
        guint8 rgb[BYTES], before[BYTES];
        guint changed = 0;
        fill(rgb);
        memcpy(before, rgb, BYTES);
        augment_cutout(rgb, SIDE, &r);
        for (int i = 0; i < SIDE * SIDE; i++) {
            changed += memcmp(rgb + 3 * i, before + 3 * i, 3) != 0;
        }
        REQUIRE(changed >= 4 * 4 - 1 && changed <= 8 * 8);
        cut_at_edge |= changed < 8 * 8 - 1;
    }
    REQUIRE(cut_at_edge);
}

static void test_chances(void)
{
    struct augment a = { .kinds = AUGMENT_FLIP };
    guint flipped = 0;
    for (guint64 i = 0; i < 1000; i++) {
        struct rng r = rng_new(7, i, SAMPLER_PIXELS);
        guint8 rgb[BYTES];
        fill(rgb);
        augment_apply(&a, rgb, SIDE, &r);
        flipped += rgb[0] != 40;
    }
    REQUIRE(flipped > 430 && flipped < 570);
}

/* --- Choices ------------------------------------------------------------------------- */

static void test_order(void)
{
    guint32 order[100], again[100], other[100];
    guint seen[100] = { 0 };
    sampler_order(5, 3, 100, order);
    sampler_order(5, 3, 100, again);
    sampler_order(5, 4, 100, other);
    REQUIRE(memcmp(order, again, sizeof order) == 0);
    REQUIRE(memcmp(order, other, sizeof order) != 0);
    for (guint i = 0; i < 100; i++) {
        seen[order[i]]++;
    }
    for (guint i = 0; i < 100; i++) {
        REQUIRE_INT(seen[i], 1);
    }
}

static void test_labels(void)
{
    float targets[2 * 10] = { 0 };
    guint32 out[10];
    guint often[10] = { 0 };
    targets[3] = targets[10 + 3] = targets[10 + 7] = 1;
    targets[5] = -1;
    for (guint64 step = 0; step < 200; step++) {
        sampler_labels(1, step, targets, 2, 10, 4, out);
        for (guint i = 0; i < 4; i++) {
            often[out[i]]++;
            REQUIRE(i == 0 || out[i] > out[i - 1]);
        }
    }
    for (guint i = 0; i < 10; i++) {
        gboolean positive = i == 3 || i == 7;
        REQUIRE(positive ? often[i] == 200 : often[i] > 25 && often[i] < 75);
    }
    sampler_labels(1, 0, targets, 2, 10, 1, out); /* no room for both positives */
    REQUIRE(out[0] == 3 || out[0] == 7);
    sampler_labels(1, 0, targets, 2, 10, 10, out);
    for (guint i = 0; i < 10; i++) {
        REQUIRE_INT(out[i], i);
    }
}

static void check_caption(guint room, const char *prompt, guint n, const char *want)
{
    static const guint sizes[] = { 1, 4, 2, 1 };
    const char *labels[] = { "sky", "a very long label", "dark sea", "cup" }, *kept[4];
    struct caption_room r = { room, 2, 3 };
    guint chosen[4], count = caption_choose(&r, sizes, n, chosen);
    for (guint i = 0; i < count; i++) {
        kept[i] = labels[chosen[i]];
    }
    g_autofree char *got = caption_make(prompt, kept, count);
    REQUIRE_STR(got, want);
}

static void test_captions(void)
{
    check_caption(99, "a photo of %s", 1, "a photo of sky");
    check_caption(99, "a photo of %s", 2, "a photo of sky and a very long label");
    check_caption(99, "%s, drawn", 3, "sky, a very long label and dark sea, drawn");
    check_caption(9, "a photo of %s", 4, "a photo of sky and a very long label");
    check_caption(7, "a photo of %s", 4, "a photo of sky and dark sea");
    check_caption(5, "a photo of %s", 4, "a photo of sky and cup");
    check_caption(0, "a photo of %s", 4, "a photo of");
    check_caption(99, "a photo of %s", 0, "a photo of");
}

/* --- Pictures of the feed ------------------------------------------------------------ */

static char *write_picture(guint number)
{
    g_autofree char *name = g_strdup_printf("%u.ppm", number);
    char *path = g_build_filename(dir, name, NULL);
    GString *text = g_string_new("P6 20 30 255\n");
    for (guint i = 0; i < 20 * 30 * 3; i++) {
        g_string_append_c(text, (char)(i * (number + 3)));
    }
    REQUIRE(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
    g_string_free(text, TRUE);
    return path;
}

static char *checksum(const struct feed_params *params, guint first, guint broken)
{
    struct feed_params p = *params;
    struct feed_picture picture;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint n = 0, failed = 0;
    p.first = 0;
    struct feed *feed = feed_new(&p);
    while (feed_take(feed, &picture)) {
        if (n++ >= first) {
            g_checksum_update(sum, (const guchar *)&picture.image, sizeof picture.image);
            g_checksum_update(sum, picture.rgb, BYTES);
        }
        failed += picture.error != NULL;
        g_free(picture.rgb);
        g_clear_error(&picture.error);
    }
    REQUIRE_INT(n, p.end);
    REQUIRE_INT(failed, broken);
    feed_free(&feed);
    char *text = g_strdup(g_checksum_get_string(sum));
    g_checksum_free(sum);
    return text;
}

static void test_feed(void)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < 10; i++) {
        g_ptr_array_add(paths, write_picture(i));
    }
    REQUIRE(g_file_set_contents(paths->pdata[4], "P6 not a picture", -1, NULL));
    struct feed_params p = { .paths = paths, .side = SIDE, .seed = 3, .length = 8,
                             .end = 24, .jobs = 1, .ahead = 3,
                             .augment = { 15, 2, 5 } };
    guint broken = 0;
    for (guint64 epoch = 0; epoch < 3; epoch++) {
        guint32 order[10];
        sampler_order(3, epoch, 10, order);
        for (guint i = 0; i < 8; i++) {
            broken += order[i] == 4;
        }
    }
    g_autofree char *one = checksum(&p, 0, broken), *late = checksum(&p, 11, broken);
    p.jobs = 4;
    p.cache_bytes = 4 * BYTES;
    g_autofree char *four = checksum(&p, 0, broken);
    REQUIRE_STR(four, one);
    p.seed = 4;
    struct feed *unused = feed_new(&p); /* freed while it works */
    feed_free(&unused);
    p.seed = 3;
    p.first = 11; /* as after a stop */
    struct feed *feed = feed_new(&p);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    struct feed_picture picture;
    while (feed_take(feed, &picture)) {
        g_checksum_update(sum, (const guchar *)&picture.image, sizeof picture.image);
        g_checksum_update(sum, picture.rgb, BYTES);
        g_free(picture.rgb);
        g_clear_error(&picture.error);
    }
    feed_free(&feed);
    REQUIRE_STR(g_checksum_get_string(sum), late);
    g_checksum_free(sum);
}

/* --- Data and log -------------------------------------------------------------------- */

static char *write_text(const char *name, const char *text)
{
    char *path = g_build_filename(dir, name, NULL);
    REQUIRE(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void test_set(void)
{
    g_autofree char *data = write_text("set.csv", "path,label,state\n"
                                       "0.ppm,sky,accepted\n0.ppm,sea,rejected\n"
                                       "1.ppm,cup,accepted\n2.ppm,sea,accepted\n"
                                       "gone.ppm,sky,rejected\n");
    g_autofree char *list = write_text("list.txt", "sea\nsky\nsea\n");
    g_autofree char *wrong = write_text("wrong.txt", "sea\nsee\n");
    struct training_set_params p = { .path = data, .labels = list,
                                     .unlisted = DATASET_UNLISTED_UNKNOWN };
    g_autoptr(GError) error = NULL;
    struct training_set *set = training_set_open(&p, &error);
    float targets[2];
    REQUIRE(set);
    REQUIRE_INT(set->labels->len, 2);
    REQUIRE_INT(set->images->len, 2);
    REQUIRE_INT(set->silent, 1);
    REQUIRE_INT(set->missing, 1);
    training_set_targets(set, 0, targets);
    REQUIRE(targets[0] == 0 && targets[1] == 1);
    training_set_targets(set, 1, targets);
    REQUIRE(targets[0] == 1 && targets[1] == -1);
    training_set_close(&set);
    p.labels = wrong;
    REQUIRE(!training_set_open(&p, &error));
    REQUIRE(strstr(error->message, "no label \"see\""));
}

static void test_log(void)
{
    g_autofree char *csv = g_build_filename(dir, "training.csv", NULL);
    g_autofree char *svg = g_build_filename(dir, "training.svg", NULL);
    g_autofree char *text = NULL, *picture = NULL;
    g_autoptr(GError) error = NULL;
    struct train_log *log = train_log_open(csv, 0, &error);
    for (guint64 i = 1; i <= 5; i++) {
        struct train_log_row row = { i, 0.5, 10.0 / (double)i, 1, 2, 1e-3, 0, 33.3,
                                    i == 3 ? 75.5 : NAN };
        REQUIRE(train_log_add(log, &row, &error));
    }
    REQUIRE(train_log_flush(log, svg, &error));
    train_log_close(&log);
    FILE *file = g_fopen(csv, "ab");
    fputs("6,0.5,1.6", file); /* cut short */
    fclose(file);
    log = train_log_open(csv, 3, &error);
    struct train_log_row row = { 4, 0.5, 2.5, 1, 2, 1e-3, 0, 33.3, NAN };
    REQUIRE(log && train_log_add(log, &row, &error));
    train_log_close(&log);
    REQUIRE(g_file_get_contents(csv, &text, NULL, NULL));
    REQUIRE(g_str_has_suffix(text, "\n3,0.5000,3.333333,1,2,0.001,0,33.3,75.50\n"
                             "4,0.5000,2.5,1,2,0.001,0,33.3,\n"));
    REQUIRE(g_file_get_contents(svg, &picture, NULL, NULL));
    REQUIRE(strstr(picture, ">step<") && strstr(picture, ">loss<")
            && strstr(picture, "<polyline"));
    REQUIRE(!train_log_open("/nowhere/at/all.csv", 0, &error) && error);
}

/* A curve of nothing, and one of a single step, are pictures too. */
static void test_short_curves(void)
{
    struct train_log_row row = { .step = 1 };
    for (guint n = 0; n < 2; n++) {
        g_autofree char *picture = train_log_draw(&row, n);
        REQUIRE(g_str_has_suffix(picture, "</svg>\n") && !strstr(picture, "nan"));
    }
}

int main(int argc, char **argv)
{
    dir = g_dir_make_tmp("trainer-XXXXXX", NULL);
    test_names();
    test_flip();
    test_no_level();
    test_operations();
    test_rotation();
    test_cutout();
    test_chances();
    test_order();
    test_labels();
    test_captions();
    test_feed();
    test_set();
    test_log();
    test_short_curves();
    return 0;
}
