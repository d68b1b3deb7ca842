#include "ui/menus.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_FOLDERS 8

/* --- Folders opened of late ------------------------------------------------------------------ */

void menus_remember_folder(const char *path)
{
    g_autofree char *uri = g_filename_to_uri(path, NULL, NULL);
    char *groups[] = { "taglight", NULL };
    GtkRecentData data = { .mime_type = "inode/directory", .app_name = "Taglight",
                           .app_exec = "taglight %f", .groups = groups };
    if (uri) {
        gtk_recent_manager_add_full(gtk_recent_manager_get_default(), uri, &data);
    }
}

static int by_time(gconstpointer a, gconstpointer b)
{
    return g_date_time_compare(gtk_recent_info_get_modified((GtkRecentInfo *)b),
                               gtk_recent_info_get_modified((GtkRecentInfo *)a));
}

static void add_folder(GMenu *menu, GtkRecentInfo *info)
{
    g_autofree char *path = g_filename_from_uri(gtk_recent_info_get_uri(info), NULL, NULL);
    if (!path || g_menu_model_get_n_items(G_MENU_MODEL(menu)) >= MAX_FOLDERS
        || !g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return;
    }
    g_autofree char *name = g_filename_display_basename(path);
    g_auto(GStrv) parts = g_strsplit(name, "_", -1); /* no mnemonics */
    g_autofree char *label = g_strjoinv("__", parts);
    g_autoptr(GMenuItem) item = g_menu_item_new(label, NULL);
    g_menu_item_set_action_and_target_value(item, "win.open-path",
                                            g_variant_new_bytestring(path));
    g_menu_append_item(menu, item);
}

static void fill_folders(GMenu *menu)
{
    GList *items = gtk_recent_manager_get_items(gtk_recent_manager_get_default());
    items = g_list_sort(items, by_time);
    g_menu_remove_all(menu);
    for (GList *i = items; i; i = i->next) {
        if (gtk_recent_info_has_group(i->data, "taglight")) {
            add_folder(menu, i->data);
        }
    }
    g_list_free_full(items, (GDestroyNotify)gtk_recent_info_unref);
}

/* --- Menus ---------------------------------------------------------------------------------------- */

typedef struct { const char *label, *action; } Entry;

static void append_section(GMenu *menu, const Entry *entries, gsize n)
{
    g_autoptr(GMenu) section = g_menu_new();
    for (gsize i = 0; i < n; i++) {
        g_menu_append(section, _(entries[i].label), entries[i].action);
    }
    g_menu_append_section(menu, NULL, G_MENU_MODEL(section));
}

static GtkWidget *button_new(const char *icon, const char *tooltip, GMenu *menu)
{
    GtkWidget *button = gtk_menu_button_new();
    gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(button), icon);
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
    gtk_widget_set_tooltip_text(button, tooltip);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   tooltip, -1);
    return button;
}

GtkWidget *menus_main_new(void)
{
    static const Entry first[] = { { N_("_New Window"), "app.new-window" },
                                   { N_("_Open a Folder…"), "win.open" },
                                   { N_("_Tag a Folder…"), "win.tag-folder" } };
    static const Entry second[] = {
        { N_("_Redo"), "win.redo" }, { N_("Manage La_bels"), "win.manage-labels" }, { N_("F_ind Images"), "win.find" },
        { N_("_Accept All Above the Threshold"), "win.accept-above" },
        { N_("Last Decision A_gain"), "win.repeat" },
        { N_("_Large Picture"), "win.large" }, { N_("_Full Screen"), "win.full-screen" },
        { N_("_Where the Model Looked"), "win.heat" },
        { N_("Image _Details"), "win.details" },
        { N_("Look at Your Da_ta…"), "win.look" }, { N_("_Check the Set…"), "win.check" } };
    static const Entry last[] = { { N_("What the _Model Knows"), "win.about-model" },
                                  { N_("_Preferences"), "app.preferences" },
                                  { N_("_Keyboard Shortcuts"), "win.show-help-overlay" },
                                  { N_("_Help"), "app.help" },
                                  { N_("_About Taglight"), "app.about" } };
    g_autoptr(GMenu) menu = g_menu_new(), folders = g_menu_new();
    append_section(menu, first, G_N_ELEMENTS(first));
    g_menu_append_submenu(menu, _("_Folders Opened of Late"), G_MENU_MODEL(folders));
    append_section(menu, second, G_N_ELEMENTS(second));
    append_section(menu, last, G_N_ELEMENTS(last));
    fill_folders(folders);
    GtkWidget *button = button_new("open-menu-symbolic", _("Main menu (F10)"), menu);
    gtk_menu_button_set_primary(GTK_MENU_BUTTON(button), TRUE);
    g_signal_connect_object(gtk_recent_manager_get_default(), "changed",
                            G_CALLBACK(fill_folders), folders, G_CONNECT_SWAPPED);
    return button;
}

GtkWidget *menus_order_new(void)
{
    static const Entry all[] = { { N_("As Files _Lie"), "win.order::folder" },
                                 { N_("_Random Sample"), "win.order::random" } };
    static const Entry by_label[] = {
        { N_("_Most Likely First"), "win.order::likely" },
        { N_("_Uncertain First"), "win.order::uncertain" },
        { N_("Uncertain and _Diverse"), "win.order::diverse" },
        { N_("Un_decided Only"), "win.order::undecided" },
        { N_("Person and Model Dis_agree"), "win.order::disagree" } };
    static const Entry again[] = { { N_("Order A_gain"), "win.refresh" } };
    g_autoptr(GMenu) menu = g_menu_new();
    append_section(menu, all, G_N_ELEMENTS(all));
    append_section(menu, by_label, G_N_ELEMENTS(by_label));
    append_section(menu, again, G_N_ELEMENTS(again));
    return button_new("view-sort-descending-symbolic", _("Order for the chosen label"), menu);
}
