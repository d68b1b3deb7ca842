/* Tables of a database against values by hand, and what is written of them. */
#include "app/dataset/csv.h"
#include "app/look/chart.h"
#include "app/look/look.h"
#include "tests/check.h"

#include <glib/gstdio.h>

#define MODEL "m#12345678"
#define IMAGES 10

/* A label that is no friend of any format. */
#define HOSTILE "<b>&\"cat\", \n\x01;= \xe2\x80\xae猫"

static char *dir;
static gint64 images[IMAGES];

static void decide(store *s, guint image, gint64 label, StoreVerdict verdict,
                   const char *author, const char *time)
{
    StoreSource source = { .author = author, .time = time, .confidence = -1,
                           .threshold = -1 };
    REQUIRE(store_decide(s, images[image], label, verdict, &source, NULL));
}

static void predict(store *s, gint64 label, const float *confidence)
{
    StoreQuestion question = { MODEL, &label, (const char *const[]){ "p" }, 1 };
    for (guint i = 0; i < IMAGES; i++) {
        REQUIRE(store_predict(s, images[i], &question, &confidence[i], FALSE, NULL));
    }
}

/* Of "boat": accepted are images 0, 1, 3, rejected 2 and 4, a model accepted 5, and 6 to 9
 * are undecided, of which 6 reaches its threshold. Of the hostile label 0 and 3 are
 * accepted; "dog" has nothing. */
static store *make_store(void)
{
    static const float boat[IMAGES] = { .95f, .9f, .85f, .6f, .15f, .7f, .5f, .4f, .2f, .1f };
    g_autofree char *path = g_build_filename(dir, "look.db", NULL);
    store *s = store_open(path, STORE_CREATE, NULL);
    REQUIRE(s);
    for (guint i = 0; i < IMAGES; i++) {
        g_autofree char *hash = g_strdup_printf("%02u", i);
        StoreImage image = { hash, hash, 1, 1, 10, 10 };
        images[i] = store_put_image(s, &image, NULL);
    }
    gint64 label = store_put_label(s, "boat", NULL, NULL);
    gint64 hostile = store_put_label(s, HOSTILE, NULL, NULL);
    REQUIRE(store_put_label(s, "dog", NULL, NULL));
    predict(s, label, boat);
    decide(s, 0, label, STORE_ACCEPTED, NULL, "2026-11-01T10:00:00.000Z");
    decide(s, 1, label, STORE_ACCEPTED, "anna", "2026-11-01T11:00:00.000Z");
    decide(s, 3, label, STORE_ACCEPTED, "anna", "2026-11-05T10:00:00.000Z");
    decide(s, 2, label, STORE_REJECTED, "anna", "2026-11-05T10:30:00.000Z");
    decide(s, 4, label, STORE_REJECTED, NULL, "2026-11-05T10:40:00.000Z");
    decide(s, 0, hostile, STORE_ACCEPTED, NULL, "2026-11-20T10:40:00.000Z");
    decide(s, 3, hostile, STORE_ACCEPTED, NULL, "2026-11-21T10:40:00.000Z");
    StoreSource machine = { .by_model = TRUE, .model = MODEL, .prompt = "p",
                            .confidence = .7, .threshold = .65,
                            .time = "2026-11-21T11:00:00.000Z" };
    REQUIRE(store_decide(s, images[5], label, STORE_ACCEPTED, &machine, NULL));
    return s;
}

static LookTable *build(store *s, LookView view, const char *label)
{
    g_autoptr(GError) error = NULL;
    LookOptions o = { .label = label, .threshold = .5 };
    LookTable *table = look_build(s, view, &o, &error);
    if (!table) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    return table;
}

static double at(const LookTable *table, guint row, const char *key)
{
    int column = look_find_column(table, key);
    REQUIRE(column >= 0 && row < look_n_rows(table));
    return look_value(table, row, (guint)column);
}

/* --- Values ------------------------------------------------------------------------------- */

static void test_counts(store *s)
{
    g_autoptr(LookTable) t = build(s, LOOK_COUNTS, NULL);
    REQUIRE_INT(look_n_rows(t), 3);
    REQUIRE_STR(look_text(t, 0, 0), "boat"); /* most decided first */
    REQUIRE_STR(look_text(t, 2, 0), "dog");
    REQUIRE_INT(at(t, 0, "accepted"), 3);
    REQUIRE_INT(at(t, 0, "rejected"), 2);
    REQUIRE_INT(at(t, 0, "proposed"), 2);
    REQUIRE_INT(at(t, 0, "open"), 3);
    REQUIRE_INT(at(t, 1, "accepted"), 2);
    for (guint row = 0; row < 3; row++) {
        REQUIRE_INT(at(t, row, "accepted") + at(t, row, "rejected") + at(t, row, "proposed")
                        + at(t, row, "open"), IMAGES);
    }
    LookOptions strict = { .threshold = .55 };
    g_autoptr(LookTable) fewer = look_build(s, LOOK_COUNTS, &strict, NULL);
    REQUIRE_INT(at(fewer, 0, "proposed"), 1);
}

static void test_histogram(store *s)
{
    guint sums[3] = { 0 };
    g_autoptr(LookTable) t = build(s, LOOK_HISTOGRAM, "boat");
    REQUIRE_INT(look_n_rows(t), 20);
    for (guint row = 0; row < 20; row++) {
        sums[0] += (guint)at(t, row, "accepted");
        sums[1] += (guint)at(t, row, "rejected");
        sums[2] += (guint)at(t, row, "undecided");
    }
    REQUIRE(sums[0] == 3 && sums[1] == 2 && sums[2] == 5);
    REQUIRE_NEAR(at(t, 12, "from"), .6, 1e-9);
    REQUIRE_INT(at(t, 12, "accepted"), 1);
    REQUIRE_INT(at(t, 19, "accepted"), 1);
    REQUIRE_INT(at(t, 3, "rejected"), 1);
}

/* By confidence: + + - + -. */
static void test_precision(store *s)
{
    static const double precision[] = { 1, 1, 2. / 3, .75, .6 };
    static const double recall[] = { 1. / 3, 2. / 3, 2. / 3, 1, 1 };
    g_autoptr(LookTable) t = build(s, LOOK_PRECISION, "boat");
    REQUIRE_INT(look_n_rows(t), 5);
    for (guint row = 0; row < 5; row++) {
        REQUIRE_NEAR(at(t, row, "precision"), precision[row], 1e-12);
        REQUIRE_NEAR(at(t, row, "recall"), recall[row], 1e-12);
        REQUIRE(at(t, row, "low") <= precision[row] && at(t, row, "high") >= precision[row]);
    }
    REQUIRE_NEAR(at(t, 2, "threshold"), .85, 1e-6);
    /* Wilson's interval of 3 in 4. */
    REQUIRE_NEAR(at(t, 3, "low"), 0.300641843, 1e-8);
    REQUIRE_NEAR(at(t, 3, "high"), 0.954412739, 1e-8);
    REQUIRE(strstr(t->note, "0.917")); /* (1 + 1 + 3/4) / 3 */
}

static void test_calibration(store *s)
{
    g_autoptr(LookTable) t = build(s, LOOK_CALIBRATION, "boat");
    REQUIRE_INT(look_n_rows(t), 4); /* .1, .6, .8 and .9 on */
    REQUIRE_NEAR(at(t, 3, "confidence"), .925, 1e-6);
    REQUIRE_NEAR(at(t, 3, "share"), 1, 0);
    REQUIRE_INT(at(t, 3, "accepted"), 2);
    REQUIRE_NEAR(at(t, 3, "low"), 0.342380230, 1e-8);
    REQUIRE_NEAR(at(t, 2, "share"), 0, 0);
    REQUIRE_NEAR(at(t, 0, "from"), .1, 1e-9);
    /* (.15 + .4 + .85 + .15) / 5 */
    REQUIRE(strstr(t->note, "0.310"));
}

static void test_together(store *s)
{
    g_autoptr(LookTable) t = build(s, LOOK_TOGETHER, NULL);
    REQUIRE_INT(look_n_rows(t), 2); /* nothing is accepted of "dog" */
    REQUIRE_INT(t->columns->len, 3);
    REQUIRE_STR(look_text(t, 0, 0), "boat");
    REQUIRE_INT(look_value(t, 0, 1), 4); /* with what the model accepted */
    REQUIRE_INT(look_value(t, 0, 2), 2);
    REQUIRE_INT(look_value(t, 1, 1), 2);
    REQUIRE_INT(look_value(t, 1, 2), 2);
    LookOptions one = { .most = 1 };
    g_autoptr(LookTable) first = look_build(s, LOOK_TOGETHER, &one, NULL);
    REQUIRE(look_n_rows(first) == 1 && first->columns->len == 2);
}

static void test_progress(store *s)
{
    g_autoptr(LookTable) t = build(s, LOOK_PROGRESS, NULL);
    double sum = 0;
    REQUIRE_INT(look_n_rows(t), 4);
    REQUIRE_STR(look_text(t, 0, 0), "2026-11-01");
    REQUIRE_INT(at(t, 0, "here"), 1);
    REQUIRE_INT(at(t, 0, "anna"), 1);
    REQUIRE_INT(at(t, 1, "anna"), 2);
    REQUIRE_INT(at(t, 3, "model " MODEL), 1);
    for (guint row = 0; row < 4; row++) {
        sum += look_value(t, row, 1) + look_value(t, row, 2) + look_value(t, row, 3);
    }
    REQUIRE_INT(sum, 8);
    LookOptions one = { .most = 1 };
    g_autoptr(LookTable) few = look_build(s, LOOK_PROGRESS, &one, NULL);
    REQUIRE_INT(few->columns->len, 3);
    REQUIRE_INT(at(few, 1, "others"), 2);
}

/* --- Refusals ----------------------------------------------------------------------------- */

static const char *shout(const char *text)
{
    return g_str_equal(text, "accepted") ? "JA" : text;
}

static void test_refusals(store *s)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    LookOptions o = { .label = "no such label" };
    REQUIRE(!look_build(s, LOOK_PRECISION, &o, &error));
    REQUIRE(strstr(error->message, "no such label"));
    g_clear_error(&error);
    o = (LookOptions){ .label = "boat", .model = "nobody" };
    REQUIRE(!look_build(s, LOOK_HISTOGRAM, &o, &error) && error);
    g_clear_error(&error);
    g_cancellable_cancel(cancelled);
    o = (LookOptions){ .cancellable = cancelled };
    REQUIRE(!look_build(s, LOOK_COUNTS, &o, &error));
    REQUIRE(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    /* A label that was never asked about has an empty table; keys are not translated. */
    g_autoptr(LookTable) none = build(s, LOOK_PRECISION, "dog");
    REQUIRE_INT(look_n_rows(none), 0);
    o = (LookOptions){ .say = shout };
    g_autoptr(LookTable) t = look_build(s, LOOK_COUNTS, &o, NULL);
    REQUIRE_STR(look_column(t, 1)->key, "accepted");
    REQUIRE_STR(look_column(t, 1)->name, "JA");
    REQUIRE_INT(look_view_of("together"), LOOK_TOGETHER);
    REQUIRE_INT(look_view_of("Together"), -1);
}

/* --- Writing ------------------------------------------------------------------------------ */

static void test_csv(const LookTable *table)
{
    g_autofree char *path = g_build_filename(dir, "table.csv", NULL);
    g_autofree char *text = look_to_csv(table);
    g_autoptr(GError) error = NULL;
    REQUIRE(g_file_set_contents(path, text, -1, NULL));
    struct csv *csv = csv_open(path, &error);
    REQUIRE(csv);
    for (guint row = 0; row < look_n_rows(table); row++) {
        REQUIRE(csv_next(csv, &error));
        REQUIRE_INT(csv_n_fields(csv), table->columns->len);
        for (guint c = 0; c < table->columns->len; c++) {
            if (look_column(table, c)->kind == LOOK_TEXT) {
                REQUIRE_STR(csv_field(csv, c), look_text(table, row, c));
            } else {
                REQUIRE_NEAR(g_ascii_strtod(csv_field(csv, c), NULL),
                             look_value(table, row, c), 1e-5);
            }
        }
    }
    REQUIRE(!csv_next(csv, &error) && !error);
    csv_close(&csv);
}

static void on_element(GMarkupParseContext *context, const char *name, const char **names,
                       const char **values, gpointer data, GError **error)
{
    ++*(guint *)data;
    for (guint i = 0; names[i]; i++) {
        REQUIRE(!strstr(values[i], "nan") && !strstr(values[i], "inf"));
    }
}

static guint count_elements(const char *svg)
{
    static const GMarkupParser parser = { .start_element = on_element };
    guint n = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, &n, NULL);
    if (!g_markup_parse_context_parse(context, svg, -1, &error)
        || !g_markup_parse_context_end_parse(context, &error)) {
        fprintf(stderr, "%s\n%s\n", error->message, svg);
        exit(1);
    }
    return n;
}

static void test_writing(store *s)
{
    for (int view = 0; view < LOOK_VIEWS; view++) {
        g_autoptr(LookTable) t = build(s, view, look_is_about_label(view) ? "boat" : NULL);
        g_autofree char *svg = look_to_svg(t), *again = look_to_svg(t);
        g_autofree char *text = look_to_text(t);
        test_csv(t);
        REQUIRE(count_elements(svg) > 12);
        REQUIRE_STR(svg, again);
        REQUIRE(strstr(text, t->title) && !strchr(text, 1));
        if (view == LOOK_COUNTS) {
            REQUIRE(strstr(svg, "&lt;b&gt;&amp;") && !strstr(svg, "<b>"));
        }
    }
    g_autoptr(LookTable) none = build(s, LOOK_CALIBRATION, "dog");
    g_autofree char *empty = look_to_svg(none);
    REQUIRE(count_elements(empty) >= 5); /* title, description, ground, two texts */
}

/* Nothing is drawn outside, whatever the room, and nothing never ends. */
static void test_room(store *s)
{
    static const double sizes[][2] = { { 0, 0 }, { 1, 5000 }, { 150, 150 }, { 400, 300 },
                                       { 4000, 150 } };
    for (guint i = 0; i < LOOK_VIEWS * G_N_ELEMENTS(sizes); i++) {
        LookView view = i % LOOK_VIEWS;
        const double *size = sizes[i / LOOK_VIEWS];
        ChartStyle style = { 12, i % 2 };
        g_autoptr(LookTable) t = build(s, view, look_is_about_label(view) ? "boat" : NULL);
        Canvas *canvas = canvas_svg_new(size[0], size[1], "", "");
        chart_draw(t, canvas, size[0], size[1], &style);
        g_autofree char *svg = canvas_svg_finish(canvas);
        REQUIRE(count_elements(svg) >= 4);
        REQUIRE(!strstr(svg, "=\"-"));
    }
}

static void test_steps(void)
{
    REQUIRE_NEAR(chart_step(10, 5), 2, 1e-12);
    REQUIRE_NEAR(chart_step(1, 8), .1, 1e-12);
    REQUIRE_NEAR(chart_step(12345, 6), 2000, 1e-9);
    REQUIRE_NEAR(chart_step(0, 6), 1, 0);
    REQUIRE_NEAR(chart_step(NAN, 6), 1, 0);
    REQUIRE_NEAR(chart_step(-5, 6), 1, 0);
}

int main(void)
{
    dir = g_dir_make_tmp("taglight-look-XXXXXX", NULL);
    store *s = make_store();
    test_counts(s);
    test_histogram(s);
    test_precision(s);
    test_calibration(s);
    test_together(s);
    test_progress(s);
    test_refusals(s);
    test_writing(s);
    test_room(s);
    test_steps();
    store_close(&s);
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", dir);
    return system(remove) == 0 ? 0 : 1;
}
