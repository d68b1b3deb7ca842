#include "ui/help.h"

#include <adwaita.h>
#include <glib/gi18n.h>

static void on_shown(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkWindow) parent = GTK_WINDOW(source);
    g_autoptr(GError) error = NULL;
    if (gtk_show_uri_full_finish(parent, result, &error)
        || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    GtkWidget *dialog = adw_message_dialog_new(
        parent, _("No Program Shows the Help"),
        _("Install a help viewer such as Yelp, or read `man taglight` in a terminal. "
          "Ctrl+? shows the keys."));
    adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
    gtk_window_present(GTK_WINDOW(dialog));
}

void help_show(GtkWindow *parent)
{
    g_object_ref(parent); /* until it is shown */
    gtk_show_uri_full(parent, "help:taglight", GDK_CURRENT_TIME, NULL, on_shown, NULL);
}
