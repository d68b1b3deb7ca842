#include "app/store/backup.h"

#include "app/store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static gboolean file_error(const char *path, GError **error)
{
    int code = errno;
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, STORE_ERROR, code == ENOSPC ? STORE_ERROR_FULL : STORE_ERROR_FAILED,
                "%s: %s", name, g_strerror(code));
    return FALSE;
}

/* Makes what was written to a file, or a new name in a folder, survive a power cut. */
static gboolean sync_path(const char *path, GError **error)
{
    int file = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    gboolean good = file >= 0 && fsync(file) == 0;
    if (!good) {
        file_error(path, error);
    }
    if (file >= 0) {
        close(file);
    }
    return good;
}

static gboolean sync_folder_of(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    return sync_path(folder, error);
}

/* --- One copy --------------------------------------------------------------------- */

/* A database as it is, of whatever version; the caller closes it. */
static store *open_plain(const char *path, int flags, GError **error)
{
    store *s = g_new0(store, 1);
    s->path = g_filename_display_name(path);
    s->file = g_strdup(path);
    if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        store_fail(s, error);
        store_close(&s);
        return NULL;
    }
    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    return s;
}

/* Copies in one step, so that it holds one moment of the database. */
static gboolean copy_pages(store *from, store *to, GError **error)
{
    sqlite3_backup *copy = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (!copy) {
        return store_fail(to, error);
    }
    sqlite3_backup_step(copy, -1);
    /* A file of its own, without a log beside it. */
    return (sqlite3_backup_finish(copy) == SQLITE_OK || store_fail(to, error))
           && store_execute(to, "PRAGMA journal_mode = DELETE", error)
           && (store_check(to, NULL) || store_damaged(from, "a copy has faults", error));
}

static gboolean write_part(store *s, const char *part, GError **error)
{
    g_unlink(part);
    store *copy = open_plain(part, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
    gboolean good = copy && copy_pages(s, copy, error);
    store_close(&copy);
    return good && sync_path(part, error);
}

gboolean backup_write(store *s, const char *out, GError **error)
{
    g_autofree char *part = g_strdup_printf("%s.%ld.part", out, (long)getpid());
    gboolean good = write_part(s, part, error)
                    && (g_rename(part, out) == 0 || file_error(out, error))
                    && sync_folder_of(out, error);
    if (!good) {
        g_unlink(part);
    }
    return good;
}

/* --- Rolling backups -------------------------------------------------------------- */

static char *folder_of_backups(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    return g_build_filename(folder, "backups", NULL);
}

static int newest_first(gconstpointer a, gconstpointer b)
{
    return -strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The date of a rolling backup, or NULL when the file is none of database `name`. To be
 * freed. */
static GDateTime *date_of(const char *file, const char *name)
{
    gsize n = strlen(name);
    if (strncmp(file, name, n) != 0 || file[n] != '-' || strlen(file + n + 1) != 10) {
        return NULL;
    }
    g_autofree char *text = g_strconcat(file + n + 1, "T00:00:00Z", NULL);
    return g_date_time_new_from_iso8601(text, NULL);
}

/* Paths of the rolling backups, newest first. */
static GPtrArray *list_backups(const char *path)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = folder_of_backups(path), *name = g_path_get_basename(path);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *file; dir && (file = g_dir_read_name(dir));) {
        g_autoptr(GDateTime) date = date_of(file, name);
        if (date) {
            g_ptr_array_add(list, g_build_filename(folder, file, NULL));
        }
    }
    g_ptr_array_sort(list, newest_first);
    return list;
}

/* Numbers the weeks from the first one on. */
static int week_of(const char *backup, const char *path)
{
    g_autofree char *file = g_path_get_basename(backup), *name = g_path_get_basename(path);
    g_autoptr(GDateTime) date = date_of(file, name);
    return (int)(g_date_time_to_unix(date) / (7 * 24 * 3600));
}

/* Keeps the newest, and of those that are older the newest of each of some weeks. */
static void remove_old(const char *path)
{
    g_autoptr(GPtrArray) list = list_backups(path);
    int last = G_MAXINT, weeks = 0;
    for (guint i = BACKUP_DAYS; i < list->len; i++) {
        int week = week_of(list->pdata[i], path);
        if (week < last && weeks < BACKUP_WEEKS) {
            last = week;
            weeks++;
        } else {
            g_unlink(list->pdata[i]);
        }
    }
}

/* Equal for databases in which the same was said. */
static char *summary_of(store *s)
{
    return store_text(s, "SELECT (SELECT ifnull (max (id), 0) FROM decision) || ' ' ||"
                         " (SELECT ifnull (max (id), 0) FROM image_path) || ' ' ||"
                         " (SELECT count(*) || ' ' || sum (hidden) FROM label) || ' ' ||"
                         " (SELECT count(*) || ' ' || ifnull (max (time), '')"
                         "  FROM prediction)");
}

static gboolean has_changed(store *s, const char *backup)
{
    store *old = open_plain(backup, SQLITE_OPEN_READONLY, NULL);
    g_autofree char *before = old ? summary_of(old) : NULL, *now = summary_of(s);
    store_close(&old);
    return g_strcmp0(before, now) != 0;
}

gboolean backup_roll(store *s, char **made, GError **error)
{
    g_autofree char *folder = folder_of_backups(s->file);
    g_autofree char *name = g_path_get_basename(s->file);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%d");
    g_autofree char *file = g_strdup_printf("%s-%s", name, date);
    g_autofree char *out = g_build_filename(folder, file, NULL);
    g_autoptr(GPtrArray) list = list_backups(s->file);
    if (made) {
        *made = NULL;
    }
    gboolean empty = store_number(s, "SELECT count(*) FROM image") == 0;
    if (empty || g_file_test(out, G_FILE_TEST_EXISTS)
        || (list->len > 0 && !has_changed(s, list->pdata[0]))) {
        return TRUE;
    }
    if ((g_mkdir_with_parents(folder, 0777) != 0 && !file_error(folder, error))
        || !backup_write(s, out, error)) {
        g_prefix_error(error, "there is no new backup of %s: ", s->path);
        return FALSE;
    }
    remove_old(s->file);
    if (made) {
        *made = g_steal_pointer(&out);
    }
    return TRUE;
}

static gboolean is_good(const char *path, GError **error)
{
    store *s = open_plain(path, SQLITE_OPEN_READONLY, error);
    gboolean good = s && store_check(s, error);
    if (good && store_number(s, "PRAGMA application_id") != STORE_APPLICATION_ID) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    "%s: this is a database, but not one of Taglight", s->path);
        good = FALSE;
    }
    if (good && store_number(s, "PRAGMA user_version") > STORE_SCHEMA_VERSION) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_NEWER,
                    "%s: written by a later version of Taglight", s->path);
        good = FALSE;
    }
    store_close(&s);
    return good;
}

char *backup_newest_good(const char *path)
{
    g_autoptr(GPtrArray) list = list_backups(path);
    for (guint i = 0; i < list->len; i++) {
        if (is_good(list->pdata[i], NULL)) {
            return g_strdup(list->pdata[i]);
        }
    }
    return NULL;
}

/* --- Going back ------------------------------------------------------------------- */

/* Puts a whole database's log into it. FALSE when another program has it open; a damaged
 * file is left as it is. */
static gboolean let_go(const char *path, GError **error)
{
    store *s = open_plain(path, SQLITE_OPEN_READWRITE, NULL);
    if (!s) {
        return TRUE;
    }
    sqlite3_busy_timeout(s->db, 0);
    store_execute(s, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT;", NULL);
    gboolean busy = (sqlite3_errcode(s->db) & 0xff) == SQLITE_BUSY;
    if (busy) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_LOCKED,
                    "%s: another program has it open; close that first", s->path);
    }
    store_close(&s);
    return !busy;
}

/* A log must never meet a file that it does not belong to, so it goes first. */
static gboolean set_aside(const char *path, const char *aside, GError **error)
{
    static const char *const beside[] = { "-wal", "-shm" };
    for (gsize i = 0; i < G_N_ELEMENTS(beside); i++) {
        g_autofree char *from = g_strconcat(path, beside[i], NULL);
        g_autofree char *to = g_strconcat(aside, beside[i], NULL);
        if (g_rename(from, to) != 0 && errno != ENOENT) {
            return file_error(from, error);
        }
    }
    return link(path, aside) == 0 || g_rename(path, aside) == 0 || file_error(aside, error);
}

/* Everything that can fail for want of room is done before anything is moved. */
static gboolean put_copy(const char *path, const char *part, const char *from,
                         const char *aside, GError **error)
{
    store *s = open_plain(from, SQLITE_OPEN_READONLY, error);
    gboolean good = s && write_part(s, part, error);
    store_close(&s);
    return good && (!aside || (let_go(path, error) && set_aside(path, aside, error)))
           && (g_rename(part, path) == 0 || file_error(path, error))
           && sync_folder_of(path, error);
}

gboolean backup_restore(const char *path, const char *from, char **aside, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *kept = g_strdup_printf("%s.before-restore-%s", path, time);
    g_autofree char *part = g_strdup_printf("%s.%ld.part", path, (long)getpid());
    gboolean there = g_file_test(path, G_FILE_TEST_EXISTS);
    *aside = NULL;
    if (!is_good(from, error)
        || !put_copy(path, part, from, there ? kept : NULL, error)) {
        g_unlink(part);
        return FALSE;
    }
    *aside = there ? g_steal_pointer(&kept) : NULL;
    return is_good(path, error);
}
