#include "ui/details.h"

#include "app/image/details.h"

#include <adwaita.h>
#include <glib/gi18n.h>

enum { NAME, FOLDER, DIMENSIONS, SIZE, FORMAT, TAKEN, CHANGED, CAMERA, PLACE, PROBLEM,
       N_ROWS };

struct _TlDetails {
    GtkBox parent;
    AdwActionRow *rows[N_ROWS];
    GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE(TlDetails, tl_details, GTK_TYPE_BOX)

/* Takes over the text; NULL hides the row. */
static void set_row(TlDetails *self, guint row, char *text)
{
    g_autofree char *own = text;
    gtk_widget_set_visible(GTK_WIDGET(self->rows[row]), own != NULL);
    adw_action_row_set_subtitle(self->rows[row], own ? own : "");
}

static char *time_text(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
    return time ? g_date_time_format(time, "%x %X") : NULL;
}

static void show(TlDetails *self, const struct img_details *d)
{
    double megapixels = (double)d->width * d->height / 1e6;
    set_row(self, DIMENSIONS,
            d->width > 0 ? g_strdup_printf(_("%d × %d (%.1f megapixels)"), d->width,
                                           d->height, megapixels) : NULL);
    set_row(self, SIZE, g_format_size((guint64)d->bytes));
    set_row(self, FORMAT, g_strdup(d->format));
    set_row(self, TAKEN, *d->exif.date ? g_strdup(d->exif.date) : NULL);
    set_row(self, CHANGED, time_text(d->mtime));
    set_row(self, CAMERA, *d->exif.camera ? g_strdup(d->exif.camera) : NULL);
    set_row(self, PLACE,
            d->exif.located ? g_strdup_printf("%.5f°, %.5f°", d->exif.latitude,
                                              d->exif.longitude) : NULL);
}

static void details_free(gpointer data)
{
    img_details_clear(data);
    g_free(data);
}

static void read_thread(GTask *task, gpointer source, gpointer data,
                        GCancellable *cancellable)
{
    struct img_details *d = g_new0(struct img_details, 1);
    GError *error = NULL;
    if (img_details_read(data, d, &error)) {
        g_task_return_pointer(task, d, details_free);
    } else {
        g_free(d);
        g_task_return_error(task, error);
    }
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    TlDetails *self = TL_DETAILS(source);
    g_autoptr(GError) error = NULL;
    struct img_details *d = g_task_propagate_pointer(G_TASK(result), &error);
    if (d) {
        show(self, d);
        details_free(d);
    } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        set_row(self, PROBLEM, g_strdup(error->message));
    }
}

void tl_details_set_image(TlDetails *self, TlImage *image)
{
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    for (guint i = 0; i < N_ROWS; i++) {
        set_row(self, i, NULL);
    }
    if (!image) {
        return;
    }
    g_autofree char *folder = g_path_get_dirname(tl_image_path(image));
    self->cancellable = g_cancellable_new();
    set_row(self, NAME, g_strdup(tl_image_name(image)));
    set_row(self, FOLDER, g_filename_display_name(folder));
    set_row(self, PROBLEM, g_strdup(tl_image_error(image)));
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, on_read, NULL);
    g_task_set_task_data(task, g_strdup(tl_image_path(image)), g_free);
    g_task_run_in_thread(task, read_thread);
}

static void tl_details_dispose(GObject *object)
{
    g_cancellable_cancel(TL_DETAILS(object)->cancellable);
    g_clear_object(&TL_DETAILS(object)->cancellable);
    G_OBJECT_CLASS(tl_details_parent_class)->dispose(object);
}

static void tl_details_class_init(TlDetailsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_details_dispose;
}

static void tl_details_init(TlDetails *self)
{
    static const char *const titles[N_ROWS] = {
        N_("Name"), N_("Folder"), N_("Dimensions"), N_("Size"), N_("Format"), N_("Taken"),
        N_("Changed"), N_("Camera"), N_("Place"), N_("Problem") };
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    for (guint i = 0; i < N_ROWS; i++) {
        self->rows[i] = ADW_ACTION_ROW(adw_action_row_new());
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->rows[i]), _(titles[i]));
        adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(self->rows[i]), FALSE);
        adw_preferences_row_set_title_selectable(ADW_PREFERENCES_ROW(self->rows[i]), TRUE);
        gtk_list_box_append(GTK_LIST_BOX(list), GTK_WIDGET(self->rows[i]));
    }
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), list);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(self), scrolled);
    gtk_widget_set_hexpand(scrolled, TRUE);
}

GtkWidget *tl_details_new(void)
{
    return g_object_new(TL_TYPE_DETAILS, NULL);
}
