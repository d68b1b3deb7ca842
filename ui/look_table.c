#include "ui/look_table.h"

/* --- Rows --------------------------------------------------------------------------------- */

#define TL_TYPE_LOOK_ROW (tl_look_row_get_type())
G_DECLARE_FINAL_TYPE(TlLookRow, tl_look_row, TL, LOOK_ROW, GObject)

struct _TlLookRow {
    GObject parent;
    guint row;
};

G_DEFINE_FINAL_TYPE(TlLookRow, tl_look_row, G_TYPE_OBJECT)

static void tl_look_row_class_init(TlLookRowClass *class)
{
}

static void tl_look_row_init(TlLookRow *self)
{
}

/* --- Columns ------------------------------------------------------------------------------ */

/* A column of the table, for cells and for sorting. */
typedef struct { const LookTable *table; guint column; } Place;

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    const Place *place = data;
    GtkWidget *label = gtk_label_new(NULL);
    gboolean text = look_column(place->table, place->column)->kind == LOOK_TEXT;
    gtk_label_set_xalign(GTK_LABEL(label), text ? 0 : 1);
    gtk_label_set_ellipsize(GTK_LABEL(label), text ? PANGO_ELLIPSIZE_END
                                                   : PANGO_ELLIPSIZE_NONE);
    gtk_widget_add_css_class(label, text ? "body" : "numeric");
    gtk_list_item_set_child(item, label);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    const Place *place = data;
    TlLookRow *row = gtk_list_item_get_item(item);
    g_autofree char *text = look_cell(place->table, row->row, place->column);
    gtk_label_set_text(GTK_LABEL(gtk_list_item_get_child(item)), text);
}

static int compare(gconstpointer left, gconstpointer right, gpointer data)
{
    const Place *place = data;
    guint a = ((const TlLookRow *)left)->row, b = ((const TlLookRow *)right)->row;
    if (look_column(place->table, place->column)->kind == LOOK_TEXT) {
        return g_utf8_collate(look_text(place->table, a, place->column),
                              look_text(place->table, b, place->column));
    }
    double x = look_value(place->table, a, place->column);
    double y = look_value(place->table, b, place->column);
    return x < y ? GTK_ORDERING_SMALLER : x > y ? GTK_ORDERING_LARGER : GTK_ORDERING_EQUAL;
}

static Place *place_new(const LookTable *table, guint column)
{
    Place *place = g_new(Place, 1);
    *place = (Place){ table, column };
    return place;
}

static void free_place(gpointer data, GClosure *closure)
{
    g_free(data);
}

static GtkColumnViewColumn *column_new(const LookTable *table, guint column)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    g_signal_connect_data(factory, "setup", G_CALLBACK(on_setup), place_new(table, column),
                          free_place, 0);
    g_signal_connect_data(factory, "bind", G_CALLBACK(on_bind), place_new(table, column),
                          free_place, 0);
    const LookColumn *what = look_column(table, column);
    GtkColumnViewColumn *view = gtk_column_view_column_new(what->name, factory);
    g_autoptr(GtkSorter) sorter =
        GTK_SORTER(gtk_custom_sorter_new(compare, place_new(table, column), g_free));
    gtk_column_view_column_set_sorter(view, sorter);
    gtk_column_view_column_set_resizable(view, TRUE);
    gtk_column_view_column_set_expand(view, what->kind == LOOK_TEXT);
    return view;
}

void look_table_show(GtkColumnView *view, const LookTable *table)
{
    GListModel *columns = gtk_column_view_get_columns(view);
    gtk_column_view_set_model(view, NULL);
    while (g_list_model_get_n_items(columns) > 0) {
        g_autoptr(GtkColumnViewColumn) first = g_list_model_get_item(columns, 0);
        gtk_column_view_remove_column(view, first);
    }
    if (!table) {
        return;
    }
    for (guint c = 0; c < table->columns->len; c++) {
        g_autoptr(GtkColumnViewColumn) column = column_new(table, c);
        gtk_column_view_append_column(view, column);
    }
    GListStore *rows = g_list_store_new(TL_TYPE_LOOK_ROW);
    for (guint i = 0; i < look_n_rows(table); i++) {
        g_autoptr(TlLookRow) row = g_object_new(TL_TYPE_LOOK_ROW, NULL);
        row->row = i;
        g_list_store_append(rows, row);
    }
    GtkSorter *sorter = gtk_column_view_get_sorter(view);
    GtkSortListModel *sorted = gtk_sort_list_model_new(G_LIST_MODEL(rows),
                                                       g_object_ref(sorter));
    g_autoptr(GtkNoSelection) model = gtk_no_selection_new(G_LIST_MODEL(sorted));
    gtk_column_view_set_model(view, GTK_SELECTION_MODEL(model));
}
