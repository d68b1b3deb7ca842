#include "ui/window_private.h"

#include "ui/details.h"
#include "ui/learn.h"
#include "ui/menus.h"
#include "ui/notice.h"
#include "ui/shortcuts.h"

#include <glib/gi18n.h>

#define THUMBNAIL_PX 256
#define TOAST_S 4

G_DEFINE_FINAL_TYPE(TlWindow, tl_window, ADW_TYPE_APPLICATION_WINDOW)

/* --- State ------------------------------------------------------------------------------ */

static void show_title(TlWindow *self, gboolean any)
{
    const TlModelFacts *model = tl_workspace_model(self->workspace);
    g_autofree char *subtitle = NULL;
    if (model) {
        /* Isolated, for they may be written in different directions. */
        subtitle = g_strdup_printf("\u2068%s\u2069 · \u2068%s\u2069%s\u2068%s\u2069",
                                   model->name, model->device, any ? " · " : "",
                                   tl_workspace_status(self->workspace));
    } else {
        subtitle = g_strdup(tl_workspace_loading(self->workspace) ? _("Loading the model…")
                                                                  : _("No model"));
    }
    adw_window_title_set_subtitle(self->title, subtitle);
}

static void show_empty(TlWindow *self)
{
    if (!tl_workspace_model(self->workspace) && !tl_workspace_loading(self->workspace)) {
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

/* The machine stays awake for long work; its end is told of when nobody looks. */
static void follow_work(TlWindow *self, gboolean working)
{
    GtkApplication *app = gtk_window_get_application(GTK_WINDOW(self));
    if (working && !self->inhibited && app) {
        self->inhibited = gtk_application_inhibit(
            app, GTK_WINDOW(self), GTK_APPLICATION_INHIBIT_SUSPEND,
            _("Taglight looks at images"));
    } else if (!working && self->inhibited) {
        gtk_application_uninhibit(app, self->inhibited);
        self->inhibited = 0;
        if (!gtk_window_is_active(GTK_WINDOW(self))) {
            g_autoptr(GNotification) note = g_notification_new(_("Taglight is done"));
            g_notification_set_body(note, tl_workspace_status(self->workspace));
            g_application_send_notification(G_APPLICATION(app), "done", note);
        }
    }
}

static void update_state(TlWindow *self)
{
    const TlModelFacts *model = tl_workspace_model(self->workspace);
    gboolean any = tl_workspace_n_all(self->workspace) > 0;
    double fraction = tl_workspace_fraction(self->workspace);
    gboolean scoring = model && any && fraction < 1;
    gtk_progress_bar_set_fraction(self->progress, fraction);
    gtk_widget_set_visible(GTK_WIDGET(self->progress), scoring);
    gtk_stack_set_visible_child_name(self->stack, any ? "work" : "empty");
    show_title(self, any);
    show_empty(self);
    follow_work(self, scoring || tl_workspace_learning(self->workspace) >= 0);
}

static void on_toast_gone(TlWindow *self)
{
    self->toast = NULL;
}

void window_say(TlWindow *self, const char *text, gboolean undo)
{
    g_autofree char *plain = g_markup_escape_text(text, -1);
    if (self->toast) {
        adw_toast_dismiss(self->toast);
    }
    self->toast = adw_toast_new(plain);
    adw_toast_set_timeout(self->toast, TOAST_S);
    if (undo) {
        adw_toast_set_button_label(self->toast, _("_Undo"));
        adw_toast_set_action_name(self->toast, "win.undo");
    }
    g_signal_connect_object(self->toast, "dismissed", G_CALLBACK(on_toast_gone), self,
                            G_CONNECT_SWAPPED);
    adw_toast_overlay_add_toast(self->toasts, self->toast);
}

/* The new model's confidences come by themselves; here is said what happened. */
static void on_learnt(TlWorkspace *workspace, gpointer data)
{
    g_autofree char *name = g_path_get_basename(tl_workspace_model_path(workspace));
    g_autofree char *text = g_strdup_printf(_("The model is now “%s”"), name);
    window_say(data, text, FALSE);
}

static void on_failed(gpointer source, const char *text, gpointer data)
{
    window_say(data, text, FALSE);
}

static void on_decided(TlWorkspace *workspace, const char *text, gboolean undo, gpointer data)
{
    window_say(data, text, undo);
}

/* --- The present image --------------------------------------------------------------------- */

static void on_label(TlWindow *self)
{
    tl_heat_set(self->heat, tl_grid_current(self->grid), tl_labels_chosen(self->labels));
}

static void on_current(TlWindow *self)
{
    TlImage *image = tl_grid_current(self->grid);
    const char *path = image ? tl_image_path(image) : NULL;
    tl_labels_set_image(self->labels, image);
    tl_details_set_image(TL_DETAILS(gtk_stack_get_child_by_name(self->pages, "details")),
                         image);
    gtk_label_set_text(self->caption, image ? tl_image_name(image) : "");
    tl_viewer_show(self->viewer, path, image ? tl_image_name(image) : NULL,
                   path ? tl_thumbnails_find(self->thumbnails, path) : NULL);
    on_label(self);
    if (image) {
        tl_workspace_focus(self->workspace, image);
    }
}

/* A button of a label's row decides on the present image alone. */
static void on_decide(TlLabels *labels, guint label, int verdict, gpointer data)
{
    TlWindow *self = data;
    tl_workspace_decide(self->workspace, tl_grid_current(self->grid), label, verdict);
}

static void on_activate(TlWindow *self)
{
    window_set_large(self, !self->large);
}

void window_set_large(TlWindow *self, gboolean large)
{
    if (self->large == large) {
        return;
    }
    GtkWidget *viewer = GTK_WIDGET(self->viewer);
    self->large = large;
    g_object_ref(viewer);
    gtk_box_remove(large ? self->right : self->left, viewer);
    gtk_box_prepend(large ? self->left : self->right, viewer);
    g_object_unref(viewer);
    gtk_widget_set_vexpand(GTK_WIDGET(self->grid), !large);
    tl_grid_set_strip(self->grid, large);
    tl_grid_focus(self->grid);
}

static void on_full_screen(TlWindow *self)
{
    gboolean full = gtk_window_is_fullscreen(GTK_WINDOW(self));
    gtk_widget_set_visible(self->header, !full);
    gtk_widget_set_visible(GTK_WIDGET(self->grid), !full);
    gtk_widget_set_visible(GTK_WIDGET(self->right), !full);
}

void tl_window_open(TlWindow *self, const char *path)
{
    g_autofree char *name = g_filename_display_basename(path);
    adw_window_title_set_title(self->title, name);
    menus_remember_folder(path);
    tl_workspace_open_folder(self->workspace, path);
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
    static const struct { const char *icon, *tooltip, *action; } buttons[] = {
        { "folder-open-symbolic", N_("Open a folder (Ctrl+O)"), "win.open" },
        { "edit-undo-symbolic", N_("Undo (Ctrl+Z)"), "win.undo" } };
    GtkWidget *header = adw_header_bar_new();
    self->title = ADW_WINDOW_TITLE(adw_window_title_new("Taglight", ""));
    for (gsize i = 0; i < G_N_ELEMENTS(buttons); i++) {
        GtkWidget *button = gtk_button_new_from_icon_name(buttons[i].icon);
        gtk_widget_set_tooltip_text(button, _(buttons[i].tooltip));
        gtk_accessible_update_property(GTK_ACCESSIBLE(button),
                                       GTK_ACCESSIBLE_PROPERTY_LABEL, _(buttons[i].tooltip),
                                       -1);
        gtk_actionable_set_action_name(GTK_ACTIONABLE(button), buttons[i].action);
        adw_header_bar_pack_start(ADW_HEADER_BAR(header), button);
    }
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), menus_order_new());
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), menus_main_new());
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), learn_buttons_new(self->workspace));
    adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), GTK_WIDGET(self->title));
    return header;
}

static void build_left(TlWindow *self)
{
    self->left = GTK_BOX(gtk_box_new(GTK_ORIENTATION_VERTICAL, 0));
    self->grid = TL_GRID(tl_grid_new(self->workspace, self->thumbnails));
    gtk_widget_set_vexpand(GTK_WIDGET(self->grid), TRUE);
    self->find = TL_FIND(tl_find_new(self->workspace));
    gtk_box_append(self->left, GTK_WIDGET(self->find));
    gtk_box_append(self->left, GTK_WIDGET(self->grid));
}

static void build_right(TlWindow *self)
{
    GtkWidget *right = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    self->right = GTK_BOX(right);
    self->viewer = TL_VIEWER(tl_viewer_new());
    self->caption = GTK_LABEL(gtk_label_new(""));
    self->labels = TL_LABELS(tl_labels_new(self->workspace));
    self->pages = GTK_STACK(gtk_stack_new());
    gtk_label_set_ellipsize(self->caption, PANGO_ELLIPSIZE_MIDDLE);
    gtk_widget_add_css_class(GTK_WIDGET(self->caption), "heading");
    gtk_widget_set_vexpand(GTK_WIDGET(self->labels), TRUE);
    gtk_widget_set_size_request(right, 360, -1);
    gtk_stack_add_named(self->pages, GTK_WIDGET(self->labels), "labels");
    gtk_stack_add_named(self->pages, tl_details_new(), "details");
    gtk_box_append(self->right, GTK_WIDGET(self->viewer));
    gtk_box_append(self->right, GTK_WIDGET(self->caption));
    gtk_box_append(self->right, GTK_WIDGET(self->pages));
    gtk_widget_set_margin_top(right, 12);
    gtk_widget_set_margin_bottom(right, 12);
    gtk_widget_set_margin_start(right, 12);
    gtk_widget_set_margin_end(right, 12);
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

static GtkWidget *work_new(TlWindow *self)
{
    GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    build_left(self);
    build_right(self);
    gtk_paned_set_start_child(GTK_PANED(paned), GTK_WIDGET(self->left));
    gtk_paned_set_end_child(GTK_PANED(paned), GTK_WIDGET(self->right));
    gtk_paned_set_resize_end_child(GTK_PANED(paned), TRUE);
    gtk_paned_set_shrink_start_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_shrink_end_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_position(GTK_PANED(paned), 620);
    return paned;
}

static void build(TlWindow *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    self->stack = GTK_STACK(gtk_stack_new());
    self->toasts = ADW_TOAST_OVERLAY(adw_toast_overlay_new());
    self->progress = GTK_PROGRESS_BAR(gtk_progress_bar_new());
    self->header = header_new(self);
    gtk_widget_add_css_class(GTK_WIDGET(self->progress), "osd");
    gtk_stack_add_named(self->stack, empty_new(self), "empty");
    gtk_stack_add_named(self->stack, work_new(self), "work");
    gtk_widget_set_vexpand(GTK_WIDGET(self->stack), TRUE);
    gtk_box_append(GTK_BOX(box), self->header);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->progress));
    gtk_box_append(GTK_BOX(box), notice_new(self->workspace));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->stack));
    adw_toast_overlay_set_child(self->toasts, box);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(self),
                                       GTK_WIDGET(self->toasts));
    gtk_window_set_default_size(GTK_WINDOW(self), 1100, 760);
    gtk_application_window_set_help_overlay(GTK_APPLICATION_WINDOW(self), shortcuts_new());
    GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
    g_signal_connect(drop, "drop", G_CALLBACK(on_drop), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drop));
    self->heat = tl_heat_new(self->workspace, self->viewer);
    actions_add(self);
}

static void tl_window_dispose(GObject *object)
{
    TlWindow *self = TL_WINDOW(object);
    if (self->workspace) {
        g_signal_handlers_disconnect_by_data(self->workspace, self);
    }
    /* Children go first: the grid unbinds its items, which needs the thumbnails. */
    G_OBJECT_CLASS(tl_window_parent_class)->dispose(object);
    g_clear_object(&self->heat);
    g_clear_object(&self->thumbnails);
    g_clear_object(&self->workspace);
}

static void tl_window_class_init(TlWindowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_window_dispose;
    actions_install(class);
}

static void tl_window_init(TlWindow *self)
{
}

TlWorkspace *tl_window_workspace(TlWindow *self)
{
    return self->workspace;
}

TlWindow *tl_window_new(GtkApplication *app, TlWorkspace *workspace)
{
    TlWindow *self = g_object_new(TL_TYPE_WINDOW, "application", app, NULL);
    self->workspace = g_object_ref(workspace);
    self->thumbnails = tl_thumbnails_new(THUMBNAIL_PX);
    build(self);
    g_signal_connect_swapped(self->grid, "current", G_CALLBACK(on_current), self);
    g_signal_connect_swapped(self->grid, "activate", G_CALLBACK(on_activate), self);
    g_signal_connect_swapped(self->labels, "label", G_CALLBACK(on_label), self);
    g_signal_connect(self->labels, "decide", G_CALLBACK(on_decide), self);
    g_signal_connect(self->heat, "failed", G_CALLBACK(on_failed), self);
    g_signal_connect(self, "notify::fullscreened", G_CALLBACK(on_full_screen), NULL);
    g_signal_connect_swapped(workspace, "status", G_CALLBACK(update_state), self);
    g_signal_connect_swapped(workspace, "ordered", G_CALLBACK(actions_show_order), self);
    g_signal_connect(workspace, "failed", G_CALLBACK(on_failed), self);
    g_signal_connect(workspace, "decided", G_CALLBACK(on_decided), self);
    g_signal_connect(workspace, "learnt", G_CALLBACK(on_learnt), self);
    update_state(self);
    return self;
}
