#include "ui/keys_page.h"

#include "ui/keys.h"
#include "ui/shortcuts.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
    AdwPreferencesWindow *window;
    GtkWindow *parent;
    TlWorkspace *workspace;
    GPtrArray *buttons;  /* by command; borrowed */
    int waiting;         /* the command that gets the next key; -1: none */
} Page;

static void page_free(gpointer data)
{
    Page *p = data;
    g_ptr_array_unref(p->buttons);
    g_object_unref(p->workspace);
    g_free(p);
}

static void say(Page *p, const char *text)
{
    g_autofree char *plain = g_markup_escape_text(text, -1);
    adw_preferences_window_add_toast(p->window, adw_toast_new(plain));
}

/* --- Showing ------------------------------------------------------------------------------ */

static char *describe(guint command)
{
    g_auto(GStrv) all = g_strsplit(keys_of(command), " ", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    for (char **a = all; *a; a++) {
        guint key;
        GdkModifierType modifiers;
        if (**a && gtk_accelerator_parse(*a, &key, &modifiers)) {
            g_autofree char *label = gtk_accelerator_get_label(key, modifiers);
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", label);
        }
    }
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE)
                     : g_strdup(_("No Key"));
}

static void show(Page *p, guint command)
{
    GtkButton *button = p->buttons->pdata[command];
    g_autofree char *keys = describe(command);
    g_autofree char *name = g_strdup_printf("%s: %s", keys_title(command), keys);
    gtk_button_set_label(button, p->waiting == (int)command ? _("Press a Key…") : keys);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   name, -1);
}

static void wait_for(Page *p, int command)
{
    int before = p->waiting;
    p->waiting = command;
    if (before >= 0) {
        show(p, (guint)before);
    }
    if (command >= 0) {
        show(p, (guint)command);
    }
}

/* --- Choosing ------------------------------------------------------------------------------ */

static gboolean set(Page *p, guint command, const char *accelerators)
{
    const char *other = NULL;
    GtkApplication *app = gtk_window_get_application(p->parent);
    if (!keys_set(app, command, accelerators, &other)) {
        g_autofree char *why = other ? g_strdup_printf(_("This key is taken: %s"), other)
                                     : g_strdup(_("This key cannot be chosen"));
        say(p, why);
        return FALSE;
    }
    g_autofree char *letters = keys_letters();
    tl_workspace_reserve_keys(p->workspace, letters);
    gtk_application_window_set_help_overlay(GTK_APPLICATION_WINDOW(p->parent),
                                            shortcuts_new());
    return TRUE;
}

/* Escape leaves it as it is, Backspace leaves the command without a key. */
static gboolean on_key(GtkEventControllerKey *keys, guint key, guint code,
                       GdkModifierType state, Page *p)
{
    int command = p->waiting;
    GdkModifierType modifiers = state & gtk_accelerator_get_default_mod_mask();
    if (command < 0) {
        return FALSE;
    }
    if (modifiers == 0 && (key == GDK_KEY_Escape || key == GDK_KEY_BackSpace)) {
        if (key == GDK_KEY_BackSpace) {
            set(p, (guint)command, "");
        }
        wait_for(p, -1);
        return TRUE;
    }
    guint lower = gdk_keyval_to_lower(key);
    if (!gtk_accelerator_valid(lower, modifiers)) {
        return TRUE; /* a modifier alone: more is to come */
    }
    if (modifiers == GDK_SHIFT_MASK && gdk_keyval_to_unicode(key)) {
        say(p, _("Shift and a letter reject the label of that letter"));
        return TRUE;
    }
    g_autofree char *name = gtk_accelerator_name(lower, modifiers);
    if (set(p, (guint)command, name)) {
        wait_for(p, -1);
    }
    return TRUE;
}

static void on_button(GtkButton *button, Page *p)
{
    guint command;
    if (g_ptr_array_find(p->buttons, button, &command)) {
        wait_for(p, (int)command);
    }
}

static void on_reset(Page *p)
{
    GtkApplication *app = gtk_window_get_application(p->parent);
    const char *other;
    wait_for(p, -1);
    for (guint i = 0; i < keys_count(); i++) { /* out of the way of one another first */
        if (keys_are_own(i)) {
            keys_set(app, i, "", &other);
        }
    }
    for (guint i = 0; i < keys_count(); i++) {
        set(p, i, NULL);
        show(p, i);
    }
}

/* --- Building -------------------------------------------------------------------------------- */

static void add_row(Page *p, AdwPreferencesGroup *group, guint command)
{
    GtkWidget *row = adw_action_row_new(), *button = gtk_button_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), keys_title(command));
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), button);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), button);
    g_ptr_array_add(p->buttons, button);
    g_signal_connect(button, "clicked", G_CALLBACK(on_button), p);
    show(p, command);
    adw_preferences_group_add(group, row);
}

static AdwPreferencesGroup *group_new(AdwPreferencesPage *page, const char *title)
{
    GtkWidget *group = adw_preferences_group_new();
    adw_preferences_group_set_title(ADW_PREFERENCES_GROUP(group), title);
    adw_preferences_page_add(page, ADW_PREFERENCES_GROUP(group));
    return ADW_PREFERENCES_GROUP(group);
}

static void add_reset(Page *p, AdwPreferencesGroup *group)
{
    GtkWidget *reset = gtk_button_new_with_label(_("Keys as They Came"));
    adw_preferences_group_set_description(
        group, _("Press a button and then a key; Backspace for none, Escape leaves it"));
    g_signal_connect_swapped(reset, "clicked", G_CALLBACK(on_reset), p);
    adw_preferences_group_set_header_suffix(group, reset);
}

AdwPreferencesPage *keys_page_new(AdwPreferencesWindow *window, GtkWindow *parent,
                                  TlWorkspace *workspace)
{
    GtkWidget *page = adw_preferences_page_new();
    GtkEventController *keys = gtk_event_controller_key_new();
    AdwPreferencesGroup *group = NULL;
    Page *p = g_new0(Page, 1);
    *p = (Page){ window, parent, g_object_ref(workspace), g_ptr_array_new(), -1 };
    adw_preferences_page_set_title(ADW_PREFERENCES_PAGE(page), _("Keys"));
    adw_preferences_page_set_icon_name(ADW_PREFERENCES_PAGE(page),
                                       "input-keyboard-symbolic");
    for (guint i = 0; i < keys_count(); i++) {
        if (i == 0 || strcmp(keys_group(i), keys_group(i - 1)) != 0) {
            group = group_new(ADW_PREFERENCES_PAGE(page), keys_group(i));
        }
        if (i == 0) {
            add_reset(p, group);
        }
        add_row(p, group, i);
    }
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), p);
    gtk_widget_add_controller(GTK_WIDGET(window), keys);
    g_object_set_data_full(G_OBJECT(window), "keys-page", p, page_free);
    return ADW_PREFERENCES_PAGE(page);
}
