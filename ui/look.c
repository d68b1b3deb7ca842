#include "ui/look.h"

#include "app/look/chart.h"
#include "app/store/thresholds.h"
#include "ui/canvas.h"
#include "ui/dialogs.h"
#include "ui/look_job.h"
#include "ui/look_table.h"
#include "ui/settings.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define TL_TYPE_LOOK (tl_look_get_type())
G_DECLARE_FINAL_TYPE(TlLook, tl_look, TL, LOOK, AdwWindow)

struct _TlLook {
    AdwWindow parent;
    char *db, *first_label;
    GCancellable *cancellable;
    GtkDropDown *views, *labels, *models; /* models: the first is the latest */
    GtkWidget *about;                     /* what only views about a label need */
    GtkStack *stack;                      /* wait, chart, table, problem */
    GtkToggleButton *as_table;
    GtkWidget *export;
    GtkWidget *chart;
    GtkColumnView *list;
    AdwStatusPage *problem;
    AdwToastOverlay *toasts;
    LookTable *table;                     /* NULL while there is none */
    gboolean filling;                     /* the lists change, and nobody chose */
};

G_DEFINE_FINAL_TYPE(TlLook, tl_look, ADW_TYPE_WINDOW)

/* --- Asking and waiting ------------------------------------------------------------------- */

static void start(TlLook *self, LookJob *job, GAsyncReadyCallback done)
{
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    self->cancellable = g_cancellable_new();
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, done, NULL);
    job->db = g_strdup(self->db);
    g_task_set_task_data(task, job, look_job_free);
    gtk_stack_set_visible_child_name(self->stack, "wait");
    gtk_widget_set_sensitive(self->export, FALSE);
    g_task_run_in_thread(task, look_job_run);
}

/* --- What is shown ------------------------------------------------------------------------ */

/* FALSE with the reason in view, or when it was cancelled: another one comes then. */
static gboolean is_good(TlLook *self, GAsyncResult *result)
{
    g_autoptr(GError) error = NULL;
    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        return TRUE;
    }
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_autofree char *plain = g_markup_escape_text(error->message, -1);
        adw_status_page_set_title(self->problem, _("Nothing to Show"));
        adw_status_page_set_description(self->problem, plain);
        gtk_stack_set_visible_child_name(self->stack, "problem");
    }
    return FALSE;
}

static void show_page(TlLook *self)
{
    gboolean table = gtk_toggle_button_get_active(self->as_table);
    if (self->table) {
        gtk_stack_set_visible_child_name(self->stack, table ? "table" : "chart");
    }
}

static void show_table(TlLook *self, LookTable *table)
{
    look_table_show(self->list, NULL);
    g_clear_pointer(&self->table, look_table_free);
    self->table = table;
    ChartStyle style = { widget_canvas_text_size(self->chart), FALSE };
    /* Lists of labels grow; other pictures fill what there is. */
    double least = table->view == LOOK_COUNTS ? chart_height(table, 0, &style)
                   : table->view == LOOK_TOGETHER ? 36 * style.text : 28 * style.text;
    gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(self->chart), (int)least);
    gtk_drawing_area_set_content_width(GTK_DRAWING_AREA(self->chart), (int)(32 * style.text));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->chart),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, table->title,
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, table->note, -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   table->title, -1);
    look_table_show(self->list, table);
    gtk_widget_set_sensitive(self->export, TRUE);
    gtk_widget_queue_draw(self->chart);
    show_page(self);
}

static void draw(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
    TlLook *self = data;
    ChartStyle style = { widget_canvas_text_size(GTK_WIDGET(area)),
                         adw_style_manager_get_dark(adw_style_manager_get_default()) };
    WidgetCanvas canvas;
    if (self->table) {
        widget_canvas_init(&canvas, GTK_WIDGET(area), cr);
        chart_draw(self->table, &canvas.canvas, width, height, &style);
        widget_canvas_finish(&canvas);
    }
}

/* --- Asking ------------------------------------------------------------------------------- */

static const char *chosen(GtkDropDown *list)
{
    GtkStringObject *item = gtk_drop_down_get_selected_item(list);
    return item ? gtk_string_object_get_string(item) : NULL;
}

static void on_table(GObject *source, GAsyncResult *result, gpointer data)
{
    TlLook *self = TL_LOOK(source);
    LookJob *job = g_task_get_task_data(G_TASK(result));
    if (is_good(self, result)) {
        show_table(self, g_steal_pointer(&job->table));
    }
}

static void ask(TlLook *self)
{
    if (self->filling) {
        return;
    }
    LookJob *job = g_new0(LookJob, 1);
    job->view = gtk_drop_down_get_selected(self->views);
    job->threshold = settings_get_number("threshold", STORE_DEFAULT_THRESHOLD);
    gtk_widget_set_visible(self->about, look_is_about_label(job->view));
    if (look_is_about_label(job->view)) {
        job->label = g_strdup(chosen(self->labels));
    }
    if (gtk_drop_down_get_selected(self->models) > 0) {
        job->model = g_strdup(chosen(self->models));
    }
    start(self, job, on_table);
}

/* What was chosen stays so where it is still there. */
static void fill(GtkDropDown *list, const char *first, GStrv names, const char *wanted)
{
    const char *const none[] = { first, NULL };
    g_autoptr(GtkStringList) model = gtk_string_list_new(first ? none : NULL);
    guint selected = 0;
    for (char **name = names; *name; name++) {
        if (g_strcmp0(*name, wanted) == 0) {
            selected = g_list_model_get_n_items(G_LIST_MODEL(model));
        }
        gtk_string_list_append(model, *name);
    }
    gtk_drop_down_set_model(list, G_LIST_MODEL(model));
    gtk_drop_down_set_selected(list, selected);
}

static void on_names(GObject *source, GAsyncResult *result, gpointer data)
{
    TlLook *self = TL_LOOK(source);
    LookJob *job = g_task_get_task_data(G_TASK(result));
    if (!is_good(self, result)) {
        return;
    }
    g_autofree char *label = g_strdup(chosen(self->labels));
    g_autofree char *model = g_strdup(chosen(self->models));
    self->filling = TRUE;
    fill(self->labels, NULL, job->labels, label ? label : self->first_label);
    fill(self->models, _("Latest model"), job->models, model);
    self->filling = FALSE;
    ask(self);
}

static void refresh(TlLook *self)
{
    LookJob *job = g_new0(LookJob, 1);
    job->names = TRUE;
    start(self, job, on_names);
}

/* --- Exporting ---------------------------------------------------------------------------- */

static void on_save(GtkNativeDialog *dialog, int response, gpointer data)
{
    TlLook *self = data;
    gboolean csv = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(dialog), "csv"));
    g_autoptr(GFile) file = response == GTK_RESPONSE_ACCEPT
                                ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog)) : NULL;
    if (file && self->table) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = csv ? look_to_csv(self->table) : look_to_svg(self->table);
        gboolean good = g_file_replace_contents(file, text, strlen(text), NULL, FALSE, 0, NULL,
                                                NULL, &error);
        g_autofree char *plain =
            g_markup_escape_text(good ? _("Saved") : error->message, -1);
        adw_toast_overlay_add_toast(self->toasts, adw_toast_new(plain));
    }
    g_object_unref(dialog);
}

static void save(TlLook *self, gboolean csv)
{
    if (!self->table) {
        return;
    }
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        csv ? _("Export as CSV") : _("Export as SVG"), GTK_WINDOW(self),
        GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
    g_autofree char *name = g_strconcat(look_view_name(self->table->view),
                                        csv ? ".csv" : ".svg", NULL);
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), name);
    g_object_set_data(G_OBJECT(dialog), "csv", GINT_TO_POINTER(csv));
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_save), self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void action_svg(GtkWidget *widget, const char *name, GVariant *parameter)
{
    save(TL_LOOK(widget), FALSE);
}

static void action_csv(GtkWidget *widget, const char *name, GVariant *parameter)
{
    save(TL_LOOK(widget), TRUE);
}

static void action_view(GtkWidget *widget, const char *name, GVariant *parameter)
{
    gtk_drop_down_set_selected(TL_LOOK(widget)->views,
                               (guint)g_variant_get_int32(parameter));
}

static void action_refresh(GtkWidget *widget, const char *name, GVariant *parameter)
{
    refresh(TL_LOOK(widget));
}

/* --- Building ----------------------------------------------------------------------------- */

static GtkDropDown *list_new(TlLook *self, const char *name, gboolean search)
{
    GtkWidget *list = gtk_drop_down_new(NULL, NULL);
    if (search) {
        gtk_drop_down_set_expression(GTK_DROP_DOWN(list),
                                     gtk_property_expression_new(GTK_TYPE_STRING_OBJECT, NULL,
                                                                 "string"));
        gtk_drop_down_set_enable_search(GTK_DROP_DOWN(list), TRUE);
    }
    gtk_widget_set_tooltip_text(list, name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                   -1);
    g_signal_connect_object(list, "notify::selected", G_CALLBACK(ask), self,
                            G_CONNECT_SWAPPED);
    return GTK_DROP_DOWN(list);
}

static void fill_views(TlLook *self)
{
    g_autoptr(GtkStringList) names = gtk_string_list_new(NULL);
    for (guint i = 0; i < LOOK_VIEWS; i++) {
        gtk_string_list_append(names, _(look_view_title(i)));
    }
    gtk_drop_down_set_model(self->views, G_LIST_MODEL(names));
}

static GtkWidget *export_new(void)
{
    GtkWidget *button = gtk_menu_button_new();
    g_autoptr(GMenu) menu = g_menu_new();
    g_menu_append(menu, _("As a _Picture (SVG)…"), "look.svg");
    g_menu_append(menu, _("As a _Table (CSV)…"), "look.csv");
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
    gtk_menu_button_set_label(GTK_MENU_BUTTON(button), _("Export"));
    return button;
}

static GtkWidget *header_new(TlLook *self)
{
    GtkWidget *header = adw_header_bar_new();
    GtkWidget *refresh_button = gtk_button_new_from_icon_name("view-refresh-symbolic");
    self->as_table = GTK_TOGGLE_BUTTON(gtk_toggle_button_new_with_mnemonic(_("_Table")));
    self->export = export_new();
    gtk_widget_set_tooltip_text(refresh_button, _("Count again (F5)"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(refresh_button),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, _("Count again (F5)"), -1);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(refresh_button), "look.refresh");
    g_signal_connect_object(self->as_table, "toggled", G_CALLBACK(show_page), self,
                            G_CONNECT_SWAPPED);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), GTK_WIDGET(self->views));
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), refresh_button);
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), self->export);
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), GTK_WIDGET(self->as_table));
    return header;
}

static GtkWidget *scrolled_new(GtkWidget *child)
{
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), child);
    return scrolled;
}

static void build_stack(TlLook *self)
{
    GtkWidget *spinner = gtk_spinner_new();
    self->stack = GTK_STACK(gtk_stack_new());
    self->chart = g_object_new(GTK_TYPE_DRAWING_AREA, "accessible-role",
                               GTK_ACCESSIBLE_ROLE_IMG, NULL);
    self->list = GTK_COLUMN_VIEW(gtk_column_view_new(NULL));
    self->problem = ADW_STATUS_PAGE(adw_status_page_new());
    adw_status_page_set_icon_name(self->problem, "dialog-information-symbolic");
    gtk_spinner_start(GTK_SPINNER(spinner));
    gtk_widget_set_size_request(spinner, 32, 32);
    gtk_widget_set_halign(spinner, GTK_ALIGN_CENTER);
    gtk_accessible_update_property(GTK_ACCESSIBLE(spinner), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Counting…"), -1);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(self->chart), draw, self, NULL);
    gtk_column_view_set_show_row_separators(self->list, TRUE);
    gtk_stack_add_named(self->stack, spinner, "wait");
    gtk_stack_add_named(self->stack, scrolled_new(self->chart), "chart");
    gtk_stack_add_named(self->stack, scrolled_new(GTK_WIDGET(self->list)), "table");
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->problem), "problem");
    gtk_widget_set_vexpand(GTK_WIDGET(self->stack), TRUE);
}

static GtkWidget *about_new(TlLook *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    self->labels = list_new(self, _("Label"), TRUE);
    self->models = list_new(self, _("Model"), FALSE);
    gtk_widget_set_hexpand(GTK_WIDGET(self->labels), TRUE);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->labels));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->models));
    gtk_widget_set_margin_start(box, 12);
    gtk_widget_set_margin_end(box, 12);
    gtk_widget_set_margin_top(box, 6);
    return box;
}

static void tl_look_init(TlLook *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    self->filling = TRUE;
    dialogs_add_close_keys(GTK_WINDOW(self));
    self->views = list_new(self, _("View"), FALSE);
    self->about = about_new(self);
    self->toasts = ADW_TOAST_OVERLAY(adw_toast_overlay_new());
    fill_views(self);
    build_stack(self);
    gtk_box_append(GTK_BOX(box), header_new(self));
    gtk_box_append(GTK_BOX(box), self->about);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->stack));
    adw_toast_overlay_set_child(self->toasts, box);
    adw_window_set_content(ADW_WINDOW(self), GTK_WIDGET(self->toasts));
    gtk_window_set_title(GTK_WINDOW(self), _("Look at Your Data"));
    gtk_window_set_default_size(GTK_WINDOW(self), 860, 640);
    g_signal_connect_object(adw_style_manager_get_default(), "notify::dark",
                            G_CALLBACK(gtk_widget_queue_draw), self->chart,
                            G_CONNECT_SWAPPED);
    self->filling = FALSE;
}

static void tl_look_dispose(GObject *object)
{
    TlLook *self = TL_LOOK(object);
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    self->filling = TRUE; /* the lists lose their models */
    if (self->list) {
        look_table_show(self->list, NULL);
        self->list = NULL;
    }
    g_clear_pointer(&self->table, look_table_free);
    G_OBJECT_CLASS(tl_look_parent_class)->dispose(object);
}

static void tl_look_finalize(GObject *object)
{
    g_free(TL_LOOK(object)->db);
    g_free(TL_LOOK(object)->first_label);
    G_OBJECT_CLASS(tl_look_parent_class)->finalize(object);
}

static void tl_look_class_init(TlLookClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = tl_look_dispose;
    G_OBJECT_CLASS(class)->finalize = tl_look_finalize;
    gtk_widget_class_install_action(widget, "look.svg", NULL, action_svg);
    gtk_widget_class_install_action(widget, "look.csv", NULL, action_csv);
    gtk_widget_class_install_action(widget, "look.refresh", NULL, action_refresh);
    gtk_widget_class_install_action(widget, "look.view", "i", action_view);
    for (int i = 0; i < LOOK_VIEWS; i++) {
        gtk_widget_class_add_binding_action(widget, GDK_KEY_1 + (guint)i, GDK_ALT_MASK,
                                            "look.view", "i", i);
    }
    gtk_widget_class_add_binding_action(widget, GDK_KEY_F5, 0, "look.refresh", NULL);
}

void look_show(GtkWindow *parent, TlWorkspace *workspace, const char *label)
{
    TlLook *self = g_object_new(TL_TYPE_LOOK, "transient-for", parent, "destroy-with-parent",
                                TRUE, NULL);
    self->db = g_strdup(tl_workspace_database(workspace));
    self->first_label = g_strdup(label);
    refresh(self);
    gtk_window_present(GTK_WINDOW(self));
}
