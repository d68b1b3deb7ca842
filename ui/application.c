#include "ui/ui.h"

#include "app/commands/commands.h"
#include "ui/settings.h"
#include "ui/window.h"

#include <glib/gi18n.h>
#include <string.h>

static TlWorkspace *workspace_in_use;
static char *option_model, *option_db, *option_device;

/* The model named on the command line, else that of the last learning, else the first
 * installed one, else the one that the program came with. */
static char *choose_model(void)
{
    option_model = option_model ? option_model : command_setting("model");
    option_device = option_device ? option_device : command_setting("device");
    if (option_model) {
        return command_find_model(option_model);
    }
    g_autofree char *last = settings_get("model");
    if (last && g_file_test(last, G_FILE_TEST_EXISTS)) {
        return g_steal_pointer(&last);
    }
    g_autofree char *dir = command_models_dir();
    g_autoptr(GDir) folder = g_dir_open(dir, 0, NULL);
    g_autofree char *best = NULL;
    for (const char *n = folder ? g_dir_read_name(folder) : NULL; n;
         n = g_dir_read_name(folder)) {
        if (n[0] != '.' && (!best || strcmp(n, best) < 0)) {
            g_free(best);
            best = g_strdup(n);
        }
    }
    return best ? g_build_filename(dir, best, NULL)
                : command_data("models/" COMMAND_STARTER);
}

static char *default_db(void)
{
    g_autofree char *dir = g_build_filename(g_get_user_data_dir(), "taglight", NULL);
    g_mkdir_with_parents(dir, 0700);
    return g_build_filename(dir, "decisions.db", NULL);
}

static void show_failure(GtkApplication *app, const char *text)
{
    GtkWidget *dialog = adw_message_dialog_new(NULL, _("Taglight Cannot Start"), text);
    adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
    gtk_window_set_application(GTK_WINDOW(dialog), app);
    gtk_window_present(GTK_WINDOW(dialog));
}

static TlWindow *ensure_window(GtkApplication *app)
{
    GtkWindow *active = gtk_application_get_active_window(app);
    if (active && TL_IS_WINDOW(active)) {
        return TL_WINDOW(active);
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *db = option_db ? g_strdup(option_db) : default_db();
    g_autoptr(TlWorkspace) workspace = tl_workspace_new(db, &error);
    if (!workspace) {
        show_failure(app, error->message);
        return NULL;
    }
    g_set_object(&workspace_in_use, workspace);
    g_autofree char *model = choose_model();
    if (model) {
        tl_workspace_load_model(workspace, model, option_device);
    }
    return tl_window_new(app, workspace);
}

static void on_activate(GtkApplication *app, gpointer data)
{
    TlWindow *window = ensure_window(app);
    if (window) {
        gtk_window_present(GTK_WINDOW(window));
    }
}

static void on_open(GtkApplication *app, GFile **files, int n, const char *hint,
                    gpointer data)
{
    TlWindow *window = ensure_window(app);
    g_autofree char *path = g_file_get_path(files[0]);
    if (window && path) {
        tl_window_open(window, path);
        gtk_window_present(GTK_WINDOW(window));
    }
}

static void set_keys(GtkApplication *app)
{
    static const struct { const char *action, *keys[2]; } table[] = {
        { "win.open", { "<Control>o", NULL } }, { "win.undo", { "<Control>z", NULL } },
        { "win.new-label", { "<Control>l", NULL } },
        { "window.close", { "<Control>w", NULL } } };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        gtk_application_set_accels_for_action(app, table[i].action, table[i].keys);
    }
}

int ui_main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &option_model, N_("Model to use"),
          "MODEL" },
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &option_db, N_("Database of decisions"),
          "FILE" },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &option_device,
          N_("Device by number or name"), "N|NAME" },
        { 0 } };
    g_autoptr(AdwApplication) app = adw_application_new(
        "io.github.taglight.Taglight", G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE);
    g_application_add_main_option_entries(G_APPLICATION(app), entries);
    g_signal_connect(app, "activate", G_CALLBACK(on_activate), NULL);
    g_signal_connect(app, "open", G_CALLBACK(on_open), NULL);
    set_keys(GTK_APPLICATION(app));
    int status = g_application_run(G_APPLICATION(app), argc, argv);
    /* Threads that still work on the device or on SQLite must not see the exit. */
    if (workspace_in_use) {
        tl_workspace_stop(workspace_in_use);
    }
    return status;
}
