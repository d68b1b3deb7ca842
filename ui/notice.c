#include "ui/notice.h"

#include "app/engine/about.h"
#include "ui/dialogs.h"
#include "ui/settings.h"

#include <glib/gi18n.h>

/* --- The line --------------------------------------------------------------------------- */

typedef struct {
    TlWorkspace *workspace;
    GtkRevealer *revealer;
    GtkLabel *text;
    char *fingerprint;  /* of the model that the text is about, or NULL */
} Notice;

static void update(Notice *n)
{
    const TlModelFacts *model = tl_workspace_model(n->workspace);
    if (g_strcmp0(n->fingerprint, model ? model->fingerprint : NULL) == 0) {
        return;
    }
    g_free(n->fingerprint);
    n->fingerprint = g_strdup(model ? model->fingerprint : NULL);
    g_autofree char *closed = settings_get("notice");
    g_autofree char *sentence = about_first_sentence(model ? model->about : "");
    gtk_label_set_text(n->text, sentence);
    gtk_revealer_set_reveal_child(n->revealer,
                                  *sentence && g_strcmp0(closed, n->fingerprint) != 0);
}

static void on_close(Notice *n)
{
    settings_set("notice", n->fingerprint ? n->fingerprint : "");
    gtk_revealer_set_reveal_child(n->revealer, FALSE);
}

static void notice_free(gpointer data)
{
    Notice *n = data;
    g_signal_handlers_disconnect_by_data(n->workspace, n);
    g_object_unref(n->workspace);
    g_free(n->fingerprint);
    g_free(n);
}

static GtkWidget *close_new(Notice *n)
{
    GtkWidget *button = gtk_button_new_from_icon_name("window-close-symbolic");
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, _("Close the notice"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Close the notice"), -1);
    g_signal_connect_swapped(button, "clicked", G_CALLBACK(on_close), n);
    return button;
}

GtkWidget *notice_new(TlWorkspace *workspace)
{
    Notice *n = g_new0(Notice, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *more = gtk_button_new_with_label(_("How to Go On"));
    n->workspace = g_object_ref(workspace);
    n->revealer = GTK_REVEALER(gtk_revealer_new());
    n->text = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_ellipsize(n->text, PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(n->text, 0);
    gtk_widget_set_hexpand(GTK_WIDGET(n->text), TRUE);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(more), "win.about-model");
    gtk_widget_add_css_class(box, "toolbar");
    gtk_box_append(GTK_BOX(box), gtk_image_new_from_icon_name("dialog-information-symbolic"));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(n->text));
    gtk_box_append(GTK_BOX(box), more);
    gtk_box_append(GTK_BOX(box), close_new(n));
    gtk_revealer_set_child(n->revealer, box);
    g_object_set_data_full(G_OBJECT(n->revealer), "notice", n, notice_free);
    g_signal_connect_swapped(workspace, "status", G_CALLBACK(update), n);
    update(n);
    return GTK_WIDGET(n->revealer);
}

/* --- All of it ---------------------------------------------------------------------------- */

/* Commands are the same in every language. */
static const struct { const char *title, *text, *command; } steps[] = {
    { N_("See what is in photographs"),
      N_("CLIP answers for any words. Download openai/clip-vit-base-patch32 and import it:"),
      "taglight model import clip-vit-base-patch32/ --name clip-b32" },
    { N_("Make a CLIP-Decoder"),
      N_("It joins a published TResNet, CLIP’s text encoder and a zero-shot ML-Decoder:"),
      "taglight model import --name mine --image tresnet_m.pth \\\n"
      "    --text clip-vit-base-patch32/ --head decoder.safetensors" },
    { N_("Train it on images of yours"),
      N_("From a labelled data set in the terminal, or, once some images are accepted and "
         "rejected, by the button Learn:"),
      "taglight train --model mine --scope head --data DATA --out mine-2" } };

static GtkWidget *paragraph_new(const char *text, const char *class)
{
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    if (class) {
        gtk_widget_add_css_class(label, class);
    }
    return label;
}

static char *describe(const TlModelFacts *model)
{
    g_autofree char *about = model ? g_utf8_make_valid(model->about, -1) : NULL;
    if (!model) {
        return g_strdup(_("No model is loaded."));
    }
    return *about ? g_steal_pointer(&about)
                  : g_strdup(_("This model says nothing of what it knows."));
}

static GtkWidget *text_new(const TlModelFacts *model)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    g_autofree char *about = describe(model);
    gtk_box_append(GTK_BOX(box), paragraph_new(model ? model->name : _("No Model"),
                                               "title-2"));
    gtk_box_append(GTK_BOX(box), paragraph_new(about, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        GtkWidget *title = paragraph_new(_(steps[i].title), "heading");
        gtk_widget_set_margin_top(title, 12);
        gtk_box_append(GTK_BOX(box), title);
        gtk_box_append(GTK_BOX(box), paragraph_new(_(steps[i].text), NULL));
        GtkWidget *command = paragraph_new(steps[i].command, "monospace");
        gtk_label_set_selectable(GTK_LABEL(command), TRUE);
        gtk_box_append(GTK_BOX(box), command);
    }
    gtk_widget_set_margin_top(box, 12);
    gtk_widget_set_margin_bottom(box, 24);
    gtk_widget_set_margin_start(box, 24);
    gtk_widget_set_margin_end(box, 24);
    return box;
}

void notice_show_model(GtkWindow *parent, TlWorkspace *workspace)
{
    GtkWidget *window = dialogs_window_new(parent, _("What the Model Knows"), 560, 520);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled),
                                  text_new(tl_workspace_model(workspace)));
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(box), adw_header_bar_new());
    gtk_box_append(GTK_BOX(box), scrolled);
    adw_window_set_content(ADW_WINDOW(window), box);
    gtk_window_present(GTK_WINDOW(window));
}
