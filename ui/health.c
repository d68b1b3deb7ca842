#include "ui/health.h"

#include "ui/dialogs.h"
#include "ui/findings.h"
#include "ui/window_private.h"

#include <glib/gi18n.h>

#define TICK_MS 100

/* --- A check on another thread ------------------------------------------------------------ */

/* Shared by the thread and the window. `what` is a text that stays; the counters are
 * atomic. The set and the report are the thread's until the task returns. */
typedef struct {
    char *db, *folder; /* folder NULL: everything */
    const char *what;
    guint done, total;
    HealthSet *set;
    HealthReport *report;
} Job;

static void job_clear(gpointer data)
{
    Job *job = data;
    health_report_free(&job->report);
    health_set_free(&job->set);
    g_free(job->db);
    g_free(job->folder);
}

static void job_unref(gpointer job)
{
    g_atomic_rc_box_release_full(job, job_clear);
}

static const char *translate(const char *text)
{
    return _(text);
}

static void on_progress(const char *what, guint done, guint total, gpointer data)
{
    Job *job = data;
    g_atomic_pointer_set(&job->what, what);
    g_atomic_int_set(&job->done, done);
    g_atomic_int_set(&job->total, total);
}

static gboolean fill(Job *job, GCancellable *cancellable, GError **error)
{
    HealthStoreOptions o = { .folder = job->folder, .cancellable = cancellable };
    store *s = store_open(job->db, STORE_READ_ONLY, error);
    gboolean good = s && health_add_store(job->set, s, &o, error);
    store_close(&s);
    return good && (!job->folder
                    || health_add_path(job->set, job->folder, cancellable, error));
}

static void run_check(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Job *job = data;
    GError *error = NULL;
    HealthOptions o = { .checks = HEALTH_ALL, .cancellable = cancellable, .say = translate,
                        .progress = on_progress, .data = job };
    job->set = health_set_new();
    if (fill(job, cancellable, &error)) {
        job->report = health_run(job->set, &o, &error);
    }
    if (job->report) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

/* --- The window --------------------------------------------------------------------------- */

#define TL_TYPE_HEALTH (tl_health_get_type())
G_DECLARE_FINAL_TYPE(TlHealth, tl_health, TL, HEALTH, AdwWindow)

struct _TlHealth {
    AdwWindow parent;
    TlWindow *window;          /* whose images are checked; weak */
    GCancellable *cancellable; /* NULL while nothing runs */
    Job *job;                  /* that runs, or whose findings are shown */
    guint tick;
    GtkDropDown *scope;        /* the folder, everything */
    GtkButton *button;         /* begins and cancels */
    GtkStack *stack;           /* ready, work, list */
    AdwStatusPage *ready;
    GtkProgressBar *progress;
    GtkLabel *summary;
    GtkListView *list;
};

G_DEFINE_FINAL_TYPE(TlHealth, tl_health, ADW_TYPE_WINDOW)

static gboolean on_tick(gpointer data)
{
    TlHealth *self = data;
    const char *what = g_atomic_pointer_get(&self->job->what);
    guint done = (guint)g_atomic_int_get(&self->job->done);
    guint total = (guint)g_atomic_int_get(&self->job->total);
    if (total == 0) {
        gtk_progress_bar_pulse(self->progress);
        gtk_progress_bar_set_text(self->progress, _("Looking for images"));
        return G_SOURCE_CONTINUE;
    }
    g_autofree char *text = g_strdup_printf(_("%s: %u of %u"), _(what), done, total);
    gtk_progress_bar_set_fraction(self->progress, MIN((double)done / total, 1));
    gtk_progress_bar_set_text(self->progress, text);
    return G_SOURCE_CONTINUE;
}

static void set_running(TlHealth *self, gboolean running)
{
    if (running && !self->tick) {
        self->tick = g_timeout_add(TICK_MS, on_tick, self);
    } else if (!running) {
        g_clear_handle_id(&self->tick, g_source_remove);
        g_clear_object(&self->cancellable);
    }
    gtk_button_set_label(self->button, running ? _("_Cancel") : _("_Check"));
    gtk_button_set_use_underline(self->button, TRUE);
    gtk_widget_set_sensitive(GTK_WIDGET(self->scope), !running);
    if (running) {
        gtk_widget_remove_css_class(GTK_WIDGET(self->button), "suggested-action");
    } else {
        gtk_widget_add_css_class(GTK_WIDGET(self->button), "suggested-action");
    }
}

/* What the list shows is borrowed from the job. */
static void drop_findings(TlHealth *self)
{
    if (self->list) {
        gtk_list_view_set_model(self->list, NULL);
    }
    g_clear_pointer(&self->job, job_unref);
}

/* Rows come with the next layout, and only then can one have the keyboard. */
static gboolean focus_list(gpointer data)
{
    TlHealth *self = data;
    if (self->list) {
        gtk_widget_child_focus(GTK_WIDGET(self->list), GTK_DIR_TAB_FORWARD);
    }
    return G_SOURCE_REMOVE;
}

static void show_report(TlHealth *self)
{
    const HealthReport *report = self->job->report;
    g_autofree char *text = g_strdup_printf(
        _("Images: %u. Errors: %u, warnings: %u, notes: %u."), self->job->set->images->len,
        report->counts[HEALTH_ERROR], report->counts[HEALTH_WARNING],
        report->counts[HEALTH_NOTE]);
    g_autoptr(GtkSingleSelection) model =
        gtk_single_selection_new(findings_new(report));
    gtk_label_set_text(self->summary, text);
    gtk_list_view_set_model(self->list, GTK_SELECTION_MODEL(model));
    gtk_stack_set_visible_child_name(self->stack, "list");
    g_timeout_add_full(G_PRIORITY_DEFAULT, TICK_MS, focus_list, g_object_ref(self),
                       g_object_unref);
}

static void show_ready(TlHealth *self, const char *title, const char *text)
{
    g_autofree char *plain = g_markup_escape_text(text, -1);
    adw_status_page_set_title(self->ready, title);
    adw_status_page_set_description(self->ready, plain);
    gtk_stack_set_visible_child_name(self->stack, "ready");
}

static void on_checked(GObject *source, GAsyncResult *result, gpointer data)
{
    TlHealth *self = TL_HEALTH(source);
    g_autoptr(GError) error = NULL;
    gboolean good = g_task_propagate_boolean(G_TASK(result), &error);
    if (!self->stack) {
        return; /* the window was closed */
    }
    set_running(self, FALSE);
    if (good) {
        show_report(self);
    } else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        show_ready(self, _("Cancelled"), _("Nothing was changed."));
    } else {
        show_ready(self, _("The Check Failed"), error->message);
    }
}

static void start(TlHealth *self)
{
    TlWorkspace *workspace = tl_window_workspace(self->window);
    gboolean all = gtk_drop_down_get_selected(self->scope) == 1;
    drop_findings(self);
    self->job = g_atomic_rc_box_new0(Job);
    self->job->db = g_strdup(tl_workspace_database(workspace));
    self->job->folder = all ? NULL : g_strdup(tl_workspace_folder(workspace));
    self->cancellable = g_cancellable_new();
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, on_checked, NULL);
    g_task_set_task_data(task, g_atomic_rc_box_acquire(self->job), job_unref);
    gtk_stack_set_visible_child_name(self->stack, "work");
    set_running(self, TRUE);
    g_task_run_in_thread(task, run_check);
}

static void on_button(TlHealth *self)
{
    if (self->cancellable) {
        g_cancellable_cancel(self->cancellable);
    } else if (self->window) {
        start(self);
    }
}

static void on_activate(GtkListView *list, guint position, gpointer data)
{
    TlHealth *self = data;
    g_autoptr(TlFinding) item =
        g_list_model_get_item(G_LIST_MODEL(gtk_list_view_get_model(list)), position);
    const HealthFinding *finding = tl_finding_get(item);
    if (!self->window || !finding || finding->paths->len == 0) {
        return;
    }
    guint found = tl_grid_select(self->window->grid, finding->paths);
    g_autofree char *text =
        found ? g_strdup_printf(_("Selected: %u of %u images"), found, finding->paths->len)
              : g_strdup(_("These images are not in view: they lie in another folder, or the "
                           "filter leaves them out"));
    window_say(self->window, text, FALSE);
}

/* --- Building ----------------------------------------------------------------------------- */

static GtkWidget *header_new(TlHealth *self)
{
    const char *const scopes[] = { _("Opened folder"), _("Whole database"), NULL };
    GtkWidget *header = adw_header_bar_new();
    self->scope = GTK_DROP_DOWN(gtk_drop_down_new_from_strings(scopes));
    self->button = GTK_BUTTON(gtk_button_new());
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->scope), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("What is checked"), -1);
    g_signal_connect_object(self->button, "clicked", G_CALLBACK(on_button), self,
                            G_CONNECT_SWAPPED);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), GTK_WIDGET(self->scope));
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), GTK_WIDGET(self->button));
    return header;
}

static GtkWidget *list_new(TlHealth *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    self->summary = GTK_LABEL(gtk_label_new(NULL));
    self->list = GTK_LIST_VIEW(gtk_list_view_new(NULL, findings_factory_new()));
    gtk_list_view_set_show_separators(self->list, TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("What was found"), -1);
    g_signal_connect_object(self->list, "activate", G_CALLBACK(on_activate), self, 0);
    gtk_widget_set_margin_top(GTK_WIDGET(self->summary), 6);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(self->list));
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->summary));
    gtk_box_append(GTK_BOX(box), scrolled);
    return box;
}

static void build_stack(TlHealth *self)
{
    self->stack = GTK_STACK(gtk_stack_new());
    self->ready = ADW_STATUS_PAGE(adw_status_page_new());
    self->progress = GTK_PROGRESS_BAR(gtk_progress_bar_new());
    adw_status_page_set_icon_name(self->ready, "emblem-ok-symbolic");
    gtk_progress_bar_set_show_text(self->progress, TRUE);
    gtk_widget_set_valign(GTK_WIDGET(self->progress), GTK_ALIGN_CENTER);
    gtk_widget_set_margin_start(GTK_WIDGET(self->progress), 48);
    gtk_widget_set_margin_end(GTK_WIDGET(self->progress), 48);
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->ready), "ready");
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->progress), "work");
    gtk_stack_add_named(self->stack, list_new(self), "list");
    gtk_widget_set_vexpand(GTK_WIDGET(self->stack), TRUE);
}

static void tl_health_init(TlHealth *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    dialogs_add_close_keys(GTK_WINDOW(self));
    build_stack(self);
    gtk_box_append(GTK_BOX(box), header_new(self));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->stack));
    adw_window_set_content(ADW_WINDOW(self), box);
    gtk_window_set_title(GTK_WINDOW(self), _("Check the Set"));
    gtk_window_set_default_size(GTK_WINDOW(self), 640, 560);
    set_running(self, FALSE);
    show_ready(self, _("Check the Set"),
               _("Looks for broken files, copies, decisions that the model doubts, and labels "
                 "of which there are too few. Every picture is read; nothing is changed."));
    gtk_widget_grab_focus(GTK_WIDGET(self->button));
}

static void tl_health_dispose(GObject *object)
{
    TlHealth *self = TL_HEALTH(object);
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_handle_id(&self->tick, g_source_remove);
    drop_findings(self);
    self->list = NULL;
    self->stack = NULL;
    g_clear_weak_pointer(&self->window);
    G_OBJECT_CLASS(tl_health_parent_class)->dispose(object);
}

static void tl_health_class_init(TlHealthClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_health_dispose;
}

void health_show(TlWindow *parent)
{
    TlHealth *self = g_object_new(TL_TYPE_HEALTH, "transient-for", parent,
                                  "destroy-with-parent", TRUE, NULL);
    g_set_weak_pointer(&self->window, parent);
    if (!tl_workspace_folder(tl_window_workspace(parent))) {
        gtk_drop_down_set_selected(self->scope, 1);
    }
    gtk_window_present(GTK_WINDOW(self));
}
