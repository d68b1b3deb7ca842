#include "ui/dialogs.h"

/* Before what has the focus, for rows with an entry keep the key; a menu closes alone. */
static gboolean on_escape(GtkWidget *window, GVariant *unused, gpointer data)
{
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(window));
    if (focus && gtk_widget_get_ancestor(focus, GTK_TYPE_POPOVER)) {
        return FALSE;
    }
    gtk_window_close(GTK_WINDOW(window));
    return TRUE;
}

GtkWidget *dialogs_window_new(GtkWindow *parent, const char *title, int width, int height)
{
    GtkWidget *window = adw_window_new();
    GtkEventController *keys = gtk_shortcut_controller_new();
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                         gtk_callback_action_new(on_escape, NULL, NULL)));
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    gtk_widget_add_controller(window, keys);
    gtk_window_set_title(GTK_WINDOW(window), title);
    gtk_window_set_default_size(GTK_WINDOW(window), width, height);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    return window;
}
