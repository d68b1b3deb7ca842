#include "ui/dialogs.h"

static gboolean on_escape(GtkWidget *window, GVariant *unused, gpointer data)
{
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
    gtk_widget_add_controller(window, keys);
    gtk_window_set_title(GTK_WINDOW(window), title);
    gtk_window_set_default_size(GTK_WINDOW(window), width, height);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    return window;
}
