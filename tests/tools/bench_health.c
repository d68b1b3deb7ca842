/* bench_health [N] [WORK]: the checks that need no file, and the card, on N images
 * (200,000): hashes of looks as drawn pictures have them, a tenth of them near to
 * another, two splits; then a database of as many images and five times as many
 * decisions, written to the folder WORK (/tmp). Prints seconds, and the memory of the
 * whole. */
#include "app/card/card.h"
#include "app/health/health_private.h"
#include "app/image/image_hash.h"
#include "app/store/likeness.h"
#include "tests/check.h"

#include <glib/gstdio.h>
#include <sys/resource.h>

#define LABELS 20
#define OF_IMAGE 5 /* decisions */

static double now(void)
{
    return 1e-6 * (double)g_get_monotonic_time();
}

static void say(const char *what, double since)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-44s %7.2f s, %5ld MB at most until now\n", what, now() - since,
           usage.ru_maxrss / 1024);
    fflush(stdout);
}

/* --- Looks
 * ------------------------------------------------------------------------- */

/* Of a picture of a few soft waves: neighbouring bits agree, as in photographs, so
 * hashes share bands far more often than numbers drawn at random. */
static guint64 draw_looks(GRand *rand)
{
    double wave[3][4], grey[8][9];
    guint64 looks = 0;
    for (int w = 0; w < 3; w++) {
        wave[w][0] = g_rand_double_range(rand, -1.5, 1.5);
        wave[w][1] = g_rand_double_range(rand, -1.5, 1.5);
        wave[w][2] = g_rand_double_range(rand, 0, 7);
        wave[w][3] = g_rand_double_range(rand, .3, 1);
    }
    for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 9; x++) {
            grey[y][x] = g_rand_double_range(rand, -.2, .2);
            for (int w = 0; w < 3; w++) {
                grey[y][x] += wave[w][3]
                              * sin(wave[w][0] * x + wave[w][1] * y + wave[w][2]);
            }
            looks = x ? looks << 1 | (grey[y][x - 1] < grey[y][x]) : looks;
        }
    }
    return looks;
}

static guint64 *draw_all(guint n)
{
    GRand *rand = g_rand_new_with_seed(1);
    guint64 *looks = g_new(guint64, n);
    for (guint i = 0; i < n; i++) {
        looks[i] = draw_looks(rand);
        if (i > 0 && i % 10 == 0) {
            looks[i] = looks[g_rand_int_range(rand, 0, (gint32)i)];
            looks[i] ^= (guint64)1 << g_rand_int_range(rand, 0, 64);
        }
    }
    g_rand_free(rand);
    return looks;
}

/* --- In memory
 * --------------------------------------------------------------------- */

static void fill_set(HealthSet *set, const guint64 *looks, guint n)
{
    g_ptr_array_add(set->splits, (gpointer)health_text(set, "train"));
    g_ptr_array_add(set->splits, (gpointer)health_text(set, "test"));
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/photos/%06u.jpg", i);
        HealthImage *image = health_image(set, health_add_image(set, path));
        image->hashed = TRUE;
        image->looks = looks[i];
        image->split = i % 5 == 0;
    }
}

static void bench_set(const guint64 *looks, guint n)
{
    HealthSet *set = health_set_new();
    HealthOptions options = { .checks = HEALTH_DUPLICATES };
    fill_set(set, looks, n);
    double start = now();
    g_autoptr(GPtrArray) groups = health_groups(set, TRUE);
    say("near looks, grouped", start);
    printf("  %u groups\n", groups->len);
    start = now();
    HealthReport *report = health_run(set, &options, NULL);
    say("duplicates", start);
    health_report_free(&report);
    start = now();
    options.checks = HEALTH_LEAKAGE;
    report = health_run(set, &options, NULL);
    say("leakage", start);
    health_report_free(&report);
    health_set_free(&set);
}

/* --- A database
 * -------------------------------------------------------------------- */

static void put_image(store *s, guint i, guint64 looks, const gint64 *labels)
{
    g_autofree char *hash = g_strdup_printf("%08x%056u", i * 2654435761u, i);
    g_autofree char *path = g_strdup_printf("/photos/%06u.jpg", i);
    StoreImage image = { hash, path, 1000, 1, 640, 480 };
    gint64 id = store_put_image(s, &image, NULL);
    REQUIRE(id > 0 && store_put_likeness(s, id, &looks, NULL));
    for (guint l = 0; l < OF_IMAGE; l++) {
        guint draw = i * 2654435761u >> 8;
        gboolean accepted = (draw >> l) & 1;
        double confidence = (accepted ? .5 : .1) + (draw % 400) / 1000.0;
        StoreSource source = { .confidence = confidence, .threshold = .5, .model = "m",
                               .prompt = "p", .time = "2026-11-24T10:02:14.000Z" };
        REQUIRE(store_decide(s, id, labels[(i + l * 7) % LABELS],
                             accepted ? STORE_ACCEPTED : STORE_REJECTED, &source,
                             NULL));
    }
}

static void fill_store(const char *path, const guint64 *looks, guint n)
{
    store *s = store_open(path, STORE_CREATE, NULL);
    gint64 labels[LABELS];
    REQUIRE(s && store_begin(s, NULL));
    for (int l = 0; l < LABELS; l++) {
        g_autofree char *name = g_strdup_printf("label %d", l);
        labels[l] = store_put_label(s, name, NULL, NULL);
    }
    for (guint i = 0; i < n; i++) {
        put_image(s, i, looks[i], labels);
    }
    REQUIRE(store_commit(s, NULL));
    store_close(&s);
}

static void bench_store(const char *path)
{
    store *s = store_open(path, STORE_READ_ONLY, NULL);
    HealthSet *set = health_set_new();
    HealthStoreOptions loading = { .model = NULL };
    HealthOptions options = { .checks = HEALTH_ALL & ~(guint)HEALTH_FILES };
    double start = now();
    REQUIRE(s && health_add_store(set, s, &loading, NULL));
    say("the set of a database", start);
    start = now();
    HealthReport *report = health_run(set, &options, NULL);
    say("all checks but files", start);
    printf("  %u images, %u decisions, %u findings\n", set->images->len,
           set->pairs->len, report->findings->len);
    health_report_free(&report);
    health_set_free(&set);
    start = now();
    CardOptions of_card = { .db = path, .threshold = .5 };
    Card *card = card_build(s, &of_card, NULL);
    REQUIRE(card);
    say("the card", start);
    card_free(&card);
    store_close(&s);
}

int main(int argc, char **argv)
{
    guint n = argc > 1 ? (guint)atoi(argv[1]) : 200000;
    g_autofree char *work = g_build_filename(argc > 2 ? argv[2] : g_get_tmp_dir(),
                                             "bench-health-XXXXXX", NULL);
    REQUIRE(n > 0 && g_mkdtemp(work));
    g_autofree char *path = g_build_filename(work, "decisions.db", NULL);
    g_autofree guint64 *looks = draw_all(n);
    bench_set(looks, n);
    double start = now();
    fill_store(path, looks, n);
    say("(writing the database)", start);
    bench_store(path);
    g_unlink(path);
    return g_rmdir(work) != 0;
}
