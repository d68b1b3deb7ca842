#include "app/commands/commands.h"
#include "app/formats/export.h"

int command_export(int argc, char **argv)
{
    g_autofree char *db = NULL, *format = NULL, *out = NULL;
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &db, "Database of decisions", "FILE" },
        { "format", 'f', 0, G_OPTION_ARG_STRING, &format, "csv or coco", "FORMAT" },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Where to write; - is standard "
          "output", "PATH" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "- write decisions for other tools", NULL)) {
        return COMMAND_MISUSED;
    }
    const ExportFormat *f = format ? export_find(format) : NULL;
    if (argc > 1 || !db || !f || !out) {
        return command_fail(COMMAND_MISUSED,
                            "export needs --db, --format csv or coco, and --out");
    }
    g_autoptr(GError) error = NULL;
    store *s = store_open(db, STORE_READ_ONLY, &error);
    gboolean good = s && export_run(s, f, out, &error);
    store_close(&s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}
