/* Copies of a database that another file system, or next week, can be glad of.
 *
 * A copy is made while others read and write, holds everything that was stored when it
 * began, is checked, and takes its name when it is whole and on the disk. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

#define BACKUP_DAYS 7  /* rolling backups that are kept, one a day */
#define BACKUP_WEEKS 4 /* and older ones, one a week */

/* Copies what `s` holds to the file `out`, which is replaced. */
gboolean backup_write(store *s, const char *out, GError **error);
/* The rolling backups: `backups/NAME-YYYY-MM-DD` beside the database, at most one a day,
 * and none when nothing has changed since the newest. Old ones are removed. *made, when not
 * NULL, is the new file, to be freed, or NULL when none was due. FALSE with an error that a
 * person must see; work can go on. */
gboolean backup_roll(store *s, char **made, GError **error);
/* The newest rolling backup of database `path` that is whole, to be freed, or NULL. */
char *backup_newest_good(const char *path);
/* Puts a copy of `from` in the place of database `path`, which nobody may have open. What
 * was there is kept as *aside ("PATH.before-restore-TIME", to be freed; NULL when there was
 * nothing). Both are checked: `from` before, the new file afterwards. */
gboolean backup_restore(const char *path, const char *from, char **aside, GError **error);

G_END_DECLS
