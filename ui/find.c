#include "ui/find.h"

#include <glib/gi18n.h>

#define PAUSE_MS 250

struct _TlFind {
    GtkWidget parent;
    TlWorkspace *workspace;
    GtkWidget *bar;
    GtkEntry *entry;
    GtkPopover *popover;      /* of candidates */
    GtkListBox *candidates;
    GtkMenuButton *saved;
    gsize start, end;         /* bytes of the line that a candidate replaces */
    guint pause;
};

G_DEFINE_FINAL_TYPE(TlFind, tl_find, GTK_TYPE_WIDGET)

static const char *line(TlFind *self)
{
    return gtk_editable_get_text(GTK_EDITABLE(self->entry));
}

/* --- Finding ---------------------------------------------------------------------------------- */

static void apply(TlFind *self)
{
    g_autoptr(GError) error = NULL;
    gboolean good = tl_workspace_set_filter(self->workspace, line(self), &error);
    gtk_entry_set_icon_from_icon_name(self->entry, GTK_ENTRY_ICON_SECONDARY,
                                      good ? NULL : "dialog-warning-symbolic");
    gtk_entry_set_icon_tooltip_text(self->entry, GTK_ENTRY_ICON_SECONDARY,
                                    good ? NULL : error->message);
    gtk_accessible_update_state(GTK_ACCESSIBLE(self->entry), GTK_ACCESSIBLE_STATE_INVALID,
                                good ? GTK_ACCESSIBLE_INVALID_FALSE
                                     : GTK_ACCESSIBLE_INVALID_TRUE, -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->entry),
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   good ? "" : error->message, -1);
}

/* --- Candidates -------------------------------------------------------------------------------- */

static void take(TlFind *self, const char *text)
{
    g_autofree char *before = g_strndup(line(self), self->start);
    g_autofree char *whole = g_strconcat(before, text, line(self) + self->end, NULL);
    glong at = g_utf8_strlen(before, -1) + g_utf8_strlen(text, -1);
    gtk_popover_popdown(self->popover);
    gtk_editable_set_text(GTK_EDITABLE(self->entry), whole);
    gtk_editable_set_position(GTK_EDITABLE(self->entry), (int)at);
}

static void on_candidate(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    take(data, gtk_label_get_text(GTK_LABEL(gtk_list_box_row_get_child(row))));
}

static gsize cursor_bytes(TlFind *self)
{
    int at = gtk_editable_get_position(GTK_EDITABLE(self->entry));
    return (gsize)(g_utf8_offset_to_pointer(line(self), at) - line(self));
}

static void show_candidates(TlFind *self)
{
    GtkListBoxRow *row;
    g_autoptr(GPtrArray) texts = tl_workspace_complete_filter(
        self->workspace, line(self), cursor_bytes(self), &self->start, &self->end);
    while ((row = gtk_list_box_get_row_at_index(self->candidates, 0))) {
        gtk_list_box_remove(self->candidates, GTK_WIDGET(row));
    }
    for (guint i = 0; i < texts->len; i++) {
        GtkWidget *text = gtk_label_new(texts->pdata[i]);
        gtk_label_set_xalign(GTK_LABEL(text), 0);
        gtk_list_box_append(self->candidates, text);
    }
    gtk_list_box_select_row(self->candidates,
                            gtk_list_box_get_row_at_index(self->candidates, 0));
    if (texts->len > 0 && self->end > self->start) {
        gtk_popover_popup(self->popover);
    } else {
        gtk_popover_popdown(self->popover);
    }
}

static void move_candidate(TlFind *self, int step)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->candidates);
    int at = row ? gtk_list_box_row_get_index(row) + step : 0;
    GtkListBoxRow *next = gtk_list_box_get_row_at_index(self->candidates, at);
    if (next) {
        gtk_list_box_select_row(self->candidates, next);
    }
}

/* Up, Down and Tab are for the candidates while they are in view; Escape leaves. */
static gboolean on_key(GtkEventControllerKey *keys, guint key, guint code,
                       GdkModifierType state, gpointer data)
{
    TlFind *self = data;
    gboolean open = gtk_widget_get_visible(GTK_WIDGET(self->popover));
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->candidates);
    if (open && (key == GDK_KEY_Down || key == GDK_KEY_Up)) {
        move_candidate(self, key == GDK_KEY_Down ? 1 : -1);
    } else if (open && row && (key == GDK_KEY_Tab || key == GDK_KEY_KP_Tab)) {
        on_candidate(self->candidates, row, self);
    } else if (open && key == GDK_KEY_Escape) {
        gtk_popover_popdown(self->popover);
    } else if (key == GDK_KEY_Escape) {
        gtk_editable_set_text(GTK_EDITABLE(self->entry), "");
        gtk_search_bar_set_search_mode(GTK_SEARCH_BAR(self->bar), FALSE);
    } else {
        return FALSE;
    }
    return TRUE;
}

static gboolean on_pause(gpointer data)
{
    TlFind *self = data;
    self->pause = 0;
    apply(self);
    if (gtk_widget_has_focus(GTK_WIDGET(self->entry))
        || gtk_widget_get_focus_child(GTK_WIDGET(self->entry))) {
        show_candidates(self);
    }
    return G_SOURCE_REMOVE;
}

static void on_typed(TlFind *self)
{
    g_clear_handle_id(&self->pause, g_source_remove);
    self->pause = g_timeout_add(PAUSE_MS, on_pause, self);
}

static void on_activate(TlFind *self)
{
    g_clear_handle_id(&self->pause, g_source_remove);
    gtk_popover_popdown(self->popover);
    apply(self);
}

/* --- Saved filters ------------------------------------------------------------------------------ */

static void on_saved(GtkButton *button, gpointer data)
{
    TlFind *self = data;
    const char *query =
        tl_workspace_saved_filter(self->workspace, gtk_button_get_label(button));
    gtk_menu_button_popdown(self->saved);
    gtk_editable_set_text(GTK_EDITABLE(self->entry), query ? query : "");
}

static void on_forget(GtkButton *button, gpointer data)
{
    TlFind *self = data;
    tl_workspace_save_filter(self->workspace, gtk_widget_get_name(GTK_WIDGET(button)), NULL);
}

static void on_save(GtkEntry *name, gpointer data)
{
    TlFind *self = data;
    const char *text = gtk_editable_get_text(GTK_EDITABLE(name));
    if (*text && *line(self)) {
        tl_workspace_save_filter(self->workspace, text, line(self));
    }
}

static GtkWidget *saved_row(TlFind *self, const char *name)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 3);
    GtkWidget *use = gtk_button_new_with_label(name);
    GtkWidget *forget = gtk_button_new_from_icon_name("user-trash-symbolic");
    g_autofree char *tooltip = g_strdup_printf(_("Forget the filter “%s”"), name);
    gtk_widget_add_css_class(use, "flat");
    gtk_widget_add_css_class(forget, "flat");
    gtk_widget_set_hexpand(use, TRUE);
    gtk_widget_set_name(forget, name);
    gtk_widget_set_tooltip_text(forget, tooltip);
    gtk_accessible_update_property(GTK_ACCESSIBLE(forget), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   tooltip, -1);
    g_signal_connect(use, "clicked", G_CALLBACK(on_saved), self);
    g_signal_connect(forget, "clicked", G_CALLBACK(on_forget), self);
    gtk_box_append(GTK_BOX(row), use);
    gtk_box_append(GTK_BOX(row), forget);
    return row;
}

static void show_saved(TlFind *self)
{
    const char *const *names = tl_workspace_filter_names(self->workspace);
    GtkWidget *popover = gtk_popover_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    GtkWidget *name = gtk_entry_new();
    for (guint i = 0; names[i]; i++) {
        gtk_box_append(GTK_BOX(box), saved_row(self, names[i]));
    }
    gtk_entry_set_placeholder_text(GTK_ENTRY(name), _("Save this filter as…"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(name), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Name of the filter"), -1);
    g_signal_connect(name, "activate", G_CALLBACK(on_save), self);
    gtk_box_append(GTK_BOX(box), name);
    gtk_popover_set_child(GTK_POPOVER(popover), box);
    gtk_menu_button_set_popover(self->saved, popover);
}

/* --- Life ------------------------------------------------------------------------------------------ */

void tl_find_start(TlFind *self)
{
    gtk_search_bar_set_search_mode(GTK_SEARCH_BAR(self->bar), TRUE);
    gtk_widget_grab_focus(GTK_WIDGET(self->entry));
}

static void tl_find_dispose(GObject *object)
{
    TlFind *self = TL_FIND(object);
    g_clear_handle_id(&self->pause, g_source_remove);
    if (self->workspace) {
        g_signal_handlers_disconnect_by_data(self->workspace, self);
    }
    if (self->popover) {
        gtk_widget_unparent(GTK_WIDGET(self->popover));
        self->popover = NULL;
    }
    g_clear_pointer(&self->bar, gtk_widget_unparent);
    g_clear_object(&self->workspace);
    G_OBJECT_CLASS(tl_find_parent_class)->dispose(object);
}

static void tl_find_class_init(TlFindClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_find_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}

static void tl_find_init(TlFind *self)
{
}

static void build_entry(TlFind *self)
{
    GtkEventController *keys = gtk_event_controller_key_new();
    self->entry = GTK_ENTRY(gtk_entry_new());
    gtk_widget_set_hexpand(GTK_WIDGET(self->entry), TRUE);
    gtk_entry_set_placeholder_text(
        self->entry, _("boat>0.6 and not harbour accepted:person sort:-date"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->entry),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, _("Filter"), -1);
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self->entry), keys);
    g_signal_connect_swapped(self->entry, "changed", G_CALLBACK(on_typed), self);
    g_signal_connect_swapped(self->entry, "activate", G_CALLBACK(on_activate), self);
}

static void build_candidates(TlFind *self)
{
    self->popover = GTK_POPOVER(gtk_popover_new());
    self->candidates = GTK_LIST_BOX(gtk_list_box_new());
    gtk_popover_set_autohide(self->popover, FALSE);
    gtk_popover_set_has_arrow(self->popover, FALSE);
    gtk_popover_set_child(self->popover, GTK_WIDGET(self->candidates));
    gtk_widget_set_can_focus(GTK_WIDGET(self->popover), FALSE);
    g_signal_connect(self->candidates, "row-activated", G_CALLBACK(on_candidate), self);
    gtk_widget_set_parent(GTK_WIDGET(self->popover), GTK_WIDGET(self));
}

GtkWidget *tl_find_new(TlWorkspace *workspace)
{
    TlFind *self = g_object_new(TL_TYPE_FIND, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    self->workspace = g_object_ref(workspace);
    self->bar = gtk_search_bar_new();
    self->saved = GTK_MENU_BUTTON(gtk_menu_button_new());
    build_entry(self);
    build_candidates(self);
    gtk_menu_button_set_icon_name(self->saved, "user-bookmarks-symbolic");
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->saved), _("Saved filters"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->saved),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, _("Saved filters"), -1);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->entry));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->saved));
    gtk_search_bar_set_child(GTK_SEARCH_BAR(self->bar), box);
    gtk_widget_set_hexpand(box, TRUE);
    gtk_widget_set_parent(self->bar, GTK_WIDGET(self));
    g_signal_connect_swapped(workspace, "filters", G_CALLBACK(show_saved), self);
    show_saved(self);
    return GTK_WIDGET(self);
}
