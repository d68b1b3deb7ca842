/* The blocks of the schema, and bringing a file up to date. */
#include "app/store/store_private.h"

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
    /* What holds must not depend on the order in which databases were merged, so events of
     * one time are told apart by their names, which are the same everywhere. (Those that
     * version 3 named end in numbers: of two, the longer is the later.) The partial indexes
     * are for undo. */
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('checked', strftime ('%Y-%m-%dT%H:%M:%SZ', 'now'));"
    "CREATE INDEX decision_own ON decision (id)"
    "  WHERE by_model = 0 AND undoes IS NULL AND author IS NULL;"
    "CREATE INDEX decision_undoes ON decision (undoes) WHERE undoes IS NOT NULL;"
    "CREATE INDEX decision_label ON decision (label, image);"
    "DROP VIEW current_decision;"
    "CREATE VIEW current_decision AS SELECT d.* FROM decision d WHERE NOT EXISTS"
    "  (SELECT 1 FROM decision e WHERE e.image = d.image AND e.label = d.label"
    "   AND e.by_model < d.by_model) AND NOT EXISTS"
    "  (SELECT 1 FROM decision e WHERE e.image = d.image AND e.label = d.label"
    "   AND e.by_model = d.by_model AND e.time > d.time) AND NOT EXISTS"
    "  (SELECT 1 FROM decision e WHERE e.image = d.image AND e.label = d.label"
    "   AND e.by_model = d.by_model AND e.time = d.time AND e.id != d.id"
    "   AND (length (e.event), e.event) > (length (d.event), d.event));",
    /* The vocabulary. A label with `stands_for` is a name of that one; `target` is the
     * label that counts. `prompt` held the model's prompt with the name in it, which was
     * never read; from now on it is what a person writes. `cause` is the event that a
     * decision follows from. */
    "ALTER TABLE label ADD COLUMN stands_for INTEGER REFERENCES label (id);"
    "ALTER TABLE label ADD COLUMN target INTEGER AS (coalesce (stands_for, id)) VIRTUAL;"
    "ALTER TABLE label ADD COLUMN colour TEXT;"
    "ALTER TABLE label ADD COLUMN key TEXT;"
    "ALTER TABLE label ADD COLUMN note TEXT;"
    "ALTER TABLE label ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0;"
    "UPDATE label SET prompt = NULL;"
    "CREATE INDEX label_target ON label (target);"
    "CREATE TABLE label_parent (label INTEGER NOT NULL REFERENCES label (id),"
    "  parent INTEGER NOT NULL REFERENCES label (id), PRIMARY KEY (label, parent))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE INDEX label_parent_parent ON label_parent (parent);"
    "CREATE TABLE label_group (name TEXT NOT NULL, label INTEGER NOT NULL"
    "  REFERENCES label (id), PRIMARY KEY (name, label)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX label_group_label ON label_group (label);"
    "CREATE TABLE folder_label (folder BLOB NOT NULL, place INTEGER NOT NULL,"
    "  label INTEGER NOT NULL REFERENCES label (id), PRIMARY KEY (folder, place))"
    "  STRICT, WITHOUT ROWID;"
    /* What counts for a label counts for all its names. */
    "CREATE VIEW implied AS SELECT l.target AS label, p.target AS parent"
    "  FROM label_parent r JOIN label l ON l.id = r.label JOIN label p ON p.id = r.parent"
    "  WHERE l.target != p.target;"
    "CREATE VIEW exclusive AS SELECT g.name, l.target AS label"
    "  FROM label_group g JOIN label l ON l.id = g.label;"
    "CREATE TABLE threshold (model TEXT NOT NULL, label INTEGER NOT NULL"
    "  REFERENCES label (id), value REAL NOT NULL, PRIMARY KEY (model, label))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE saved_filter (name TEXT PRIMARY KEY, query TEXT NOT NULL) STRICT;"
    "ALTER TABLE decision ADD COLUMN cause TEXT;"
    "CREATE INDEX decision_cause ON decision (cause) WHERE cause IS NOT NULL;"
    "DROP VIEW current_decision;"
    "CREATE VIEW current_decision AS SELECT d.id, d.image, l.target AS label, d.verdict,"
    "  d.by_model, d.undoes, d.model, d.prompt, d.confidence, d.threshold, d.time,"
    "  d.author, d.event, d.cause FROM decision d JOIN label l ON l.id = d.label"
    "  WHERE NOT EXISTS (SELECT 1 FROM label n CROSS JOIN decision e ON e.label = n.id"
    "   WHERE n.target = l.target AND e.image = d.image AND e.by_model < d.by_model)"
    "  AND NOT EXISTS (SELECT 1 FROM label n CROSS JOIN decision e ON e.label = n.id"
    "   WHERE n.target = l.target AND e.image = d.image AND e.by_model = d.by_model"
    "   AND e.time > d.time)"
    "  AND NOT EXISTS (SELECT 1 FROM label n CROSS JOIN decision e ON e.label = n.id"
    "   WHERE n.target = l.target AND e.image = d.image AND e.by_model = d.by_model"
    "   AND e.time = d.time AND e.id != d.id"
    "   AND (length (e.event), e.event) > (length (d.event), d.event));",
    /* What was decided in one go is taken back in one go: `first` is its first decision. One
     * that stands in no row is a step of its own. */
    "CREATE TABLE step (decision INTEGER PRIMARY KEY REFERENCES decision (id),"
    "  first INTEGER NOT NULL REFERENCES decision (id)) STRICT;"
    "CREATE INDEX step_first ON step (first);",
};

gboolean store_migrate(store *s, GError **error)
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
            STORE_APPLICATION_ID, version + 1);
        if (!store_execute(s, "BEGIN IMMEDIATE", error)) {
            return FALSE;
        }
        /* Another process may have migrated while this one waited. */
        if (store_number(s, "PRAGMA user_version") != version) {
            store_execute(s, "ROLLBACK", NULL);
            return store_migrate(s, error);
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

gboolean store_is_current(store *s, GError **error)
{
    gint64 version = store_number(s, "PRAGMA user_version");
    if (version < STORE_SCHEMA_VERSION) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_READ_ONLY,
                    "%s: written by an earlier version of Taglight, and in a folder that "
                    "cannot be written to; copy it elsewhere first", s->path);
        return FALSE;
    }
    return version == STORE_SCHEMA_VERSION || store_migrate(s, error);
}
