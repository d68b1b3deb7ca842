#include "ui/preferences.h"

#include "app/commands/commands.h"
#include "app/engine/devices.h"
#include "app/engine/token_cache.h"
#include "ui/keys_page.h"
#include "ui/models_page.h"
#include "ui/settings.h"

#include <adwaita.h>
#include <glib/gi18n.h>

typedef struct {
    TlWorkspace *workspace;
    AdwComboRow *model, *device;
    AdwActionRow *cache;
} Preferences;

static void preferences_free(gpointer data)
{
    Preferences *p = data;
    g_object_unref(p->workspace);
    g_free(p);
}

/* --- Model and device ------------------------------------------------------------------------ */

static const char *chosen(AdwComboRow *row)
{
    GtkStringObject *item = adw_combo_row_get_selected_item(row);
    return item ? gtk_string_object_get_string(item) : NULL;
}

/* The first device stands for the best one. */
static const char *chosen_device(Preferences *p)
{
    return adw_combo_row_get_selected(p->device) == 0 ? NULL : chosen(p->device);
}

static void reload(Preferences *p)
{
    g_autofree char *model =
        chosen(p->model) ? command_find_model(chosen(p->model))
                         : g_strdup(tl_workspace_model_path(p->workspace));
    settings_set("device", chosen_device(p) ? chosen_device(p) : "");
    if (model) {
        settings_set("model", model);
        tl_workspace_load_model(p->workspace, model, chosen_device(p));
    }
}

static AdwComboRow *combo_new(const char *title, const char *subtitle, GtkStringList *names,
                              guint selected, Preferences *p)
{
    GtkWidget *row = adw_combo_row_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(names));
    adw_combo_row_set_selected(ADW_COMBO_ROW(row), selected);
    g_signal_connect_swapped(row, "notify::selected", G_CALLBACK(reload), p);
    return ADW_COMBO_ROW(row);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return g_utf8_collate(*(const char *const *)a, *(const char *const *)b);
}

/* Names of installed models; *present is that in use, GTK_INVALID_LIST_POSITION for one
 * that lies elsewhere. */
static GtkStringList *list_models(TlWorkspace *workspace, guint *present)
{
    g_autofree char *folder = command_models_dir();
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GtkStringList *list = gtk_string_list_new(NULL);
    *present = GTK_INVALID_LIST_POSITION;
    for (const char *n = dir ? g_dir_read_name(dir) : NULL; n; n = g_dir_read_name(dir)) {
        if (n[0] != '.') {
            g_ptr_array_add(names, g_strdup(n));
        }
    }
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = command_find_model(names->pdata[i]);
        gtk_string_list_append(list, names->pdata[i]);
        *present = g_strcmp0(path, tl_workspace_model_path(workspace)) == 0 ? i : *present;
    }
    return list;
}

/* The list of the combo row follows what was installed and removed. */
static void on_models(gpointer data)
{
    Preferences *p = data;
    guint model;
    GtkStringList *models = list_models(p->workspace, &model);
    g_signal_handlers_block_by_func(p->model, reload, p);
    adw_combo_row_set_model(p->model, G_LIST_MODEL(models));
    adw_combo_row_set_selected(p->model, model);
    g_signal_handlers_unblock_by_func(p->model, reload, p);
    g_object_unref(models);
}

static GtkStringList *list_devices(guint *present)
{
    g_auto(GStrv) names = tl_device_names();
    g_autofree char *device = settings_get("device");
    GtkStringList *list = gtk_string_list_new(NULL);
    gtk_string_list_append(list, _("The Best One"));
    *present = 0;
    for (guint i = 0; names[i]; i++) {
        gtk_string_list_append(list, names[i]);
        *present = device && g_str_equal(device, names[i]) ? i + 1 : *present;
    }
    return list;
}

static AdwPreferencesGroup *group_new(const char *title, AdwPreferencesPage *page)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    adw_preferences_group_set_title(group, title);
    adw_preferences_page_add(page, group);
    return group;
}

static void add_model(Preferences *p, AdwPreferencesPage *page)
{
    AdwPreferencesGroup *group = group_new(_("Model"), page);
    guint model, device;
    GtkStringList *models = list_models(p->workspace, &model);
    GtkStringList *devices = list_devices(&device);
    const char *elsewhere =
        model == GTK_INVALID_LIST_POSITION ? tl_workspace_model_path(p->workspace) : NULL;
    g_autofree char *where = elsewhere ? g_filename_display_name(elsewhere) : NULL;
    p->model = combo_new(_("Model"), where ? where : "", models, model, p);
    p->device = combo_new(_("Device"), "", devices, device, p);
    adw_preferences_group_add(group, GTK_WIDGET(p->model));
    adw_preferences_group_add(group, GTK_WIDGET(p->device));
}

/* --- Thresholds -------------------------------------------------------------------------------- */

static void on_threshold(GtkSpinButton *spin, Preferences *p)
{
    double threshold = gtk_spin_button_get_value(spin) / 100;
    settings_set_number("threshold", threshold);
    tl_workspace_set_thresholds(p->workspace, threshold);
}

static AdwActionRow *row_new(const char *title, const char *subtitle, GtkWidget *end)
{
    GtkWidget *row = adw_action_row_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    if (end) {
        gtk_widget_set_valign(end, GTK_ALIGN_CENTER);
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), end);
        adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), end);
    }
    return ADW_ACTION_ROW(row);
}

static void add_threshold(Preferences *p, AdwPreferencesPage *page)
{
    AdwPreferencesGroup *group = group_new(_("Thresholds"), page);
    GtkWidget *spin = gtk_spin_button_new_with_range(0, 100, 1);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(spin),
                              100 * settings_get_number("threshold", 0.5));
    g_signal_connect(spin, "value-changed", G_CALLBACK(on_threshold), p);
    adw_preferences_group_add(group, GTK_WIDGET(row_new(
        _("Threshold of every label in %"), _("Each label’s own is in its menu"), spin)));
}

/* --- Data ------------------------------------------------------------------------------------------ */

static void show_cache(Preferences *p)
{
    g_autofree char *size = g_format_size((guint64)token_cache_disk_bytes());
    adw_action_row_set_subtitle(p->cache, size);
}

static void on_empty(GtkButton *button, Preferences *p)
{
    if (!token_cache_empty()) {
        adw_action_row_set_subtitle(p->cache, _("The cache cannot be written to"));
        return;
    }
    show_cache(p);
}

static void on_data(GtkButton *button, Preferences *p)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "taglight", NULL);
    g_autofree char *uri = g_filename_to_uri(folder, NULL, NULL);
    gtk_show_uri(GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(button))), uri, GDK_CURRENT_TIME);
}

static void add_data(Preferences *p, AdwPreferencesPage *page)
{
    AdwPreferencesGroup *group = group_new(_("Data"), page);
    GtkWidget *empty = gtk_button_new_with_mnemonic(_("_Empty"));
    GtkWidget *open = gtk_button_new_with_mnemonic(_("_Show"));
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "taglight", NULL);
    g_autofree char *name = g_filename_display_name(folder);
    g_signal_connect(empty, "clicked", G_CALLBACK(on_empty), p);
    g_signal_connect(open, "clicked", G_CALLBACK(on_data), p);
    p->cache = row_new(_("Cache of what the model saw"), "", empty);
    show_cache(p);
    adw_preferences_group_add(group, GTK_WIDGET(row_new(_("Decisions and models"), name,
                                                        open)));
    adw_preferences_group_add(group, GTK_WIDGET(p->cache));
    adw_preferences_group_add(group, GTK_WIDGET(row_new(
        _("What Taglight sends"),
        _("Nothing: images, labels and decisions stay on this machine"), NULL)));
}

void preferences_show(GtkWindow *parent, TlWorkspace *workspace)
{
    GtkWidget *window = adw_preferences_window_new();
    AdwPreferencesPage *page = ADW_PREFERENCES_PAGE(adw_preferences_page_new());
    Preferences *p = g_new0(Preferences, 1);
    p->workspace = g_object_ref(workspace);
    add_model(p, page);
    add_threshold(p, page);
    add_data(p, page);
    g_object_set_data_full(G_OBJECT(window), "preferences", p, preferences_free);
    adw_preferences_page_set_title(page, _("General"));
    adw_preferences_page_set_icon_name(page, "preferences-system-symbolic");
    adw_preferences_window_add(ADW_PREFERENCES_WINDOW(window), page);
    adw_preferences_window_add(
        ADW_PREFERENCES_WINDOW(window),
        models_page_new(ADW_PREFERENCES_WINDOW(window), workspace, on_models, p));
    adw_preferences_window_add(
        ADW_PREFERENCES_WINDOW(window),
        keys_page_new(ADW_PREFERENCES_WINDOW(window), parent, workspace));
    adw_preferences_window_set_search_enabled(ADW_PREFERENCES_WINDOW(window), FALSE);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    gtk_window_present(GTK_WINDOW(window));
}
