#include "app/commands/commands.h"
#include "app/formats/export.h"

int command_export(int argc, char **argv)
{
    g_autofree char *db = NULL, *format = NULL, *out = NULL, *root = NULL;
    gboolean absolute = FALSE;
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &db, "Database of decisions", "FILE" },
        { "format", 'f', 0, G_OPTION_ARG_STRING, &format, "csv or coco", "FORMAT" },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Where to write; - is standard "
          "output", "PATH" },
        { "root", 0, 0, G_OPTION_ARG_FILENAME, &root, "Write paths relative to this folder "
          "(the deepest one that holds every image)", "DIR" },
        { "absolute", 0, 0, G_OPTION_ARG_NONE, &absolute, "Write whole paths", NULL },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "- write decisions for other tools", NULL)) {
        return COMMAND_MISUSED;
    }
    const ExportFormat *f = format ? export_find(format) : NULL;
    if (argc > 1 || !db || !f || !out || (root && absolute)) {
        return command_fail(COMMAND_MISUSED,
                            "export needs --db, --format csv or coco, and --out; --root "
                            "and --absolute exclude each other");
    }
    g_autoptr(GError) error = NULL;
    store *s = store_open(db, STORE_READ_ONLY, &error);
    g_autofree char *folder = NULL;
    if (s && root) {
        folder = g_canonicalize_filename(root, NULL);
    } else if (s && !absolute) {
        folder = export_common_root(s, &error);
    }
    ExportOptions options = { .root = folder };
    gboolean good = s && !error && export_run(s, f, &options, out, &error);
    store_close(&s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}
