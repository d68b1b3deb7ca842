#include "ui/learn.h"

#include "app/commands/commands.h"
#include "ui/settings.h"

#include <glib/gi18n.h>

typedef struct {
    TlWorkspace *workspace;
    GtkButton *learn, *back;
} Buttons;

static void update(Buttons *b)
{
    double learning = tl_workspace_learning(b->workspace);
    const TlModelFacts *model = tl_workspace_model(b->workspace);
    const char *earlier = tl_workspace_earlier_model(b->workspace);
    gboolean can = model && g_str_equal(model->kind, "clip-decoder");
    g_autofree char *text =
        learning < 0 ? g_strdup(_("Learn"))
                     : g_strdup_printf(_("Stop (%d %%)"), (int)(100 * learning));
    gtk_button_set_label(b->learn, text);
    gtk_widget_set_sensitive(GTK_WIDGET(b->learn), can || learning >= 0);
    gtk_widget_set_tooltip_text(
        GTK_WIDGET(b->learn),
        learning < 0 ? _("Tune the model on what you accepted and rejected")
                     : _("Stop learning and keep the model as it is"));
    gtk_widget_set_visible(GTK_WIDGET(b->back), earlier != NULL && learning < 0);
}

static void on_learn(GtkButton *button, Buttons *b)
{
    g_autofree char *dir = command_models_dir();
    if (tl_workspace_learning(b->workspace) < 0) {
        tl_workspace_learn(b->workspace, dir);
    } else {
        tl_workspace_stop_learning(b->workspace);
    }
}

static void on_back(GtkButton *button, Buttons *b)
{
    tl_workspace_go_back(b->workspace);
}

static void on_learnt(TlWorkspace *workspace, Buttons *b)
{
    settings_set("model", tl_workspace_model_path(workspace));
}

static void buttons_free(Buttons *b)
{
    g_signal_handlers_disconnect_by_data(b->workspace, b);
    g_object_unref(b->workspace);
    g_free(b);
}

GtkWidget *learn_buttons_new(TlWorkspace *workspace)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    Buttons *b = g_new0(Buttons, 1);
    b->workspace = g_object_ref(workspace);
    b->learn = GTK_BUTTON(gtk_button_new());
    b->back = GTK_BUTTON(gtk_button_new_with_label(_("Previous Model")));
    gtk_widget_set_tooltip_text(GTK_WIDGET(b->back),
                                _("Go back to the model before the last learning"));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(b->back));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(b->learn));
    g_object_set_data_full(G_OBJECT(box), "buttons", b, (GDestroyNotify)buttons_free);
    g_signal_connect(b->learn, "clicked", G_CALLBACK(on_learn), b);
    g_signal_connect(b->back, "clicked", G_CALLBACK(on_back), b);
    g_signal_connect_swapped(workspace, "status", G_CALLBACK(update), b);
    g_signal_connect(workspace, "learnt", G_CALLBACK(on_learnt), b);
    update(b);
    return box;
}
