/* The command line: a table of commands, and the window when none is named. */
#include "app/commands/commands.h"
#include "config.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>

#ifdef HAVE_GUI
#include "ui/ui.h"
#endif

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "tag", N_("Tag images without a window"), command_tag },
    { "evaluate", N_("Measure a model, or scores, against a labelled data set"),
      command_evaluate },
    { "train", N_("Train a model on a labelled data set"), command_train },
    { "find", N_("Find images by a filter line"), command_find },
    { "labels", N_("Rename, merge, group and exchange labels"), command_labels },
    { "trust", N_("Tell how far a model's confidences hold"), command_trust },
    { "look", N_("Show what a database holds as tables and charts"), command_look },
    { "check", N_("Find what is wrong with a set of labelled images"), command_check },
    { "card", N_("Describe the decisions of a database as a dataset card"), command_card },
    { "export", N_("Write decisions for other tools"), command_export },
    { "import", N_("Take decisions of other programs and machines"), command_import },
    { "merge", N_("Join databases of decisions"), command_merge },
    { "backup", N_("Copy a database of decisions while it is in use"), command_backup },
    { "restore", N_("Go back to a backup"), command_restore },
    { "scenes", N_("Draw labelled pictures to learn from"), command_scenes },
    { "model", N_("Import, list, describe and run models"), command_model },
    { "bench", N_("Measure speed and memory"), command_bench },
    { "devices", N_("List Vulkan devices"), command_devices },
    { "tokenize", N_("Print the token ids of text"), command_tokenize },
    { "image", N_("Write the tensor that a network gets for an image"), command_image },
    { "train-step", NULL, command_train_step }, /* for comparisons; not listed */
};

static int print_help(void)
{
    g_print("%s\n\n", _("Usage: taglight [FOLDER…] | taglight COMMAND [OPTIONS]"));
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].summary) {
            g_print("  %-10s %s\n", commands[i].name, _(commands[i].summary));
        }
    }
    g_print("\n%s\n", _("`taglight COMMAND --help` tells more."));
    return COMMAND_DONE;
}

static int open_window(int argc, char **argv)
{
#ifdef HAVE_GUI
    return ui_main(argc, argv);
#else
    return command_fail(COMMAND_MISUSED,
                        "this build has no window; see `taglight --help`");
#endif
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, LOCALE_DIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    g_set_prgname("taglight");
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return print_help();
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        g_print("taglight %s\n", VERSION);
        return COMMAND_DONE;
    }
    for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            g_autofree char *name = g_strconcat("taglight ", argv[1], NULL);
            g_set_prgname(name); /* for the usage line of --help */
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (argc > 1 && argv[1][0] != '-' && !g_file_test(argv[1], G_FILE_TEST_EXISTS)) {
        return command_fail(COMMAND_MISUSED,
                            "%s: no command and no folder of that name; see `taglight "
                            "--help`", argv[1]);
    }
    return open_window(argc, argv);
}
