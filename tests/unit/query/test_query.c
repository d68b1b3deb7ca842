/* The filter line: what it finds, in which order, what it refuses, what it offers. */
#include "app/query/query.h"
#include "app/query/similar.h"
#include "tests/check.h"

#include <time.h>

/* Six images and three labels. */
static const char *const paths[] = {
    "/p/2024/day1/quay10.jpg", "/p/2024/day1/Quay2.JPG", "/p/2024/day2/b\xff.png",
    "/p/trip/IMG (1).jpg", "/p/trip/été.jpg", "top.jpg" };
static const char *const labels[] = { "boat", "harbour", "rusty bicycle", "name" };
static const double confidence[6][4] = {
    { .9, .1, -1, 0 }, { .7, .9, .5, 0 }, { .6, -1, .4, 0 }, { .3, .2, .6, 0 },
    { -1, .5, -1, 1 }, { .1, .8, .9, 0 } };
static const int verdict[6][4] = {
    { 0, 0, 0, 0 }, { -1, 0, 0, 0 }, { 1, 0, 0, 0 }, { 1, 1, 0, 0 }, { 0, -1, 0, 0 },
    { 0, 0, 0, 0 } };
static const gint64 numbers[6][4] = { /* bytes, width, height, days of 2024 */
    { 1000, 640, 480, 0 }, { 2500000, 4000, 3000, 31 }, { 3000, 1000, 1000, 60 },
    { 4000, -1, -1, 121 }, { 5000, 10, 10, -400 }, { 6000, 20, 20, 366 } };

static int find_label(const char *name, gpointer data)
{
    for (int i = 0; i < 4; i++) {
        if (g_ascii_strcasecmp(labels[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *path(guint image, gpointer data) { return paths[image]; }

static gint64 number(guint image, enum query_number which, gpointer data)
{
    struct tm start = { .tm_year = 124, .tm_mday = 1, .tm_hour = 12, .tm_isdst = -1 };
    gint64 value = numbers[image][which];
    return which == QUERY_TIME ? mktime(&start) + value * 86400 : value;
}

static double confidence_of(guint image, guint label, gpointer data)
{
    return confidence[image][label];
}

static double threshold(guint label, gpointer data) { return label == 1 ? .85 : .5; }

static int verdict_of(guint image, guint label, gpointer data)
{
    return verdict[image][label];
}

static gboolean any(guint image, int wanted, gpointer data)
{
    for (int i = 0; i < 4; i++) {
        if (verdict[image][i] == wanted) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean decided_by(guint image, const char *who, gpointer data)
{
    return who ? (image == 3 && (!*who || strcmp(who, "anna") == 0)) : image == 1;
}

static const struct query_source source = {
    6, NULL, find_label, path, number, confidence_of, threshold, verdict_of, any,
    decided_by };

static char *find(const char *text)
{
    GError *error = NULL;
    struct query *q = query_parse(text, NULL, &error);
    GArray *found = q ? query_run(q, &source, NULL, &error) : NULL;
    if (!found) {
        fprintf(stderr, "%s: %s\n", text, error->message);
        exit(1);
    }
    GString *all = g_string_new(NULL);
    for (guint i = 0; i < found->len; i++) {
        g_string_append_printf(all, "%u", g_array_index(found, guint, i));
    }
    g_array_unref(found);
    query_free(&q);
    return g_string_free(all, FALSE);
}

static void require_found(const char *text, const char *want)
{
    g_autofree char *got = find(text);
    if (strcmp(got, want) != 0) {
        fprintf(stderr, "%s: found %s, not %s\n", text, got, want);
        exit(1);
    }
}

static void test_labels(void)
{
    require_found("", "012345");
    require_found("boat", "023"); /* rejected though sure; accepted though unsure */
    require_found("BOAT", "023");
    require_found("boat>0.6", "01");
    require_found("boat >= .6", "012");
    require_found("boat<=60%", "235");
    require_found("boat!=0.9", "1235");
    require_found("boat=30%", "3");
    require_found("harbour", "13"); /* by its own threshold */
    require_found("label:\"rusty bicycle\">.5", "35");
    require_found("\"rusty bicycle\"<.5", "2");
    require_found("\"name\">.5", "4");
    require_found("label:name>.5", "4");
    require_found("accepted:boat", "23");
    require_found("rejected:boat", "1");
    require_found("undecided:boat", "045");
    require_found("decided:boat", "123");
    require_found("accepted", "23");
    require_found("rejected", "14");
    require_found("undecided", "05");
    require_found("decided", "1234");
    require_found("by:model", "1");
    require_found("by:person", "3");
    require_found("by:anna", "3");
    require_found("by:\"model\"", "");
}

static void test_logic(void)
{
    require_found("boat>0.6 and not harbour accepted:boat", "");
    require_found("boat>.5 not harbour", "02");
    require_found("boat>.8 or harbour>.8 and boat>.5", "01"); /* and before or */
    require_found("(boat>.8 or harbour>.7) boat<.5", "5");
    require_found("not not accepted", "23");
    require_found("not (accepted or rejected)", "05");
    require_found("NOT accepted AND boat>.5", "01");
}

static void test_files(void)
{
    require_found("name:quay*", "01");
    require_found("name:uay", "01"); /* any part, without stars */
    require_found("name:quay?.jpg", "1");
    require_found("name:\"img (1)\"", "3");
    require_found("name:ÉT*", "4");
    require_found("name:b\xff.png", "2");
    require_found("name:*", "012345");
    require_found("folder:day1", "01");
    require_found("folder:day?", "012");
    require_found("folder:day", ""); /* a folder as a whole */
    require_found("folder:2024/day*", "012");
    require_found("folder:p/day1", "");
    require_found("folder:*", "01234");
    require_found("folder:/p/2024/", "012");
    require_found("folder:/2024", "");
    require_found("folder:quay10.jpg", "");
    require_found("width>=1000", "12");
    require_found("pixels>=12M", "1");
    require_found("pixels<1k", "45"); /* what is not known matches nothing */
    require_found("size>2MB", "1");
    require_found("size<=2.44140625KiB", "0");
    require_found("date<2024", "4");
    require_found("date:2024", "0123");
    require_found("date=2024-01-01", "0");
    require_found("date>2024-01", "1235");
    require_found("date>=2024-02", "1235");
    require_found("date<=2024-02-01", "014");
    require_found("date!=2024", "45");
}

static void test_order(void)
{
    require_found("sort:boat", "012354"); /* unknown last */
    require_found("sort:-boat", "532104");
    require_found("accepted sort:-date", "32");
    require_found("sort:date", "401235");
    require_found("sort:name", "231054");
    require_found("sort:uncertain:boat", "213054");
    require_found("sort:uncertain:\"rusty bicycle\" undecided", "50");
    require_found("sort:width", "450213");
    require_found("sort:label:name sort:-width", "412053");
    require_found("boat sort:-\"rusty bicycle\"", "230");
    require_found("boat or harbour sort:size", "0231");
}

static void require_fault(const char *text, guint want, const char *part)
{
    g_autoptr(GError) error = NULL;
    guint column = 0;
    struct query *q = query_parse(text, &column, &error);
    GArray *found = q ? query_run(q, &source, &column, &error) : NULL;
    if (found || column != want || !strstr(error->message, part)) {
        fprintf(stderr, "%s: column %u: %s\n", text, column, found ? "" : error->message);
        exit(1);
    }
    query_free(&q);
}

static void test_faults(void)
{
    require_fault("baot>.5", 1, "no label \"baot\"");
    require_fault("é and boat", 1, "no label");
    require_fault("boat and", 9, "condition is missing");
    require_fault("and boat", 1, "condition is missing");
    require_fault("boat or", 8, "condition is missing");
    require_fault("(boat", 1, "not closed");
    require_fault("boat)", 5, "not opened");
    require_fault("boat>", 6, "number is missing");
    require_fault("boat>x", 6, "number is missing");
    require_fault("boat>2", 6, "between 0 and 1");
    require_fault("boat!.5", 5, "= is missing");
    require_fault("accepted: boat", 11, "label is missing");
    require_fault("foo:bar", 1, "stands in quotes");
    require_fault("name", 5, "colon is missing");
    require_fault("name:", 6, "text is missing");
    require_fault("width", 6, "comparison is missing");
    require_fault("width>wide", 7, "number is missing");
    require_fault("width>3 parsecs", 9, "no label");
    require_fault("date>yesterday", 6, "date is missing");
    require_fault("date>2024-13", 6, "date is missing");
    require_fault("date>2024-02-30", 6, "date is missing");
    require_fault("\"boat", 1, "quote is not closed");
    require_fault("accepted:\"boat", 10, "quote is not closed");
    require_fault("not sort:date", 5, "outside of parentheses");
    require_fault("(sort:date)", 2, "outside of parentheses");
    require_fault("sort:", 6, "what to sort by");
    require_fault("sort:and", 6, "one cannot sort");
    require_fault("sort:uncertain", 15, "colon and a label");
    require_fault("sort:cat", 6, "no label");
    require_fault("sort:date or boat", 11, "condition is missing");
    g_autofree char *deep = g_strnfill(100, '(');
    require_fault(deep, 65, "too many parentheses");
}

static void test_needs(void)
{
    struct query *q = query_parse("accepted:boat harbour boat<.5 undecided:cat", NULL, NULL);
    const char *const *names = query_labels(q);
    REQUIRE_STR(names[0], "boat");
    REQUIRE_STR(names[1], "harbour");
    REQUIRE_STR(names[2], "cat");
    REQUIRE(!names[3]);
    REQUIRE(query_needs_confidence(q, 0) && query_needs_confidence(q, 1));
    REQUIRE(!query_needs_confidence(q, 2));
    query_free(&q);
}

/* `|` is the cursor. */
static void require_offer(const char *line, gsize start, gsize end, const char *want)
{
    static const char *const all[] = { "boat", "rusty bicycle", "Bouy", "lifeboat", "and",
                                       NULL };
    static const char *const folders[] = { "day1", "day 2", NULL };
    struct query_words words = { all, folders, NULL };
    const char *bar = strchr(line, '|');
    g_autofree char *before = g_strndup(line, (gsize)(bar - line));
    g_autofree char *text = g_strconcat(before, bar + 1, NULL);
    gsize from = 0, to = 0;
    g_autoptr(GPtrArray) got = query_complete(text, strlen(before), &words, 3, &from, &to);
    g_ptr_array_add(got, NULL);
    g_autofree char *joined = g_strjoinv(" ", (char **)got->pdata);
    if (strcmp(joined, want) != 0 || from != start || to != end) {
        fprintf(stderr, "%s: %s from %zu to %zu\n", line, joined, from, to);
        exit(1);
    }
}

static void test_completion(void)
{
    require_offer("bo|", 0, 2, "boat Bouy lifeboat");
    require_offer("b|o", 0, 2, "boat Bouy by:");
    require_offer("boat and |", 9, 9, "boat \"rusty bicycle\" Bouy");
    require_offer("acc|", 0, 3, "accepted:");
    require_offer("accepted:ru|", 9, 11, "\"rusty bicycle\"");
    require_offer("accepted:\"rusty b|", 9, 17, "\"rusty bicycle\"");
    require_offer("not (bic|", 5, 8, "\"rusty bicycle\"");
    require_offer("an|", 0, 2, "\"and\" and");
    require_offer("boat>|", 5, 5, "");
    require_offer("boat>.|", 5, 6, "");
    require_offer("name:x|", 5, 6, "");
    require_offer("by:|", 3, 3, "model person");
    require_offer("folder:da|", 7, 9, "day1 \"day 2\"");
    require_offer("sort:d|", 5, 6, "date folder width");
    require_offer("sort:-da|", 5, 8, "-date");
    require_offer("sort:uncertain:li|", 15, 17, "lifeboat");
    require_offer("x| boat", 0, 1, "pixels>=");
}

static void test_quotes(void)
{
    static const char *const names[] = { "boat", "rusty bicycle", "a\"b", "a\\b", "name",
                                         "-x", "", "a:b", "été", "(", "and" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *quoted = query_quote(names[i]);
        g_autofree char *line = g_strconcat("accepted:", quoted, " or ", quoted, NULL);
        struct query *q = query_parse(line, NULL, NULL);
        REQUIRE(q);
        REQUIRE_STR(query_labels(q)[0], names[i]);
        REQUIRE(!query_labels(q)[1]);
        query_free(&q);
    }
    g_autofree char *plain = query_quote("boat");
    REQUIRE_STR(plain, "boat");
}

static void test_similar(void)
{
    const float tokens[6] = { 1, 0, 3, 4, 2, 2 }, like[2] = { 1, 1 };
    const float features[10] = { 1, 0, 2, 2, 0, 0, -1, -1, 5, 5 };
    float mean[2];
    similar_mean(tokens, 3, 2, mean);
    REQUIRE(mean[0] == 2 && mean[1] == 2);
    g_autoptr(GArray) near = similar_rank(features, 5, 2, like, 4);
    static const guint want[] = { 1, 4, 0, 2 };
    REQUIRE_INT(near->len, 4);
    for (guint i = 0; i < 4; i++) {
        REQUIRE_INT(g_array_index(near, struct similar_match, i).image, want[i]);
    }
    REQUIRE(fabs(g_array_index(near, struct similar_match, 2).cosine - sqrt(.5)) < 1e-6);
}

int main(void)
{
    test_labels();
    test_logic();
    test_files();
    test_order();
    test_faults();
    test_needs();
    test_completion();
    test_quotes();
    test_similar();
    return 0;
}
