#include "ui/grid.h"

#include "ui/cell.h"

#include <glib/gi18n.h>

#define MAX_COLUMNS 12
#define STRIP_PX 200

struct _TlGrid {
    GtkWidget parent;
    TlWorkspace *workspace;
    TlThumbnails *thumbnails;
    GtkMultiSelection *selection;
    GtkWidget *scrolled;
    GtkGridView *view;
    GPtrArray *cells;     /* of TlCell in use, borrowed */
    TlImage *current;
    GHashTable *selected; /* set of TlImage, referenced */
    gboolean strip;
    gboolean restoring;   /* the order changed; what is selected stays so */
};

G_DEFINE_FINAL_TYPE(TlGrid, tl_grid, GTK_TYPE_WIDGET)

enum { CURRENT, ACTIVATE, N_SIGNALS };
static guint signals[N_SIGNALS];

static GListModel *model(TlGrid *self)
{
    return G_LIST_MODEL(self->selection);
}

/* --- The present image and those selected -------------------------------------------------- */

static void set_current(TlGrid *self, TlImage *image)
{
    if (g_set_object(&self->current, image)) {
        g_signal_emit(self, signals[CURRENT], 0);
    }
}

static void remember_selected(TlGrid *self)
{
    g_autoptr(GtkBitset) set =
        gtk_selection_model_get_selection(GTK_SELECTION_MODEL(self->selection));
    GtkBitsetIter iter;
    guint at;
    g_hash_table_remove_all(self->selected);
    for (gboolean more = gtk_bitset_iter_init_first(&iter, set, &at); more;
         more = gtk_bitset_iter_next(&iter, &at)) {
        g_hash_table_add(self->selected, g_list_model_get_item(model(self), at));
    }
}

/* The image that was added last is the present one, so that a range that grows is followed;
 * else the one that was, while it is selected. */
static void on_selection(GtkSelectionModel *selection, guint position, guint n, gpointer data)
{
    TlGrid *self = data;
    if (self->restoring) {
        return;
    }
    remember_selected(self);
    g_autoptr(GtkBitset) set = gtk_selection_model_get_selection(selection);
    gboolean kept = self->current && g_hash_table_contains(self->selected, self->current);
    guint at = n == 1 && gtk_bitset_contains(set, position) ? position
                                                            : gtk_bitset_get_minimum(set);
    if (gtk_bitset_is_empty(set) || (kept && n > 1 && gtk_bitset_get_size(set) > 1)) {
        return;
    }
    g_autoptr(TlImage) image = g_list_model_get_item(model(self), at);
    set_current(self, image);
}

static guint position_of(TlGrid *self, TlImage *image)
{
    guint n = g_list_model_get_n_items(model(self));
    for (guint i = 0; image && i < n; i++) {
        g_autoptr(TlImage) other = g_list_model_get_item(model(self), i);
        if (other == image) {
            return i;
        }
    }
    return GTK_INVALID_LIST_POSITION;
}

static TlCell *cell_of(TlGrid *self, TlImage *image)
{
    for (guint i = 0; image && i < self->cells->len; i++) {
        if (tl_cell_image(self->cells->pdata[i]) == image) {
            return self->cells->pdata[i];
        }
    }
    return NULL;
}

static void scroll_to(TlGrid *self, guint at)
{
    gtk_widget_activate_action(GTK_WIDGET(self->view), "list.scroll-to-item", "u", at);
}

void tl_grid_focus(TlGrid *self)
{
    TlCell *cell = cell_of(self, self->current);
    gtk_widget_grab_focus(cell ? gtk_widget_get_parent(GTK_WIDGET(cell))
                               : GTK_WIDGET(self->view));
}

/* The keyboard follows, unless a person types. */
static void select_at(TlGrid *self, guint at)
{
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(self));
    GtkWidget *focus = root ? gtk_root_get_focus(root) : NULL;
    gtk_selection_model_select_item(GTK_SELECTION_MODEL(self->selection), at, TRUE);
    scroll_to(self, at);
    if (!focus || !GTK_IS_EDITABLE(focus)) {
        tl_grid_focus(self);
    }
}

void tl_grid_move(TlGrid *self, int step)
{
    guint at = position_of(self, self->current), n = g_list_model_get_n_items(model(self));
    if (at == GTK_INVALID_LIST_POSITION) {
        at = step > 0 ? 0 : n - 1;
    } else if (step > 0 ? at + (guint)step < n : at >= (guint)-step) {
        at += (guint)step;
    }
    if (at < n) {
        select_at(self, at);
    }
}

gboolean tl_grid_next_open(TlGrid *self, guint label)
{
    guint at = position_of(self, self->current);
    guint next = tl_workspace_next_open(self->workspace, at + 1, label);
    if (next != G_MAXUINT) {
        select_at(self, next);
    }
    return next != G_MAXUINT;
}

TlImage *tl_grid_current(TlGrid *self)
{
    return self->current;
}

GPtrArray *tl_grid_selected(TlGrid *self)
{
    GPtrArray *images = g_ptr_array_new_with_free_func(g_object_unref);
    GHashTableIter iter;
    gpointer image;
    g_hash_table_iter_init(&iter, self->selected);
    while (g_hash_table_iter_next(&iter, &image, NULL)) {
        g_ptr_array_add(images, g_object_ref(image));
    }
    if (images->len == 0 && self->current) {
        g_ptr_array_add(images, g_object_ref(self->current));
    }
    return images;
}

guint tl_grid_select(TlGrid *self, const GPtrArray *paths)
{
    guint n = g_list_model_get_n_items(model(self));
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GtkBitset) chosen = gtk_bitset_new_empty(), all = gtk_bitset_new_range(0, n);
    for (guint i = 0; i < paths->len; i++) {
        g_hash_table_add(wanted, paths->pdata[i]);
    }
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(model(self), i);
        if (g_hash_table_contains(wanted, tl_image_path(image))) {
            gtk_bitset_add(chosen, i);
        }
    }
    if (!gtk_bitset_is_empty(chosen)) {
        guint first = gtk_bitset_get_minimum(chosen);
        gtk_selection_model_set_selection(GTK_SELECTION_MODEL(self->selection), chosen, all);
        g_autoptr(TlImage) image = g_list_model_get_item(model(self), first);
        set_current(self, image);
        scroll_to(self, first);
    }
    return (guint)gtk_bitset_get_size(chosen);
}

/* Another order: the same images are selected where they are in it. What it leaves out is
 * selected no longer, for nobody would see what happens to it. */
static void on_ordered(TlGrid *self)
{
    guint n = g_list_model_get_n_items(model(self)), at = GTK_INVALID_LIST_POSITION;
    g_autoptr(GtkBitset) chosen = gtk_bitset_new_empty(), all = gtk_bitset_new_range(0, n);
    for (guint i = 0; i < n; i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(model(self), i);
        if (g_hash_table_contains(self->selected, image)) {
            gtk_bitset_add(chosen, i);
        }
        at = image == self->current ? i : at;
    }
    self->restoring = TRUE;
    gtk_selection_model_set_selection(GTK_SELECTION_MODEL(self->selection), chosen, all);
    self->restoring = FALSE;
    remember_selected(self);
    if (n == 0) {
        set_current(self, NULL);
    } else if (at == GTK_INVALID_LIST_POSITION) {
        select_at(self, 0);
    } else {
        scroll_to(self, at);
    }
}

/* --- Cells ---------------------------------------------------------------------------------------- */

/* Dragging one of those selected takes them all. */
static GdkContentProvider *on_drag(GtkDragSource *source, double x, double y, gpointer data)
{
    TlCell *cell = TL_CELL(gtk_event_controller_get_widget(GTK_EVENT_CONTROLLER(source)));
    TlGrid *self = data;
    TlImage *image = tl_cell_image(cell);
    if (!image) {
        return NULL;
    }
    g_autoptr(GPtrArray) images = g_hash_table_contains(self->selected, image)
                                      ? tl_grid_selected(self) : NULL;
    GSList *files = NULL;
    for (guint i = 0; images && i < images->len; i++) {
        files = g_slist_prepend(files, g_file_new_for_path(tl_image_path(images->pdata[i])));
    }
    files = files ? files : g_slist_prepend(NULL, g_file_new_for_path(tl_image_path(image)));
    GdkFileList *list = gdk_file_list_new_from_list(files);
    g_slist_free_full(files, g_object_unref);
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GDK_TYPE_FILE_LIST);
    g_value_take_boxed(&value, list);
    GdkContentProvider *provider = gdk_content_provider_new_for_value(&value);
    g_value_unset(&value);
    return provider;
}

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    TlGrid *self = data;
    GtkWidget *cell = tl_cell_new(self->workspace, self->thumbnails);
    GtkDragSource *drag = gtk_drag_source_new();
    g_signal_connect(drag, "prepare", G_CALLBACK(on_drag), self);
    gtk_widget_add_controller(cell, GTK_EVENT_CONTROLLER(drag));
    gtk_list_item_set_child(item, cell);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    TlGrid *self = data;
    TlCell *cell = TL_CELL(gtk_list_item_get_child(item));
    tl_cell_set_strip(cell, self->strip);
    tl_cell_set_image(cell, gtk_list_item_get_item(item));
    g_ptr_array_add(self->cells, cell);
}

static void on_unbind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    TlGrid *self = data;
    TlCell *cell = TL_CELL(gtk_list_item_get_child(item));
    tl_cell_set_image(cell, NULL);
    g_ptr_array_remove_fast(self->cells, cell);
}

static void update_cells(TlGrid *self)
{
    for (guint i = 0; i < self->cells->len; i++) {
        tl_cell_update(self->cells->pdata[i]);
    }
}

static void on_changed(TlWorkspace *workspace, TlImage *image, gpointer data)
{
    TlGrid *self = data;
    TlCell *cell = image ? cell_of(self, image) : NULL;
    if (cell) {
        tl_cell_update(cell);
    } else if (!image) {
        update_cells(self);
    }
}

static void on_activate(GtkGridView *view, guint position, gpointer data)
{
    g_signal_emit(data, signals[ACTIVATE], 0);
}

void tl_grid_set_strip(TlGrid *self, gboolean strip)
{
    self->strip = strip;
    for (guint i = 0; i < self->cells->len; i++) {
        tl_cell_set_strip(self->cells->pdata[i], strip);
    }
    gtk_grid_view_set_min_columns(self->view, 1);
    gtk_grid_view_set_max_columns(self->view, strip ? 1 : MAX_COLUMNS);
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self->view),
                                   strip ? GTK_ORIENTATION_HORIZONTAL
                                         : GTK_ORIENTATION_VERTICAL);
    gtk_widget_set_vexpand(self->scrolled, !strip);
    gtk_widget_set_size_request(self->scrolled, strip ? -1 : 380, strip ? STRIP_PX : -1);
    guint at = position_of(self, self->current);
    if (at != GTK_INVALID_LIST_POSITION) {
        scroll_to(self, at);
    }
}

/* --- Life -------------------------------------------------------------------------------------------- */

static void tl_grid_dispose(GObject *object)
{
    TlGrid *self = TL_GRID(object);
    if (self->workspace) {
        g_signal_handlers_disconnect_by_data(self->workspace, self);
    }
    if (self->selection) {
        g_signal_handlers_disconnect_by_data(self->selection, self);
    }
    g_clear_pointer(&self->scrolled, gtk_widget_unparent);
    g_clear_object(&self->current);
    g_clear_object(&self->selection);
    g_clear_object(&self->thumbnails);
    g_clear_object(&self->workspace);
    G_OBJECT_CLASS(tl_grid_parent_class)->dispose(object);
}

static void tl_grid_finalize(GObject *object)
{
    TlGrid *self = TL_GRID(object);
    g_ptr_array_unref(self->cells);
    g_hash_table_unref(self->selected);
    G_OBJECT_CLASS(tl_grid_parent_class)->finalize(object);
}

static void tl_grid_class_init(TlGridClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_grid_dispose;
    G_OBJECT_CLASS(class)->finalize = tl_grid_finalize;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
    signals[CURRENT] = g_signal_new("current", TL_TYPE_GRID, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    signals[ACTIVATE] = g_signal_new("activate", TL_TYPE_GRID, G_SIGNAL_RUN_LAST, 0, NULL,
                                     NULL, NULL, G_TYPE_NONE, 0);
}

static void tl_grid_init(TlGrid *self)
{
    self->cells = g_ptr_array_new();
    self->selected = g_hash_table_new_full(NULL, NULL, g_object_unref, NULL);
}

static GtkGridView *view_new(TlGrid *self)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    g_signal_connect(factory, "setup", G_CALLBACK(on_setup), self);
    g_signal_connect(factory, "bind", G_CALLBACK(on_bind), self);
    g_signal_connect(factory, "unbind", G_CALLBACK(on_unbind), self);
    GtkWidget *view =
        gtk_grid_view_new(GTK_SELECTION_MODEL(g_object_ref(self->selection)), factory);
    gtk_grid_view_set_enable_rubberband(GTK_GRID_VIEW(view), TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Images"), -1);
    g_signal_connect(view, "activate", G_CALLBACK(on_activate), self);
    return GTK_GRID_VIEW(view);
}

GtkWidget *tl_grid_new(TlWorkspace *workspace, TlThumbnails *thumbnails)
{
    TlGrid *self = g_object_new(TL_TYPE_GRID, NULL);
    self->workspace = g_object_ref(workspace);
    self->thumbnails = g_object_ref(thumbnails);
    self->selection =
        gtk_multi_selection_new(g_object_ref(tl_workspace_images(workspace)));
    self->view = view_new(self);
    self->scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->scrolled),
                                  GTK_WIDGET(self->view));
    gtk_widget_set_hexpand(self->scrolled, TRUE);
    gtk_widget_set_parent(self->scrolled, GTK_WIDGET(self));
    tl_grid_set_strip(self, FALSE);
    g_signal_connect(self->selection, "selection-changed", G_CALLBACK(on_selection), self);
    g_signal_connect(workspace, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(workspace, "ordered", G_CALLBACK(on_ordered), self);
    g_signal_connect_swapped(workspace, "labels", G_CALLBACK(update_cells), self);
    return GTK_WIDGET(self);
}
