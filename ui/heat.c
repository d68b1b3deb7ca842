#include "ui/heat.h"

#define DARKEST 190 /* of 255, where the model did not look at all */

struct _TlHeat {
    GObject parent;
    TlWorkspace *workspace;
    TlViewer *viewer;
    TlImage *image;
    guint label;
    gboolean shown;
    GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE(TlHeat, tl_heat, G_TYPE_OBJECT)

static guint failed; /* the signal */

/* Black of a strength that falls with the value. */
static GdkTexture *texture_new(const TlExplanation *e)
{
    gsize n = (gsize)e->rows * e->columns;
    guint8 *pixels = g_malloc0(4 * n);
    for (gsize i = 0; i < n; i++) {
        pixels[4 * i + 3] = (guint8)(DARKEST * (1 - CLAMP(e->values[i], 0, 1)));
    }
    g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, 4 * n);
    return gdk_memory_texture_new((int)e->columns, (int)e->rows,
                                  GDK_MEMORY_R8G8B8A8_PREMULTIPLIED, bytes,
                                  4 * (gsize)e->columns);
}

static void on_explained(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(TlHeat) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(TlExplanation) e =
        tl_workspace_explain_finish(TL_WORKSPACE(source), result, &error);
    int width, height;
    if (!e || !self->shown || !tl_viewer_size(self->viewer, &width, &height)) {
        if (error && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
            g_signal_emit(self, failed, 0, error->message);
        }
        return;
    }
    double x, y, w, h;
    tl_explanation_area(e, width, height, &x, &y, &w, &h);
    g_autoptr(GdkTexture) texture = texture_new(e);
    tl_viewer_set_overlay(self->viewer, texture,
                          &GRAPHENE_RECT_INIT((float)x, (float)y, (float)w, (float)h));
}

static void ask(TlHeat *self)
{
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    tl_viewer_set_overlay(self->viewer, NULL, NULL);
    if (self->shown && self->image && self->label < tl_workspace_n_labels(self->workspace)) {
        self->cancellable = g_cancellable_new();
        tl_workspace_explain_async(self->workspace, self->image, self->label,
                                   self->cancellable, on_explained, g_object_ref(self));
    }
}

void tl_heat_set_shown(TlHeat *self, gboolean shown)
{
    self->shown = shown;
    ask(self);
}

void tl_heat_set(TlHeat *self, TlImage *image, guint label)
{
    if (g_set_object(&self->image, image) || self->label != label) {
        self->label = label;
        ask(self);
    }
}

static void tl_heat_dispose(GObject *object)
{
    TlHeat *self = TL_HEAT(object);
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->image);
    g_clear_object(&self->viewer);
    g_clear_object(&self->workspace);
    G_OBJECT_CLASS(tl_heat_parent_class)->dispose(object);
}

static void tl_heat_class_init(TlHeatClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_heat_dispose;
    failed = g_signal_new("failed", TL_TYPE_HEAT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                          G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void tl_heat_init(TlHeat *self)
{
}

TlHeat *tl_heat_new(TlWorkspace *workspace, TlViewer *viewer)
{
    TlHeat *self = g_object_new(TL_TYPE_HEAT, NULL);
    self->workspace = g_object_ref(workspace);
    self->viewer = g_object_ref(viewer);
    return self;
}
