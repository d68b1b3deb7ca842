/* `taglight look`: what a database holds, as tables and charts. */
#include "app/commands/commands.h"
#include "app/look/look.h"

#include <string.h>

static const char help[] =
    "VIEW is one of\n"
    "  counts       labels by what was decided: accepted, rejected, proposed, open\n"
    "  histogram    a label's confidences by what was decided\n"
    "  precision    precision and recall of a label over all thresholds\n"
    "  calibration  how often a label's confidences are right\n"
    "  together     how many images two labels are both accepted on\n"
    "  progress     decisions by the hour or day, and by whom\n"
    "Without --csv and --svg a table is printed; docs/look.md says what is counted.";

struct look_arguments {
    char *db, *label, *model, *csv, *svg;
    double threshold;
    int most;
};

static gboolean put_table(const struct look_arguments *a, const LookTable *table,
                          GError **error)
{
    g_autofree char *csv = a->csv ? look_to_csv(table) : NULL;
    g_autofree char *svg = a->svg ? look_to_svg(table) : NULL;
    if (!csv && !svg) {
        g_autofree char *text = look_to_text(table);
        return command_put_file("-", text, error);
    }
    return (!csv || command_put_file(a->csv, csv, error)) && (!svg || command_put_file(a->svg, svg, error));
}

static int run(const struct look_arguments *a, LookView view)
{
    g_autoptr(GError) error = NULL;
    LookOptions o = { .label = a->label, .model = a->model, .threshold = a->threshold,
                      .most = (guint)a->most };
    store *s = store_open(a->db, STORE_READ_ONLY, &error);
    g_autoptr(LookTable) table = s ? look_build(s, view, &o, &error) : NULL;
    gboolean good = table && put_table(a, table, &error);
    store_close(&s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}

static int check_and_run(const struct look_arguments *a, int argc, char **argv)
{
    int view = argc == 2 ? look_view_of(argv[1]) : -1;
    if (view < 0) {
        return command_fail(COMMAND_MISUSED, "look needs one of the views counts, histogram, "
                            "precision, calibration, together and progress");
    }
    gboolean about = look_is_about_label((LookView)view);
    if (!a->db || about != (a->label != NULL)) {
        return command_fail(COMMAND_MISUSED, "look needs --db, and --label for histogram, "
                            "precision and calibration, which alone are about one");
    }
    if (a->most < 0 || a->most > 1000 || !(a->threshold >= 0 && a->threshold <= 1)) {
        return command_fail(COMMAND_MISUSED, "--most is between 1 and 1000, --threshold "
                            "between 0 and 1");
    }
    if (a->csv && a->svg && strcmp(a->csv, a->svg) == 0) {
        return command_fail(COMMAND_MISUSED, "--csv and --svg are two files");
    }
    return run(a, (LookView)view);
}

int command_look(int argc, char **argv)
{
    struct look_arguments a = { .threshold = .5 };
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &a.db, "Database of decisions", "FILE" },
        { "label", 'l', 0, G_OPTION_ARG_STRING, &a.label, "The label that is looked at",
          "LABEL" },
        { "model", 'm', 0, G_OPTION_ARG_STRING, &a.model, "Whose confidences count (the one "
          "that scored an image last)", "NAME" },
        { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &a.threshold, "Confidences from it on are "
          "proposals, for labels without their own (0.5)", "X" },
        { "most", 'n', 0, G_OPTION_ARG_INT, &a.most, "Labels of `together` (20), people and "
          "models of `progress` (6)", "N" },
        { "csv", 0, 0, G_OPTION_ARG_FILENAME, &a.csv, "Write the table as CSV; - for standard "
          "output", "FILE" },
        { "svg", 0, 0, G_OPTION_ARG_FILENAME, &a.svg, "Write the chart as SVG; - for standard "
          "output", "FILE" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "VIEW - look at what a database holds", help)) {
        return COMMAND_MISUSED;
    }
    int status = check_and_run(&a, argc, argv);
    char *texts[] = { a.db, a.label, a.model, a.csv, a.svg };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    return status;
}
