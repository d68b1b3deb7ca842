#include "ui/dialogs.h"

/* A menu that is open closes alone. */
static gboolean on_close_key(GtkWidget *window, GVariant *unused, gpointer data)
{
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(window));
    if (focus && gtk_widget_get_ancestor(focus, GTK_TYPE_POPOVER)) {
        return FALSE;
    }
    gtk_window_close(GTK_WINDOW(window));
    return TRUE;
}

void dialogs_add_close_keys(GtkWindow *window)
{
    GtkEventController *keys = gtk_shortcut_controller_new();
    GtkShortcutTrigger *trigger = gtk_shortcut_trigger_parse_string("Escape|<Control>w");
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(trigger, gtk_callback_action_new(on_close_key, NULL, NULL)));
    /* Before what has the focus: rows with an entry keep Escape for themselves. */
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    gtk_widget_add_controller(GTK_WIDGET(window), keys);
}

GtkWidget *dialogs_window_new(GtkWindow *parent, const char *title, int width, int height)
{
    GtkWidget *window = adw_window_new();
    dialogs_add_close_keys(GTK_WINDOW(window));
    gtk_window_set_title(GTK_WINDOW(window), title);
    gtk_window_set_default_size(GTK_WINDOW(window), width, height);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    return window;
}
