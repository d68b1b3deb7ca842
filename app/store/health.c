/* Finding damage before more is written to a file. */
#include "app/store/backup.h"
#include "app/store/store_private.h"

#include <glib/gstdio.h>

#define CHECK_DAYS 7

gboolean store_is_unclean(const char *path)
{
    /* The last connection that closes takes the log away. */
    g_autofree char *log = g_strconcat(path, "-wal", NULL);
    GStatBuf info;
    return g_stat(log, &info) == 0 && info.st_size > 0;
}

gboolean store_damaged(const store *s, const char *what, GError **error)
{
    g_autofree char *backup = backup_newest_good(s->file);
    g_autofree char *name = backup ? g_filename_display_name(backup) : NULL;
    g_autofree char *advice =
        name ? g_strdup_printf("The newest good backup is %s. To go back to it: taglight "
                               "restore --db '%s' --from '%s'", name, s->path, name)
             : g_strdup("There is no backup of it in the folder \"backups\" beside it");
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED, "%s: this is no whole database "
                "(%s). It is left as it is. %s", s->path, what, advice);
    return FALSE;
}

gboolean store_check(store *s, GError **error)
{
    sqlite3_stmt *check = store_prepare(s, "PRAGMA quick_check (1)", error, "");
    if (!check) {
        return FALSE;
    }
    gboolean good = sqlite3_step(check) == SQLITE_ROW;
    if (good) {
        const char *said = (const char *)sqlite3_column_text(check, 0);
        good = g_strcmp0(said, "ok") == 0 || store_damaged(s, said, error);
    } else {
        store_fail(s, error);
    }
    sqlite3_finalize(check);
    return good;
}

static gboolean has_meta(store *s)
{
    return store_number(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") > 0;
}

gboolean store_check_when_due(store *s, gboolean unclean, GError **error)
{
    gboolean empty = store_number(s, "SELECT count(*) FROM sqlite_schema") == 0;
    gboolean known = has_meta(s);
    gint64 days = known ? store_number(s, "SELECT julianday ('now') - julianday (value)"
                                          " FROM meta WHERE name = 'checked'") : CHECK_DAYS;
    if (empty || (known && !unclean && days >= 0 && days < CHECK_DAYS)) {
        return TRUE;
    }
    return store_check(s, error)
           && (!known
               || store_execute(s, "INSERT INTO meta (name, value) VALUES ('checked',"
                                   " strftime ('%Y-%m-%dT%H:%M:%SZ', 'now')) ON CONFLICT"
                                   " (name) DO UPDATE SET value = excluded.value", error));
}
