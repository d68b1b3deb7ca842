#include "ui/window.h"

#include "ui/labels.h"
#include "ui/learn.h"
#include "ui/thumbnails.h"

#include <glib/gi18n.h>

#define THUMBNAIL 160

struct _TlWindow {
    AdwApplicationWindow parent;
    TlWorkspace *workspace;
    TlThumbnails *thumbnails;
    GtkSingleSelection *selection;
    GtkStack *stack;
    GtkPicture *picture;
    TlLabels *labels;
    AdwToastOverlay *toasts;
    AdwWindowTitle *title;
    AdwStatusPage *status;
    GtkProgressBar *progress;
    GtkLabel *caption;
    TlImage *shown;
};

G_DEFINE_FINAL_TYPE(TlWindow, tl_window, ADW_TYPE_APPLICATION_WINDOW)

/* --- State ------------------------------------------------------------------------------ */

static void update_state(TlWindow *self)
{
    const TlModelFacts *model = tl_workspace_model(self->workspace);
    gboolean any = g_list_model_get_n_items(tl_workspace_images(self->workspace)) > 0;
    double fraction = tl_workspace_fraction(self->workspace);
    g_autofree char *subtitle = NULL;
    if (model) {
        subtitle = g_strdup_printf("%s · %s%s%s", model->name, model->device,
                                   any ? " · " : "", tl_workspace_status(self->workspace));
    } else {
        subtitle = g_strdup(tl_workspace_loading(self->workspace) ? _("Loading the model…")
                                                                  : _("No model"));
    }
    adw_window_title_set_subtitle(self->title, subtitle);
    gtk_progress_bar_set_fraction(self->progress, fraction);
    gtk_widget_set_visible(GTK_WIDGET(self->progress), model && any && fraction < 1);
    gtk_stack_set_visible_child_name(self->stack, any ? "work" : "empty");
    if (!model && !tl_workspace_loading(self->workspace)) {
        adw_status_page_set_title(self->status, _("No Model Installed"));
        adw_status_page_set_description(
            self->status,
            _("Taglight needs a model to see what is in your images. Make one from published "
              "checkpoints in a terminal:\n\ntaglight model import SOURCE… --name NAME\n\n"
              "and start Taglight again. Folders can be opened and images looked at without "
              "one."));
    } else {
        adw_status_page_set_title(self->status, _("Open a Folder of Images"));
        adw_status_page_set_description(self->status,
                                        _("Choose a folder, or drop one here."));
    }
}

/* The new model's confidences come by themselves; here is said what happened. */
static void on_learnt(TlWorkspace *workspace, gpointer data)
{
    TlWindow *self = data;
    g_autofree char *name = g_path_get_basename(tl_workspace_model_path(workspace));
    g_autofree char *text = g_strdup_printf(_("The model is now “%s”"), name);
    g_autofree char *plain = g_markup_escape_text(text, -1);
    adw_toast_overlay_add_toast(self->toasts, adw_toast_new(plain));
}

static void on_failed(TlWorkspace *workspace, const char *text, gpointer data)
{
    TlWindow *self = data;
    g_autofree char *plain = g_markup_escape_text(text, -1);
    adw_toast_overlay_add_toast(self->toasts, adw_toast_new(plain));
}

/* --- The chosen image --------------------------------------------------------------------- */

static void on_selected(TlWindow *self)
{
    TlImage *image = gtk_single_selection_get_selected_item(self->selection);
    if (!g_set_object(&self->shown, image)) {
        return;
    }
    tl_labels_set_image(self->labels, image);
    gtk_label_set_text(self->caption, image ? tl_image_name(image) : "");
    if (image) {
        tl_thumbnails_show(self->thumbnails, self->picture, tl_image_path(image));
        gtk_accessible_update_property(GTK_ACCESSIBLE(self->picture),
                                       GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       tl_image_name(image), -1);
        tl_workspace_focus(self->workspace, image);
    } else {
        tl_thumbnails_forget(self->thumbnails, self->picture);
    }
}

/* --- Grid ------------------------------------------------------------------------------------- */

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    GtkWidget *picture = gtk_picture_new();
    GtkWidget *name = gtk_label_new(NULL);
    gtk_widget_set_size_request(picture, THUMBNAIL, THUMBNAIL);
    gtk_label_set_ellipsize(GTK_LABEL(name), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_max_width_chars(GTK_LABEL(name), 16);
    gtk_widget_add_css_class(name, "caption");
    gtk_box_append(GTK_BOX(box), picture);
    gtk_box_append(GTK_BOX(box), name);
    gtk_list_item_set_child(item, box);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    TlWindow *self = data;
    TlImage *image = gtk_list_item_get_item(item);
    GtkWidget *picture = gtk_widget_get_first_child(gtk_list_item_get_child(item));
    GtkWidget *name = gtk_widget_get_next_sibling(picture);
    gtk_label_set_text(GTK_LABEL(name), tl_image_name(image));
    gtk_accessible_update_property(GTK_ACCESSIBLE(picture), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   tl_image_name(image), -1);
    tl_thumbnails_show(self->thumbnails, GTK_PICTURE(picture), tl_image_path(image));
}

static void on_unbind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    TlWindow *self = data;
    GtkWidget *picture = gtk_widget_get_first_child(gtk_list_item_get_child(item));
    tl_thumbnails_forget(self->thumbnails, GTK_PICTURE(picture));
}

static GtkWidget *grid_new(TlWindow *self)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    g_signal_connect(factory, "setup", G_CALLBACK(on_setup), self);
    g_signal_connect(factory, "bind", G_CALLBACK(on_bind), self);
    g_signal_connect(factory, "unbind", G_CALLBACK(on_unbind), self);
    GtkWidget *grid =
        gtk_grid_view_new(GTK_SELECTION_MODEL(g_object_ref(self->selection)), factory);
    gtk_grid_view_set_max_columns(GTK_GRID_VIEW(grid), 12);
    gtk_accessible_update_property(GTK_ACCESSIBLE(grid), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Images"), -1);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), grid);
    gtk_widget_set_hexpand(scrolled, TRUE);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_widget_set_size_request(scrolled, 380, -1);
    return scrolled;
}

/* --- Actions ------------------------------------------------------------------------------------ */

void tl_window_open(TlWindow *self, const char *path)
{
    g_autofree char *name = g_filename_display_basename(path);
    adw_window_title_set_title(self->title, name);
    tl_workspace_open_folder(self->workspace, path);
}

static void on_chosen(GtkNativeDialog *dialog, int response, gpointer data)
{
    TlWindow *self = data;
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);
        if (path) {
            tl_window_open(self, path);
        }
    }
    g_object_unref(dialog);
}

static void action_open(GtkWidget *widget, const char *name, GVariant *parameter)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Open a Folder"), GTK_WINDOW(widget), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
        _("_Open"), _("_Cancel"));
    g_signal_connect(dialog, "response", G_CALLBACK(on_chosen), widget);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void action_undo(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_workspace_undo(TL_WINDOW(widget)->workspace);
}

static void action_accept(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_labels_decide(TL_WINDOW(widget)->labels, STORE_ACCEPTED);
}

static void action_reject(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_labels_decide(TL_WINDOW(widget)->labels, STORE_REJECTED);
}

static void action_new_label(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_labels_focus_entry(TL_WINDOW(widget)->labels);
}

static void move(GtkWidget *widget, int step)
{
    TlWindow *self = TL_WINDOW(widget);
    guint at = gtk_single_selection_get_selected(self->selection);
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->selection));
    if (n > 0 && (step > 0 ? at + 1 < n : at > 0)) {
        gtk_single_selection_set_selected(self->selection, at + (guint)step);
    }
}

static void action_next(GtkWidget *widget, const char *name, GVariant *parameter)
{
    move(widget, 1);
}

static void action_previous(GtkWidget *widget, const char *name, GVariant *parameter)
{
    move(widget, -1);
}

/* Letters are text while a person types, and commands elsewhere. */
static gboolean on_key(GtkEventControllerKey *keys, guint key, guint code,
                       GdkModifierType state, gpointer data)
{
    GtkWidget *focus = gtk_root_get_focus(GTK_ROOT(data));
    static const struct { guint key; const char *action; } table[] = {
        { GDK_KEY_a, "win.accept" }, { GDK_KEY_r, "win.reject" },
        { GDK_KEY_n, "win.next" }, { GDK_KEY_p, "win.previous" } };
    if ((focus && GTK_IS_EDITABLE(focus))
        || (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))) {
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        if (key == table[i].key) {
            return gtk_widget_activate_action(data, table[i].action, NULL);
        }
    }
    return FALSE;
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
                        gpointer data)
{
    GSList *files = G_VALUE_HOLDS(value, GDK_TYPE_FILE_LIST) ? g_value_get_boxed(value)
                                                             : NULL;
    g_autofree char *path = files ? g_file_get_path(files->data) : NULL;
    if (path) {
        tl_window_open(TL_WINDOW(data), path);
    }
    return path != NULL;
}

/* --- Building --------------------------------------------------------------------------------------- */

static GtkWidget *header_new(TlWindow *self)
{
    GtkWidget *header = adw_header_bar_new();
    GtkWidget *open = gtk_button_new_from_icon_name("folder-open-symbolic");
    GtkWidget *undo = gtk_button_new_from_icon_name("edit-undo-symbolic");
    self->title = ADW_WINDOW_TITLE(adw_window_title_new("Taglight", ""));
    gtk_widget_set_tooltip_text(open, _("Open a folder (Ctrl+O)"));
    gtk_widget_set_tooltip_text(undo, _("Undo (Ctrl+Z)"));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(open), "win.open");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(undo), "win.undo");
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), open);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), undo);
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), learn_buttons_new(self->workspace));
    adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), GTK_WIDGET(self->title));
    return header;
}

static GtkWidget *side_new(TlWindow *self)
{
    GtkWidget *side = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    self->picture = GTK_PICTURE(gtk_picture_new());
    self->caption = GTK_LABEL(gtk_label_new(""));
    self->labels = TL_LABELS(tl_labels_new(self->workspace));
    gtk_widget_set_vexpand(GTK_WIDGET(self->picture), TRUE);
    gtk_widget_set_size_request(GTK_WIDGET(self->picture), 360, 260);
    gtk_label_set_ellipsize(self->caption, PANGO_ELLIPSIZE_MIDDLE);
    gtk_widget_add_css_class(GTK_WIDGET(self->caption), "heading");
    gtk_widget_set_vexpand(GTK_WIDGET(self->labels), TRUE);
    gtk_box_append(GTK_BOX(side), GTK_WIDGET(self->picture));
    gtk_box_append(GTK_BOX(side), GTK_WIDGET(self->caption));
    gtk_box_append(GTK_BOX(side), GTK_WIDGET(self->labels));
    gtk_widget_set_margin_top(side, 12);
    gtk_widget_set_margin_bottom(side, 12);
    gtk_widget_set_margin_start(side, 12);
    gtk_widget_set_margin_end(side, 12);
    return side;
}

static GtkWidget *empty_new(TlWindow *self)
{
    GtkWidget *button = gtk_button_new_with_mnemonic(_("_Open a Folder…"));
    self->status = ADW_STATUS_PAGE(adw_status_page_new());
    adw_status_page_set_icon_name(self->status, "folder-pictures-symbolic");
    gtk_widget_add_css_class(button, "suggested-action");
    gtk_widget_add_css_class(button, "pill");
    gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "win.open");
    adw_status_page_set_child(self->status, button);
    return GTK_WIDGET(self->status);
}

static void build(TlWindow *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    self->stack = GTK_STACK(gtk_stack_new());
    self->toasts = ADW_TOAST_OVERLAY(adw_toast_overlay_new());
    self->progress = GTK_PROGRESS_BAR(gtk_progress_bar_new());
    gtk_widget_add_css_class(GTK_WIDGET(self->progress), "osd");
    gtk_paned_set_start_child(GTK_PANED(paned), grid_new(self));
    gtk_paned_set_end_child(GTK_PANED(paned), side_new(self));
    gtk_paned_set_resize_end_child(GTK_PANED(paned), TRUE);
    gtk_paned_set_shrink_start_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_shrink_end_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_position(GTK_PANED(paned), 620);
    gtk_stack_add_named(self->stack, empty_new(self), "empty");
    gtk_stack_add_named(self->stack, paned, "work");
    gtk_widget_set_vexpand(GTK_WIDGET(self->stack), TRUE);
    gtk_box_append(GTK_BOX(box), header_new(self));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->progress));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->stack));
    adw_toast_overlay_set_child(self->toasts, box);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(self),
                                       GTK_WIDGET(self->toasts));
    gtk_window_set_default_size(GTK_WINDOW(self), 1100, 760);

    GtkEventController *keys = gtk_event_controller_key_new();
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self), keys);
    GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
    g_signal_connect(drop, "drop", G_CALLBACK(on_drop), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drop));
}

static void tl_window_dispose(GObject *object)
{
    TlWindow *self = TL_WINDOW(object);
    if (self->workspace) {
        g_signal_handlers_disconnect_by_data(self->workspace, self);
    }
    if (self->selection) {
        g_signal_handlers_disconnect_by_data(self->selection, self);
    }
    /* Children go first: the grid unbinds its items, which needs the thumbnails. */
    G_OBJECT_CLASS(tl_window_parent_class)->dispose(object);
    g_clear_object(&self->shown);
    g_clear_object(&self->selection);
    g_clear_object(&self->thumbnails);
    g_clear_object(&self->workspace);
}

static void tl_window_class_init(TlWindowClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = tl_window_dispose;
    gtk_widget_class_install_action(widget, "win.open", NULL, action_open);
    gtk_widget_class_install_action(widget, "win.undo", NULL, action_undo);
    gtk_widget_class_install_action(widget, "win.accept", NULL, action_accept);
    gtk_widget_class_install_action(widget, "win.reject", NULL, action_reject);
    gtk_widget_class_install_action(widget, "win.next", NULL, action_next);
    gtk_widget_class_install_action(widget, "win.previous", NULL, action_previous);
    gtk_widget_class_install_action(widget, "win.new-label", NULL, action_new_label);
}

static void tl_window_init(TlWindow *self)
{
}

TlWindow *tl_window_new(GtkApplication *app, TlWorkspace *workspace)
{
    TlWindow *self = g_object_new(TL_TYPE_WINDOW, "application", app, NULL);
    self->workspace = g_object_ref(workspace);
    self->thumbnails = tl_thumbnails_new(480);
    self->selection =
        gtk_single_selection_new(g_object_ref(tl_workspace_images(workspace)));
    build(self);
    g_signal_connect_swapped(self->selection, "notify::selected-item",
                             G_CALLBACK(on_selected), self);
    g_signal_connect_swapped(workspace, "status", G_CALLBACK(update_state), self);
    g_signal_connect(workspace, "failed", G_CALLBACK(on_failed), self);
    g_signal_connect(workspace, "learnt", G_CALLBACK(on_learnt), self);
    update_state(self);
    return self;
}
