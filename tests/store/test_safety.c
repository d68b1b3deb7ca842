/* What can befall a database: no room, no right to write, another writer, damage. Each is
 * answered in words, and nothing that was acknowledged is lost. */
#include "app/store/backup.h"
#include "app/store/store_private.h"
#include "tests/store/files.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const StoreSource person = { .confidence = 0.5, .threshold = -1 };

/* A database of `n` images, each accepted. */
static store *make(const char *name, int n)
{
    store *s = open_new(name);
    gint64 label = store_put_label(s, "cat", NULL, NULL);
    REQUIRE(store_begin(s, NULL));
    for (int i = 0; i < n; i++) {
        g_autofree char *hash = g_strdup_printf("%064d", i);
        gint64 image = put_image(s, hash, hash);
        REQUIRE(store_decide(s, image, label, STORE_ACCEPTED, &person, NULL));
    }
    REQUIRE(store_commit(s, NULL));
    return s;
}

static gint64 count_decisions(store *s)
{
    return store_number(s, "SELECT count(*) FROM current_decision");
}

static void require_error(gboolean good, GError **error, int code, const char *part)
{
    REQUIRE(!good);
    if (!g_error_matches(*error, STORE_ERROR, code) || !strstr((*error)->message, part)) {
        fprintf(stderr, "another error: %s\n", (*error)->message);
        exit(1);
    }
    g_clear_error(error);
}

/* --- No room ---------------------------------------------------------------------- */

static void set_limit(rlim_t bytes)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void test_full(void)
{
    g_autoptr(GError) error = NULL;
    store *s = make("full.db", 10);
    gint64 dog = store_put_label(s, "dog", NULL, NULL), done = 0;
    g_autofree char *out = file("full.copy");
    signal(SIGXFSZ, SIG_IGN);
    set_limit(2 << 20);
    while (done < 100000 && store_decide(s, done % 10 + 1, dog, done % 2 ? 1 : -1, &person,
                                         &error)) {
        done++;
    }
    REQUIRE(done > 20);
    require_error(FALSE, &error, STORE_ERROR_FULL, "full.db");
    REQUIRE_INT(store_number(s, "SELECT count(*) FROM decision"), done + 10);
    set_limit(16 << 10);
    require_error(backup_write(s, out, &error), &error, STORE_ERROR_FULL, "full.copy");
    REQUIRE(!g_file_test(out, G_FILE_TEST_EXISTS));
    set_limit(RLIM_INFINITY);
    REQUIRE(store_decide(s, 1, dog, STORE_ACCEPTED, &person, NULL)); /* and on it goes */
    store_close(&s);
    s = open_new("full.db");
    REQUIRE_INT(store_number(s, "SELECT count(*) FROM decision"), done + 11);
    REQUIRE(store_check(s, NULL));
    store_close(&s);
}

/* --- No right to write ------------------------------------------------------------ */

static gboolean count_row(const StoreRow *row, gpointer data)
{
    ++*(int *)data;
    return TRUE;
}

/* As a person without rights: what root may do proves nothing. */
static void read_only_child(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *fixed = file("fixed/some %3f name?.db"), *new = file("fixed/new.db");
    g_autofree char *kept = file("kept.db");
    int n = 0;
    if (getuid() == 0) {
        REQUIRE(setgid(65534) == 0 && setuid(65534) == 0);
    }
    require_error(store_open(fixed, STORE_CREATE, &error) != NULL, &error,
                  STORE_ERROR_READ_ONLY, "some %3f name?.db");
    require_error(store_open(new, STORE_CREATE, &error) != NULL, &error, STORE_ERROR_OPEN,
                  "new.db");
    require_error(store_open(kept, STORE_CREATE, &error) != NULL, &error,
                  STORE_ERROR_READ_ONLY, "kept.db");
    store *s = store_open(fixed, STORE_READ_ONLY, &error);
    REQUIRE(s && store_each_decision(s, count_row, &n, &error));
    REQUIRE_INT(n, 10);
    store_close(&s);
    exit(0);
}

static void test_read_only(void)
{
    g_autofree char *folder = file("fixed"), *fixed = file("fixed/some %3f name?.db");
    g_autofree char *kept = file("kept.db");
    int status = 0;
    REQUIRE(g_mkdir(folder, 0755) == 0);
    store *s = make("fixed/some %3f name?.db", 10);
    store_close(&s);
    s = make("kept.db", 1);
    store_close(&s);
    REQUIRE(g_chmod(fixed, 0444) == 0 && g_chmod(folder, 0555) == 0);
    REQUIRE(g_chmod(kept, 0444) == 0 && g_chmod(dir, 0755) == 0);
    pid_t child = fork();
    if (child == 0) {
        read_only_child();
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    REQUIRE(g_chmod(folder, 0755) == 0);
}

/* --- Another writer --------------------------------------------------------------- */

static void test_locked(void)
{
    g_autoptr(GError) error = NULL;
    store *s = make("locked.db", 1), *other = open_new("locked.db");
    g_autofree char *path = file("locked.db"), *copy = file("locked.copy"), *aside = NULL;
    sqlite3_busy_timeout(s->db, 20);
    REQUIRE(store_begin(other, NULL));
    require_error(store_decide(s, 1, 1, STORE_REJECTED, &person, &error), &error,
                  STORE_ERROR_LOCKED, "locked.db");
    REQUIRE_INT(store_verdict(s, 1, 1), STORE_ACCEPTED); /* reading goes on */
    REQUIRE(backup_write(s, copy, NULL));                /* and copying */
    REQUIRE(store_commit(other, NULL));
    REQUIRE(store_decide(s, 1, 1, STORE_REJECTED, &person, NULL));
    require_error(backup_restore(path, copy, &aside, &error), &error, STORE_ERROR_LOCKED,
                  "another program has it open");
    REQUIRE_INT(store_verdict(s, 1, 1), STORE_REJECTED);
    store_close(&s);
    store_close(&other);
    REQUIRE(backup_restore(path, copy, &aside, NULL) && aside);
    s = open_new("locked.db");
    REQUIRE_INT(store_verdict(s, 1, 1), STORE_ACCEPTED);
    store_close(&s);
    s = store_open(aside, STORE_CREATE, NULL);
    REQUIRE_INT(store_verdict(s, 1, 1), STORE_REJECTED);
    store_close(&s);
}

/* --- Damage ----------------------------------------------------------------------- */

/* Spoils the pages in the middle of a file. */
static void spoil(const char *name)
{
    g_autofree char *path = file(name), *noise = g_malloc(40000);
    memset(noise, 0xa5, 40000);
    int f = g_open(path, O_RDWR, 0);
    REQUIRE(f >= 0 && lseek(f, 204800, SEEK_SET) == 204800);
    REQUIRE(write(f, noise, 40000) == 40000);
    REQUIRE(close(f) == 0);
}

static void test_damage(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = file("damaged.db"), *made = NULL, *aside = NULL;
    store *s = make("damaged.db", 2000);
    store_close(&s);
    spoil("damaged.db");
    s = open_new("damaged.db"); /* it was closed well, and checked this week */
    REQUIRE(store_execute(s, "UPDATE meta SET value = '2020-01-01T00:00:00Z'", NULL));
    store_close(&s);
    require_error(store_open(path, STORE_CREATE, &error) != NULL, &error,
                  STORE_ERROR_DAMAGED, "There is no backup");
    REQUIRE(g_unlink(path) == 0);
    s = make("damaged.db", 2000);
    REQUIRE(backup_roll(s, &made, NULL) && made);
    store_close(&s);
    spoil("damaged.db");
    pid_t child = fork(); /* a program that does not come to its end */
    if (child == 0) {
        s = open_new("damaged.db");
        REQUIRE(store_put_label(s, "dog", NULL, NULL) > 0);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    require_error(store_open(path, STORE_CREATE, &error) != NULL, &error,
                  STORE_ERROR_DAMAGED, made);
    REQUIRE(backup_restore(path, made, &aside, NULL) && aside);
    REQUIRE(g_file_test(aside, G_FILE_TEST_EXISTS));
    s = open_new("damaged.db");
    REQUIRE_INT(count_decisions(s), 2000);
    store_close(&s);
}

static void test_bad_backup(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = file("good.db"), *copy = file("bad.db"), *aside = NULL;
    store *s = make("good.db", 2000);
    REQUIRE(backup_write(s, copy, NULL));
    store_close(&s);
    spoil("bad.db");
    require_error(backup_restore(path, copy, &aside, &error), &error, STORE_ERROR_DAMAGED,
                  "bad.db");
    REQUIRE(!aside);
    require_error(backup_restore(path, "/nowhere.db", &aside, &error), &error,
                  STORE_ERROR_OPEN, "nowhere.db");
    s = open_new("good.db");
    REQUIRE_INT(count_decisions(s), 2000);
    store_close(&s);
}

/* --- Rolling backups -------------------------------------------------------------- */

/* Dates of the backups of `name`, newest first. */
static char *list_backups(const char *name)
{
    g_autofree char *command = g_strdup_printf(
        "cd '%s/backups' && ls | sed -n 's/^%s-//p' | sort -r | tr '\\n' ' '", dir, name);
    g_autofree char *path = file("list");
    g_autofree char *whole = g_strdup_printf("(%s) > '%s'", command, path);
    char *text = NULL;
    REQUIRE(system(whole) == 0);
    REQUIRE(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static char *day(int back)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) then = g_date_time_add_days(now, -back);
    return g_date_time_format(then, "%Y-%m-%d");
}

static char *backup_of(const char *name, int back)
{
    g_autofree char *date = day(back);
    return g_strdup_printf("%s/backups/%s-%s", dir, name, date);
}

static void test_rolling(void)
{
    g_autofree char *made = NULL, *today = backup_of("rolled.db", 0);
    g_autoptr(GString) want = g_string_new(NULL);
    store *s = make("rolled.db", 3);
    REQUIRE(backup_roll(s, &made, NULL));
    REQUIRE_STR(made, today);
    g_clear_pointer(&made, g_free);
    REQUIRE(store_decide(s, 1, 1, STORE_REJECTED, &person, NULL));
    REQUIRE(backup_roll(s, &made, NULL) && !made); /* one a day */
    int last = G_MAXINT, weeks = 0;
    for (int back = 1; back <= 60; back++) {
        g_autofree char *older = backup_of("rolled.db", back), *date = day(back);
        REQUIRE(backup_write(s, older, NULL));
        g_autofree char *midnight = g_strconcat(date, "T00:00:00Z", NULL);
        g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(midnight, NULL);
        int week = (int)(g_date_time_to_unix(time) / 604800);
        if (back < BACKUP_DAYS || (week < last && weeks < BACKUP_WEEKS)) {
            g_string_append_printf(want, "%s ", date);
            weeks += back >= BACKUP_DAYS;
            last = back >= BACKUP_DAYS ? week : last;
        }
    }
    REQUIRE(g_unlink(today) == 0);
    REQUIRE(backup_roll(s, &made, NULL) && !made); /* yesterday's is the same */
    REQUIRE(store_decide(s, 1, 1, STORE_ACCEPTED, &person, NULL));
    REQUIRE(backup_roll(s, &made, NULL) && made);
    g_autofree char *date = day(0);
    g_string_prepend(want, " ");
    g_string_prepend(want, date);
    g_autofree char *list = list_backups("rolled.db");
    REQUIRE_STR(list, want->str);
    store_close(&s);
}

/* A backup that cannot be made is told, and work goes on. */
static void test_no_backup(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = file("elsewhere"), *backups = file("elsewhere/backups");
    REQUIRE(g_mkdir(folder, 0755) == 0);
    REQUIRE(g_file_set_contents(backups, "a file", -1, NULL));
    store *s = make("elsewhere/x.db", 3);
    REQUIRE(!backup_roll(s, NULL, &error));
    REQUIRE(strstr(error->message, "there is no new backup of"));
    REQUIRE(store_decide(s, 1, 1, STORE_REJECTED, &person, NULL));
    store_close(&s);
}

int main(void)
{
    make_dir();
    test_full();
    test_read_only();
    test_locked();
    test_damage();
    test_bad_backup();
    test_rolling();
    test_no_backup();
    remove_dir();
    return 0;
}
