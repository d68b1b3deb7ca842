/* What the files of the store share: the connection and its statements. */
#pragma once

#include "app/store/store.h"

#include <sqlite3.h>

G_BEGIN_DECLS

#define STORE_APPLICATION_ID 0x544c4754 /* "TLGT" */
#define STORE_BUSY_MS 10000 /* how long a writer waits for another */

struct store {
    sqlite3 *db;
    char *path;     /* for messages */
    char *file;     /* encoding of file names */
    gboolean fixed; /* in a folder that cannot be written to */
};

/* The name by which SQLite finds the file again, to be freed. */
char *store_uri(const store *s);
/* Whether `path` is the file of this store, by whatever name. */
gboolean store_is_same_file(const store *s, const char *path);
/* Sets the error of the last call, in words for a person. Returns FALSE. */
gboolean store_fail(store *s, GError **error);
gboolean store_execute(store *s, const char *sql, GError **error);
/* Binds by letter: i gint64, d double (below 0: NULL), t text or NULL, b bytes of a path. */
sqlite3_stmt *store_prepare(store *s, const char *sql, GError **error, const char *types,
                            ...);
/* Runs to the end and frees; the value of the first column of the first row, or 0, to
 * *out, which may be NULL. */
gboolean store_finish(store *s, sqlite3_stmt *statement, gint64 *out, GError **error);
/* Frees a statement that was stepped until `code`, and says whether that is its end. FALSE
 * for NULL, of which store_prepare has told. */
gboolean store_end(store *s, sqlite3_stmt *statement, int code, GError **error);
/* What a row has in a column. A text is borrowed until the next step, "" for NULL; a number
 * is -1 for NULL; bytes, such as those of a path, are the caller's. */
const char *store_text_at(sqlite3_stmt *row, int column);
double store_number_at(sqlite3_stmt *row, int column);
char *store_bytes_at(sqlite3_stmt *row, int column);
/* The first value that a query gives, or 0. */
gint64 store_number(store *s, const char *sql);
/* The first value that a query gives, to be freed, or NULL. */
char *store_text(store *s, const char *sql);
/* Texts of the first column; frees the statement. NULL on failure. */
GStrv store_texts(store *s, sqlite3_stmt *list, GError **error);
/* Ids of the first column; frees the statement. NULL on failure. */
GArray *store_ids(store *s, sqlite3_stmt *list, GError **error);
/* Begins a transaction unless the caller has one; *own says whether it did. */
gboolean store_begin_own(store *s, gboolean *own, GError **error);
/* Ends it, by taking everything back when `good` is FALSE. A transaction of the caller is
 * left to the caller. Returns whether all is well. */
gboolean store_end_own(store *s, gboolean own, gboolean good, GError **error);
/* Calls `func` for each row and frees the statement. Columns: file, image, label, path,
 * hash, width, height, name, verdict, by_model, model, prompt, confidence, threshold, time,
 * author. `func` ends it early by returning FALSE. */
gboolean store_each_row(store *s, sqlite3_stmt *list, StoreRowFunc func,
                        gpointer user_data, GError **error);

/* --- decide.c --- */

/* Appends a decision. undoes: the one that it takes back, or 0; cause: the event of the
 * one that it follows from, or NULL. */
gboolean store_append(store *s, gint64 image, gint64 label, StoreVerdict verdict,
                      const StoreSource *source, gint64 undoes, const char *cause,
                      GError **error);

/* --- migrate.c --- */

/* Brings the file to this version. */
gboolean store_migrate(store *s, GError **error);
/* FALSE with an error when a file that cannot be written to would need it. */
gboolean store_is_current(store *s, GError **error);

/* --- health.c --- */

/* Whether a program that wrote to the file was ended in the middle, or still runs. Before
 * the file is opened. */
gboolean store_is_unclean(const char *path);
/* Reads the whole file when that is due: once a week, and after an unclean end. */
gboolean store_check_when_due(store *s, gboolean unclean, GError **error);
/* Reads the whole file and looks for damage. */
gboolean store_check(store *s, GError **error);
/* An error that tells of the newest good backup. Returns FALSE. */
gboolean store_damaged(const store *s, const char *what, GError **error);

G_END_DECLS
