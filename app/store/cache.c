#include "app/store/cache.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

struct cache { sqlite3 *db; };

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
    "CREATE TABLE IF NOT EXISTS entry (kind TEXT, content TEXT, model TEXT,"
    "  value BLOB NOT NULL, PRIMARY KEY (kind, content, model)) STRICT;";

static gboolean try_open(cache *c, const char *path)
{
    if (sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                          | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(c->db, 2000);
        if (sqlite3_exec(c->db, schema, NULL, NULL, NULL) == SQLITE_OK) {
            return TRUE;
        }
    }
    sqlite3_close(c->db);
    c->db = NULL;
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
        sqlite3_close((*c)->db);
        g_clear_pointer(c, g_free);
    }
}

static sqlite3_stmt *prepare(cache *c, const char *sql, const char *kind,
                             const char *content, const char *model)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(c->db, sql, -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_text(s, 1, kind, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(s, 2, content, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(s, 3, model, -1, SQLITE_TRANSIENT);
    }
    return s;
}

GBytes *cache_get(cache *c, const char *kind, const char *content, const char *model)
{
    if (!c) {
        return NULL;
    }
    sqlite3_stmt *s = prepare(c, "SELECT value FROM entry WHERE kind = ? AND content = ?"
                                 " AND model = ?", kind, content, model);
    GBytes *value = NULL;
    if (s && sqlite3_step(s) == SQLITE_ROW) {
        value = g_bytes_new(sqlite3_column_blob(s, 0), (gsize)sqlite3_column_bytes(s, 0));
    }
    sqlite3_finalize(s);
    return value;
}

static gint64 bytes_used(cache *c)
{
    sqlite3_stmt *s = NULL;
    gint64 pages = 0;
    if (sqlite3_prepare_v2(c->db, "SELECT (page_count - freelist_count) * page_size FROM"
                                  " pragma_page_count, pragma_freelist_count,"
                                  " pragma_page_size", -1, &s, NULL) == SQLITE_OK
        && sqlite3_step(s) == SQLITE_ROW) {
        pages = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    return pages;
}

void cache_put(cache *c, const char *kind, const char *content, const char *model,
               GBytes *value, gint64 max_bytes)
{
    if (!c) {
        return;
    }
    gsize size = 0;
    const void *data = g_bytes_get_data(value, &size);
    sqlite3_stmt *s = prepare(c, "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", kind,
                              content, model);
    if (s) {
        sqlite3_bind_blob64(s, 4, data, size, SQLITE_TRANSIENT);
        sqlite3_step(s);
    }
    sqlite3_finalize(s);
    if (bytes_used(c) > max_bytes) {
        sqlite3_exec(c->db, "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry"
                            " ORDER BY rowid LIMIT 64)", NULL, NULL, NULL);
    }
}
