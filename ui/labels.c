#include "ui/labels.h"

#include <glib/gi18n.h>

struct _TlLabels {
    GtkBox parent;
    TlWorkspace *workspace;
    TlImage *image;
    GtkListBox *list;
    GtkEntry *entry;
};

G_DEFINE_FINAL_TYPE(TlLabels, tl_labels, GTK_TYPE_BOX)

typedef struct {
    GtkLevelBar *bar;
    GtkLabel *percent;
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
    double confidence = self->image ? tl_image_confidence(self->image, index) : -1;
    StoreVerdict verdict =
        self->image ? tl_image_verdict(self->image, index) : STORE_CLEARED;
    g_autofree char *text = confidence < 0 ? g_strdup("…")
                                           : g_strdup_printf("%.0f %%", 100 * confidence);
    row->updating = TRUE;
    gtk_level_bar_set_value(row->bar, MAX(confidence, 0));
    gtk_label_set_text(row->percent, text);
    gtk_toggle_button_set_active(row->accept, verdict == STORE_ACCEPTED);
    gtk_toggle_button_set_active(row->reject, verdict == STORE_REJECTED);
    gtk_widget_set_sensitive(GTK_WIDGET(row->accept), self->image != NULL);
    gtk_widget_set_sensitive(GTK_WIDGET(row->reject), self->image != NULL);
    row->updating = FALSE;
}

static void update_rows(TlLabels *self)
{
    for (guint i = 0; row_at(self, i); i++) {
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
    tl_workspace_decide(self->workspace, self->image, index,
                        gtk_toggle_button_get_active(button) ? verdict : STORE_CLEARED);
    update_row(self, index); /* shows what is stored; the answer follows */
}

static void on_rank(GtkButton *button, gpointer data)
{
    TlLabels *self = data;
    tl_workspace_rank(self->workspace, index_of(GTK_WIDGET(button)));
}

static void on_remove(GtkButton *button, gpointer data)
{
    TlLabels *self = data;
    tl_workspace_remove_label(self->workspace, index_of(GTK_WIDGET(button)));
}

static GtkWidget *icon_button(TlLabels *self, const char *icon, const char *tooltip,
                              GCallback clicked)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);
    gtk_widget_set_tooltip_text(button, tooltip);
    gtk_widget_add_css_class(button, "flat");
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   tooltip, -1);
    g_signal_connect(button, "clicked", clicked, self);
    return button;
}

static GtkToggleButton *verdict_button(TlLabels *self, const char *icon,
                                       const char *tooltip, const char *label)
{
    GtkWidget *button = gtk_toggle_button_new();
    g_autofree char *name = g_strdup_printf("%s: %s", tooltip, label);
    gtk_button_set_icon_name(GTK_BUTTON(button), icon);
    gtk_widget_set_tooltip_text(button, tooltip);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   name, -1);
    g_signal_connect(button, "toggled", G_CALLBACK(on_toggled), self);
    return GTK_TOGGLE_BUTTON(button);
}

static GtkWidget *row_new(TlLabels *self, const char *label)
{
    Row *row = g_new0(Row, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *middle = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    GtkWidget *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *name = gtk_label_new(label);
    GtkWidget *item = gtk_list_box_row_new();
    row->bar = GTK_LEVEL_BAR(gtk_level_bar_new());
    row->percent = GTK_LABEL(gtk_label_new("…"));
    row->accept = verdict_button(self, "object-select-symbolic", _("Accept (A)"), label);
    row->reject = verdict_button(self, "window-close-symbolic", _("Reject (R)"), label);
    gtk_label_set_xalign(GTK_LABEL(name), 0);
    gtk_label_set_ellipsize(GTK_LABEL(name), PANGO_ELLIPSIZE_END);
    gtk_widget_set_hexpand(name, TRUE);
    gtk_widget_set_hexpand(middle, TRUE);
    gtk_widget_set_valign(middle, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(GTK_WIDGET(row->percent), "dim-label");
    gtk_widget_add_css_class(GTK_WIDGET(row->percent), "numeric");
    gtk_accessible_update_property(GTK_ACCESSIBLE(row->bar),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
    gtk_box_append(GTK_BOX(head), name);
    gtk_box_append(GTK_BOX(head), GTK_WIDGET(row->percent));
    gtk_box_append(GTK_BOX(middle), head);
    gtk_box_append(GTK_BOX(middle), GTK_WIDGET(row->bar));
    gtk_box_append(GTK_BOX(box), middle);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(row->accept));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(row->reject));
    gtk_box_append(GTK_BOX(box), icon_button(self, "view-sort-descending-symbolic",
                                             _("Best images first"), G_CALLBACK(on_rank)));
    gtk_box_append(GTK_BOX(box), icon_button(self, "user-trash-symbolic",
                                             _("Remove the label"), G_CALLBACK(on_remove)));
    gtk_widget_set_margin_top(box, 6);
    gtk_widget_set_margin_bottom(box, 6);
    gtk_widget_set_margin_start(box, 6);
    gtk_widget_set_margin_end(box, 6);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(item), box);
    g_object_set_data_full(G_OBJECT(item), "row", row, g_free);
    return item;
}

/* --- The list ------------------------------------------------------------------------------ */

static void rebuild(TlLabels *self)
{
    GtkListBoxRow *selected = gtk_list_box_get_selected_row(self->list);
    int index = selected ? gtk_list_box_row_get_index(selected) : 0;
    GtkListBoxRow *first;
    while ((first = gtk_list_box_get_row_at_index(self->list, 0))) {
        gtk_list_box_remove(self->list, GTK_WIDGET(first));
    }
    for (guint i = 0; i < tl_workspace_n_labels(self->workspace); i++) {
        gtk_list_box_append(self->list,
                            row_new(self, tl_workspace_label(self->workspace, i)));
    }
    update_rows(self);
    GtkListBoxRow *again = gtk_list_box_get_row_at_index(self->list, index);
    gtk_list_box_select_row(self->list, again);
}

static void on_changed(TlWorkspace *workspace, TlImage *image, gpointer data)
{
    TlLabels *self = data;
    if (!image || image == self->image) {
        update_rows(self);
    }
}

static void on_activate(GtkEntry *entry, gpointer data)
{
    TlLabels *self = data;
    tl_workspace_add_label(self->workspace, gtk_editable_get_text(GTK_EDITABLE(entry)));
    gtk_editable_set_text(GTK_EDITABLE(entry), "");
}

void tl_labels_set_image(TlLabels *self, TlImage *image)
{
    if (g_set_object(&self->image, image)) {
        update_rows(self);
    }
}

void tl_labels_decide(TlLabels *self, StoreVerdict verdict)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);
    if (!row || !self->image) {
        return;
    }
    int index = gtk_list_box_row_get_index(row);
    tl_workspace_decide(self->workspace, self->image, (guint)index, verdict);
    GtkListBoxRow *next = gtk_list_box_get_row_at_index(self->list, index + 1);
    if (next) {
        gtk_list_box_select_row(self->list, next);
    }
}

void tl_labels_focus_entry(TlLabels *self)
{
    gtk_widget_grab_focus(GTK_WIDGET(self->entry));
}

static void tl_labels_dispose(GObject *object)
{
    TlLabels *self = TL_LABELS(object);
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
}

static void tl_labels_init(TlLabels *self)
{
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *empty = gtk_label_new(_("Add a label below to see confidences"));
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    self->list = GTK_LIST_BOX(gtk_list_box_new());
    self->entry = GTK_ENTRY(gtk_entry_new());
    gtk_widget_add_css_class(empty, "dim-label");
    gtk_widget_set_margin_top(empty, 24);
    gtk_list_box_set_placeholder(self->list, empty);
    gtk_widget_add_css_class(GTK_WIDGET(self->list), "boxed-list");
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(self->list));
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    /* Four labels are seen beside the tallest photograph. */
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scrolled), 210);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_entry_set_placeholder_text(self->entry, _("Add a label, such as “a rusty bicycle”"));
    gtk_entry_set_icon_from_icon_name(self->entry, GTK_ENTRY_ICON_PRIMARY,
                                      "list-add-symbolic");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->entry),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, _("New label"), -1);
    g_signal_connect(self->entry, "activate", G_CALLBACK(on_activate), self);
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
