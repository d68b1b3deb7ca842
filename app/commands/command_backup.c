/* `taglight backup` and `taglight restore`. */
#include "app/commands/commands.h"
#include "app/store/backup.h"

static const char backup_help[] =
    "Copies a database while it is in use, checks the copy and then gives it its name.\n"
    "Besides, a copy of each day on which something changed is made by itself in the folder\n"
    "\"backups\" beside the database; the last seven and one of each of four weeks stay.";

static const char restore_help[] =
    "Puts a backup in the place of a database, which no program may have open. What was\n"
    "there is kept beside it as FILE.before-restore-TIME.";

/* Both commands take a database and one other file. */
static gboolean parse(int *argc, char ***argv, const char *other, const char *about,
                      const char *usage, const char *help, char **db, char **file)
{
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, db, "Database of decisions", "FILE" },
        { other, 0, 0, G_OPTION_ARG_FILENAME, file, about, "FILE" },
        { 0 } };
    if (!command_parse(argc, argv, entries, usage, help)) {
        return FALSE;
    }
    if (*argc > 1 || !*db || !*file) {
        command_fail(COMMAND_MISUSED, "%s needs --db and --%s", (*argv)[0], other);
        return FALSE;
    }
    return TRUE;
}

int command_backup(int argc, char **argv)
{
    g_autofree char *db = NULL, *out = NULL;
    g_autoptr(GError) error = NULL;
    if (!parse(&argc, &argv, "out", "Where the copy goes", "- copy a database", backup_help,
               &db, &out)) {
        return COMMAND_MISUSED;
    }
    store *s = store_open(db, STORE_READ_ONLY, &error);
    gboolean good = s && backup_write(s, out, &error);
    store_close(&s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}

int command_restore(int argc, char **argv)
{
    g_autofree char *db = NULL, *from = NULL, *aside = NULL;
    g_autoptr(GError) error = NULL;
    if (!parse(&argc, &argv, "from", "Backup to go back to", "- go back to a backup",
               restore_help, &db, &from)) {
        return COMMAND_MISUSED;
    }
    gboolean good = backup_restore(db, from, &aside, &error);
    g_autofree char *name = aside ? g_filename_display_name(aside) : NULL;
    if (name) {
        g_printerr("what was there is kept as %s\n", name);
    }
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}
