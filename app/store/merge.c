#include "app/store/merge_private.h"

#include <string.h>

/* What all sources hold together, collected before `into` is locked. Images and labels get
 * numbers of their own here; where sources differ, what is kept does not depend on their
 * order. Events: `author` of rank 0 stood in the event, of rank 1 was given by the caller,
 * of rank 2 is the file's name. */
static const char collection[] =
    "PRAGMA temp_store = FILE; PRAGMA cache_size = -65536;"
    "CREATE TEMP TABLE in_image (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE,"
    "  bytes INTEGER, width INTEGER, height INTEGER);"
    "CREATE TEMP TABLE in_path (path BLOB, image INTEGER, bytes INTEGER, mtime INTEGER,"
    "  source TEXT, PRIMARY KEY (path, image)) WITHOUT ROWID;"
    "CREATE TEMP TABLE in_label (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    "  hidden INTEGER, created TEXT, stands_for TEXT);"
    "CREATE TEMP TABLE in_prediction (image INTEGER, label INTEGER, model TEXT, prompt TEXT,"
    "  confidence REAL, time TEXT, PRIMARY KEY (image, label, model, prompt))"
    "  WITHOUT ROWID;"
    "CREATE TEMP TABLE in_event (event TEXT PRIMARY KEY, image INTEGER, label INTEGER,"
    "  verdict INTEGER, by_model INTEGER, undoes TEXT, model TEXT, prompt TEXT,"
    "  confidence REAL, threshold REAL, time TEXT, author TEXT, rank INTEGER, cause TEXT)"
    "  WITHOUT ROWID;";

static const char forget_collection[] =
    "DROP TABLE IF EXISTS temp.in_image; DROP TABLE IF EXISTS temp.in_path;"
    "DROP TABLE IF EXISTS temp.in_label; DROP TABLE IF EXISTS temp.in_prediction;"
    "DROP TABLE IF EXISTS temp.in_event;";

/* ?1 is the author, ?2 its rank; not every statement uses both. */
static const char *const collect[] = {
    "INSERT INTO in_image (hash, bytes, width, height)"
    " SELECT hash, bytes, width, height FROM source.image WHERE TRUE ORDER BY id"
    " ON CONFLICT (hash) DO UPDATE SET bytes = max (bytes, excluded.bytes),"
    " width = max (width, excluded.width), height = max (height, excluded.height)",
    "INSERT INTO in_path SELECT p.path, n.id, p.bytes, p.mtime, ?1 FROM source.image_path p"
    " JOIN source.image i ON i.id = p.image JOIN in_image n ON n.hash = i.hash WHERE TRUE"
    " ON CONFLICT DO UPDATE SET mtime = max (mtime, excluded.mtime),"
    " source = min (source, excluded.source)",
    "INSERT INTO in_label (name, hidden, created, stands_for)"
    " SELECT l.name, l.hidden, l.created, t.name FROM source.label l"
    " LEFT JOIN source.label t ON t.id = l.stands_for WHERE TRUE ORDER BY l.id"
    " ON CONFLICT (name) DO UPDATE SET stands_for = coalesce (min (stands_for,"
    " excluded.stands_for), stands_for, excluded.stands_for),"
    " hidden = min (hidden, excluded.hidden), created = min (created, excluded.created)",
    "INSERT INTO in_prediction SELECT n.id, m.id, p.model, p.prompt, p.confidence, p.time"
    " FROM source.prediction p JOIN source.image i ON i.id = p.image"
    " JOIN in_image n ON n.hash = i.hash JOIN source.label l ON l.id = p.label"
    " JOIN in_label m ON m.name = l.name WHERE TRUE"
    " ON CONFLICT DO UPDATE SET confidence = excluded.confidence, time = excluded.time"
    " WHERE (excluded.time, excluded.confidence) > (time, confidence)",
    "INSERT INTO in_event SELECT d.event, n.id, m.id, d.verdict, d.by_model,"
    " (SELECT u.event FROM source.decision u WHERE u.id = d.undoes), d.model, d.prompt,"
    " d.confidence, d.threshold, d.time, iif (d.by_model, d.author, coalesce (d.author, ?1)),"
    " iif (d.author IS NULL, ?2, 0), d.cause FROM source.decision d"
    " JOIN source.image i ON i.id = d.image JOIN in_image n ON n.hash = i.hash"
    " JOIN source.label l ON l.id = d.label JOIN in_label m ON m.name = l.name WHERE TRUE"
    " ON CONFLICT DO UPDATE SET author = excluded.author, rank = excluded.rank"
    " WHERE (excluded.rank, excluded.author) < (rank, author)",
};

/* Into the database. A path at which two machines have different images stays with the one
 * that changed last; the other's is written NAME:PATH, and if that is taken too, with the
 * beginning of its hash in the name. */
#define FOREIGN_PATH(name) \
    "INSERT INTO image_path (path, image, bytes, mtime)" \
    " SELECT CAST (" name " || ':' || p.path AS BLOB), i.id, p.bytes, p.mtime" \
    " FROM in_path p JOIN in_image n ON n.id = p.image JOIN image i ON i.hash = n.hash" \
    " WHERE NOT EXISTS (SELECT 1 FROM image_path h WHERE h.image = i.id AND" \
    "  (h.path = p.path OR substr (h.path, -length (p.path) - 1)" \
    "   = CAST (':' || p.path AS BLOB)))" \
    " ORDER BY p.path, n.hash ON CONFLICT (path) DO NOTHING"
#define EVENTS(undoing) \
    "INSERT INTO decision (image, label, verdict, by_model, undoes, model, prompt," \
    " confidence, threshold, time, author, event, cause) SELECT i.id, l.id, e.verdict, e.by_model," \
    " (SELECT u.id FROM decision u WHERE u.event = e.undoes), e.model, e.prompt," \
    " e.confidence, e.threshold, e.time, e.author, e.event, e.cause FROM in_event e" \
    " JOIN in_image n ON n.id = e.image JOIN image i ON i.hash = n.hash" \
    " JOIN in_label m ON m.id = e.label JOIN label l ON l.name = m.name" \
    " WHERE e.undoes IS " undoing \
    " AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.event = e.event)" \
    " ORDER BY e.time, length (e.event), e.event"

enum {
    IMAGES, SIZES, PATHS, FOREIGN_PATHS, TAKEN_PATHS, LABELS, PREDICTIONS, DECIDED,
    UNDONE,
    N_STEPS
};

static const char *const bring[N_STEPS] = {
    [IMAGES] = "INSERT INTO image (hash, bytes, width, height)"
               " SELECT hash, bytes, width, height FROM in_image WHERE TRUE ORDER BY hash"
               " ON CONFLICT (hash) DO NOTHING",
    [SIZES] = "UPDATE image SET width = max (image.width, n.width),"
              " height = max (image.height, n.height) FROM in_image n"
              " WHERE n.hash = image.hash"
              " AND (n.width > image.width OR n.height > image.height)",
    [PATHS] = "INSERT INTO image_path (path, image, bytes, mtime)"
              " SELECT p.path, i.id, p.bytes, p.mtime FROM in_path p"
              " JOIN in_image n ON n.id = p.image JOIN image i ON i.hash = n.hash"
              " WHERE TRUE ORDER BY p.path, p.mtime DESC, n.hash"
              " ON CONFLICT (path) DO NOTHING",
    [FOREIGN_PATHS] = FOREIGN_PATH("p.source"),
    [TAKEN_PATHS] = FOREIGN_PATH("p.source || '-' || substr (n.hash, 1, 8)"),
    [LABELS] = "INSERT INTO label (name, hidden, created)"
               " SELECT name, hidden, created FROM in_label WHERE TRUE"
               " ORDER BY created, name ON CONFLICT (name) DO NOTHING",
    [PREDICTIONS] = "INSERT INTO prediction (image, label, model, prompt, confidence, time)"
                    " SELECT i.id, l.id, p.model, p.prompt, p.confidence, p.time"
                    " FROM in_prediction p JOIN in_image n ON n.id = p.image"
                    " JOIN image i ON i.hash = n.hash JOIN in_label m ON m.id = p.label"
                    " JOIN label l ON l.name = m.name WHERE TRUE"
                    " ON CONFLICT DO UPDATE SET confidence = excluded.confidence,"
                    " time = excluded.time"
                    " WHERE (excluded.time, excluded.confidence) > (time, confidence)",
    [DECIDED] = EVENTS("NULL"),
    /* Later, for it names what it takes back by its row. */
    [UNDONE] = EVENTS("NOT NULL"),
};

/* --- Collecting ------------------------------------------------------------------- */

static char *author_of(const MergeSource *source)
{
    if (source->author) {
        return g_strdup(source->author);
    }
    g_autofree char *file = g_path_get_basename(source->path);
    g_autofree char *name = g_filename_display_name(file);
    char *dot = strrchr(name, '.');
    return dot && dot > name ? g_strndup(name, (gsize)(dot - name)) : g_strdup(name);
}

static gboolean collect_attached(store *into, const MergeSource *source, GError **error)
{
    g_autofree char *author = author_of(source);
    gint64 rank = source->author ? 1 : 2;
    gboolean good = store_execute(into, "BEGIN", error); /* one moment of the source */
    for (gsize i = 0; good && i < G_N_ELEMENTS(collect); i++) {
        sqlite3_stmt *step = store_prepare(into, collect[i], error, "");
        if (step && sqlite3_bind_parameter_count(step) > 0) {
            sqlite3_bind_text(step, 1, author, -1, SQLITE_TRANSIENT);
            sqlite3_bind_int64(step, 2, rank);
        }
        good = store_finish(into, step, NULL, error);
    }
    good = good && merge_collect_vocabulary(into, author, error);
    if (!good) {
        store_rollback(into);
    }
    return good && store_commit(into, error);
}

static gboolean collect_source(store *into, const MergeSource *source, GError **error)
{
    /* Opening it checks that it is ours and brings it to this version. */
    store *s = store_open(source->path, STORE_READ_ONLY, error);
    if (!s) {
        return FALSE;
    }
    g_autofree char *name = store_uri(s);
    store_close(&s);
    sqlite3_stmt *attach = store_prepare(into, "ATTACH ? AS source", error, "t", name);
    if (!store_finish(into, attach, NULL, error)) {
        return FALSE;
    }
    gboolean good = collect_attached(into, source, error);
    if (!good && error && *error) {
        g_autofree char *display = g_filename_display_name(source->path);
        g_prefix_error(error, "merging %s: ", display);
    }
    return store_execute(into, "DETACH source", good ? error : NULL) && good;
}

/* --- Bringing --------------------------------------------------------------------- */

static gboolean bring_step(store *into, int step, gint64 *changed, GError **error)
{
    int before = sqlite3_total_changes(into->db);
    if (!store_execute(into, bring[step], error)) {
        return FALSE;
    }
    *changed += sqlite3_total_changes(into->db) - before;
    return TRUE;
}

static gboolean bring_all(store *into, MergeCounts *counts, GPtrArray *differences,
                          GError **error)
{
    gint64 sizes = 0; /* nobody counts these */
    gint64 *changed[N_STEPS] = {
        [IMAGES] = &counts->images, [SIZES] = &sizes, [PATHS] = &counts->paths,
        [FOREIGN_PATHS] = &counts->paths, [TAKEN_PATHS] = &counts->paths,
        [LABELS] = &counts->labels, [PREDICTIONS] = &counts->predictions,
        [DECIDED] = &counts->events, [UNDONE] = &counts->events };
    gboolean good = store_begin(into, error);
    if (!good) {
        return FALSE;
    }
    for (int i = 0; good && i < N_STEPS; i++) {
        good = bring_step(into, i, changed[i], error);
    }
    good = good && merge_bring_vocabulary(into, &counts->vocabulary, differences, error);
    if (!good) {
        store_rollback(into);
    }
    return good && store_commit(into, error);
}

gboolean merge_run(store *into, const MergeSource *sources, gsize n, MergeCounts *counts,
                   GPtrArray *differences, GError **error)
{
    MergeCounts unused, *out = counts ? counts : &unused;
    *out = (MergeCounts){ 0 };
    gboolean good = store_execute(into, collection, error)
                    && store_execute(into, merge_vocabulary_table, error);
    for (gsize i = 0; good && i < n; i++) {
        good = store_is_same_file(into, sources[i].path)
               || collect_source(into, &sources[i], error);
    }
    good = good && bring_all(into, out, differences, error);
    store_execute(into, forget_collection, NULL);
    store_execute(into, merge_vocabulary_forget, NULL);
    return good;
}

/* --- Conflicts -------------------------------------------------------------------- */

gboolean merge_each_conflict(store *s, StoreRowFunc func, gpointer user_data, GError **error)
{
    return store_each_row(s, store_prepare(
        s, "WITH word AS MATERIALIZED (SELECT d.id, d.image, d.label, d.verdict,"
           "  coalesce (d.author, '') AS author, row_number () OVER (PARTITION BY d.image,"
           "  d.label, coalesce (d.author, '') ORDER BY d.time DESC, length (d.event) DESC,"
           "  d.event DESC) AS age FROM decision d WHERE d.by_model = 0),"
           " pair AS MATERIALIZED (SELECT image, label FROM word WHERE age = 1"
           "  AND verdict != 0 GROUP BY image, label HAVING min (verdict) < max (verdict))"
           " SELECT coalesce (p.id, 0), i.id, l.id, coalesce (p.path, ''), i.hash, i.width,"
           " i.height, l.name, w.verdict, 0, d.model, d.prompt, d.confidence, d.threshold,"
           " d.time, w.author FROM pair JOIN word w ON w.image = pair.image"
           " AND w.label = pair.label AND w.age = 1 AND w.verdict != 0"
           " JOIN decision d ON d.id = w.id JOIN image i ON i.id = w.image"
           " JOIN label l ON l.id = w.label LEFT JOIN image_path p ON p.id ="
           " (SELECT min (id) FROM image_path WHERE image = i.id)"
           " ORDER BY p.path, i.hash, l.id, w.author", error, ""), func, user_data, error);
}
