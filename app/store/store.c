#include "app/store/store_private.h"

#include <glib/gstdio.h>
#include <string.h>

G_DEFINE_QUARK(store-error-quark, store_error)

/* --- Statements ------------------------------------------------------------------- */

/* What a person can do about a failure; SQLite's own words are for programmers. */
static const struct { int code; StoreError error; const char *text; } failures[] = {
    { SQLITE_BUSY, STORE_ERROR_LOCKED,
      "another program is writing to it; try again when that has ended" },
    { SQLITE_LOCKED, STORE_ERROR_LOCKED,
      "another program is writing to it; try again when that has ended" },
    { SQLITE_FULL, STORE_ERROR_FULL,
      "the disk is full; this was not stored, and nothing that was stored before is lost. "
      "Make room and do it again" },
    { SQLITE_IOERR_WRITE, STORE_ERROR_FULL, /* no ENOSPC, which SQLite tells apart */
      "it could not be written: a quota is reached, or the disk has a fault; this was not "
      "stored, and nothing that was stored before is lost" },
    { SQLITE_IOERR_SHMSIZE, STORE_ERROR_FULL,
      "the disk is full; nothing was changed. Make room and do it again" },
    { SQLITE_READONLY, STORE_ERROR_READ_ONLY,
      "it cannot be written to: the file or its folder is read-only" },
    { SQLITE_CANTOPEN, STORE_ERROR_OPEN,
      "it cannot be opened: its folder must be there, and one must be allowed to write "
      "there" },
};

gboolean store_fail(store *s, GError **error)
{
    int whole = sqlite3_extended_errcode(s->db), code = whole & 0xff;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        return store_damaged(s, sqlite3_errmsg(s->db), error);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        if (failures[i].code == code || failures[i].code == whole) {
            g_set_error(error, STORE_ERROR, failures[i].error, "%s: %s", s->path,
                        failures[i].text);
            return FALSE;
        }
    }
    g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: %s", s->path,
                sqlite3_errmsg(s->db));
    return FALSE;
}

gboolean store_execute(store *s, const char *sql, GError **error)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail(s, error);
}

sqlite3_stmt *store_prepare(store *s, const char *sql, GError **error,
                             const char *types, ...)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        store_fail(s, error);
        return NULL;
    }
    va_list args;
    va_start(args, types);
    for (int i = 1; *types; types++, i++) {
        if (*types == 'i') {
            sqlite3_bind_int64(statement, i, va_arg(args, gint64));
        } else if (*types == 'd') {
            double value = va_arg(args, double);
            if (value >= 0) {
                sqlite3_bind_double(statement, i, value);
            }
        } else {
            const char *text = va_arg(args, const char *);
            if (text && *types == 'b') {
                sqlite3_bind_blob(statement, i, text, (int)strlen(text), SQLITE_TRANSIENT);
            } else if (text) {
                sqlite3_bind_text(statement, i, text, -1, SQLITE_TRANSIENT);
            }
        }
    }
    va_end(args);
    return statement;
}

gboolean store_finish(store *s, sqlite3_stmt *statement, gint64 *out, GError **error)
{
    if (!statement) {
        return FALSE;
    }
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW && out) {
        *out = sqlite3_column_int64(statement, 0);
    }
    while (code == SQLITE_ROW) {
        code = sqlite3_step(statement);
    }
    return store_end(s, statement, code, error);
}

gboolean store_end(store *s, sqlite3_stmt *statement, int code, GError **error)
{
    gboolean good = code == SQLITE_DONE || (statement && store_fail(s, error));
    sqlite3_finalize(statement);
    return good;
}

const char *store_text_at(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}

double store_number_at(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? -1
                                                           : sqlite3_column_double(row, column);
}

char *store_bytes_at(sqlite3_stmt *row, int column)
{
    const void *bytes = sqlite3_column_blob(row, column);
    return g_strndup(bytes ? bytes : "", (gsize)sqlite3_column_bytes(row, column));
}

gint64 store_number(store *s, const char *sql)
{
    gint64 value = 0;
    store_finish(s, store_prepare(s, sql, NULL, ""), &value, NULL);
    return value;
}

char *store_text(store *s, const char *sql)
{
    sqlite3_stmt *find = store_prepare(s, sql, NULL, "");
    char *text = find && sqlite3_step(find) == SQLITE_ROW
                     ? g_strdup((const char *)sqlite3_column_text(find, 0)) : NULL;
    sqlite3_finalize(find);
    return text;
}

GStrv store_texts(store *s, sqlite3_stmt *list, GError **error)
{
    g_autoptr(GStrvBuilder) texts = g_strv_builder_new();
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        g_strv_builder_add(texts, (const char *)sqlite3_column_text(list, 0));
    }
    return store_end(s, list, code, error) ? g_strv_builder_end(texts) : NULL;
}

GArray *store_ids(store *s, sqlite3_stmt *list, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    int code = SQLITE_ERROR;
    while (list && (code = sqlite3_step(list)) == SQLITE_ROW) {
        gint64 id = sqlite3_column_int64(list, 0);
        g_array_append_val(ids, id);
    }
    return store_end(s, list, code, error) ? g_steal_pointer(&ids) : NULL;
}

/* --- Opening ---------------------------------------------------------------------- */

static gboolean fail_open(const store *s, StoreError code, const char *text, GError **error)
{
    g_set_error(error, STORE_ERROR, code, "%s: %s", s->path, text);
    return FALSE;
}

static gboolean check_ours(store *s, StoreMode mode, GError **error)
{
    sqlite3_stmt *statement =
        store_prepare(s, "SELECT count(*) FROM sqlite_schema", error, "");
    gint64 tables = 0;
    if (!store_finish(s, statement, &tables, error)) {
        return FALSE;
    }
    gboolean ours = store_number(s, "PRAGMA application_id") == STORE_APPLICATION_ID;
    if (!ours && (tables > 0 || mode == STORE_READ_ONLY)) {
        return fail_open(s, STORE_ERROR_OPEN, "this is a database, but not one of Taglight",
                         error);
    }
    return TRUE;
}

/* A file in a folder that cannot be written to, which no writer has left in the middle of
 * its work: SQLite can read it only when it need not make its usual files beside it. */
static gboolean is_fixed(const char *file)
{
    g_autofree char *folder = g_path_get_dirname(file);
    g_autofree char *log = g_strconcat(file, "-wal", NULL);
    return g_access(folder, W_OK) != 0 && !g_file_test(log, G_FILE_TEST_EXISTS);
}

char *store_uri(const store *s)
{
    g_autofree char *whole = g_canonicalize_filename(s->file, NULL);
    g_autofree char *escaped = g_uri_escape_string(whole, "/", FALSE);
    return g_strdup_printf("file:%s%s", escaped, s->fixed ? "?immutable=1" : "");
}

gboolean store_is_same_file(const store *s, const char *path)
{
    GStatBuf own, other;
    return g_stat(s->file, &own) == 0 && g_stat(path, &other) == 0
           && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static gboolean connect(store *s, StoreMode mode, GError **error)
{
    int flags = (mode == STORE_CREATE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                      : SQLITE_OPEN_READWRITE);
    if (mode == STORE_READ_ONLY && !g_file_test(s->file, G_FILE_TEST_EXISTS)) {
        return fail_open(s, STORE_ERROR_OPEN, "there is no such file", error);
    }
    s->fixed = mode == STORE_READ_ONLY && is_fixed(s->file);
    flags = s->fixed ? SQLITE_OPEN_READONLY : flags;
    g_autofree char *name = store_uri(s);
    int code = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
                               NULL);
    if (code != SQLITE_OK) {
        return s->db ? store_fail(s, error)
                     : fail_open(s, STORE_ERROR_OPEN, sqlite3_errstr(code), error);
    }
    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    if (mode == STORE_CREATE && sqlite3_db_readonly(s->db, "main") == 1) {
        return fail_open(s, STORE_ERROR_READ_ONLY, "it cannot be written to: the file or "
                         "its folder is read-only", error);
    }
    return TRUE;
}

/* `unclean`: the last program that wrote did not come to its end. */
static gboolean prepare_to_write(store *s, StoreMode mode, gboolean unclean, GError **error)
{
    return store_execute(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                            "PRAGMA foreign_keys = ON;", error)
           && (mode == STORE_READ_ONLY || store_check_when_due(s, unclean, error))
           && store_migrate(s, error);
}

store *store_open(const char *path, StoreMode mode, GError **error)
{
    store *s = g_new0(store, 1);
    s->path = g_filename_display_name(path);
    s->file = g_strdup(path);
    gboolean unclean = store_is_unclean(path);
    gboolean good = connect(s, mode, error) && check_ours(s, mode, error)
                    && (s->fixed ? store_is_current(s, error)
                                 : prepare_to_write(s, mode, unclean, error));
    if (good && mode == STORE_READ_ONLY) {
        good = store_execute(s, "PRAGMA query_only = ON", error);
    }
    if (!good) {
        store_close(&s);
        return NULL;
    }
    return s;
}

void store_close(store **s)
{
    if (!s || !*s) {
        return;
    }
    sqlite3_close((*s)->db);
    g_free((*s)->path);
    g_free((*s)->file);
    g_clear_pointer(s, g_free);
}

gboolean store_begin(store *s, GError **error)
{
    return store_execute(s, "BEGIN IMMEDIATE", error);
}

gboolean store_commit(store *s, GError **error)
{
    if (store_execute(s, "COMMIT", error)) {
        return TRUE;
    }
    store_rollback(s);
    return FALSE;
}

void store_rollback(store *s)
{
    /* After some errors SQLite has done it by itself; then there is nothing to do. */
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

gboolean store_begin_own(store *s, gboolean *own, GError **error)
{
    *own = sqlite3_get_autocommit(s->db) != 0;
    return !*own || store_begin(s, error);
}

gboolean store_end_own(store *s, gboolean own, gboolean good, GError **error)
{
    if (own && good) {
        return store_commit(s, error);
    }
    if (own) {
        store_rollback(s);
    }
    return good;
}
