/* What a database holds, as text: the first columns of queries, a line a row. */
#pragma once

#include "tests/store/files.h"

#include <sqlite3.h>

static char *read_contents(const char *name, const char *const *queries, gsize n)
{
    g_autofree char *path = file(name);
    GString *text = g_string_new(NULL);
    sqlite3 *db = NULL;
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    for (gsize i = 0; i < n; i++) {
        sqlite3_stmt *list = NULL;
        REQUIRE(sqlite3_prepare_v2(db, queries[i], -1, &list, NULL) == SQLITE_OK);
        while (sqlite3_step(list) == SQLITE_ROW) {
            g_string_append_printf(text, "%s\n", sqlite3_column_text(list, 0));
        }
        sqlite3_finalize(list);
    }
    sqlite3_close(db);
    return g_string_free(text, FALSE);
}
