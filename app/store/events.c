#include "app/store/events.h"

#include "app/store/store_private.h"

#include <string.h>

enum { FIND_EVENT, FIND_CURRENT, INSERT, FIND_PREDICTION, PREDICT, N_STATEMENTS };

static const char *const statements[N_STATEMENTS] = {
    "SELECT 1 FROM decision WHERE event = ?1",
    "SELECT verdict, by_model, time FROM current_decision WHERE image = ?1 AND label = ?2",
    "INSERT INTO decision (image, label, verdict, by_model, model, prompt, confidence,"
    " threshold, author, time, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
    " coalesce (?10, max (strftime ('%Y-%m-%dT%H:%M:%fZ', 'now'), coalesce ("
    "  (SELECT max (time) FROM decision WHERE image = ?1 AND label = ?2), ''))),"
    " ?11)",
    "SELECT confidence FROM prediction WHERE image = ?1 AND label = ?2 AND model = ?3"
    " AND prompt = ?4",
    "INSERT INTO prediction (image, label, model, prompt, confidence, time)"
    " VALUES (?1, ?2, ?3, ?4, ?5, coalesce (?6, strftime ('%Y-%m-%dT%H:%M:%SZ', 'now')))"
    " ON CONFLICT DO UPDATE SET confidence = excluded.confidence, time = excluded.time" };

struct store_intake {
    store *s;
    char *mark;   /* of this intake alone, in all the world */
    guint64 named; /* events that it gave names */
    sqlite3_stmt *ready[N_STATEMENTS];
};

store_intake *store_intake_new(store *s, GError **error)
{
    store_intake *intake = g_new0(store_intake, 1);
    intake->s = s;
    intake->mark = g_uuid_string_random();
    for (int i = 0; i < N_STATEMENTS; i++) {
        intake->ready[i] = store_prepare(s, statements[i], error, "");
        if (!intake->ready[i]) {
            store_intake_free(&intake);
            return NULL;
        }
    }
    return intake;
}

void store_intake_free(store_intake **intake)
{
    if (*intake) {
        for (int i = 0; i < N_STATEMENTS; i++) {
            sqlite3_finalize((*intake)->ready[i]);
        }
        g_free((*intake)->mark);
        g_clear_pointer(intake, g_free);
    }
}

/* Texts stay the caller's while the statement runs. */
static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text) {
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
    } else {
        sqlite3_bind_null(statement, at);
    }
}

static void bind_number(sqlite3_stmt *statement, int at, double value)
{
    if (value >= 0) {
        sqlite3_bind_double(statement, at, value);
    } else {
        sqlite3_bind_null(statement, at);
    }
}

static sqlite3_stmt *about_pair(store_intake *intake, int which, gint64 image,
                                gint64 label)
{
    sqlite3_stmt *statement = intake->ready[which];
    sqlite3_reset(statement);
    sqlite3_bind_int64(statement, 1, image);
    sqlite3_bind_int64(statement, 2, label);
    return statement;
}

/* Whether there is a row, into *found; a fault is what is neither. */
static gboolean step(store_intake *intake, sqlite3_stmt *statement, gboolean *found,
                     GError **error)
{
    int code = sqlite3_step(statement);
    *found = code == SQLITE_ROW;
    return *found || code == SQLITE_DONE || store_fail(intake->s, error);
}

/* --- Decisions ------------------------------------------------------------------------ */

static StoreTake compare(sqlite3_stmt *current, const StoreEvent *event)
{
    gboolean by_model = sqlite3_column_int(current, 1) != 0;
    gboolean ours_first = by_model == event->source.by_model
                              ? !event->source.time
                                    || strcmp(event->source.time, (const char *)
                                              sqlite3_column_text(current, 2)) <= 0
                              : !by_model;
    StoreVerdict verdict = (StoreVerdict)sqlite3_column_int(current, 0);
    if (verdict == event->verdict && (ours_first || by_model == event->source.by_model)) {
        return STORE_TAKE_SAME;
    }
    /* What was taken back and what has no time: it counts as said after that. */
    gboolean open = verdict == STORE_CLEARED && !event->source.time
                    && by_model == event->source.by_model;
    return open ? STORE_TAKEN : ours_first ? STORE_TAKE_KEPT : STORE_TAKEN_OVER;
}

static gboolean insert(store_intake *intake, gint64 image, gint64 label,
                       const StoreEvent *event, GError **error)
{
    sqlite3_stmt *put = about_pair(intake, INSERT, image, label);
    gboolean row;
    /* In order, for the index of names: random ones take twice the time. */
    char name[64];
    g_snprintf(name, sizeof name, "%s/%010" G_GUINT64_FORMAT, intake->mark, intake->named);
    intake->named += !event->event;
    sqlite3_bind_int(put, 3, event->verdict);
    sqlite3_bind_int(put, 4, event->source.by_model);
    bind_text(put, 5, event->source.model);
    bind_text(put, 6, event->source.prompt);
    bind_number(put, 7, event->source.confidence);
    bind_number(put, 8, event->source.threshold);
    bind_text(put, 9, event->source.author);
    bind_text(put, 10, event->source.time);
    bind_text(put, 11, event->event ? event->event : name);
    gboolean good = step(intake, put, &row, error);
    sqlite3_reset(put);
    return good;
}

StoreTake store_take(store_intake *intake, gint64 image, gint64 label,
                     const StoreEvent *event, GError **error)
{
    gboolean found = FALSE;
    if (event->event) {
        sqlite3_stmt *find = intake->ready[FIND_EVENT];
        sqlite3_reset(find);
        bind_text(find, 1, event->event);
        gboolean good = step(intake, find, &found, error);
        sqlite3_reset(find);
        if (!good || found) {
            return good ? STORE_TAKE_SAME : STORE_TAKE_FAILED;
        }
    }
    sqlite3_stmt *current = about_pair(intake, FIND_CURRENT, image, label);
    if (!step(intake, current, &found, error)) {
        return STORE_TAKE_FAILED;
    }
    StoreTake take = found ? compare(current, event) : STORE_TAKEN;
    sqlite3_reset(current);
    if ((take == STORE_TAKEN || take == STORE_TAKEN_OVER)
        && !insert(intake, image, label, event, error)) {
        return STORE_TAKE_FAILED;
    }
    return take;
}

/* --- Predictions ---------------------------------------------------------------------- */

static sqlite3_stmt *about_prediction(store_intake *intake, int which, gint64 image,
                                      gint64 label, const StoreSource *source)
{
    sqlite3_stmt *statement = about_pair(intake, which, image, label);
    bind_text(statement, 3, source->model ? source->model : "");
    bind_text(statement, 4, source->prompt ? source->prompt : "");
    return statement;
}

StoreTake store_take_prediction(store_intake *intake, gint64 image, gint64 label,
                                const StoreSource *source, GError **error)
{
    gboolean found, row;
    sqlite3_stmt *find = about_prediction(intake, FIND_PREDICTION, image, label, source);
    if (!step(intake, find, &found, error)) {
        return STORE_TAKE_FAILED;
    }
    gboolean same = found && sqlite3_column_double(find, 0) == source->confidence;
    sqlite3_reset(find);
    if (same) {
        return STORE_TAKE_SAME;
    }
    sqlite3_stmt *put = about_prediction(intake, PREDICT, image, label, source);
    sqlite3_bind_double(put, 5, source->confidence);
    bind_text(put, 6, source->time);
    gboolean good = step(intake, put, &row, error);
    sqlite3_reset(put);
    return !good ? STORE_TAKE_FAILED : found ? STORE_TAKEN_OVER : STORE_TAKEN;
}

/* --- Reading -------------------------------------------------------------------------- */

/* What is done with a row whose first column is a path, which is bytes without an end. */
struct list {
    gboolean (*row)(const struct list *list, sqlite3_stmt *at, const char *path);
    StoreEventFunc event;
    StoreFileFunc file;
    gpointer user_data;
};

static gboolean each(store *s, const char *sql, const struct list *list, GError **error)
{
    sqlite3_stmt *at = store_prepare(s, sql, error, "");
    int code = SQLITE_ERROR;
    gboolean more = TRUE;
    while (at && more && (code = sqlite3_step(at)) == SQLITE_ROW) {
        g_autofree char *path = store_bytes_at(at, 0);
        more = list->row(list, at, path);
    }
    return store_end(s, at, more ? code : SQLITE_DONE, error);
}

static gboolean give_event(const struct list *list, sqlite3_stmt *at, const char *path)
{
    StoreEvent event = {
        .verdict = (StoreVerdict)sqlite3_column_int(at, 2),
        .source = { .by_model = sqlite3_column_int(at, 3), .model = store_text_at(at, 4),
                    .prompt = store_text_at(at, 5), .confidence = store_number_at(at, 6),
                    .threshold = store_number_at(at, 7), .author = store_text_at(at, 8),
                    .time = store_text_at(at, 9) },
        .event = store_text_at(at, 10) };
    return list->event(path, store_text_at(at, 1), &event, list->user_data);
}

gboolean store_each_event(store *s, StoreEventFunc func, gpointer user_data,
                          GError **error)
{
    struct list list = { .row = give_event, .event = func, .user_data = user_data };
    return each(s, "SELECT p.path, l.name, d.verdict, d.by_model, d.model, d.prompt,"
                   " d.confidence, d.threshold, d.author, d.time, d.event"
                   " FROM current_decision d JOIN label l ON l.id = d.label"
                   " JOIN image_path p ON p.image = d.image WHERE d.verdict != 0"
                   " ORDER BY p.path, l.id", &list, error);
}

static gboolean give_file(const struct list *list, sqlite3_stmt *at, const char *path)
{
    return list->file(path, store_text_at(at, 1), sqlite3_column_int64(at, 2), list->user_data);
}

gboolean store_each_file(store *s, StoreFileFunc func, gpointer user_data, GError **error)
{
    struct list list = { .row = give_file, .file = func, .user_data = user_data };
    return each(s, "SELECT p.path, i.hash, i.bytes FROM image_path p"
                   " JOIN image i ON i.id = p.image ORDER BY p.path", &list, error);
}

/* --- Around them ---------------------------------------------------------------------- */

gint64 store_image_at(store *s, const char *path)
{
    gint64 image = 0;
    store_finish(s, store_prepare(s, "SELECT image FROM image_path WHERE path = ?", NULL,
                                  "b", path), &image, NULL);
    return image;
}

