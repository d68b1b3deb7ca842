#include "ui/ui.h"

#include "app/commands/commands.h"
#include "config.h"
#include "ui/batch.h"
#include "ui/help.h"
#include "ui/keys.h"
#include "ui/preferences.h"
#include "ui/settings.h"
#include "ui/window.h"

#include <glib/gi18n.h>
#include <string.h>

static GPtrArray *workspaces; /* one for each window */
static char *option_model, *option_db, *option_device, *option_labels;

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

static TlWindow *active_window(GtkApplication *app)
{
    for (GList *l = gtk_application_get_windows(app); l; l = l->next) {
        if (TL_IS_WINDOW(l->data)) {
            return l->data;
        }
    }
    return NULL;
}

/* With a workspace of its own: folders and orders differ from window to window. */
static TlWindow *window_new(GtkApplication *app)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *db = option_db ? g_strdup(option_db) : default_db();
    g_autoptr(TlWorkspace) workspace = tl_workspace_new(db, &error);
    if (!workspace) {
        show_failure(app, error->message);
        return NULL;
    }
    g_ptr_array_add(workspaces, g_object_ref(workspace));
    tl_workspace_set_thresholds(workspace, settings_get_number("threshold", 0.5));
    g_autofree char *letters = keys_letters();
    tl_workspace_reserve_keys(workspace, letters);
    g_autofree char *model = choose_model();
    g_autofree char *device = settings_get("device");
    if (model) {
        tl_workspace_load_model(workspace, model, option_device ? option_device : device);
    }
    if (option_labels) {
        tl_workspace_add_labels(workspace, option_labels);
    }
    return tl_window_new(app, workspace);
}

static TlWindow *ensure_window(GtkApplication *app)
{
    TlWindow *window = active_window(app);
    return window ? window : window_new(app);
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

/* --- Actions --------------------------------------------------------------------------------- */

static void on_new_window(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    TlWindow *window = window_new(data);
    if (window) {
        gtk_window_present(GTK_WINDOW(window));
    }
}

static void on_preferences(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    TlWindow *window = active_window(data);
    if (window) {
        preferences_show(GTK_WINDOW(window), tl_window_workspace(window));
    }
}

static void on_about(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    adw_show_about_window(GTK_WINDOW(active_window(data)), "application-name", "Taglight",
                          "application-icon", "io.github.taglight.Taglight", "version",
                          VERSION, "license-type", GTK_LICENSE_GPL_3_0, "developer-name",
                          _("The Taglight developers"), "website",
                          "https://github.com/taglight/taglight", NULL);
}

static void on_help(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    help_show(GTK_WINDOW(active_window(data)));
}

static void on_quit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_application_quit(data);
}

/* Beyond the theme: a key on a label looks like one. */
static void add_style(GtkApplication *app)
{
    static const char css[] =
        ".keycap { font-size: smaller; padding: 0 4px; border-radius: 4px;"
        " border: 1px solid alpha(currentColor, 0.5); }";
    g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
    gtk_css_provider_load_from_data(provider, css, -1);
    gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                               GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

static void add_actions(GtkApplication *app)
{
    static const GActionEntry entries[] = { { "new-window", on_new_window },
                                            { "preferences", on_preferences },
                                            { "about", on_about }, { "help", on_help },
                                            { "quit", on_quit } };
    g_action_map_add_action_entries(G_ACTION_MAP(app), entries, G_N_ELEMENTS(entries), app);
}

int ui_main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &option_model, N_("Model to use"),
          "MODEL" },
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &option_db, N_("Database of decisions"),
          "FILE" },
        { "labels", 'l', 0, G_OPTION_ARG_STRING, &option_labels,
          N_("Labels, with commas between"), "A, B" },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &option_device,
          N_("Device by number or name"), "N|NAME" },
        { 0 } };
    g_autoptr(AdwApplication) app = adw_application_new(
        "io.github.taglight.Taglight", G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE);
    g_application_add_main_option_entries(G_APPLICATION(app), entries);
    g_signal_connect(app, "activate", G_CALLBACK(on_activate), NULL);
    g_signal_connect(app, "open", G_CALLBACK(on_open), NULL);
    g_signal_connect(app, "startup", G_CALLBACK(add_style), NULL);
    g_signal_connect(app, "startup", G_CALLBACK(keys_start), NULL);
    add_actions(GTK_APPLICATION(app));
    workspaces = g_ptr_array_new_with_free_func(g_object_unref);
    int status = g_application_run(G_APPLICATION(app), argc, argv);
    /* Threads that still work on the device or on SQLite must not see the exit. */
    batch_stop_all();
    for (guint i = 0; i < workspaces->len; i++) {
        tl_workspace_stop(workspaces->pdata[i]);
    }
    return status;
}
