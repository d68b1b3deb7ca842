-- A database of format 1, for the test of migrations.
PRAGMA journal_mode = WAL;
CREATE TABLE image (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE,  bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL) STRICT;
CREATE TABLE image_path (path BLOB PRIMARY KEY,  image INTEGER NOT NULL REFERENCES image (id), bytes INTEGER NOT NULL,  mtime INTEGER NOT NULL) STRICT;
CREATE INDEX image_path_image ON image_path (image);
CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,  prompt TEXT, hidden INTEGER NOT NULL DEFAULT 0,  created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))) STRICT;
CREATE TABLE decision (id INTEGER PRIMARY KEY,  image INTEGER NOT NULL REFERENCES image (id),  label INTEGER NOT NULL REFERENCES label (id),  verdict INTEGER NOT NULL CHECK (verdict IN (-1, 0, 1)),  by_model INTEGER NOT NULL CHECK (by_model IN (0, 1)),  undoes INTEGER REFERENCES decision (id),  model TEXT, prompt TEXT, confidence REAL, threshold REAL,  time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))) STRICT;
CREATE INDEX decision_pair ON decision (image, label, by_model, id);
CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision BEGIN  SELECT RAISE (ABORT, 'decisions are never changed');
 END;
CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision BEGIN  SELECT RAISE (ABORT, 'decisions are never removed');
 END;
CREATE VIEW current_decision AS SELECT d.* FROM decision d WHERE d.id =  (SELECT e.id FROM decision e WHERE e.image = d.image AND e.label = d.label   ORDER BY e.by_model, e.id DESC LIMIT 1);
CREATE TABLE prediction (image INTEGER NOT NULL REFERENCES image (id),  label INTEGER NOT NULL REFERENCES label (id), model TEXT NOT NULL,  prompt TEXT NOT NULL, confidence REAL NOT NULL,  time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),  PRIMARY KEY (image, label, model, prompt)) STRICT, WITHOUT ROWID;

PRAGMA application_id = 1414285140;
PRAGMA user_version = 1;
INSERT INTO image (id, hash, bytes, width, height) VALUES (1, 'aa', 10, 640, 480), (2, 'bb', 10, 640, 480);
INSERT INTO image_path (path, image, bytes, mtime) VALUES (CAST('/y/copy.jpg' AS BLOB), 2, 10, 20),
  (CAST('/x/1.jpg' AS BLOB), 1, 10, 20), (CAST('/x/2.jpg' AS BLOB), 2, 10, 20);
INSERT INTO label (id, name) VALUES (1, 'cat'), (2, 'dog');
INSERT INTO decision (image, label, verdict, by_model) VALUES (1, 1, 1, 0), (2, 2, -1, 0);
