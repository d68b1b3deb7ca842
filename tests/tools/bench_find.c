/* bench_find [--images N] [--runs N]: how long filter lines take on a database of that size
 * (100,000) with confidences of three labels for every image and decisions on a fifth of
 * them: reading the database, and running the query on what was read. */
#include "app/query/catalogue.h"
#include "app/store/browse.h"
#include "tests/check.h"

static const char *const labels[] = { "boat", "harbour", "person" };
static const char *const queries[] = {
    "boat>0.6 and not harbour accepted:person",
    "boat>0.6 and not harbour accepted:person sort:uncertain:boat",
    "name:img_01* folder:day3 width>=1000",
    "undecided:boat sort:boat",
    "undecided date>2024-05",
    "sort:-date" };

static double noise(guint a, guint b)
{
    guint x = (a * 2654435761u) ^ (b * 40503u + 977u);
    x = (x ^ (x >> 15)) * 2246822519u;
    return (x ^ (x >> 13)) / 4294967296.0;
}

static void add_image(store *s, guint i, const gint64 *ids)
{
    static const char *const prompts[] = { "a boat", "a harbour", "a person" };
    g_autofree char *hash = g_strdup_printf("%064x", i);
    g_autofree char *path = g_strdup_printf("/photos/%u/day%u/IMG_%06u.jpg", 2000 + i % 25,
                                            i % 31, i);
    float said[3];
    StoreImage image = { hash, path, 1000000 + i, 1577836800 + (gint64)i * 1500, 4000,
                         3000 };
    StoreQuestion question = { "m#1", ids, prompts, 3 };
    StoreSource person = { .confidence = -1, .threshold = -1 };
    gint64 row = store_put_image(s, &image, NULL);
    for (guint l = 0; l < 3; l++) {
        said[l] = (float)noise(i, l);
    }
    REQUIRE(row && store_predict(s, row, &question, said, TRUE, NULL));
    for (guint l = 0; i % 5 == 0 && l < 3; l++) {
        REQUIRE(store_decide(s, row, ids[l], noise(i, l + 9) < .5 ? STORE_ACCEPTED
                                                                  : STORE_REJECTED,
                             &person, NULL));
    }
}

static store *make(const char *path, guint images)
{
    gint64 ids[3];
    store *s = store_open(path, STORE_CREATE, NULL);
    REQUIRE(s && store_begin(s, NULL));
    for (guint l = 0; l < 3; l++) {
        ids[l] = store_put_label(s, labels[l], NULL, NULL);
    }
    for (guint i = 0; i < images; i++) {
        add_image(s, i, ids);
    }
    REQUIRE(store_commit(s, NULL));
    return s;
}

static double ms_since(gint64 start)
{
    return 1e-3 * (double)(g_get_monotonic_time() - start);
}

/* The fastest of some runs: others use the machine too. */
static void measure(store *s, const char *line, int runs)
{
    struct query *q = query_parse(line, NULL, NULL);
    double load = G_MAXDOUBLE, run = G_MAXDOUBLE;
    guint found = 0;
    REQUIRE(q);
    for (int i = 0; i < runs; i++) {
        gint64 start = g_get_monotonic_time();
        struct catalogue *c = catalogue_load(s, "m#1", q, NULL);
        REQUIRE(c);
        load = MIN(load, ms_since(start));
        start = g_get_monotonic_time();
        g_autoptr(GArray) images = query_run(q, catalogue_source(c), NULL, NULL);
        REQUIRE(images);
        run = MIN(run, ms_since(start));
        found = images->len;
        catalogue_free(&c);
    }
    printf("%8.1f ms read %8.1f ms run %7u found  %s\n", load, run, found, line);
    query_free(&q);
}

int main(int argc, char **argv)
{
    int images = 100000, runs = 5;
    const GOptionEntry entries[] = {
        { "images", 0, 0, G_OPTION_ARG_INT, &images, NULL, NULL },
        { "runs", 0, 0, G_OPTION_ARG_INT, &runs, NULL, NULL }, { 0 } };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    REQUIRE(g_option_context_parse(context, &argc, &argv, NULL));
    g_autofree char *dir = g_dir_make_tmp("taglight-find-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "x.db", NULL);
    store *s = make(path, (guint)images);
    for (gsize i = 0; i < G_N_ELEMENTS(queries); i++) {
        measure(s, queries[i], runs);
    }
    store_close(&s);
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", dir);
    return system(remove) != 0;
}
