/* Imports: images are found again, what is newer here stays, twice is once, a dry run says
 * what a run does and does nothing, and a fault leaves everything as it was. */
#include "app/imports/import.h"
#include "app/library/locator.h"
#include "app/store/steps.h"
#include "tests/temp_dir.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#define ALL (PLACES_BY_PATH | PLACES_BY_NAME | PLACES_BY_CONTENT)
#define HEAD "image,label,state,source,score,decided_at,author\n"

static char *dir;

static char *put(const char *name, const char *text)
{
    char *path = g_build_filename(dir, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    REQUIRE(g_mkdir_with_parents(folder, 0700) == 0);
    REQUIRE(g_file_set_contents(path, text, -1, NULL));
    return path;
}

/* Below the folder of the test: `file` into `db`. */
static struct import_report *run(const char *db, const char *file,
                                 struct import_params params)
{
    g_autofree char *to = g_build_filename(dir, db, NULL);
    g_autofree char *from = g_build_filename(dir, file, NULL);
    g_autofree char *images = params.data.images
                                  ? g_build_filename(dir, params.data.images, NULL) : NULL;
    g_autoptr(GError) error = NULL;
    params.data.images = images;
    params.how = params.how ? params.how : ALL;
    params.author = params.author ? params.author : "file";
    struct import_report *r = import_run(to, from, &params, &error);
    if (!r) {
        fprintf(stderr, "%s: %s\n", file, error->message);
        exit(1);
    }
    return r;
}

/* new, changed, same, kept */
static void require_takes(const guint64 *got, guint64 taken, guint64 over, guint64 same,
                          guint64 kept)
{
    REQUIRE_INT(got[STORE_TAKEN], taken);
    REQUIRE_INT(got[STORE_TAKEN_OVER], over);
    REQUIRE_INT(got[STORE_TAKE_SAME], same);
    REQUIRE_INT(got[STORE_TAKE_KEPT], kept);
}

static void take(const char *db, const char *file, struct import_params params,
                 guint64 taken, guint64 over, guint64 same, guint64 kept)
{
    struct import_report *r = run(db, file, params);
    require_takes(r->decisions, taken, over, same, kept);
    import_report_free(&r);
}

static gboolean add_line(const char *path, const char *label, const StoreEvent *event,
                         gpointer user_data)
{
    g_autofree char *name = g_path_get_basename(path);
    g_string_append_printf(user_data, "%s|%s|%d|%s|%s|%.17s\n", name, label,
                           (int)event->verdict, event->source.by_model ? "model" : "human",
                           event->source.author ? event->source.author : "-",
                           event->source.time);
    return TRUE;
}

/* All current decisions, a line each; to be freed. */
static char *decisions(const char *db)
{
    g_autofree char *path = g_build_filename(dir, db, NULL);
    GString *lines = g_string_new(NULL);
    store *s = store_open(path, STORE_READ_ONLY, NULL);
    REQUIRE(s && store_each_event(s, add_line, lines, NULL));
    store_close(&s);
    return g_string_free(lines, FALSE);
}

static void require_decisions(const char *db, const char *wanted)
{
    g_autofree char *got = decisions(db);
    REQUIRE_STR(got, wanted);
}

/* --- Finding --------------------------------------------------------------------------- */

static void test_locator(void)
{
    static const char *const paths[] = { "/p/day1/quay.jpg", "/p/day2/quay.jpg",
                                         "/p/day2/fog.jpg", "/p/fog.png",
                                         "/p/e\xcc\x81.jpg" };
    struct locator *l = locator_new();
    guint parts;
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        locator_add(l, paths[i]);
    }
    REQUIRE_STR(locator_by_name(l, "/other/day1/quay.jpg", &parts), paths[0]);
    REQUIRE_INT(parts, 2);
    REQUIRE_STR(locator_by_name(l, "day2\\quay.jpg", &parts), paths[1]);
    REQUIRE(!locator_by_name(l, "quay.jpg", &parts));
    REQUIRE(!locator_by_name(l, "xday1/quay.jpg", &parts)); /* half a part is none */
    REQUIRE_STR(locator_by_name(l, "p/day2/fog.jpg", &parts), paths[2]);
    REQUIRE_INT(parts, 3);
    REQUIRE_STR(locator_by_name(l, "/p/day2/fog.jpg", &parts), paths[2]);
    REQUIRE_INT(parts, 3);
    REQUIRE_STR(locator_by_name(l, "day2/fog", &parts), paths[2]); /* without suffix */
    REQUIRE(!locator_by_name(l, "fog", &parts));
    REQUIRE(!locator_by_name(l, "fog.webp", &parts));
    REQUIRE_STR(locator_by_name(l, "\xc3\xa9.jpg", &parts), paths[4]); /* composed */
    locator_free(&l);
}

static void test_matching(void)
{
    g_free(put("photos/day1/quay.jpg", "quay"));
    g_free(put("photos/day2/fog.jpg", "fog"));
    g_free(put("photos/day2/sea.jpg", "sea"));
    g_free(put("match.csv", "image,label\nphotos/day1/quay.jpg,boat\n/else/day2/fog.jpg,fog\n"
                            "a/sea.jpg,x\nb/sea.jpg,x\ngone.jpg,x\n"));
    struct import_report *r = run("match.db", "match.csv", (struct import_params){ 0 });
    REQUIRE_INT(r->images, 5);
    REQUIRE_INT(r->by_path, 1);
    REQUIRE_INT(r->by_name, 1);
    REQUIRE_INT(r->missing.count, 3); /* two names are as good for sea.jpg */
    REQUIRE(g_str_has_prefix(r->missing.names->pdata[0], "a/sea.jpg (another name"));
    REQUIRE_STR(r->missing.names->pdata[2], "gone.jpg");
    REQUIRE_INT(r->without_image, 3);
    REQUIRE_INT(r->new_images, 2);
    REQUIRE_INT(r->new_labels.count, 3);
    import_report_free(&r);
    r = run("match2.db", "match.csv", (struct import_params){ .how = PLACES_BY_PATH });
    REQUIRE_INT(r->by_path + r->by_name, 1);
    import_report_free(&r);
    /* What the database knows is found without its files. */
    g_free(put("away/list.csv", "image,label\nquay.jpg,boat\nday2/fog.jpg,fog\n"));
    r = run("match.db", "away/list.csv", (struct import_params){ 0 });
    REQUIRE_INT(r->by_name, 2);
    require_takes(r->decisions, 0, 0, 2, 0);
    import_report_free(&r);
}

/* Another machine's database: other folders, one file renamed, another replaced. */
static void test_database(void)
{
    g_free(put("anna/a.jpg", "picture a"));
    g_free(put("anna/b.jpg", "picture b"));
    g_free(put("anna/c.jpg", "picture c"));
    g_free(put("anna/l.csv", HEAD "a.jpg,cat,accepted,human,,2026-01-01T00:00:01Z,\n"
                             "b.jpg,cat,rejected,human,,2026-01-01T00:00:02Z,eve\n"
                             "c.jpg,dog,accepted,model,0.5,2026-01-01T00:00:03Z,\n"));
    take("anna.db", "anna/l.csv", (struct import_params){ .author = "anna" }, 3, 0, 0, 0);
    g_free(put("here/a.jpg", "picture a"));
    g_free(put("here/renamed.jpg", "picture b"));
    g_free(put("here/c.jpg", "not the same")); /* of that name, and another picture */
    g_autofree char *away = g_build_filename(dir, "anna", NULL);
    g_autofree char *moved = g_build_filename(dir, "anna-gone", NULL);
    REQUIRE(g_rename(away, moved) == 0);
    struct import_params here = { .data = { .images = "here" } };
    struct import_report *r = run("here.db", "anna.db", here);
    REQUIRE_INT(r->by_name, 1);
    REQUIRE_INT(r->by_content, 1);
    REQUIRE_INT(r->missing.count, 1);
    require_takes(r->decisions, 2, 0, 0, 0);
    import_report_free(&r);
    require_decisions("here.db", "a.jpg|cat|1|human|anna|2026-01-01T00:00:\n"
                                 "renamed.jpg|cat|-1|human|eve|2026-01-01T00:00:\n");
    take("here.db", "anna.db", here, 0, 0, 2, 0);
    /* Who does not ask for content gets what is called so. */
    here.how = PLACES_BY_NAME;
    r = run("names.db", "anna.db", here);
    REQUIRE_INT(r->by_name, 2);
    import_report_free(&r);
}

/* --- What stays -------------------------------------------------------------------------- */

static void test_newer_stays(void)
{
    g_free(put("t/a.jpg", "a"));
    g_free(put("t/b.jpg", "b"));
    g_free(put("t/1.csv", HEAD "a.jpg,x,accepted,human,,2026-01-02T00:00:00Z,\n"
                          "b.jpg,x,accepted,model,,2026-01-02T00:00:00Z,\n"));
    g_free(put("t/older.csv", HEAD "a.jpg,x,rejected,human,,2026-01-01T00:00:00Z,\n"));
    g_free(put("t/newer.csv", HEAD "a.jpg,x,rejected,human,,2026-01-03T00:00:00Z,eve\n"));
    g_free(put("t/model.csv", HEAD "a.jpg,x,accepted,model,,2026-02-01T00:00:00Z,\n"));
    g_free(put("t/person.csv", HEAD "b.jpg,x,rejected,human,,2026-01-01T00:00:00Z,\n"));
    g_free(put("t/plain.csv", "image,label,state\na.jpg,x,1\n"));
    struct import_params p = { 0 };
    take("t.db", "t/1.csv", p, 2, 0, 0, 0);
    take("t.db", "t/1.csv", p, 0, 0, 2, 0);
    struct import_report *r = run("t.db", "t/older.csv", p);
    require_takes(r->decisions, 0, 0, 0, 1);
    REQUIRE_STR(r->kept.names->pdata[0], "a.jpg: x");
    import_report_free(&r);
    take("t.db", "t/newer.csv", p, 0, 1, 0, 0);
    take("t.db", "t/model.csv", p, 0, 0, 0, 1);   /* no model overrules a person */
    take("t.db", "t/person.csv", p, 0, 1, 0, 0);  /* and a person any model */
    take("t.db", "t/plain.csv", p, 0, 0, 0, 1);   /* nobody knows when */
    require_decisions("t.db", "a.jpg|x|-1|human|eve|2026-01-03T00:00:\n"
                              "b.jpg|x|-1|human|file|2026-01-01T00:00:\n");
    p.time = "2026-01-04T00:00:00.000Z";
    take("t.db", "t/plain.csv", p, 0, 1, 0, 0);
    take("t.db", "t/plain.csv", p, 0, 0, 1, 0);
    require_decisions("t.db", "a.jpg|x|1|human|file|2026-01-04T00:00:\n"
                              "b.jpg|x|-1|human|file|2026-01-01T00:00:\n");
}

/* What was decided here and taken back is open again, and what is decided here is this
 * person's own: an import never hides behind an undo. */
static void test_own(void)
{
    g_autofree char *path = g_build_filename(dir, "own.db", NULL);
    g_autofree char *image = put("own/a.jpg", "own");
    g_free(put("own/l.csv", "image,label,state\na.jpg,x,1\na.jpg,y,0\n"));
    StoreSource person = { .confidence = -1, .threshold = -1 };
    struct identity known;
    store *s = store_open(path, STORE_CREATE, NULL);
    REQUIRE(s && identity_read(image, NULL, &known, NULL));
    gint64 row = identity_put(s, image, &known, NULL);
    identity_clear(&known);
    gint64 x = store_put_label(s, "x", NULL, NULL);
    REQUIRE(store_decide(s, row, x, STORE_REJECTED, &person, NULL));
    REQUIRE(store_decide(s, row, x, STORE_CLEARED, &person, NULL));
    store_close(&s);
    take("own.db", "own/l.csv", (struct import_params){ 0 }, 2, 0, 0, 0);
    s = store_open(path, STORE_CREATE, NULL);
    REQUIRE_INT(store_verdict(s, row, x), STORE_ACCEPTED);
    g_autoptr(GArray) undone = store_undo(s, NULL);
    REQUIRE(undone && undone->len == 1);
    store_close(&s);
}

/* --- Runs -------------------------------------------------------------------------------- */

static void test_dry_run(void)
{
    g_autofree char *db = g_build_filename(dir, "dry.db", NULL);
    struct import_params dry = { .dry_run = TRUE };
    g_free(put("dry/a.jpg", "dry"));
    g_free(put("dry/l.csv", HEAD "a.jpg,x,1,human,,,\na.jpg,y,undecided,model,0.5,,\n"));
    g_free(put("dry/m.csv", HEAD "a.jpg,z,1,human,,,\n"));
    struct import_report *r = run("dry.db", "dry/l.csv", dry);
    require_takes(r->decisions, 1, 0, 0, 0);
    require_takes(r->predictions, 1, 0, 0, 0);
    REQUIRE_INT(r->new_labels.count, 2);
    g_autofree char *json = import_report_to_json(r, TRUE);
    REQUIRE(strstr(json, "\"dry_run\" : true"));
    import_report_free(&r);
    REQUIRE(!g_file_test(db, G_FILE_TEST_EXISTS));
    r = run("dry.db", "dry/l.csv", (struct import_params){ 0 });
    require_takes(r->decisions, 1, 0, 0, 0);
    require_takes(r->predictions, 1, 0, 0, 0);
    import_report_free(&r);
    r = run("dry.db", "dry/l.csv", (struct import_params){ 0 });
    require_takes(r->predictions, 0, 0, 1, 0);
    import_report_free(&r);
    take("dry.db", "dry/m.csv", dry, 1, 0, 0, 0);
    take("dry.db", "dry/m.csv", dry, 1, 0, 0, 0); /* so the first wrote nothing */
}

static void test_all_or_nothing(void)
{
    g_autofree char *db = g_build_filename(dir, "whole.db", NULL);
    g_autofree char *none = g_build_filename(dir, "none.db", NULL);
    g_autofree char *bad = put("whole/bad.csv", HEAD "a.jpg,x,1,human,,,\na.jpg,y,1,human,"
                                                     ",noon,\n");
    g_autofree char *good = put("whole/good.csv", HEAD "a.jpg,z,1,human,,,\n");
    struct import_params p = { .how = ALL, .author = "file" };
    g_autoptr(GError) error = NULL;
    g_free(put("whole/a.jpg", "whole"));
    REQUIRE(!import_run(none, bad, &p, &error));
    REQUIRE(strstr(error->message, "bad.csv:3:"));
    REQUIRE(!g_file_test(none, G_FILE_TEST_EXISTS));
    take("whole.db", "whole/good.csv", p, 1, 0, 0, 0);
    g_clear_error(&error);
    REQUIRE(!import_run(db, bad, &p, &error));
    g_autofree char *kept = decisions("whole.db");
    REQUIRE(g_str_has_prefix(kept, "a.jpg|z|1|"));
    REQUIRE(strchr(kept, '\n') == kept + strlen(kept) - 1);
}

/* The database refuses in the middle: nothing of the run stays. */
static void test_refused(void)
{
    g_autofree char *path = g_build_filename(dir, "refused.db", NULL);
    g_autofree char *file = put("refused/l.csv", HEAD "a.jpg,x,1,human,,,\n");
    struct import_params p = { .how = ALL, .author = "file" };
    g_autoptr(GError) error = NULL;
    sqlite3 *db = NULL;
    g_free(put("refused/a.jpg", "refused"));
    take("refused.db", "refused/l.csv", p, 1, 0, 0, 0);
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "CREATE TRIGGER enough BEFORE INSERT ON decision"
                             " WHEN (SELECT count(*) FROM decision) = 2"
                             " BEGIN SELECT RAISE (ABORT, 'enough'); END", NULL, NULL, NULL)
            == SQLITE_OK);
    sqlite3_close(db);
    g_free(put("refused/l.csv", HEAD "a.jpg,y,1,human,,,\na.jpg,z,1,human,,,\n"));
    REQUIRE(!import_run(path, file, &p, &error));
    REQUIRE(strstr(error->message, "enough"));
    g_autofree char *kept = decisions("refused.db");
    REQUIRE(g_str_has_prefix(kept, "a.jpg|x|1|"));
    REQUIRE(strchr(kept, '\n') == kept + strlen(kept) - 1);
}

static void test_choices(void)
{
    const char *only[] = { "x", NULL };
    g_free(put("choose/a.jpg", "choose"));
    g_free(put("choose/l.csv", HEAD "a.jpg,x,1,human,,,\na.jpg,y,0,human,0.25,,\n"));
    struct import_report *r = run("choose.db", "choose/l.csv",
                                  (struct import_params){ .labels = (GStrv)only });
    require_takes(r->decisions, 1, 0, 0, 0);
    REQUIRE_INT(r->new_labels.count, 1);
    import_report_free(&r);
    r = run("proposals.db", "choose/l.csv", (struct import_params){ .as_proposals = TRUE });
    require_takes(r->decisions, 0, 0, 0, 0);
    require_takes(r->predictions, 2, 0, 0, 0);
    import_report_free(&r);
    require_decisions("proposals.db", "");
}

/* More names than are listed, and the numbers that files give to images. */
static void test_many(void)
{
    g_autoptr(GString) text = g_string_new("{\"images\": [");
    for (int i = 100; i > 0; i--) {
        g_autofree char *name = g_strdup_printf("many/%d.jpg", i);
        if (i > 50) {
            g_free(put(name, name));
        }
        g_string_append_printf(text, "%s{\"id\": %d, \"file_name\": \"%d.jpg\"}",
                               i < 100 ? "," : "", i, i);
    }
    g_string_append(text, "], \"categories\": [], \"annotations\": []}");
    g_free(put("many/c.json", text->str));
    struct import_report *r = run("many.db", "many/c.json", (struct import_params){ 0 });
    REQUIRE_INT(r->by_path, 50);
    REQUIRE_INT(r->missing.count, 50);
    REQUIRE_INT(r->missing.names->len, IMPORT_NAMED);
    import_report_free(&r);
    g_autofree char *db = g_build_filename(dir, "many.db", NULL);
    g_autofree char *first = g_build_filename(dir, "many", "51.jpg", NULL);
    store *s = store_open(db, STORE_READ_ONLY, NULL);
    REQUIRE_INT(store_image_at(s, first), 1); /* the lowest number, though the last */
    store_close(&s);
}

int main(void)
{
    dir = temp_dir_make("import");
    test_locator();
    test_matching();
    test_database();
    test_newer_stays();
    test_own();
    test_dry_run();
    test_all_or_nothing();
    test_refused();
    test_choices();
    test_many();
    temp_dir_remove(dir);
    return 0;
}
