#include "ui/labels.h"

#include "ui/label_menu.h"
#include "ui/meter.h"

#include <glib/gi18n.h>

/* How long a person has to stop typing before the images are ranked. */
#define PAUSE_MS 400

struct _TlLabels {
    GtkBox parent;
    TlWorkspace *workspace;
    TlImage *image;
    GtkListBox *list;
    GtkEntry *entry;
    guint pause;
};

G_DEFINE_FINAL_TYPE(TlLabels, tl_labels, GTK_TYPE_BOX)

enum { DECIDE, LABEL, N_SIGNALS };
static guint signals[N_SIGNALS];

typedef struct {
    TlMeter *meter;
    GtkToggleButton *accept, *reject;
    gboolean updating;
} Row;

/* --- Rows ------------------------------------------------------------------------------- */

static guint index_of(GtkWidget *child)
{
    GtkWidget *row = gtk_widget_get_ancestor(child, GTK_TYPE_LIST_BOX_ROW);
    return (guint)gtk_list_box_row_get_index(GTK_LIST_BOX_ROW(row));
}

static Row *row_at(TlLabels *self, guint index)
{
    GtkListBoxRow *row = gtk_list_box_get_row_at_index(self->list, (int)index);
    return row ? g_object_get_data(G_OBJECT(row), "row") : NULL;
}

static void update_row(TlLabels *self, guint index)
{
    Row *row = row_at(self, index);
    TlMeterValue value = {
        tl_workspace_label(self->workspace, index), tl_workspace_label_key(self->workspace, index),
        self->image ? tl_image_confidence(self->image, index) : -1,
        tl_workspace_threshold(self->workspace, index),
        self->image ? tl_image_verdict(self->image, index) : STORE_CLEARED };
    row->updating = TRUE;
    tl_meter_set(row->meter, &value);
    gtk_toggle_button_set_active(row->accept, value.verdict == STORE_ACCEPTED);
    gtk_toggle_button_set_active(row->reject, value.verdict == STORE_REJECTED);
    gtk_widget_set_sensitive(GTK_WIDGET(row->accept), self->image != NULL);
    gtk_widget_set_sensitive(GTK_WIDGET(row->reject), self->image != NULL);
    row->updating = FALSE;
}

static void update_rows(TlLabels *self)
{
    for (guint i = 0; i < tl_workspace_n_labels(self->workspace) && row_at(self, i); i++) {
        update_row(self, i);
    }
}

static void on_toggled(GtkToggleButton *button, gpointer data)
{
    TlLabels *self = data;
    guint index = index_of(GTK_WIDGET(button));
    Row *row = row_at(self, index);
    if (row->updating || !self->image) {
        return;
    }
    StoreVerdict verdict = button == row->accept ? STORE_ACCEPTED : STORE_REJECTED;
    g_signal_emit(self, signals[DECIDE], 0, index,
                  gtk_toggle_button_get_active(button) ? verdict : STORE_CLEARED);
    update_row(self, index); /* shows what is stored; the answer follows */
}

static GtkToggleButton *verdict_button(TlLabels *self, const char *icon,
                                       const char *tooltip, const char *label)
{
    GtkWidget *button = gtk_toggle_button_new();
    g_autofree char *name = g_strdup_printf("%s: %s", tooltip, label);
    gtk_button_set_icon_name(GTK_BUTTON(button), icon);
    gtk_widget_set_tooltip_text(button, tooltip);
    gtk_widget_add_css_class(button, "flat");
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   name, -1);
    g_signal_connect(button, "toggled", G_CALLBACK(on_toggled), self);
    return GTK_TOGGLE_BUTTON(button);
}

/* --- The menu of a row -------------------------------------------------------------------- */

/* Made when it is opened, as there may be many rows. */
static void fill_menu(GtkMenuButton *button, gpointer data)
{
    TlLabels *self = data;
    gtk_menu_button_set_popover(
        button, label_menu_new(self->workspace, index_of(GTK_WIDGET(button))));
}

static GtkWidget *menu_new(TlLabels *self, const char *label)
{
    GtkWidget *button = gtk_menu_button_new();
    g_autofree char *name = g_strdup_printf(_("More for “%s”"), label);
    gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(button), "view-more-symbolic");
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   name, -1);
    gtk_menu_button_set_create_popup_func(GTK_MENU_BUTTON(button), fill_menu, self, NULL);
    return button;
}

static GtkWidget *row_new(TlLabels *self, const char *label)
{
    Row *row = g_new0(Row, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 3);
    GtkWidget *item = gtk_list_box_row_new();
    row->meter = TL_METER(tl_meter_new(FALSE));
    row->accept = verdict_button(self, "object-select-symbolic", _("Accept (A)"), label);
    row->reject = verdict_button(self, "window-close-symbolic", _("Reject (R)"), label);
    gtk_widget_set_hexpand(GTK_WIDGET(row->meter), TRUE);
    gtk_widget_set_valign(GTK_WIDGET(row->meter), GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(row->meter));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(row->accept));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(row->reject));
    gtk_box_append(GTK_BOX(box), menu_new(self, label));
    gtk_widget_set_margin_top(box, 4);
    gtk_widget_set_margin_bottom(box, 4);
    gtk_widget_set_margin_start(box, 6);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(item), box);
    gtk_accessible_update_property(GTK_ACCESSIBLE(item), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   label, -1);
    g_object_set_data_full(G_OBJECT(item), "row", row, g_free);
    return item;
}

/* --- The list ------------------------------------------------------------------------------ */

static void rebuild(TlLabels *self)
{
    guint chosen = tl_labels_chosen(self), n = tl_workspace_n_labels(self->workspace);
    GtkListBoxRow *first;
    while ((first = gtk_list_box_get_row_at_index(self->list, 0))) {
        gtk_list_box_remove(self->list, GTK_WIDGET(first));
    }
    for (guint i = 0; i < n; i++) {
        gtk_list_box_append(self->list,
                            row_new(self, tl_workspace_label(self->workspace, i)));
    }
    update_rows(self);
    tl_labels_choose(self, chosen < n ? chosen : 0);
}

static void on_changed(TlWorkspace *workspace, TlImage *image, gpointer data)
{
    TlLabels *self = data;
    if (!image || image == self->image) {
        update_rows(self);
    }
}

static void on_row(TlLabels *self)
{
    g_signal_emit(self, signals[LABEL], 0);
}

guint tl_labels_chosen(TlLabels *self)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);
    return row ? (guint)gtk_list_box_row_get_index(row) : G_MAXUINT;
}

void tl_labels_choose(TlLabels *self, guint label)
{
    gtk_list_box_select_row(self->list,
                            gtk_list_box_get_row_at_index(self->list, (int)label));
}

void tl_labels_set_image(TlLabels *self, TlImage *image)
{
    if (g_set_object(&self->image, image)) {
        update_rows(self);
    }
}

/* --- The entry ------------------------------------------------------------------------------- */

static gboolean on_pause(gpointer data)
{
    TlLabels *self = data;
    self->pause = 0;
    tl_workspace_preview_label(self->workspace,
                               gtk_editable_get_text(GTK_EDITABLE(self->entry)));
    return G_SOURCE_REMOVE;
}

static void on_typed(TlLabels *self)
{
    g_clear_handle_id(&self->pause, g_source_remove);
    self->pause = g_timeout_add(PAUSE_MS, on_pause, self);
}

static void on_activate(GtkEntry *entry, gpointer data)
{
    TlLabels *self = data;
    const char *text = gtk_editable_get_text(GTK_EDITABLE(entry));
    tl_workspace_preview_label(self->workspace, text);
    guint label = tl_workspace_add_label(self->workspace, text);
    if (label != G_MAXUINT) {
        tl_labels_choose(self, label);
    }
    gtk_editable_set_text(GTK_EDITABLE(entry), "");
    g_clear_handle_id(&self->pause, g_source_remove);
}

/* Escape ends what is typed. */
static gboolean on_key(GtkEventControllerKey *keys, guint key, guint code,
                       GdkModifierType state, gpointer data)
{
    TlLabels *self = data;
    if (key != GDK_KEY_Escape) {
        return FALSE;
    }
    gtk_editable_set_text(GTK_EDITABLE(self->entry), "");
    g_clear_handle_id(&self->pause, g_source_remove);
    tl_workspace_preview_label(self->workspace, "");
    gtk_widget_child_focus(GTK_WIDGET(self->list), GTK_DIR_TAB_FORWARD);
    return TRUE;
}

void tl_labels_focus_entry(TlLabels *self)
{
    gtk_widget_grab_focus(GTK_WIDGET(self->entry));
}

/* --- Life --------------------------------------------------------------------------------------- */

static void tl_labels_dispose(GObject *object)
{
    TlLabels *self = TL_LABELS(object);
    g_clear_handle_id(&self->pause, g_source_remove);
    if (self->workspace) {
        g_signal_handlers_disconnect_by_data(self->workspace, self);
    }
    g_clear_object(&self->workspace);
    g_clear_object(&self->image);
    G_OBJECT_CLASS(tl_labels_parent_class)->dispose(object);
}

static void tl_labels_class_init(TlLabelsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_labels_dispose;
    signals[DECIDE] = g_signal_new("decide", TL_TYPE_LABELS, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_INT);
    signals[LABEL] = g_signal_new("label", TL_TYPE_LABELS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
}

static void build_entry(TlLabels *self)
{
    GtkEventController *keys = gtk_event_controller_key_new();
    self->entry = GTK_ENTRY(gtk_entry_new());
    gtk_entry_set_placeholder_text(self->entry, _("Add a label, such as “a rusty bicycle”"));
    gtk_entry_set_icon_from_icon_name(self->entry, GTK_ENTRY_ICON_PRIMARY,
                                      "list-add-symbolic");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->entry),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, _("New label"), -1);
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self->entry), keys);
    g_signal_connect(self->entry, "activate", G_CALLBACK(on_activate), self);
    g_signal_connect_swapped(self->entry, "changed", G_CALLBACK(on_typed), self);
}

static void tl_labels_init(TlLabels *self)
{
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *empty = gtk_label_new(_("Add a label below to see confidences"));
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    self->list = GTK_LIST_BOX(gtk_list_box_new());
    gtk_widget_add_css_class(empty, "dim-label");
    gtk_widget_set_margin_top(empty, 24);
    gtk_list_box_set_placeholder(self->list, empty);
    gtk_widget_add_css_class(GTK_WIDGET(self->list), "boxed-list");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->list),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, _("Labels"), -1);
    g_signal_connect_swapped(self->list, "row-selected", G_CALLBACK(on_row), self);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(self->list));
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    /* Four labels are seen beside the tallest photograph. */
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scrolled), 210);
    gtk_widget_set_vexpand(scrolled, TRUE);
    build_entry(self);
    gtk_box_append(GTK_BOX(self), scrolled);
    gtk_box_append(GTK_BOX(self), GTK_WIDGET(self->entry));
}

GtkWidget *tl_labels_new(TlWorkspace *workspace)
{
    TlLabels *self = g_object_new(TL_TYPE_LABELS, NULL);
    self->workspace = g_object_ref(workspace);
    g_signal_connect(workspace, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(workspace, "labels", G_CALLBACK(rebuild), self);
    rebuild(self);
    return GTK_WIDGET(self);
}
