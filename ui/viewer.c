#include "ui/viewer.h"

#include "app/image/image.h"

#define MAX_ZOOM 40
#define STEP 1.25
/* Longer sides that are read: for the window, and when a person looks closer. */
#define FIT_PX 2048
#define CLOSE_PX 8192

struct _TlViewer {
    GtkWidget parent;
    char *path;
    GdkTexture *texture, *overlay;
    graphene_rect_t area;     /* of the overlay, in parts of the picture */
    GtkLabel *problem;
    GCancellable *cancellable;
    int side;                 /* that is read or being read */
    double zoom;              /* of the fitted size */
    double x, y;              /* where the middle of the picture lies from that of the view */
    double drag_x, drag_y, pinch;
    double pointer_x, pointer_y;
    int turns;
};

G_DEFINE_FINAL_TYPE(TlViewer, tl_viewer, GTK_TYPE_WIDGET)

/* --- Geometry ----------------------------------------------------------------------------- */

gboolean tl_viewer_size(TlViewer *self, int *width, int *height)
{
    *width = self->texture ? gdk_texture_get_width(self->texture) : 0;
    *height = self->texture ? gdk_texture_get_height(self->texture) : 0;
    return self->texture != NULL;
}

/* Pixels of the view for one of the picture; never above 4 when fitted. */
static double scale_of(TlViewer *self)
{
    int width, height;
    if (!tl_viewer_size(self, &width, &height)) {
        return 1;
    }
    double w = self->turns % 2 ? height : width, h = self->turns % 2 ? width : height;
    double fit = MIN(gtk_widget_get_width(GTK_WIDGET(self)) / w,
                     gtk_widget_get_height(GTK_WIDGET(self)) / h);
    return MIN(fit, 4) * self->zoom;
}

static double clamp_move(double move, double picture, double view)
{
    double most = MAX((picture - view) / 2, 0);
    return CLAMP(move, -most, most);
}

/* The picture fills the view where it can. */
static void clamp_position(TlViewer *self)
{
    int width, height;
    tl_viewer_size(self, &width, &height);
    double scale = scale_of(self);
    double w = scale * (self->turns % 2 ? height : width);
    double h = scale * (self->turns % 2 ? width : height);
    self->x = clamp_move(self->x, w, gtk_widget_get_width(GTK_WIDGET(self)));
    self->y = clamp_move(self->y, h, gtk_widget_get_height(GTK_WIDGET(self)));
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void read_file(TlViewer *self, int side);

/* What lies under (x, y), from the middle of the view, stays there. */
static void zoom_at(TlViewer *self, double zoom, double x, double y)
{
    zoom = CLAMP(zoom, 1, MAX_ZOOM);
    double ratio = zoom / self->zoom;
    self->x = x - (x - self->x) * ratio;
    self->y = y - (y - self->y) * ratio;
    self->zoom = zoom;
    clamp_position(self);
    if (self->texture && scale_of(self) > 1 && self->side < CLOSE_PX) {
        read_file(self, CLOSE_PX);
    }
}

void tl_viewer_zoom(TlViewer *self, double factor)
{
    zoom_at(self, factor > 0 ? self->zoom * factor : 1, 0, 0);
}

void tl_viewer_turn(TlViewer *self, int quarters)
{
    self->turns = ((self->turns + quarters) % 4 + 4) % 4;
    clamp_position(self);
}

/* --- Drawing --------------------------------------------------------------------------------- */

static void tl_viewer_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    TlViewer *self = TL_VIEWER(widget);
    int width, height;
    float w = (float)gtk_widget_get_width(widget), h = (float)gtk_widget_get_height(widget);
    if (tl_viewer_size(self, &width, &height)) {
        float scale = (float)scale_of(self), pw = scale * (float)width,
              ph = scale * (float)height;
        gtk_snapshot_push_clip(snapshot, &GRAPHENE_RECT_INIT(0, 0, w, h));
        gtk_snapshot_save(snapshot);
        gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(w / 2 + (float)self->x,
                                                              h / 2 + (float)self->y));
        gtk_snapshot_rotate(snapshot, 90.0f * (float)self->turns);
        gtk_snapshot_append_texture(snapshot, self->texture,
                                    &GRAPHENE_RECT_INIT(-pw / 2, -ph / 2, pw, ph));
        if (self->overlay) {
            gtk_snapshot_append_texture(
                snapshot, self->overlay,
                &GRAPHENE_RECT_INIT(pw * (self->area.origin.x - 0.5f),
                                    ph * (self->area.origin.y - 0.5f),
                                    pw * self->area.size.width,
                                    ph * self->area.size.height));
        }
        gtk_snapshot_restore(snapshot);
        gtk_snapshot_pop(snapshot);
    }
    gtk_widget_snapshot_child(widget, GTK_WIDGET(self->problem), snapshot);
}

static void tl_viewer_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    TlViewer *self = TL_VIEWER(widget);
    gtk_widget_allocate(GTK_WIDGET(self->problem), width, height, -1, NULL);
    clamp_position(self);
}

static void tl_viewer_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                              int *minimum, int *natural, int *minimum_baseline,
                              int *natural_baseline)
{
    *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 200;
    gtk_widget_measure(GTK_WIDGET(TL_VIEWER(widget)->problem), orientation, -1, NULL, NULL,
                       NULL, NULL);
}

/* --- Reading ----------------------------------------------------------------------------------- */

typedef struct { char *path; int side; } Reading;

static void reading_free(gpointer data)
{
    g_free(((Reading *)data)->path);
    g_free(data);
}

static void read_thread(GTask *task, gpointer source, gpointer data,
                        GCancellable *cancellable)
{
    const Reading *reading = data;
    GError *error = NULL;
    g_autoptr(GdkPixbuf) pixbuf =
        img_thumbnail(reading->path, reading->side, cancellable, &error);
    if (pixbuf) {
        g_task_return_pointer(task, gdk_texture_new_for_pixbuf(pixbuf), g_object_unref);
    } else {
        g_task_return_error(task, error);
    }
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    TlViewer *self = TL_VIEWER(source);
    g_autoptr(GError) error = NULL;
    GdkTexture *texture = g_task_propagate_pointer(G_TASK(result), &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    if (texture) {
        g_clear_object(&self->texture);
        self->texture = texture;
    }
    gtk_label_set_text(self->problem, error && !self->texture ? error->message : "");
    clamp_position(self);
}

static void read_file(TlViewer *self, int side)
{
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    self->cancellable = g_cancellable_new();
    self->side = side;
    Reading *reading = g_new0(Reading, 1);
    reading->path = g_strdup(self->path);
    reading->side = side;
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, on_read, NULL);
    g_task_set_task_data(task, reading, reading_free);
    g_task_run_in_thread(task, read_thread);
}

void tl_viewer_show(TlViewer *self, const char *path, const char *name, GdkTexture *small)
{
    g_cancellable_cancel(self->cancellable);
    g_free(self->path);
    self->path = g_strdup(path);
    g_set_object(&self->texture, small);
    g_clear_object(&self->overlay);
    self->zoom = 1;
    self->x = self->y = 0;
    self->turns = 0;
    gtk_label_set_text(self->problem, "");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   name ? name : "", -1);
    gtk_widget_queue_draw(GTK_WIDGET(self));
    if (path) {
        read_file(self, FIT_PX);
    }
}

void tl_viewer_set_overlay(TlViewer *self, GdkTexture *overlay, const graphene_rect_t *area)
{
    g_set_object(&self->overlay, overlay);
    if (overlay) {
        self->area = *area;
    }
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* --- Hands --------------------------------------------------------------------------------------- */

static void on_motion(TlViewer *self, double x, double y)
{
    self->pointer_x = x - gtk_widget_get_width(GTK_WIDGET(self)) / 2.0;
    self->pointer_y = y - gtk_widget_get_height(GTK_WIDGET(self)) / 2.0;
}

static gboolean on_scroll(GtkEventControllerScroll *scroll, double dx, double dy,
                          gpointer data)
{
    TlViewer *self = data;
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(scroll));
    if (state & GDK_CONTROL_MASK) {
        zoom_at(self, self->zoom * (dy < 0 ? STEP : 1 / STEP), self->pointer_x,
                self->pointer_y);
        return TRUE;
    }
    if (self->zoom == 1) {
        return FALSE;
    }
    self->x -= 50 * dx;
    self->y -= 50 * dy;
    clamp_position(self);
    return TRUE;
}

static void on_drag_begin(TlViewer *self)
{
    self->drag_x = self->x;
    self->drag_y = self->y;
}

static void on_drag(TlViewer *self, double dx, double dy)
{
    self->x = self->drag_x + dx;
    self->y = self->drag_y + dy;
    clamp_position(self);
}

static void on_pinch_begin(TlViewer *self)
{
    self->pinch = self->zoom;
}

static void on_pinch(TlViewer *self, double scale)
{
    zoom_at(self, self->pinch * scale, self->pointer_x, self->pointer_y);
}

static void add_hands(TlViewer *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    GtkEventController *motion = gtk_event_controller_motion_new();
    GtkEventController *scroll =
        gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
    GtkGesture *drag = gtk_gesture_drag_new(), *pinch = gtk_gesture_zoom_new();
    g_signal_connect_swapped(motion, "motion", G_CALLBACK(on_motion), self);
    g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
    g_signal_connect_swapped(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect_swapped(drag, "drag-update", G_CALLBACK(on_drag), self);
    g_signal_connect_swapped(pinch, "begin", G_CALLBACK(on_pinch_begin), self);
    g_signal_connect_swapped(pinch, "scale-changed", G_CALLBACK(on_pinch), self);
    gtk_widget_add_controller(widget, motion);
    gtk_widget_add_controller(widget, scroll);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(pinch));
}

/* --- Life ------------------------------------------------------------------------------------------- */

static void tl_viewer_dispose(GObject *object)
{
    TlViewer *self = TL_VIEWER(object);
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->texture);
    g_clear_object(&self->overlay);
    if (self->problem) {
        gtk_widget_unparent(GTK_WIDGET(self->problem));
        self->problem = NULL;
    }
    g_clear_pointer(&self->path, g_free);
    G_OBJECT_CLASS(tl_viewer_parent_class)->dispose(object);
}

static void tl_viewer_class_init(TlViewerClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = tl_viewer_dispose;
    widget->snapshot = tl_viewer_snapshot;
    widget->size_allocate = tl_viewer_size_allocate;
    widget->measure = tl_viewer_measure;
    gtk_widget_class_set_accessible_role(widget, GTK_ACCESSIBLE_ROLE_IMG);
}

static void tl_viewer_init(TlViewer *self)
{
    self->zoom = 1;
    self->problem = GTK_LABEL(gtk_label_new(""));
    gtk_label_set_wrap(self->problem, TRUE);
    gtk_label_set_wrap_mode(self->problem, PANGO_WRAP_WORD_CHAR);
    gtk_label_set_justify(self->problem, GTK_JUSTIFY_CENTER);
    gtk_widget_add_css_class(GTK_WIDGET(self->problem), "dim-label");
    gtk_widget_set_parent(GTK_WIDGET(self->problem), GTK_WIDGET(self));
    gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
    add_hands(self);
}

GtkWidget *tl_viewer_new(void)
{
    return g_object_new(TL_TYPE_VIEWER, NULL);
}
