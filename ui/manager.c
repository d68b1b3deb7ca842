#include "ui/manager.h"

#include "ui/dialogs.h"
#include "ui/label_form.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
    TlWorkspace *workspace;
    GtkWidget *window, *search;
    AdwToastOverlay *toasts;
    GPtrArray *entries;            /* of VocabularyEntry; what the list points to */
    GListStore *list;              /* of GObject with "entry" */
    GtkFilterListModel *found;
    GtkSingleSelection *selection;
    GtkCustomFilter *filter;
    char *wanted;                  /* case folded; "" for all */
    TlLabelForm *form;
    GtkTextBuffer *pasted;
    GtkMenuButton *add;
} Manager;

static void say(Manager *m, const char *text)
{
    g_autofree char *plain = g_markup_escape_text(text, -1);
    adw_toast_overlay_add_toast(m->toasts, adw_toast_new(plain));
}

static const VocabularyEntry *entry_of(gpointer item)
{
    return item ? g_object_get_data(item, "entry") : NULL;
}

/* --- The list ----------------------------------------------------------------------------- */

static gboolean holds(const char *name, const char *wanted)
{
    g_autofree char *folded = g_utf8_casefold(name, -1);
    return strstr(folded, wanted) != NULL;
}

static gboolean is_wanted(gpointer item, gpointer data)
{
    Manager *m = data;
    const VocabularyEntry *e = entry_of(item);
    gboolean found = holds(e->name, m->wanted);
    for (char **n = e->synonyms; !found && *n; n++) {
        found = holds(*n, m->wanted);
    }
    return found;
}

/* Favourites first, what is not on the list last. */
static guint rank_of(const VocabularyEntry *e)
{
    return !e->listed ? 2 : e->favourite ? 0 : 1;
}

static void fill(Manager *m)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint rank = 0; rank < 3; rank++) {
        for (guint i = 0; i < m->entries->len; i++) {
            const VocabularyEntry *e = m->entries->pdata[i];
            if (rank_of(e) == rank) {
                GObject *item = g_object_new(G_TYPE_OBJECT, NULL);
                g_object_set_data(item, "entry", (gpointer)e);
                g_ptr_array_add(items, item);
            }
        }
    }
    g_list_store_splice(m->list, 0, g_list_model_get_n_items(G_LIST_MODEL(m->list)),
                        items->pdata, items->len);
}

static void choose(Manager *m, gint64 label)
{
    GListModel *found = G_LIST_MODEL(m->found);
    for (guint i = 0; i < g_list_model_get_n_items(found); i++) {
        g_autoptr(GObject) item = g_list_model_get_item(found, i);
        if (entry_of(item)->label == label) {
            gtk_single_selection_set_selected(m->selection, i);
            return;
        }
    }
    tl_label_form_show(m->form, NULL);
}

static void on_chosen(Manager *m)
{
    const VocabularyEntry *e =
        entry_of(gtk_single_selection_get_selected_item(m->selection));
    if (e) {
        tl_label_form_show(m->form, e);
    }
}

static void on_vocabulary(TlWorkspace *workspace, const char *text, Manager *m)
{
    g_autofree char *name = g_strstrip(g_strdup(tl_label_form_name(m->form)));
    gint64 shown = tl_label_form_label(m->form);
    gint64 label = shown ? shown : tl_workspace_find_name(workspace, name);
    GPtrArray *before = m->entries;
    m->entries = g_ptr_array_ref((GPtrArray *)tl_workspace_vocabulary(workspace));
    fill(m);
    g_clear_pointer(&before, g_ptr_array_unref);
    choose(m, label);
    on_chosen(m);
    if (text) {
        say(m, text);
    }
}

static void on_search(GtkEditable *entry, Manager *m)
{
    g_autofree char *text = g_strstrip(g_strdup(gtk_editable_get_text(entry)));
    g_free(m->wanted);
    m->wanted = g_utf8_casefold(text, -1);
    gtk_filter_changed(GTK_FILTER(m->filter), GTK_FILTER_CHANGE_DIFFERENT);
}

static void setup_row(GtkSignalListItemFactory *factory, GtkListItem *item)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    for (guint i = 0; i < 2; i++) {
        GtkWidget *label = gtk_label_new(NULL);
        gtk_label_set_xalign(GTK_LABEL(label), 0);
        gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
        gtk_box_append(GTK_BOX(box), label);
    }
    gtk_widget_add_css_class(gtk_widget_get_last_child(box), "caption");
    gtk_widget_add_css_class(gtk_widget_get_last_child(box), "dim-label");
    gtk_list_item_set_child(item, box);
}

static void bind_row(GtkSignalListItemFactory *factory, GtkListItem *item)
{
    const VocabularyEntry *e = entry_of(gtk_list_item_get_item(item));
    GtkWidget *box = gtk_list_item_get_child(item);
    GtkWidget *more = gtk_widget_get_last_child(box);
    g_autofree char *name = g_strconcat(e->favourite ? "★ " : "", e->name, NULL);
    g_autofree char *names = g_strjoinv(", ", e->synonyms);
    gtk_label_set_text(GTK_LABEL(gtk_widget_get_first_child(box)), name);
    gtk_label_set_text(GTK_LABEL(more), e->listed ? names : _("not on the list"));
    gtk_widget_set_visible(more, !e->listed || *names);
}

/* --- What is done with many ----------------------------------------------------------------- */

static void on_new(Manager *m)
{
    gtk_single_selection_set_selected(m->selection, GTK_INVALID_LIST_POSITION);
    tl_label_form_start(m->form);
}

static void on_add(Manager *m)
{
    GtkTextIter start, end;
    gtk_text_buffer_get_bounds(m->pasted, &start, &end);
    g_autofree char *text = gtk_text_buffer_get_text(m->pasted, &start, &end, FALSE);
    gtk_menu_button_popdown(m->add);
    gtk_text_buffer_set_text(m->pasted, "", 0);
    tl_workspace_add_text(m->workspace, text);
}

static void on_file(GtkNativeDialog *dialog, int response, Manager *m)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        GtkFileChooser *chooser = GTK_FILE_CHOOSER(dialog);
        g_autoptr(GFile) file = gtk_file_chooser_get_file(chooser);
        g_autofree char *path = g_file_get_path(file);
        if (path && gtk_file_chooser_get_action(chooser) == GTK_FILE_CHOOSER_ACTION_SAVE) {
            tl_workspace_export_labels(m->workspace, path);
        } else if (path) {
            tl_workspace_import_labels(m->workspace, path);
        }
    }
    g_object_unref(dialog);
}

static void ask_file(Manager *m, const char *title, GtkFileChooserAction action)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(title, GTK_WINDOW(m->window), action, NULL, NULL);
    if (action == GTK_FILE_CHOOSER_ACTION_SAVE) {
        gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), "labels.json");
    }
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_file), m);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void on_import(Manager *m)
{
    ask_file(m, _("Take in Labels"), GTK_FILE_CHOOSER_ACTION_OPEN);
}

static void on_export(Manager *m)
{
    ask_file(m, _("Write Labels (.json, or .txt for names)"), GTK_FILE_CHOOSER_ACTION_SAVE);
}

static void on_only_found(Manager *m)
{
    GListModel *found = G_LIST_MODEL(m->found);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < g_list_model_get_n_items(found); i++) {
        g_autoptr(GObject) item = g_list_model_get_item(found, i);
        if (entry_of(item)->listed) {
            g_array_append_val(ids, entry_of(item)->label);
        }
    }
    tl_workspace_set_folder_labels(m->workspace, *m->wanted ? (gint64 *)(gpointer)ids->data
                                                            : NULL, *m->wanted ? ids->len : 0);
}

/* --- Building --------------------------------------------------------------------------------- */

static void add_button(Manager *m, GtkWidget *box, const char *text, void (*run)(Manager *))
{
    GtkWidget *button = gtk_button_new_with_label(text);
    g_signal_connect_swapped(button, "clicked", G_CALLBACK(run), m);
    gtk_box_append(GTK_BOX(box), button);
}

static GtkWidget *paste_new(Manager *m)
{
    GtkWidget *popover = gtk_popover_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *scrolled = gtk_scrolled_window_new(), *text = gtk_text_view_new();
    m->pasted = gtk_text_view_get_buffer(GTK_TEXT_VIEW(text));
    gtk_accessible_update_property(GTK_ACCESSIBLE(text), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Labels, a line each"), -1);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), text);
    gtk_widget_set_size_request(scrolled, 300, 160);
    gtk_box_append(GTK_BOX(box), gtk_label_new(_("Labels, a line each")));
    gtk_box_append(GTK_BOX(box), scrolled);
    add_button(m, box, _("Add These"), on_add);
    gtk_popover_set_child(GTK_POPOVER(popover), box);
    m->add = GTK_MENU_BUTTON(gtk_menu_button_new());
    gtk_menu_button_set_label(m->add, _("Paste a List"));
    gtk_menu_button_set_popover(m->add, popover);
    return GTK_WIDGET(m->add);
}

static GtkWidget *list_new(Manager *m)
{
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    m->list = g_list_store_new(G_TYPE_OBJECT);
    m->filter = gtk_custom_filter_new(is_wanted, m, NULL);
    m->found = gtk_filter_list_model_new(g_object_ref(G_LIST_MODEL(m->list)),
                                         GTK_FILTER(m->filter));
    m->selection = gtk_single_selection_new(g_object_ref(G_LIST_MODEL(m->found)));
    gtk_single_selection_set_autoselect(m->selection, FALSE);
    gtk_single_selection_set_can_unselect(m->selection, TRUE);
    g_signal_connect(factory, "setup", G_CALLBACK(setup_row), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(bind_row), NULL);
    GtkWidget *view = gtk_list_view_new(
        g_object_ref(GTK_SELECTION_MODEL(m->selection)), factory);
    gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Labels"), -1);
    gtk_widget_add_css_class(view, "navigation-sidebar");
    g_signal_connect_swapped(m->selection, "notify::selected-item", G_CALLBACK(on_chosen), m);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), view);
    gtk_widget_set_vexpand(scrolled, TRUE);
    return scrolled;
}

static GtkWidget *left_new(Manager *m)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *search = gtk_search_entry_new();
    m->search = search;
    gtk_accessible_update_property(GTK_ACCESSIBLE(search), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Search labels"), -1);
    g_signal_connect(search, "search-changed", G_CALLBACK(on_search), m);
    gtk_box_append(GTK_BOX(box), search);
    gtk_box_append(GTK_BOX(box), list_new(m));
    add_button(m, box, _("New Label"), on_new);
    gtk_box_append(GTK_BOX(box), paste_new(m));
    add_button(m, box, _("Take in a File…"), on_import);
    add_button(m, box, _("Write a File…"), on_export);
    add_button(m, box, _("Use What Is Found in This Folder"), on_only_found);
    gtk_widget_set_size_request(box, 260, -1);
    return box;
}

static GtkWidget *content_new(Manager *m)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    m->form = TL_LABEL_FORM(tl_label_form_new(m->workspace));
    g_signal_connect_swapped(m->form, "said", G_CALLBACK(say), m);
    gtk_widget_set_margin_end(GTK_WIDGET(m->form), 12);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(m->form));
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_hexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(box), left_new(m));
    gtk_box_append(GTK_BOX(box), scrolled);
    gtk_widget_set_vexpand(box, TRUE);
    gtk_widget_set_margin_top(box, 12);
    gtk_widget_set_margin_bottom(box, 12);
    gtk_widget_set_margin_start(box, 12);
    return box;
}

static void on_failed(TlWorkspace *workspace, const char *text, Manager *m)
{
    say(m, text);
}

static void manager_free(gpointer data)
{
    Manager *m = data;
    g_clear_pointer(&m->entries, g_ptr_array_unref);
    g_object_unref(m->selection);
    g_object_unref(m->found);
    g_object_unref(m->list);
    g_object_unref(m->workspace);
    g_free(m->wanted);
    g_free(m);
}

/* Children go after this, and the workspace lives on. */
static void on_destroy(Manager *m)
{
    g_signal_handlers_disconnect_by_data(m->workspace, m);
    g_signal_handlers_disconnect_by_data(m->selection, m);
}

void manager_show(GtkWindow *parent, TlWorkspace *workspace)
{
    Manager *m = g_new0(Manager, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    m->workspace = g_object_ref(workspace);
    m->wanted = g_strdup("");
    m->window = dialogs_window_new(parent, _("Labels"), 820, 640);
    m->toasts = ADW_TOAST_OVERLAY(adw_toast_overlay_new());
    gtk_box_append(GTK_BOX(box), adw_header_bar_new());
    gtk_box_append(GTK_BOX(box), content_new(m));
    adw_toast_overlay_set_child(m->toasts, box);
    adw_window_set_content(ADW_WINDOW(m->window), GTK_WIDGET(m->toasts));
    g_object_set_data_full(G_OBJECT(m->window), "manager", m, manager_free);
    g_signal_connect(workspace, "vocabulary", G_CALLBACK(on_vocabulary), m);
    g_signal_connect(workspace, "failed", G_CALLBACK(on_failed), m);
    g_signal_connect_swapped(m->window, "destroy", G_CALLBACK(on_destroy), m);
    tl_workspace_read_vocabulary(workspace);
    gtk_widget_grab_focus(m->search);
    gtk_window_present(GTK_WINDOW(m->window));
}
