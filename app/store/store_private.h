/* What the files of the store share: the connection and its statements. */
#pragma once

#include "app/store/store.h"

#include <sqlite3.h>

G_BEGIN_DECLS

struct store {
    sqlite3 *db;
    char *path; /* for messages */
};

/* Sets the error of the last call. Returns FALSE. */
gboolean store_fail(store *s, GError **error);
gboolean store_execute(store *s, const char *sql, GError **error);
/* Binds by letter: i gint64, d double (below 0: NULL), t text or NULL, b bytes of a path. */
sqlite3_stmt *store_prepare(store *s, const char *sql, GError **error, const char *types,
                            ...);
/* Runs to the end and frees; the value of the first column of the first row, or 0, to
 * *out, which may be NULL. */
gboolean store_finish(store *s, sqlite3_stmt *statement, gint64 *out, GError **error);
/* The first value that a query gives, or 0. */
gint64 store_number(store *s, const char *sql);
/* Calls `func` for each row and frees the statement. Columns: file, image, label, path,
 * hash, width, height, name, verdict, by_model, model, prompt, confidence, threshold, time,
 * author. `func` ends it early by returning FALSE. */
gboolean store_each_row(store *s, sqlite3_stmt *list, StoreRowFunc func,
                        gpointer user_data, GError **error);

G_END_DECLS
