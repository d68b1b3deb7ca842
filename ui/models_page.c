#include "ui/models_page.h"

#include "app/commands/commands.h"
#include "app/engine/about.h"
#include "app/engine/bundles.h"

#include <glib/gi18n.h>

typedef struct {
    AdwPreferencesWindow *window;
    TlWorkspace *workspace;
    AdwPreferencesGroup *group;
    GPtrArray *rows;            /* in the group; borrowed */
    void (*changed)(gpointer data);
    gpointer data;
    GtkButton *import;
    GCancellable *cancellable;  /* of an import under way */
} Page;

static void page_free(gpointer data)
{
    Page *p = data;
    g_cancellable_cancel(p->cancellable);
    g_object_unref(p->cancellable);
    g_ptr_array_unref(p->rows);
    g_object_unref(p->workspace);
    g_free(p);
}

static void say(Page *p, const char *text)
{
    g_autofree char *plain = g_markup_escape_text(text, -1);
    adw_preferences_window_add_toast(p->window, adw_toast_new(plain));
}

/* --- The list --------------------------------------------------------------------------- */

static void show(Page *p);

static void on_remove(GtkButton *button, Page *p)
{
    const char *name = g_object_get_data(G_OBJECT(button), "name");
    g_autofree char *dir = command_models_dir();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf(_("“%s” is removed"), name);
    gboolean good = bundles_remove(dir, name, &error);
    say(p, good ? text : error->message);
    show(p);
    p->changed(p->data);
}

static char *describe(const struct bundle *b)
{
    g_autofree char *size = g_format_size(b->bytes);
    g_autofree char *sentence = about_first_sentence(b->about);
    return g_strdup_printf(_("Licence: %s · %s%s%s"),
                           *b->licence ? b->licence : _("not stated"), size,
                           *sentence ? "\n" : "", sentence);
}

static GtkWidget *remove_new(Page *p, const char *name, gboolean used)
{
    GtkWidget *button = gtk_button_new_from_icon_name("user-trash-symbolic");
    g_autofree char *text = g_strdup_printf(_("Remove “%s”"), name);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_widget_set_sensitive(button, !used);
    gtk_widget_set_tooltip_text(button, used ? _("This model is in use") : text);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   text, -1);
    g_object_set_data_full(G_OBJECT(button), "name", g_strdup(name), g_free);
    g_signal_connect(button, "clicked", G_CALLBACK(on_remove), p);
    return button;
}

static void add_row(Page *p, const char *dir, const struct bundle *b)
{
    GtkWidget *row = adw_action_row_new();
    g_autofree char *path = g_build_filename(dir, b->name, NULL);
    g_autofree char *about = describe(b);
    g_autofree char *title = g_markup_escape_text(b->name, -1);
    g_autofree char *subtitle = g_markup_escape_text(about, -1);
    gboolean used = g_strcmp0(path, tl_workspace_model_path(p->workspace)) == 0;
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), remove_new(p, b->name, used));
    adw_preferences_group_add(p->group, row);
    g_ptr_array_add(p->rows, row);
}

static void show(Page *p)
{
    g_autofree char *dir = command_models_dir();
    g_autoptr(GPtrArray) list = bundles_list(dir);
    for (guint i = 0; i < p->rows->len; i++) {
        adw_preferences_group_remove(p->group, p->rows->pdata[i]);
    }
    g_ptr_array_set_size(p->rows, 0);
    for (guint i = 0; i < list->len; i++) {
        add_row(p, dir, list->pdata[i]);
    }
    adw_preferences_group_set_description(
        p->group, list->len ? _("Removing one takes no decision away")
                            : _("None yet: take in a downloaded folder"));
}

/* --- Taking one in -------------------------------------------------------------------------- */

/* Names of models hold few signs. */
static char *name_for(const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    for (char *c = base; *c; c++) {
        *c = g_ascii_isalnum(*c) || *c == '-' || *c == '_' || *c == '.' ? *c : '-';
    }
    return *base == '.' ? g_strconcat("model", base, NULL) : g_steal_pointer(&base);
}

static void on_imported(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree char *out = NULL, *errors = NULL;
    g_autoptr(GError) error = NULL;
    gboolean ended = g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &out,
                                                          &errors, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_subprocess_send_signal(G_SUBPROCESS(source), SIGTERM);
        return; /* the page is gone */
    }
    Page *p = data;
    gboolean good = ended && g_subprocess_get_successful(G_SUBPROCESS(source));
    gtk_widget_set_sensitive(GTK_WIDGET(p->import), TRUE);
    say(p, error ? error->message : good ? _("The model is installed") : g_strstrip(errors));
    show(p);
    p->changed(p->data);
}

/* The command does it, in a process of its own: checkpoints are large. */
static void import(Page *p, const char *path)
{
    g_autofree char *name = name_for(path);
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process = g_subprocess_new(
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error,
        program ? program : "taglight", "model", "import", path, "--name", name, NULL);
    if (!process) {
        say(p, error->message);
        return;
    }
    gtk_widget_set_sensitive(GTK_WIDGET(p->import), FALSE);
    g_subprocess_communicate_utf8_async(process, NULL, p->cancellable, on_imported, p);
}

static void on_folder(GtkNativeDialog *dialog, int response, Page *p)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);
        if (path) {
            import(p, path);
        }
    }
    g_object_unref(dialog);
}

static void on_import(Page *p)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Take in a Downloaded Model"), GTK_WINDOW(p->window),
        GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, NULL, NULL);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_folder), p);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

AdwPreferencesPage *models_page_new(AdwPreferencesWindow *window, TlWorkspace *workspace,
                                    void (*changed)(gpointer data), gpointer data)
{
    GtkWidget *page = adw_preferences_page_new();
    Page *p = g_new0(Page, 1);
    *p = (Page){ .window = window, .workspace = g_object_ref(workspace),
                 .rows = g_ptr_array_new(), .changed = changed, .data = data,
                 .group = ADW_PREFERENCES_GROUP(adw_preferences_group_new()),
                 .import = GTK_BUTTON(gtk_button_new_with_label(_("Take in a Folder…"))),
                 .cancellable = g_cancellable_new() };
    adw_preferences_page_set_title(ADW_PREFERENCES_PAGE(page), _("Models"));
    adw_preferences_page_set_icon_name(ADW_PREFERENCES_PAGE(page), "folder-download-symbolic");
    adw_preferences_group_set_title(p->group, _("Installed Models"));
    adw_preferences_group_set_header_suffix(p->group, GTK_WIDGET(p->import));
    g_signal_connect_swapped(p->import, "clicked", G_CALLBACK(on_import), p);
    adw_preferences_page_add(ADW_PREFERENCES_PAGE(page), p->group);
    g_object_set_data_full(G_OBJECT(window), "models-page", p, page_free);
    show(p);
    return ADW_PREFERENCES_PAGE(page);
}
