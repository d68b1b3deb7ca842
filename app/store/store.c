#include "app/store/store_private.h"

#include <string.h>

#define APPLICATION_ID 0x544c4754 /* "TLGT" */

G_DEFINE_QUARK(store-error-quark, store_error)

/* One block a schema version; block i brings a file from version i to i + 1. */
static const char *const migrations[STORE_SCHEMA_VERSION] = {
    "CREATE TABLE image (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE,"
    "  bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL) STRICT;"
    "CREATE TABLE image_path (path BLOB PRIMARY KEY,"
    "  image INTEGER NOT NULL REFERENCES image (id), bytes INTEGER NOT NULL,"
    "  mtime INTEGER NOT NULL) STRICT;"
    "CREATE INDEX image_path_image ON image_path (image);"
    "CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    "  prompt TEXT, hidden INTEGER NOT NULL DEFAULT 0,"
    "  created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))) STRICT;"
    "CREATE TABLE decision (id INTEGER PRIMARY KEY,"
    "  image INTEGER NOT NULL REFERENCES image (id),"
    "  label INTEGER NOT NULL REFERENCES label (id),"
    "  verdict INTEGER NOT NULL CHECK (verdict IN (-1, 0, 1)),"
    "  by_model INTEGER NOT NULL CHECK (by_model IN (0, 1)),"
    "  undoes INTEGER REFERENCES decision (id),"
    "  model TEXT, prompt TEXT, confidence REAL, threshold REAL,"
    "  time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))) STRICT;"
    "CREATE INDEX decision_pair ON decision (image, label, by_model, id);"
    "CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision BEGIN"
    "  SELECT RAISE (ABORT, 'decisions are never changed'); END;"
    "CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision BEGIN"
    "  SELECT RAISE (ABORT, 'decisions are never removed'); END;"
    /* The newest of a person, else the newest of a model. */
    "CREATE VIEW current_decision AS SELECT d.* FROM decision d WHERE d.id ="
    "  (SELECT e.id FROM decision e WHERE e.image = d.image AND e.label = d.label"
    "   ORDER BY e.by_model, e.id DESC LIMIT 1);"
    "CREATE TABLE prediction (image INTEGER NOT NULL REFERENCES image (id),"
    "  label INTEGER NOT NULL REFERENCES label (id), model TEXT NOT NULL,"
    "  prompt TEXT NOT NULL, confidence REAL NOT NULL,"
    "  time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),"
    "  PRIMARY KEY (image, label, model, prompt)) STRICT, WITHOUT ROWID;",
    /* Numbers for paths, which exports need to be the same from one to the next. */
    "CREATE TABLE numbered_path (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE,"
    "  image INTEGER NOT NULL REFERENCES image (id), bytes INTEGER NOT NULL,"
    "  mtime INTEGER NOT NULL) STRICT;"
    "INSERT INTO numbered_path (path, image, bytes, mtime)"
    "  SELECT path, image, bytes, mtime FROM image_path ORDER BY image, path;"
    "DROP TABLE image_path;"
    "ALTER TABLE numbered_path RENAME TO image_path;"
    "CREATE INDEX image_path_image ON image_path (image);",
    /* An event's name is the same in every database that it is copied to. Databases that
     * are copies of one another name what they had in common alike. */
    "ALTER TABLE decision ADD COLUMN author TEXT;"
    "ALTER TABLE decision ADD COLUMN event TEXT;"
    "DROP TRIGGER decision_no_update;"
    "UPDATE decision SET event = (SELECT i.hash FROM image i WHERE i.id = image)"
    "  || '/' || (SELECT l.name FROM label l WHERE l.id = label) || '/' || time || '/' || id;"
    "CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision BEGIN"
    "  SELECT RAISE (ABORT, 'decisions are never changed'); END;"
    "CREATE UNIQUE INDEX decision_event ON decision (event);"
    "DROP INDEX decision_pair;"
    "CREATE INDEX decision_pair ON decision (image, label, by_model, time, id);"
    "DROP VIEW current_decision;"
    /* Times of events that come from elsewhere may lie before those that are here. */
    "CREATE VIEW current_decision AS SELECT d.* FROM decision d WHERE d.id ="
    "  (SELECT e.id FROM decision e WHERE e.image = d.image AND e.label = d.label"
    "   ORDER BY e.by_model, e.time DESC, e.id DESC LIMIT 1);",
    /* What exports remember: the keywords that they wrote into a sidecar, which alone they
     * may take out again, and which images look alike and share a split. */
    "CREATE TABLE written_keyword (path BLOB NOT NULL, field TEXT NOT NULL,"
    "  keyword TEXT NOT NULL, PRIMARY KEY (path, field, keyword)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE image_likeness (image INTEGER PRIMARY KEY REFERENCES image (id),"
    "  dhash INTEGER, kin TEXT) STRICT;",
};

/* --- Statements ------------------------------------------------------------------------ */

gboolean store_fail(store *s, GError **error)
{
    int code = sqlite3_errcode(s->db) & 0xff;
    gboolean damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    g_set_error(error, STORE_ERROR, damaged ? STORE_ERROR_DAMAGED : STORE_ERROR_FAILED,
                "%s: %s", s->path, sqlite3_errmsg(s->db));
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
    gboolean good = code == SQLITE_DONE || store_fail(s, error);
    sqlite3_finalize(statement);
    return good;
}

gint64 store_number(store *s, const char *sql)
{
    gint64 value = 0;
    store_finish(s, store_prepare(s, sql, NULL, ""), &value, NULL);
    return value;
}

/* --- Opening ----------------------------------------------------------------------------- */

static gboolean migrate(store *s, GError **error)
{
    gint64 version = store_number(s, "PRAGMA user_version");
    if (version > STORE_SCHEMA_VERSION) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_NEWER,
                    "%s: written by a later version of Taglight (format %" G_GINT64_FORMAT
                    "); it is left as it is", s->path, version);
        return FALSE;
    }
    while (version < STORE_SCHEMA_VERSION) {
        g_autofree char *stamp = g_strdup_printf(
            "PRAGMA application_id = %d; PRAGMA user_version = %" G_GINT64_FORMAT ";",
            APPLICATION_ID, version + 1);
        if (!store_execute(s, "BEGIN IMMEDIATE", error)) {
            return FALSE;
        }
        /* Another process may have migrated while this one waited. */
        if (store_number(s, "PRAGMA user_version") != version) {
            store_execute(s, "ROLLBACK", NULL);
            return migrate(s, error);
        }
        if (!store_execute(s, migrations[version], error) || !store_execute(s, stamp, error)
            || !store_execute(s, "COMMIT", error)) {
            store_execute(s, "ROLLBACK", NULL);
            return FALSE;
        }
        version++;
    }
    return TRUE;
}

static gboolean check_ours(store *s, StoreMode mode, GError **error)
{
    sqlite3_stmt *statement =
        store_prepare(s, "SELECT count(*) FROM sqlite_schema", error, "");
    gint64 tables = 0;
    if (!store_finish(s, statement, &tables, error)) {
        return FALSE;
    }
    gboolean ours = store_number(s, "PRAGMA application_id") == APPLICATION_ID;
    if (!ours && (tables > 0 || mode == STORE_READ_ONLY)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    "%s: this is a database, but not one of Taglight", s->path);
        return FALSE;
    }
    return TRUE;
}

/* A file of an earlier version is brought to this one in either mode. */
store *store_open(const char *path, StoreMode mode, GError **error)
{
    store *s = g_new0(store, 1);
    s->path = g_filename_display_name(path);
    int flags = mode == STORE_CREATE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                     : SQLITE_OPEN_READWRITE;
    if (mode == STORE_READ_ONLY && !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "%s: there is no such file",
                    s->path);
        store_close(&s);
        return NULL;
    }
    int code = sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "%s: %s", s->path,
                    s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
        store_close(&s);
        return NULL;
    }
    sqlite3_busy_timeout(s->db, 10000);
    gboolean good = check_ours(s, mode, error)
                    && store_execute(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                  "PRAGMA foreign_keys = ON;", error)
                    && migrate(s, error);
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
    store_execute(s, "ROLLBACK", NULL);
    return FALSE;
}

/* --- Images and labels ---------------------------------------------------------------------- */

gint64 store_put_image(store *s, const StoreImage *image, GError **error)
{
    gint64 id = 0;
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO image (hash, bytes, width, height) VALUES (?, ?, ?, ?)"
           " ON CONFLICT (hash) DO UPDATE SET width = max (width, excluded.width),"
           " height = max (height, excluded.height) RETURNING id",
        error, "tiii", image->hash, image->bytes, (gint64)image->width,
        (gint64)image->height);
    if (!store_finish(s, put, &id, error)) {
        return 0;
    }
    sqlite3_stmt *path = store_prepare(
        s, "INSERT INTO image_path (path, image, bytes, mtime) VALUES (?, ?, ?, ?)"
           " ON CONFLICT (path) DO UPDATE SET image = excluded.image,"
           " bytes = excluded.bytes, mtime = excluded.mtime",
        error, "biii", image->path, id, image->bytes, image->mtime);
    return store_finish(s, path, NULL, error) ? id : 0;
}

gint64 store_put_label(store *s, const char *name, const char *prompt, GError **error)
{
    gint64 id = 0;
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO label (name, prompt) VALUES (?, ?) ON CONFLICT (name) DO UPDATE"
           " SET hidden = 0, prompt = coalesce (excluded.prompt, prompt) RETURNING id",
        error, "tt", name, prompt);
    return store_finish(s, put, &id, error) ? id : 0;
}

gint64 store_find_label(store *s, const char *name)
{
    gint64 id = 0;
    store_finish(s, store_prepare(s, "SELECT id FROM label WHERE name = ?", NULL, "t", name), &id, NULL);
    return id;
}

gint64 store_find_image(store *s, const char *path, gint64 bytes, gint64 mtime)
{
    gint64 id = 0;
    store_finish(s, store_prepare(s, "SELECT image FROM image_path WHERE path = ? AND bytes = ?"
                         " AND mtime = ?", NULL, "bii", path, bytes, mtime), &id, NULL);
    return id;
}

char *store_image_hash(store *s, gint64 image)
{
    sqlite3_stmt *find =
        store_prepare(s, "SELECT hash FROM image WHERE id = ?", NULL, "i", image);
    char *hash = find && sqlite3_step(find) == SQLITE_ROW
                     ? g_strdup((const char *)sqlite3_column_text(find, 0)) : NULL;
    sqlite3_finalize(find);
    return hash;
}

GStrv store_labels(store *s, GError **error)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    sqlite3_stmt *list =
        store_prepare(s, "SELECT name FROM label WHERE hidden = 0 ORDER BY id", error, "");
    if (!list) {
        return NULL;
    }
    int code;
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        g_strv_builder_add(names, (const char *)sqlite3_column_text(list, 0));
    }
    gboolean good = code == SQLITE_DONE || store_fail(s, error);
    sqlite3_finalize(list);
    return good ? g_strv_builder_end(names) : NULL;
}

gboolean store_hide_label(store *s, const char *name, GError **error)
{
    return store_finish(s, store_prepare(s, "UPDATE label SET hidden = 1 WHERE name = ?", error, "t",
                             name), NULL, error);
}

/* --- Decisions -------------------------------------------------------------------------------- */

static gboolean append(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                       const StoreSource *source, gint64 undoes, GError **error)
{
    /* What is decided here and now is the newest even where a clock was wrong. */
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO decision (image, label, verdict, by_model, model, prompt,"
           " confidence, threshold, undoes, author, time, event) VALUES (?1, ?2, ?3, ?4,"
           " ?5, ?6, ?7, ?8, nullif (?9, 0), ?10, coalesce (?11,"
           " max (strftime ('%Y-%m-%dT%H:%M:%fZ', 'now'), coalesce ((SELECT max (time)"
           " FROM decision WHERE image = ?1 AND label = ?2 AND by_model = ?4), ''))),"
           " lower (hex (randomblob (16))))",
        error, "iiiittdditt", image, label, (gint64)verdict, (gint64)source->by_model,
        source->model, source->prompt, source->confidence, source->threshold, undoes,
        source->author, source->time);
    return store_finish(s, put, NULL, error);
}

char *store_time(const char *iso8601)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) given = g_date_time_new_from_iso8601(iso8601, utc);
    g_autoptr(GDateTime) time = given ? g_date_time_to_utc(given) : NULL;
    if (!time) {
        return NULL;
    }
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(time) / 1000);
}

gboolean store_decide(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                      const StoreSource *source, GError **error)
{
    return append(s, image, label, verdict, source, 0, error);
}

StoreVerdict store_verdict(store *s, gint64 image, gint64 label)
{
    gint64 verdict = 0;
    store_finish(s, store_prepare(s, "SELECT verdict FROM current_decision WHERE image = ? AND"
                         " label = ?", NULL, "ii", image, label), &verdict, NULL);
    return (StoreVerdict)verdict;
}

gboolean store_undo(store *s, gint64 *image, gint64 *label, GError **error)
{
    *image = *label = 0;
    /* The newest of a person that neither takes something back nor was taken back. */
    sqlite3_stmt *find = store_prepare(
        s, "SELECT d.id, d.image, d.label, coalesce ((SELECT e.verdict FROM decision e"
           " WHERE e.image = d.image AND e.label = d.label AND e.by_model = 0"
           " AND e.id < d.id ORDER BY e.time DESC, e.id DESC LIMIT 1), 0) FROM decision d"
           " WHERE d.by_model = 0 AND d.undoes IS NULL AND NOT EXISTS"
           " (SELECT 1 FROM decision u WHERE u.undoes = d.id)"
           " ORDER BY d.id DESC LIMIT 1", error, "");
    if (!find) {
        return FALSE;
    }
    int code = sqlite3_step(find);
    gint64 id = 0;
    StoreVerdict before = STORE_CLEARED;
    if (code == SQLITE_ROW) {
        id = sqlite3_column_int64(find, 0);
        *image = sqlite3_column_int64(find, 1);
        *label = sqlite3_column_int64(find, 2);
        before = (StoreVerdict)sqlite3_column_int(find, 3);
    }
    sqlite3_finalize(find);
    if (id == 0) {
        return code == SQLITE_DONE || store_fail(s, error);
    }
    StoreSource source = { .confidence = -1, .threshold = -1 };
    return append(s, *image, *label, before, &source, id, error);
}

gboolean store_predict(store *s, gint64 image, gint64 label, const StoreSource *source,
                       GError **error)
{
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO prediction (image, label, model, prompt, confidence)"
           " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
           " confidence = excluded.confidence,"
           " time = strftime ('%Y-%m-%dT%H:%M:%SZ', 'now')",
        error, "iittd", image, label, source->model ? source->model : "",
        source->prompt ? source->prompt : "", source->confidence);
    return store_finish(s, put, NULL, error);
}

/* --- Reading --------------------------------------------------------------------------------------- */

static const char *text_at(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

static double number_at(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? -1 : sqlite3_column_double(statement, column);
}

/* Columns: file, image, label, path, hash, width, height, name, verdict, by_model, model,
 * prompt, confidence, threshold, time, author. */
gboolean store_each_row(store *s, sqlite3_stmt *list, StoreRowFunc func, gpointer user_data,
                     GError **error)
{
    int code = SQLITE_DONE;
    gboolean more = list != NULL;
    while (more && (code = sqlite3_step(list)) == SQLITE_ROW) {
        g_autofree char *path = g_strndup(sqlite3_column_blob(list, 3),
                                          (gsize)sqlite3_column_bytes(list, 3));
        StoreRow row = {
            .file = sqlite3_column_int64(list, 0), .image = sqlite3_column_int64(list, 1),
            .label = sqlite3_column_int64(list, 2), .path = path,
            .hash = text_at(list, 4), .width = sqlite3_column_int(list, 5),
            .height = sqlite3_column_int(list, 6), .name = text_at(list, 7),
            .verdict = (StoreVerdict)sqlite3_column_int(list, 8),
            .by_model = sqlite3_column_int(list, 9), .model = text_at(list, 10),
            .prompt = text_at(list, 11), .confidence = number_at(list, 12),
            .threshold = number_at(list, 13), .time = text_at(list, 14),
            .author = text_at(list, 15) };
        more = func(&row, user_data);
    }
    gboolean good = list && (!more || code == SQLITE_DONE);
    if (list && !good) {
        store_fail(s, error);
    }
    sqlite3_finalize(list);
    return good;
}

gboolean store_each_decision(store *s, StoreRowFunc func, gpointer user_data,
                             GError **error)
{
    return store_each_row(s, store_prepare(
        s, "SELECT p.id, i.id, l.id, p.path, i.hash, i.width, i.height, l.name, d.verdict,"
           " d.by_model, d.model, d.prompt, d.confidence, d.threshold, d.time, d.author"
           " FROM current_decision d JOIN image i ON i.id = d.image"
           " JOIN label l ON l.id = d.label JOIN image_path p ON p.image = i.id"
           " WHERE d.verdict != 0 ORDER BY p.path, l.id", error, ""), func, user_data,
        error);
}

gboolean store_each_image(store *s, StoreRowFunc func, gpointer user_data, GError **error)
{
    return store_each_row(s, store_prepare(
        s, "SELECT p.id, i.id, 0, p.path, i.hash, i.width, i.height, '', 0, 0, '', '',"
           " NULL, NULL, '', '' FROM image i JOIN image_path p ON p.image = i.id ORDER BY p.path",
        error, ""), func, user_data, error);
}

gboolean store_each_label(store *s, StoreRowFunc func, gpointer user_data, GError **error)
{
    return store_each_row(s, store_prepare(
        s, "SELECT 0, 0, l.id, '', '', 0, 0, l.name, 0, 0, '', '', NULL, NULL, '', ''"
           " FROM label l WHERE l.hidden = 0 OR EXISTS (SELECT 1 FROM current_decision d"
           " WHERE d.label = l.id AND d.verdict != 0) ORDER BY l.id", error, ""), func,
        user_data, error);
}
