#include "app/store/cache.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

/* Statements are kept, for a folder asks ten thousand times. */
struct cache { sqlite3 *db; sqlite3_stmt *find, *put, *used; };

/* Tokens are long: large pages mean few of them to a value, and few reads. */
static const char schema[] =
    "PRAGMA page_size = 65536; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
    "PRAGMA cache_size = -4096;"
    "CREATE TABLE IF NOT EXISTS entry (kind TEXT, content TEXT, model TEXT,"
    "  value BLOB NOT NULL, PRIMARY KEY (kind, content, model)) STRICT;";

static void close_all(cache *c)
{
    sqlite3_finalize(c->find);
    sqlite3_finalize(c->put);
    sqlite3_finalize(c->used);
    sqlite3_close(c->db);
    *c = (cache){ 0 };
}

static gboolean prepare(cache *c, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL)
           == SQLITE_OK;
}

static gboolean try_open(cache *c, const char *path)
{
    if (sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                          | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(c->db, 2000);
        if (sqlite3_exec(c->db, schema, NULL, NULL, NULL) == SQLITE_OK
            && prepare(c, "SELECT rowid FROM entry WHERE kind = ? AND content = ?"
                          " AND model = ?", &c->find)
            && prepare(c, "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", &c->put)
            && prepare(c, "SELECT (page_count - freelist_count) * page_size FROM"
                          " pragma_page_count, pragma_freelist_count, pragma_page_size",
                       &c->used)) {
            return TRUE;
        }
    }
    close_all(c);
    return FALSE;
}

cache *cache_open(const char *path)
{
    cache *c = g_new0(cache, 1);
    if (!try_open(c, path)) {
        g_unlink(path);
        if (!try_open(c, path)) {
            g_clear_pointer(&c, g_free);
        }
    }
    return c;
}

void cache_close(cache **c)
{
    if (c && *c) {
        close_all(*c);
        g_clear_pointer(c, g_free);
    }
}

static void bind_key(sqlite3_stmt *s, const char *kind, const char *content,
                     const char *model)
{
    sqlite3_bind_text(s, 1, kind, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 2, content, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 3, model, -1, SQLITE_TRANSIENT);
}

/* The row of a key, 0 when there is none. */
static gint64 find_row(cache *c, const char *kind, const char *content, const char *model)
{
    if (!c) {
        return 0;
    }
    bind_key(c->find, kind, content, model);
    gboolean found = sqlite3_step(c->find) == SQLITE_ROW;
    gint64 row = found ? sqlite3_column_int64(c->find, 0) : 0;
    sqlite3_reset(c->find);
    return row;
}

gboolean cache_has(cache *c, const char *kind, const char *content, const char *model)
{
    return find_row(c, kind, content, model) != 0;
}

gboolean cache_read(cache *c, const char *kind, const char *content, const char *model,
                    void *out, gsize bytes)
{
    gint64 row = find_row(c, kind, content, model);
    sqlite3_blob *blob = NULL;
    gboolean good = row
                    && sqlite3_blob_open(c->db, "main", "entry", "value", row, 0, &blob)
                           == SQLITE_OK
                    && (gsize)sqlite3_blob_bytes(blob) == bytes
                    && sqlite3_blob_read(blob, out, (int)bytes, 0) == SQLITE_OK;
    sqlite3_blob_close(blob);
    return good;
}

static gint64 bytes_used(cache *c)
{
    gboolean known = sqlite3_step(c->used) == SQLITE_ROW;
    gint64 bytes = known ? sqlite3_column_int64(c->used, 0) : 0;
    sqlite3_reset(c->used);
    return bytes;
}

void cache_put(cache *c, const char *kind, const char *content, const char *model,
               const void *value, gsize bytes, gint64 max_bytes)
{
    if (!c) {
        return;
    }
    bind_key(c->put, kind, content, model);
    sqlite3_bind_blob64(c->put, 4, value, bytes, SQLITE_STATIC);
    sqlite3_step(c->put);
    sqlite3_reset(c->put);
    sqlite3_clear_bindings(c->put);
    if (bytes_used(c) > max_bytes) {
        sqlite3_exec(c->db, "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry"
                            " ORDER BY rowid LIMIT 64)", NULL, NULL, NULL);
    }
}

gboolean cache_empty(cache *c)
{
    return sqlite3_exec(c->db, "DELETE FROM entry; VACUUM; PRAGMA wal_checkpoint(TRUNCATE);",
                        NULL, NULL, NULL) == SQLITE_OK;
}
