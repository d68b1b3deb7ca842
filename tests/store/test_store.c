/* The store: decisions are kept, whatever comes. */
#include "app/formats/export.h"
#include "app/store/cache.h"
#include "app/store/store.h"
#include "tests/store/files.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

static const StoreSource person = { .confidence = 0.5, .threshold = -1 };
static const StoreSource machine = { .by_model = TRUE, .model = "m", .prompt = "p",
                                     .confidence = 0.9, .threshold = 0.6 };

static void test_decisions(void)
{
    store *s = open_new("decisions.db");
    gint64 image = put_image(s, "aa", "/x/1.jpg"), label = store_put_label(s, "cat", NULL, NULL);
    gint64 who, what;
    REQUIRE_INT(put_image(s, "aa", "/y/copy.jpg"), image); /* by content */
    REQUIRE_INT(store_find_image(s, "/x/1.jpg", 10, 20), image);
    REQUIRE_INT(store_find_image(s, "/x/1.jpg", 11, 20), 0);
    REQUIRE(store_decide(s, image, label, STORE_ACCEPTED, &machine, NULL));
    REQUIRE_INT(store_verdict(s, image, label), STORE_ACCEPTED);
    REQUIRE(store_decide(s, image, label, STORE_REJECTED, &person, NULL));
    REQUIRE(store_decide(s, image, label, STORE_ACCEPTED, &machine, NULL));
    StoreQuestion question = { "m", &label, (const char *const[]){ "p" }, 1 };
    float said = 0.25f, known = 0;
    REQUIRE(!store_predicted(s, image, &question, &known) && known == -1);
    REQUIRE(store_predict(s, image, &question, &said, FALSE, NULL));
    said = 0.5f;
    REQUIRE(store_predict(s, image, &question, &said, FALSE, NULL));
    REQUIRE(store_predicted(s, image, &question, &known) && known == 0.25f);
    REQUIRE(store_predict(s, image, &question, &said, TRUE, NULL));
    REQUIRE(store_predicted(s, image, &question, &known) && known == 0.5f);
    REQUIRE_INT(store_verdict(s, image, label), STORE_REJECTED); /* the person's stands */
    REQUIRE(store_decide(s, image, label, STORE_ACCEPTED, &person, NULL));
    REQUIRE(undo(s, &who, &what));
    REQUIRE_INT(who, image);
    REQUIRE_INT(store_verdict(s, image, label), STORE_REJECTED);
    REQUIRE(undo(s, &who, &what));
    REQUIRE_INT(store_verdict(s, image, label), STORE_CLEARED);
    REQUIRE(undo(s, &who, &what));
    REQUIRE_INT(who, 0); /* nothing left */
    store_close(&s);
}

static void decide_step(store *s, gint64 label, StoreVerdict verdict, guint n)
{
    gint64 step = 0;
    g_autoptr(GArray) changes = store_changes_new();
    REQUIRE(store_begin(s, NULL));
    for (guint i = 0; i < n; i++) {
        g_autofree char *hash = g_strdup_printf("step-%u", i);
        REQUIRE(store_decide_in_step(s, put_image(s, hash, hash), label, verdict, &person,
                                     &step, changes, NULL));
    }
    REQUIRE(store_commit(s, NULL));
    REQUIRE_INT(changes->len, n);
}

/* How many changes undo or redo made, all to `verdict`. */
static guint turned(GArray *changes, StoreVerdict verdict)
{
    REQUIRE(changes);
    guint n = changes->len;
    for (guint i = 0; i < n; i++) {
        REQUIRE_INT(g_array_index(changes, StoreChange, i).verdict, verdict);
        REQUIRE_STR(g_array_index(changes, StoreChange, i).name, "boat");
    }
    g_array_unref(changes);
    return n;
}

static void test_steps(void)
{
    store *s = open_new("steps.db");
    gint64 boat = store_put_label(s, "boat", NULL, NULL);
    REQUIRE_INT(turned(store_undo(s, NULL), 0) + turned(store_redo(s, NULL), 0), 0);
    decide_step(s, boat, STORE_ACCEPTED, 3);
    decide_step(s, boat, STORE_REJECTED, 2);
    REQUIRE_INT(turned(store_undo(s, NULL), STORE_ACCEPTED), 2);
    REQUIRE_INT(turned(store_undo(s, NULL), STORE_CLEARED), 3);
    REQUIRE_INT(turned(store_undo(s, NULL), 0), 0);
    for (int round = 0; round < 2; round++) { /* as often as one likes */
        REQUIRE_INT(turned(store_redo(s, NULL), STORE_ACCEPTED), 3);
        REQUIRE_INT(turned(store_redo(s, NULL), STORE_REJECTED), 2);
        REQUIRE_INT(turned(store_redo(s, NULL), 0), 0);
        REQUIRE_INT(turned(store_undo(s, NULL), STORE_ACCEPTED), 2);
        REQUIRE_INT(turned(store_undo(s, NULL), STORE_CLEARED), 3);
    }
    store_close(&s);
    s = open_new("steps.db"); /* the history outlives the program */
    REQUIRE_INT(turned(store_redo(s, NULL), STORE_ACCEPTED), 3);
    decide_step(s, boat, STORE_REJECTED, 1); /* what was taken back before is no more */
    REQUIRE_INT(turned(store_redo(s, NULL), 0), 0);
    REQUIRE_INT(turned(store_undo(s, NULL), STORE_ACCEPTED), 1);
    REQUIRE_INT(turned(store_redo(s, NULL), STORE_REJECTED), 1);
    REQUIRE_INT(turned(store_redo(s, NULL), 0), 0);
    store_close(&s);
}

static void test_append_only(void)
{
    g_autofree char *path = file("decisions.db");
    sqlite3 *db = NULL;
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "DELETE FROM decision", NULL, NULL, NULL) != SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "UPDATE decision SET verdict = 1", NULL, NULL, NULL)
            != SQLITE_OK);
    sqlite3_close(db);
}

static void accept_until_killed(int out)
{
    store *s = open_new("killed.db");
    gint64 label = store_put_label(s, "cat", NULL, NULL);
    for (int i = 0;; i++) {
        g_autofree char *hash = g_strdup_printf("%d-%d", (int)getpid(), i);
        gint64 image = put_image(s, hash, hash);
        REQUIRE(store_decide(s, image, label, STORE_ACCEPTED, &person, NULL));
        REQUIRE(write(out, &image, sizeof image) == sizeof image); /* it is promised */
    }
}

static void test_kill(void)
{
    for (int round = 0; round < 12; round++) {
        int fd[2];
        REQUIRE(pipe(fd) == 0);
        pid_t child = fork();
        if (child == 0) {
            close(fd[0]);
            accept_until_killed(fd[1]);
        }
        close(fd[1]);
        g_usleep((gulong)(20000 + round * 7000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        store *s = open_new("killed.db");
        gint64 label = store_put_label(s, "cat", NULL, NULL), image;
        while (read(fd[0], &image, sizeof image) == sizeof image) {
            REQUIRE_INT(store_verdict(s, image, label), STORE_ACCEPTED);
        }
        store_close(&s);
        close(fd[0]);
    }
}

static void require_refused(const char *name, StoreMode mode, int code)
{
    g_autofree char *path = file(name);
    g_autoptr(GError) error = NULL;
    store *s = store_open(path, mode, &error);
    REQUIRE(!s);
    REQUIRE(g_error_matches(error, STORE_ERROR, code));
    REQUIRE(strstr(error->message, name));
}

static void test_hostile(void)
{
    g_autofree char *random = file("random.db"), *newer = file("newer.db");
    g_autofree char *other = file("other.db");
    REQUIRE(g_file_set_contents(random, "this is no database at all, but long enough to be "
                                        "taken for one by its size only..............", -1,
                                NULL));
    require_refused("random.db", STORE_CREATE, STORE_ERROR_DAMAGED);
    require_refused("missing.db", STORE_READ_ONLY, STORE_ERROR_OPEN);
    g_autofree char *missing = file("missing.db");
    REQUIRE(!g_file_test(missing, G_FILE_TEST_EXISTS));
    store *s = open_new("newer.db");
    store_close(&s);
    sqlite3 *db = NULL;
    REQUIRE(sqlite3_open(newer, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    require_refused("newer.db", STORE_CREATE, STORE_ERROR_NEWER);
    require_refused("newer.db", STORE_READ_ONLY, STORE_ERROR_NEWER);
    REQUIRE(sqlite3_open(other, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    require_refused("other.db", STORE_CREATE, STORE_ERROR_OPEN);
}

static char *export_text(const char *name, const char *format)
{
    g_autofree char *db = file(name), *out = file("out");
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    store *s = store_open(db, STORE_READ_ONLY, &error);
    REQUIRE(s);
    g_autofree char *root = export_common_root(s, &error);
    ExportOptions options = { .root = root };
    REQUIRE(export_run(s, export_find(format), &options, out, &error));
    REQUIRE(g_file_get_contents(out, &text, NULL, NULL));
    store_close(&s);
    return text;
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text++) {
        n++;
    }
    return n;
}

static void test_export(void)
{
    store *s = open_new("export.db");
    gint64 a = put_image(s, "aa", "/p/q/a, \"b\".jpg"), b = put_image(s, "bb", "/p/r/b.jpg");
    gint64 hidden = store_put_label(s, "hidden", NULL, NULL);
    gint64 cat = store_put_label(s, "cat", NULL, NULL);
    gint64 dog = store_put_label(s, "a \"dog\"", NULL, NULL);
    REQUIRE(store_decide(s, a, cat, STORE_ACCEPTED, &person, NULL));
    REQUIRE(store_decide(s, a, dog, STORE_REJECTED, &machine, NULL));
    REQUIRE(store_decide(s, b, dog, STORE_ACCEPTED, &machine, NULL));
    store_close(&s);
    g_autofree char *csv = export_text("export.db", "csv");
    g_autofree char *coco = export_text("export.db", "coco");
    REQUIRE(g_str_has_prefix(
        csv, "image,label,state,source,score,threshold,model,prompt,decided_at\n"
             "\"q/a, \"\"b\"\".jpg\",\"a \"\"dog\"\"\",rejected,model,0.9,0.6,m,p,"));
    REQUIRE(strstr(csv, "\n\"q/a, \"\"b\"\".jpg\",cat,accepted,human,0.5,,,,"));
    REQUIRE(strstr(csv, "\nr/b.jpg,"));
    REQUIRE(strstr(coco, "\"file_name\": \"r/b.jpg\""));
    REQUIRE_INT(count(coco, "\"supercategory\""), 3);
    REQUIRE_INT(count(coco, "\"category_id\""), 2); /* a rejection is no annotation */

    /* Ids stay when something comes before what was exported, and when a label is
     * hidden: decisions about a hidden label still leave. */
    s = open_new("export.db");
    put_image(s, "00", "/p/a/first.jpg");
    REQUIRE(store_hide_label(s, "hidden", NULL));
    REQUIRE(store_hide_label(s, "cat", NULL));
    store_close(&s);
    g_autofree char *again = export_text("export.db", "coco");
    const char *annotations = strstr(coco, "\"annotations\"");
    REQUIRE_STR(strstr(again, "\"annotations\""), annotations);
    REQUIRE_INT(count(again, "\"name\": \"hidden\""), 0);
    REQUIRE_INT(count(again, "\"name\": \"cat\""), 1);
    REQUIRE(hidden > 0);
}

static gboolean see_path(const StoreRow *row, gpointer user_data)
{
    g_string_append_printf(user_data, "%" G_GINT64_FORMAT "=%s ", row->file, row->path);
    return TRUE;
}

/* A file as an earlier version wrote it. */
static store *open_old(const char *corpus, const char *version)
{
    g_autofree char *sql_file = g_strconcat(version, ".sql", NULL), *sql = NULL;
    g_autofree char *name = g_strconcat(version, ".db", NULL), *path = file(name);
    g_autofree char *sql_path = g_build_filename(corpus, sql_file, NULL);
    sqlite3 *db = NULL;
    REQUIRE(g_file_get_contents(sql_path, &sql, NULL, NULL));
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    return open_new(name);
}

static void test_migration(const char *corpus)
{
    gint64 image, label;
    g_autoptr(GString) paths = g_string_new(NULL);
    store *s = open_old(corpus, "v1");
    REQUIRE(store_each_image(s, see_path, paths, NULL));
    REQUIRE_STR(paths->str, "1=/x/1.jpg 2=/x/2.jpg 3=/y/copy.jpg ");
    REQUIRE_INT(store_find_image(s, "/y/copy.jpg", 10, 20), 2);
    REQUIRE_INT(store_verdict(s, 1, 1), STORE_ACCEPTED);
    REQUIRE_INT(store_verdict(s, 2, 2), STORE_REJECTED);
    store_close(&s);
    /* Of decisions of one moment the later stands: number 10, not 9. */
    s = open_old(corpus, "v3");
    REQUIRE_INT(store_verdict(s, 2, 1), STORE_ACCEPTED);
    REQUIRE(undo(s, &image, &label) && image == 2 && label == 1);
    REQUIRE_INT(store_verdict(s, 2, 1), STORE_REJECTED);
    REQUIRE(undo(s, &image, &label) && image == 2 && label == 1);
    REQUIRE_INT(store_verdict(s, 2, 1), STORE_CLEARED);
    store_close(&s);
}

static void test_cache(void)
{
    g_autofree char *path = file("cache.db");
    float tokens[40000], back[40000];
    for (int i = 0; i < 40000; i++) {
        tokens[i] = (float)i / 3;
    }
    cache *c = cache_open(path);
    REQUIRE(c);
    REQUIRE(!cache_has(c, "tokens", "aa", "m"));
    cache_put(c, "tokens", "aa", "m", tokens, sizeof tokens, 1 << 30);
    REQUIRE(cache_has(c, "tokens", "aa", "m"));
    REQUIRE(!cache_has(c, "query", "aa", "m") && !cache_has(c, "tokens", "aa", "n"));
    REQUIRE(cache_read(c, "tokens", "aa", "m", back, sizeof back));
    REQUIRE(memcmp(tokens, back, sizeof back) == 0);
    REQUIRE(!cache_read(c, "tokens", "aa", "m", back, sizeof back - 4)); /* another size */
    for (int i = 0; i < 200; i++) { /* the oldest go */
        g_autofree char *key = g_strdup_printf("%d", i);
        cache_put(c, "tokens", key, "m", tokens, sizeof tokens, 4 << 20);
    }
    REQUIRE(cache_has(c, "tokens", "199", "m") && !cache_has(c, "tokens", "aa", "m"));
    cache_close(&c);
    REQUIRE(g_file_set_contents(path, "no database, but the cache must be of use", -1, NULL));
    c = cache_open(path);
    REQUIRE(c && !cache_has(c, "tokens", "199", "m"));
    cache_put(c, "query", "a photo", "m", tokens, 16, 1 << 30);
    REQUIRE(cache_read(c, "query", "a photo", "m", back, 16));
    cache_close(&c);
    REQUIRE(!cache_has(NULL, "query", "a photo", "m"));
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    make_dir();
    test_decisions();
    test_steps();
    test_append_only();
    test_kill();
    test_hostile();
    test_cache();
    test_export();
    test_migration(argv[1]);
    remove_dir();
    return 0;
}
