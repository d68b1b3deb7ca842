/* Two people's databases become one: nothing is lost, nothing counts twice, and the order
 * does not matter. */
#include "app/store/backup.h"
#include "app/store/merge.h"
#include "tests/store/contents.h"

#include <glib/gstdio.h>

static const StoreSource person = { .confidence = 0.5, .threshold = -1 };

static void decide_at(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                      const char *time)
{
    StoreSource source = { .confidence = -1, .threshold = -1, .time = time };
    REQUIRE(store_decide(s, image, label, verdict, &source, NULL));
}

static void say(store *s, gint64 image, gint64 label, float confidence)
{
    StoreQuestion question = { "m#1", &label, (const char *const[]){ "p" }, 1 };
    REQUIRE(store_predict(s, image, &question, &confidence, TRUE, NULL));
}

/* Everything that a merge keeps, in an order that does not depend on row numbers. */
static char *contents(const char *name)
{
    static const char *const queries[] = {
        "SELECT hash || ' ' || bytes || ' ' || width FROM image ORDER BY 1",
        "SELECT CAST (p.path AS TEXT) || ' ' || i.hash FROM image_path p JOIN image i"
        " ON i.id = p.image ORDER BY 1",
        "SELECT name || ' ' || hidden || ifnull (prompt, '') FROM label ORDER BY 1",
        "SELECT i.hash || l.name || p.model || p.prompt || p.confidence FROM prediction p"
        " JOIN image i ON i.id = p.image JOIN label l ON l.id = p.label ORDER BY 1",
        "SELECT d.event || i.hash || l.name || d.verdict || d.by_model || d.time"
        " || ifnull (d.author, '-') || ifnull (u.event, '-') FROM decision d"
        " JOIN image i ON i.id = d.image JOIN label l ON l.id = d.label"
        " LEFT JOIN decision u ON u.id = d.undoes ORDER BY 1",
        "SELECT i.hash || l.name || d.verdict FROM current_decision d"
        " JOIN image i ON i.id = d.image JOIN label l ON l.id = d.label ORDER BY 1" };
    return read_contents(name, queries, G_N_ELEMENTS(queries));
}

static MergeCounts merge(const char *into, const char *first, const char *second)
{
    g_autofree char *a = file(first), *b = file(second);
    g_autoptr(GError) error = NULL;
    MergeSource sources[] = { { a, NULL }, { b, "ben" } };
    MergeCounts counts;
    store *s = open_new(into);
    if (!merge_run(s, sources, 2, &counts, NULL, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    store_close(&s);
    return counts;
}

/* anna.db and ben.db have an image in common, at different paths, and one path at which they
 * have different images. */
static void make_sources(void)
{
    gint64 who, what;
    store *s = open_new("anna.db");
    gint64 shared = put_image(s, "aa", "/anna/1.jpg"), own = put_image(s, "bb", "/x/2.jpg");
    gint64 cat = store_put_label(s, "cat", NULL, NULL), dog = store_put_label(s, "dog", "p",
                                                                              NULL);
    decide_at(s, shared, cat, STORE_REJECTED, "2026-01-01T10:00:00.000Z");
    decide_at(s, shared, cat, STORE_ACCEPTED, "2026-01-03T10:00:00.000Z");
    REQUIRE(store_decide(s, own, dog, STORE_ACCEPTED, &person, NULL));
    REQUIRE(undo(s, &who, &what) && who == own);
    decide_at(s, shared, dog, STORE_REJECTED, "2026-01-01T10:00:00.000Z");
    say(s, shared, cat, 0.25f);
    store_close(&s);
    s = open_new("ben.db");
    gint64 bird = store_put_label(s, "bird", NULL, NULL);
    gint64 bens_cat = store_put_label(s, "cat", NULL, NULL);
    gint64 other = put_image(s, "cc", "/x/2.jpg");
    shared = put_image(s, "aa", "/ben/copy.jpg");
    REQUIRE(other != shared);
    decide_at(s, shared, bens_cat, STORE_REJECTED, "2026-01-02T10:00:00.000Z");
    decide_at(s, other, bird, STORE_ACCEPTED, "2026-01-02T10:00:00.000Z");
    say(s, shared, bens_cat, 0.75f);
    store_close(&s);
}

static gboolean see_conflict(const StoreRow *row, gpointer data)
{
    g_string_append_printf(data, "%s %s %d %s\n", row->hash, row->name, row->verdict,
                           row->author);
    return TRUE;
}

static void require_conflicts(const char *name, const char *want)
{
    g_autoptr(GString) text = g_string_new(NULL);
    store *s = open_new(name);
    REQUIRE(merge_each_conflict(s, see_conflict, text, NULL));
    REQUIRE_STR(text->str, want);
    store_close(&s);
}

static void test_two_people(void)
{
    make_sources();
    MergeCounts counts = merge("both.db", "anna.db", "ben.db");
    REQUIRE_INT(counts.images, 3);
    REQUIRE_INT(counts.paths, 4);
    REQUIRE_INT(counts.labels, 3);
    REQUIRE_INT(counts.events, 7);
    REQUIRE_INT(counts.predictions, 1);
    store *s = open_new("both.db");
    gint64 shared = store_find_content(s, "aa"), cat = store_find_label(s, "cat");
    REQUIRE_INT(store_verdict(s, shared, cat), STORE_ACCEPTED); /* anna's is the newest */
    REQUIRE_INT(store_find_image(s, "/anna/1.jpg", 10, 20), shared);
    REQUIRE_INT(store_find_image(s, "/ben/copy.jpg", 10, 20), shared);
    /* One of the two images at one path has it, the other says whose it is. */
    REQUIRE_INT(store_find_image(s, "/x/2.jpg", 10, 20), store_find_content(s, "bb"));
    REQUIRE_INT(store_find_image(s, "ben:/x/2.jpg", 10, 20), store_find_content(s, "cc"));
    store_close(&s);
    require_conflicts("both.db", "aa cat 1 anna\naa cat -1 ben\n");
}

static void test_again_and_turned(void)
{
    g_autofree char *first = contents("both.db");
    MergeCounts counts = merge("both.db", "anna.db", "ben.db");
    REQUIRE_INT(counts.images + counts.paths + counts.labels + counts.events
                    + counts.predictions, 0);
    g_autofree char *second = contents("both.db");
    REQUIRE_STR(second, first);
    g_autofree char *anna = file("anna.db"), *ben = file("ben.db"), *own = file("turned.db");
    MergeSource turned[] = { { ben, "ben" }, { own, NULL }, { anna, NULL }, { ben, "ben" } };
    store *s = open_new("turned.db");
    REQUIRE(merge_run(s, turned, 4, NULL, NULL, NULL));
    store_close(&s);
    g_autofree char *third = contents("turned.db");
    REQUIRE_STR(third, first);
    /* One after the other, and through a third database. */
    merge("later.db", "ben.db", "ben.db");
    s = open_new("later.db");
    REQUIRE(merge_run(s, &turned[2], 1, NULL, NULL, NULL));
    store_close(&s);
    require_conflicts("later.db", "aa cat 1 anna\naa cat -1 ben\n");
}

/* Undo is for what was decided here, whatever was merged after it. */
static void test_undo(void)
{
    gint64 who, what;
    store *s = open_new("both.db");
    gint64 shared = store_find_content(s, "aa"), cat = store_find_label(s, "cat");
    gint64 dog = store_find_label(s, "dog");
    REQUIRE(undo(s, &who, &what) && who == 0);
    decide_at(s, shared, cat, STORE_CLEARED, "2025-12-31T10:00:00.000Z");
    REQUIRE_INT(store_verdict(s, shared, cat), STORE_ACCEPTED); /* decided long ago */
    REQUIRE(undo(s, &who, &what) && who == shared && what == cat);
    REQUIRE_INT(store_verdict(s, shared, cat), STORE_ACCEPTED);
    REQUIRE(store_decide(s, shared, dog, STORE_ACCEPTED, &person, NULL));
    REQUIRE_INT(store_verdict(s, shared, dog), STORE_ACCEPTED);
    REQUIRE(undo(s, &who, &what) && what == dog);
    REQUIRE_INT(store_verdict(s, shared, dog), STORE_REJECTED); /* anna's again */
    REQUIRE(undo(s, &who, &what) && who == 0);
    store_close(&s);
}

/* A copy and its original went apart: what they have in common is there once, and keeps the
 * name it has. */
static void test_copies(void)
{
    g_autofree char *copy = file("copy.db");
    store *s = open_new("original.db");
    gint64 image = put_image(s, "aa", "/1.jpg");
    gint64 label = store_put_label(s, "cat", NULL, NULL);
    for (int i = 0; i < 3; i++) {
        REQUIRE(store_decide(s, image, label, STORE_ACCEPTED, &person, NULL));
    }
    REQUIRE(backup_write(s, copy, NULL));
    REQUIRE(store_decide(s, image, label, STORE_REJECTED, &person, NULL));
    store_close(&s);
    s = open_new("copy.db");
    gint64 second = store_put_label(s, "dog", NULL, NULL);
    REQUIRE(store_decide(s, image, second, STORE_ACCEPTED, &person, NULL));
    store_close(&s);
    MergeSource source = { copy, "carl" };
    MergeCounts counts;
    s = open_new("original.db");
    REQUIRE(merge_run(s, &source, 1, &counts, NULL, NULL));
    REQUIRE_INT(counts.events, 1);
    REQUIRE_INT(counts.labels, 1);
    REQUIRE_INT(store_verdict(s, image, label), STORE_REJECTED);
    REQUIRE_INT(store_verdict(s, image, store_find_label(s, "dog")), STORE_ACCEPTED);
    store_close(&s);
}

/* A source that cannot be read leaves the others out, too. */
static void test_all_or_nothing(void)
{
    g_autofree char *anna = file("anna.db"), *broken = file("broken.db");
    g_autofree char *missing = file("missing.db"), *before = contents("both.db");
    g_autoptr(GError) error = NULL;
    MergeSource sources[] = { { anna, "someone" }, { broken, NULL } };
    REQUIRE(g_file_set_contents(broken, "SQLite format 3 this is not, though it begins so,"
                                        " and it is long enough to be taken for one", -1,
                                NULL));
    store *s = open_new("both.db");
    REQUIRE(!merge_run(s, sources, 2, NULL, NULL, &error));
    REQUIRE(strstr(error->message, "broken.db"));
    g_clear_error(&error);
    sources[1].path = missing;
    REQUIRE(!merge_run(s, sources, 2, NULL, NULL, &error));
    REQUIRE(g_error_matches(error, STORE_ERROR, STORE_ERROR_OPEN));
    REQUIRE(!g_file_test(missing, G_FILE_TEST_EXISTS));
    store_close(&s);
    g_autofree char *after = contents("both.db");
    REQUIRE_STR(after, before);
}

int main(void)
{
    make_dir();
    test_two_people();
    test_again_and_turned();
    test_undo();
    test_copies();
    test_all_or_nothing();
    remove_dir();
    return 0;
}
