#include "ui/batch.h"

#include "app/commands/commands.h"
#include "app/jobs/rate.h"
#include "app/tagger/tag_job.h"
#include "ui/dialogs.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define USUAL_ACCEPT 90 /* % */

/* One for each dialog; it outlives the dialog while work is under way. */
typedef struct {
    GtkWindow *parent;         /* NULL once it has gone, and the dialog with it */
    GtkWindow *window;
    TlWorkspace *workspace;
    AdwActionRow *folder_row, *labels_row;
    GtkSwitch *below, *again, *accept;
    GtkSpinButton *above;
    GtkWidget *options;
    GtkProgressBar *progress;
    GtkLabel *text;
    GtkButton *start, *open;
    char *folder;              /* that was chosen, or NULL */
    GCancellable *cancellable; /* of the work under way, else NULL */
    struct rate rate;
    guint inhibited;
} Batch;

static GPtrArray *running; /* cancellables of what is under way; NULL before the first */

static void batch_clear(gpointer data)
{
    Batch *b = data;
    g_object_unref(b->workspace);
    g_free(b->folder);
}

static void batch_unref(Batch *b)
{
    g_rc_box_release_full(b, batch_clear);
}

/* --- What stands there -------------------------------------------------------------------- */

static void show_labels(Batch *b, const GPtrArray *names)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < names->len; i++) {
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *)names->pdata[i]);
    }
    adw_action_row_set_subtitle(b->labels_row,
                                names->len > 0 ? text->str
                                               : _("Type a label in the window first"));
}

/* Why nothing can be started, or NULL. */
static const char *hindrance(Batch *b, const GPtrArray *names)
{
    const TlModelFacts *model = tl_workspace_model(b->workspace);
    return !model                                       ? _("No model")
           : !b->folder                                 ? _("Choose a folder first")
           : model->open_vocabulary && names->len == 0  ? _("Type a label in the window first")
                                                        : NULL;
}

static void update(Batch *b)
{
    g_autoptr(GPtrArray) names = tl_workspace_label_names(b->workspace);
    g_autofree char *folder = b->folder ? g_filename_display_name(b->folder) : NULL;
    const char *why = hindrance(b, names);
    gboolean working = b->cancellable != NULL;
    adw_action_row_set_subtitle(b->folder_row, folder ? folder : "");
    show_labels(b, names);
    gtk_widget_set_sensitive(b->options, !working);
    gtk_widget_set_sensitive(GTK_WIDGET(b->above), gtk_switch_get_active(b->accept));
    gtk_widget_set_visible(GTK_WIDGET(b->progress), working);
    gtk_button_set_label(b->start, working ? _("_Stop") : _("_Tag"));
    gtk_widget_set_sensitive(GTK_WIDGET(b->start), working || !why);
    gtk_widget_set_tooltip_text(GTK_WIDGET(b->start), working ? NULL : why);
}

static void on_progress(const struct tag_job_stats *stats, gpointer data)
{
    Batch *b = data;
    double rate = rate_take(&b->rate, g_get_monotonic_time(), stats->done);
    guint left = rate_seconds_left(rate, stats->total - stats->done);
    if (!b->parent || !b->cancellable) {
        return;
    }
    g_autofree char *text =
        rate > 0 ? g_strdup_printf(_("%u of %u images, %.1f a second, %u:%02u left"),
                                   stats->done, stats->total, rate, left / 60, left % 60)
                 : g_strdup_printf(_("%u of %u images"), stats->done, stats->total);
    gtk_label_set_text(b->text, text);
    gtk_progress_bar_set_fraction(b->progress,
                                  stats->total ? (double)stats->done / stats->total : 0);
}

/* --- The work ---------------------------------------------------------------------------- */

static void add_part(GString *text, const char *format, guint count)
    G_GNUC_PRINTF(2, 0);

static void add_part(GString *text, const char *format, guint count)
{
    if (count > 0) {
        g_string_append(text, text->len > 0 ? " · " : "");
        g_string_append_printf(text, format, count);
    }
}

static char *describe(const struct tag_job_stats *s)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, ngettext("%u image tagged", "%u images tagged", s->tagged),
                           s->tagged);
    add_part(text, ngettext("%u done before", "%u done before", s->before), s->before);
    add_part(text, ngettext("%u cannot be read", "%u cannot be read", s->broken), s->broken);
    add_part(text, ngettext("%u acceptance by the model", "%u acceptances by the model",
                            s->accepted), s->accepted);
    return g_string_free(text, FALSE);
}

static void stay_awake(Batch *b, gboolean awake)
{
    GtkApplication *app = b->parent ? gtk_window_get_application(b->parent)
                                    : GTK_APPLICATION(g_application_get_default());
    if (awake && app) {
        b->inhibited = gtk_application_inhibit(app, b->parent,
                                               GTK_APPLICATION_INHIBIT_SUSPEND,
                                               _("Taglight tags a folder"));
    } else if (b->inhibited && app) {
        gtk_application_uninhibit(app, b->inhibited);
        b->inhibited = 0;
    }
}

/* Where nobody looks at the dialog. */
static void notify(Batch *b, const char *title, const char *text)
{
    GApplication *app = g_application_get_default();
    if (app && b->parent && !gtk_window_is_active(b->window)) {
        g_autoptr(GNotification) note = g_notification_new(title);
        g_notification_set_body(note, text);
        g_application_send_notification(app, "batch", note);
    }
}

static void on_tagged(GObject *source, GAsyncResult *result, gpointer data)
{
    Batch *b = data;
    struct tag_job_stats stats = { 0 };
    g_autoptr(GError) error = NULL;
    gboolean good = tag_task_run_finish(result, &stats, &error);
    gboolean stopped = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_ptr_array_remove(running, b->cancellable);
    g_clear_object(&b->cancellable);
    stay_awake(b, FALSE);
    if (b->parent) {
        g_autofree char *text = good      ? describe(&stats)
                                : stopped ? g_strdup(_("Stopped; what was done is kept"))
                                          : g_strdup(error->message);
        gtk_label_set_text(b->text, text);
        gtk_widget_set_visible(GTK_WIDGET(b->open), good);
        update(b);
        if (!stopped) {
            notify(b, good ? _("The folder is tagged") : _("Tagging has failed"), text);
        }
    }
    batch_unref(b);
}

static void start(Batch *b)
{
    const TlModelFacts *model = tl_workspace_model(b->workspace);
    g_autofree char *cache = command_cache_dir();
    g_autoptr(GPtrArray) names = model->open_vocabulary
                                     ? tl_workspace_label_names(b->workspace)
                                     : g_ptr_array_new_with_free_func(g_free);
    struct tag_task_params params = {
        .model = { .path = tl_workspace_model_path(b->workspace), .device = model->device,
                   .cache_dir = cache },
        .db = tl_workspace_database(b->workspace), .folder = b->folder, .labels = names,
        .recursive = gtk_switch_get_active(b->below),
        .again = gtk_switch_get_active(b->again),
        .accept_above = gtk_switch_get_active(b->accept)
                            ? gtk_spin_button_get_value(b->above) / 100 : -1,
        .progress = on_progress, .data = b };
    b->cancellable = g_cancellable_new();
    b->rate = rate_start(g_get_monotonic_time());
    running = running ? running : g_ptr_array_new();
    g_ptr_array_add(running, b->cancellable);
    gtk_widget_set_visible(GTK_WIDGET(b->open), FALSE);
    gtk_progress_bar_set_fraction(b->progress, 0);
    gtk_label_set_text(b->text, _("Loading the model…"));
    stay_awake(b, TRUE);
    tag_task_run_async(&params, b->cancellable, on_tagged, g_rc_box_acquire(b));
    update(b);
}

static void on_start(Batch *b)
{
    if (b->cancellable) {
        g_cancellable_cancel(b->cancellable);
    } else {
        start(b);
    }
}

void batch_stop_all(void)
{
    for (guint i = 0; running && i < running->len; i++) {
        g_cancellable_cancel(running->pdata[i]);
    }
    while (running && running->len > 0) {
        g_main_context_iteration(NULL, TRUE);
    }
}

/* --- What a person does ------------------------------------------------------------------- */

static void on_chosen(GtkNativeDialog *dialog, int response, Batch *b)
{
    if (response == GTK_RESPONSE_ACCEPT && b->parent) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        char *path = g_file_get_path(file);
        if (path) {
            g_free(b->folder);
            b->folder = path;
            gtk_widget_set_visible(GTK_WIDGET(b->open), FALSE);
            update(b);
        }
    }
    g_object_unref(dialog);
    batch_unref(b);
}

static void on_choose(Batch *b)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Tag a Folder"), b->window, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Choose"),
        _("_Cancel"));
    g_signal_connect(dialog, "response", G_CALLBACK(on_chosen), g_rc_box_acquire(b));
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void on_open(Batch *b)
{
    gtk_widget_activate_action(GTK_WIDGET(b->parent), "win.open-path", "^ay", b->folder);
    gtk_window_close(b->window);
}

static void on_destroy(Batch *b)
{
    if (b->cancellable) {
        g_cancellable_cancel(b->cancellable);
    }
    g_signal_handlers_disconnect_by_data(b->workspace, b);
    b->parent = NULL;
    batch_unref(b);
}

/* --- Building ----------------------------------------------------------------------------- */

static AdwActionRow *row_new(AdwPreferencesGroup *group, const char *title,
                             const char *subtitle, GtkWidget *end)
{
    GtkWidget *row = adw_action_row_new();
    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 2);
    if (end) {
        gtk_widget_set_valign(end, GTK_ALIGN_CENTER);
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), end);
        adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), end);
    }
    adw_preferences_group_add(group, row);
    return ADW_ACTION_ROW(row);
}

static GtkSwitch *switch_new(AdwPreferencesGroup *group, const char *title,
                             const char *subtitle, gboolean on)
{
    GtkWidget *end = gtk_switch_new();
    gtk_switch_set_active(GTK_SWITCH(end), on);
    row_new(group, title, subtitle, end);
    return GTK_SWITCH(end);
}

static GtkWidget *what_new(Batch *b)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    GtkWidget *choose = gtk_button_new_with_mnemonic(_("_Choose…"));
    b->folder_row = row_new(group, _("Folder"), "", choose);
    b->labels_row = row_new(group, _("Labels"), "", NULL);
    b->below = switch_new(group, _("Also the folders below it"), "", TRUE);
    b->again = switch_new(group, _("Also what is done"),
                          _("In place of what the model said before"), FALSE);
    g_signal_connect_swapped(choose, "clicked", G_CALLBACK(on_choose), b);
    return GTK_WIDGET(group);
}

static GtkWidget *accepting_new(Batch *b)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    b->above = GTK_SPIN_BUTTON(gtk_spin_button_new_with_range(0, 100, 1));
    gtk_spin_button_set_value(b->above, USUAL_ACCEPT);
    b->accept = switch_new(group, _("The model accepts"),
                           _("Else its confidences are proposals, apart from decisions"),
                           FALSE);
    row_new(group, _("From this confidence on, in %"),
            _("What a person decided stays as it is"), GTK_WIDGET(b->above));
    g_signal_connect_swapped(b->accept, "notify::active", G_CALLBACK(update), b);
    return GTK_WIDGET(group);
}

static GtkWidget *buttons_new(Batch *b)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    b->open = GTK_BUTTON(gtk_button_new_with_mnemonic(_("_Open the Folder")));
    b->start = GTK_BUTTON(gtk_button_new_with_mnemonic(_("_Tag")));
    gtk_button_set_use_underline(b->start, TRUE);
    gtk_widget_set_visible(GTK_WIDGET(b->open), FALSE);
    gtk_widget_add_css_class(GTK_WIDGET(b->start), "suggested-action");
    gtk_widget_set_halign(box, GTK_ALIGN_END);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(b->open));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(b->start));
    g_signal_connect_swapped(b->open, "clicked", G_CALLBACK(on_open), b);
    g_signal_connect_swapped(b->start, "clicked", G_CALLBACK(on_start), b);
    return box;
}

static GtkWidget *content_new(Batch *b)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    b->options = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);
    b->progress = GTK_PROGRESS_BAR(gtk_progress_bar_new());
    b->text = GTK_LABEL(gtk_label_new(""));
    gtk_label_set_wrap(b->text, TRUE);
    gtk_label_set_xalign(b->text, 0);
    gtk_accessible_update_property(GTK_ACCESSIBLE(b->progress),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, _("Images tagged"), -1);
    gtk_box_append(GTK_BOX(b->options), what_new(b));
    gtk_box_append(GTK_BOX(b->options), accepting_new(b));
    gtk_box_append(GTK_BOX(box), b->options);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(b->text));
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(b->progress));
    gtk_box_append(GTK_BOX(box), buttons_new(b));
    gtk_widget_set_margin_top(box, 18);
    gtk_widget_set_margin_bottom(box, 18);
    gtk_widget_set_margin_start(box, 18);
    gtk_widget_set_margin_end(box, 18);
    return box;
}

static Batch *batch_new(GtkWindow *parent, TlWorkspace *workspace)
{
    Batch *b = g_rc_box_new0(Batch);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    b->parent = parent;
    b->workspace = g_object_ref(workspace);
    b->folder = g_strdup(tl_workspace_folder(workspace));
    b->window = GTK_WINDOW(adw_window_new());
    gtk_box_append(GTK_BOX(box), adw_header_bar_new());
    gtk_box_append(GTK_BOX(box), content_new(b));
    adw_window_set_content(ADW_WINDOW(b->window), box);
    gtk_window_set_title(b->window, _("Tag a Folder"));
    gtk_window_set_default_size(b->window, 480, -1);
    gtk_window_set_transient_for(b->window, parent);
    gtk_window_set_destroy_with_parent(b->window, TRUE);
    gtk_window_set_hide_on_close(b->window, TRUE);
    dialogs_add_close_keys(b->window);
    g_signal_connect_swapped(b->window, "destroy", G_CALLBACK(on_destroy), b);
    g_signal_connect_swapped(workspace, "labels", G_CALLBACK(update), b);
    g_signal_connect_swapped(workspace, "status", G_CALLBACK(update), b);
    return b;
}

void batch_show(GtkWindow *parent, TlWorkspace *workspace)
{
    Batch *b = g_object_get_data(G_OBJECT(parent), "batch");
    if (!b) {
        b = batch_new(parent, workspace);
        g_object_set_data(G_OBJECT(parent), "batch", b);
    } else if (!b->cancellable && tl_workspace_folder(workspace)
               && !gtk_widget_get_visible(GTK_WIDGET(b->window))) {
        g_free(b->folder);
        b->folder = g_strdup(tl_workspace_folder(workspace));
        gtk_label_set_text(b->text, "");
        gtk_widget_set_visible(GTK_WIDGET(b->open), FALSE);
    }
    update(b);
    gtk_window_present(b->window);
}
