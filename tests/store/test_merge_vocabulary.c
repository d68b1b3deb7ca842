/* What databases say about labels is joined: nothing that only one has is lost, what the
 * database has stays, and what differs is told. */
#include "app/store/merge.h"
#include "app/store/thresholds.h"
#include "app/store/vocabulary.h"
#include "tests/store/contents.h"

#include <sqlite3.h>

static gint64 put(store *s, const char *name)
{
    gint64 label = vocabulary_add(s, name, NULL);
    REQUIRE(label > 0);
    return label;
}

static void set(store *s, const char *name, VocabularyField field, const char *text)
{
    REQUIRE(vocabulary_set(s, put(s, name), field, text, NULL));
}

static void set_folder(store *s, const char *folder, const char *first, const char *second)
{
    gint64 labels[] = { put(s, first), put(s, second) };
    REQUIRE(vocabulary_set_folder(s, folder, labels, 2, NULL));
}

/* Everything that is said of labels, in an order that does not depend on row numbers. */
static char *words(const char *name)
{
    static const char *const queries[] = {
        "SELECT l.name || ' ' || t.name FROM label l JOIN label t ON t.id = l.target"
        " WHERE l.id != t.id ORDER BY 1",
        "SELECT name || ' ' || hidden || ' ' || ifnull (prompt, '') || ' ' || ifnull (colour,"
        " '') || ' ' || ifnull (key, '') || ' ' || favourite || ' ' || ifnull (note, '')"
        " FROM label WHERE stands_for IS NULL ORDER BY 1",
        "SELECT DISTINCT l.name || ' < ' || p.name FROM implied i JOIN label l"
        " ON l.id = i.label JOIN label p ON p.id = i.parent ORDER BY 1",
        "SELECT DISTINCT x.name || ': ' || l.name FROM exclusive x JOIN label l"
        " ON l.id = x.label ORDER BY 1",
        "SELECT CAST (f.folder AS TEXT) || ' ' || f.place || ' ' || l.name"
        " FROM folder_label f JOIN label l ON l.id = f.label ORDER BY 1",
        "SELECT h.model || ' ' || l.name || ' ' || h.value FROM threshold h JOIN label l"
        " ON l.id = h.label ORDER BY 1",
        "SELECT name || ' = ' || query FROM saved_filter ORDER BY 1" };
    return read_contents(name, queries, G_N_ELEMENTS(queries));
}

/* Joins a NULL-ended list of databases into another; how many of what is said of labels was
 * new. `told` gets a line for each difference. */
static gint64 join(const char *into, const char *const *names, GString *told)
{
    g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(MergeSource));
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) differences = merge_differences_new();
    g_autoptr(GError) error = NULL;
    MergeCounts counts;
    for (; *names; names++) {
        g_ptr_array_add(paths, file(*names));
        MergeSource source = { paths->pdata[paths->len - 1], NULL };
        g_array_append_val(sources, source);
    }
    store *s = open_new(into);
    if (!merge_run(s, (const MergeSource *)(gpointer)sources->data, sources->len, &counts,
                   differences, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    store_close(&s);
    for (guint i = 0; told && i < differences->len; i++) {
        const MergeDifference *d = differences->pdata[i];
        g_string_append_printf(told, "%s|%s|%s|%s|%s|%s\n", d->what, d->subject, d->detail,
                               d->kept, d->other, d->source);
    }
    return counts.vocabulary;
}

static void make_sources(void)
{
    store *s = open_new("anna.db");
    set(s, "boat", VOCABULARY_COLOUR, "#ff0000");
    set(s, "boat", VOCABULARY_KEY, "b");
    set(s, "boat", VOCABULARY_NOTE, "with sails too");
    set(s, "quay", VOCABULARY_PROMPT, "a photo of a {} | a {}");
    REQUIRE(vocabulary_set_favourite(s, put(s, "quay"), TRUE, NULL));
    REQUIRE(vocabulary_add_synonym(s, put(s, "quay"), "pier", NULL));
    REQUIRE(vocabulary_add_parent(s, put(s, "boat"), put(s, "vehicle"), NULL));
    REQUIRE(vocabulary_add_to_group(s, put(s, "day"), "time", NULL));
    REQUIRE(store_set_threshold(s, "m#1", put(s, "boat"), 0.25, NULL));
    set_folder(s, "/photos", "boat", "quay");
    REQUIRE(store_save_filter(s, "open", "undecided:boat", NULL));
    store_close(&s);
    s = open_new("ben.db");
    set(s, "pier", VOCABULARY_COLOUR, "#00ff00"); /* anna calls it quay */
    set(s, "bird", VOCABULARY_KEY, "b");
    set(s, "boat", VOCABULARY_COLOUR, "#0000ff");
    set(s, "boat", VOCABULARY_NOTE, "no canoes");
    set(s, "boat", VOCABULARY_PROMPT, "a boat");
    REQUIRE(vocabulary_add_parent(s, put(s, "vehicle"), put(s, "thing"), NULL));
    REQUIRE(vocabulary_add_parent(s, put(s, "thing"), put(s, "boat"), NULL)); /* a circle */
    REQUIRE(vocabulary_add_to_group(s, put(s, "night"), "time", NULL));
    REQUIRE(store_set_threshold(s, "m#1", put(s, "boat"), 0.5, NULL));
    REQUIRE(store_set_threshold(s, "m#2", put(s, "boat"), 0.75, NULL));
    set_folder(s, "/photos", "pier", "boat");
    set_folder(s, "/photos/new", "bird", "boat");
    REQUIRE(store_save_filter(s, "open", "undecided:bird", NULL));
    REQUIRE(store_save_filter(s, "night", "night>0.5", NULL));
    store_close(&s);
}

static const char together[] =
    "pier quay\n"
    "bird 0   b 0 \n"
    "boat 0 a boat #0000ff  0 no canoes\nwith sails too\n"
    "day 0    0 \n"
    "night 0    0 \n"
    "quay 0 a photo of a {} | a {} #00ff00  1 \n"
    "thing 0    0 \n"
    "vehicle 0    0 \n"
    "boat < vehicle\nthing < boat\n"
    "time: day\ntime: night\n"
    "/photos 0 boat\n/photos 1 quay\n/photos/new 0 bird\n/photos/new 1 boat\n"
    "m#1 boat 0.25\nm#2 boat 0.75\n"
    "night = night>0.5\nopen = undecided:bird\n";
static const char told_of_both[] =
    "colour|boat||#0000ff|#ff0000|anna\n"
    "key|boat||the key of \"bird\"|b|anna\n"
    "parent|vehicle||\"vehicle\" would be above and below itself|thing|ben\n"
    "threshold|boat|m#1|0.25|0.5|ben\n"
    "folder set|/photos||boat\nquay|pier\nboat|ben\n"
    "filter|open||undecided:bird|undecided:boat|anna\n";

/* Into an empty database: what is taken where the two differ does not depend on which came
 * first. Again, the same is told and nothing is new. */
static void test_two(void)
{
    const char *const forth[] = { "anna.db", "ben.db", NULL };
    const char *const back[] = { "ben.db", "anna.db", "ben.db", NULL };
    g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
    make_sources();
    REQUIRE(join("both.db", forth, first) > 10);
    REQUIRE(join("turned.db", back, NULL) > 10);
    g_autofree char *both = words("both.db"), *turned = words("turned.db");
    REQUIRE_STR(both, together);
    REQUIRE_STR(turned, together);
    REQUIRE_STR(first->str, told_of_both);
    REQUIRE_INT(join("both.db", forth, second), 0);
    g_autofree char *again = words("both.db");
    REQUIRE_STR(again, together);
    REQUIRE_STR(second->str, told_of_both);
}

/* What the database has stays, whatever others say; what it has not is taken. */
static void test_into_own(void)
{
    const char *const ben[] = { "ben.db", NULL }, *const both[] = { "both.db", NULL };
    g_autoptr(GString) told = g_string_new(NULL);
    REQUIRE(join("anna.db", ben, told) > 5);
    REQUIRE_INT(join("anna.db", ben, NULL), 0);
    store *s = open_new("anna.db");
    g_autoptr(GPtrArray) entries = vocabulary_load(s, NULL);
    const VocabularyEntry *boat = vocabulary_entry(entries, store_find_label(s, "boat"));
    const VocabularyEntry *quay = vocabulary_entry(entries, store_find_label(s, "quay"));
    const VocabularyEntry *bird = vocabulary_entry(entries, store_find_label(s, "bird"));
    REQUIRE_STR(boat->colour, "#ff0000");
    REQUIRE_STR(boat->key, "b");
    REQUIRE_STR(boat->prompt, "a boat");
    REQUIRE_STR(boat->note, "with sails too\nno canoes");
    REQUIRE_STR(quay->colour, "#00ff00");
    REQUIRE(quay->favourite && !bird->key);
    REQUIRE(fabs(store_threshold(s, "m#1", boat->label) - 0.25) < 1e-9);
    REQUIRE(fabs(store_threshold(s, "m#2", boat->label) - 0.75) < 1e-9);
    g_autofree char *filter = store_filter(s, "open");
    REQUIRE_STR(filter, "undecided:boat");
    store_close(&s);
    REQUIRE(strstr(told->str, "key|bird||the key of \"boat\"|b|ben\n"));
    REQUIRE(strstr(told->str, "colour|boat||#ff0000|#0000ff|ben\n"));
    /* Notes do not grow by going back and forth. */
    g_autofree char *before = words("anna.db");
    REQUIRE_INT(join("anna.db", both, NULL), 0);
    g_autofree char *after = words("anna.db");
    REQUIRE_STR(after, before);
}

static void run_sql(const char *name, const char *sql)
{
    g_autofree char *path = file(name);
    sqlite3 *db = NULL;
    char *message = NULL;
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "%s\n", message);
        exit(1);
    }
    sqlite3_close(db);
}

/* A file that was not written by this program: what cannot be is told and left, the rest
 * comes. */
static void test_hostile(void)
{
    const char *const names[] = { "hostile.db", NULL };
    g_autoptr(GString) told = g_string_new(NULL);
    store *s = open_new("hostile.db");
    put(s, "cat");
    put(s, "dog");
    store_close(&s);
    run_sql("hostile.db",
            "UPDATE label SET colour = 'red; }', key = 'abc', prompt = CAST (x'ff' AS TEXT),"
            " favourite = 7 WHERE name = 'cat';"
            "INSERT INTO label (name, stands_for) VALUES ('x', 3);" /* itself */
            "INSERT INTO label_parent VALUES (1, 2), (2, 1), (1, 1);"
            "INSERT INTO threshold VALUES ('m', 1, -3), ('m', 2, 1e300);"
            "INSERT INTO folder_label VALUES (CAST ('relative' AS BLOB), 0, 1);"
            "INSERT INTO folder_label VALUES (CAST ('/a/../b/' AS BLOB), -5, 2);"
            "INSERT INTO saved_filter VALUES (CAST (x'80' AS TEXT), 'a');"
            "INSERT INTO label_group VALUES (char (10), 1), ('pets', 1);");
    REQUIRE(join("safe.db", names, told) > 0);
    REQUIRE_INT(join("safe.db", names, NULL), 0);
    g_autofree char *safe = words("safe.db");
    REQUIRE_STR(safe, "cat 0    1 \ndog 0    0 \nx 0    0 \ncat < dog\npets: cat\n"
                      "/b 0 dog\n");
    static const char *const said[] = { "colour|cat|", "key|cat|", "prompt|cat|",
                                        "parent|dog|", "threshold|cat|m|", "threshold|dog|m|",
                                        "folder set|relative|", "filter|", "group|cat|" };
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
        REQUIRE(strstr(told->str, said[i]));
    }
}

int main(void)
{
    make_dir();
    test_two();
    test_into_own();
    test_hostile();
    remove_dir();
    return 0;
}
