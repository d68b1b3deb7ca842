#include "ui/cell.h"

#include "ui/meter.h"

#define SIDE_PX 160
#define METERS 3

struct _TlCell {
    GtkBox parent;
    TlWorkspace *workspace;
    TlThumbnails *thumbnails;
    TlImage *image;
    GtkPicture *picture;
    GtkLabel *name;
    gboolean strip;
    TlMeter *meters[METERS];
};

G_DEFINE_FINAL_TYPE(TlCell, tl_cell, GTK_TYPE_BOX)

TlImage *tl_cell_image(TlCell *self)
{
    return self->image;
}

/* Rows that are not needed keep their place, so that all cells are of one height. */
void tl_cell_update(TlCell *self)
{
    guint labels = tl_workspace_n_labels(self->workspace), best[METERS];
    guint n = self->image ? tl_image_strongest(self->image, labels, METERS, best) : 0;
    for (guint i = 0; i < METERS; i++) {
        gtk_widget_set_visible(GTK_WIDGET(self->meters[i]), i < labels && !self->strip);
        gtk_widget_set_opacity(GTK_WIDGET(self->meters[i]), i < n ? 1 : 0);
        if (i < n) {
            TlMeterValue value = { tl_workspace_label(self->workspace, best[i]), '\0',
                                   tl_image_confidence(self->image, best[i]),
                                   tl_workspace_threshold(self->workspace, best[i]),
                                   tl_image_verdict(self->image, best[i]) };
            tl_meter_set(self->meters[i], &value);
        }
    }
}

void tl_cell_set_image(TlCell *self, TlImage *image)
{
    g_set_object(&self->image, image);
    if (!image) {
        tl_thumbnails_forget(self->thumbnails, self->picture);
        return;
    }
    gtk_label_set_text(self->name, tl_image_name(image));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->picture),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, tl_image_name(image), -1);
    tl_thumbnails_show(self->thumbnails, self->picture, tl_image_path(image));
    tl_cell_update(self);
}

void tl_cell_set_strip(TlCell *self, gboolean strip)
{
    if (self->strip != strip) {
        self->strip = strip;
        gtk_widget_set_visible(GTK_WIDGET(self->name), !strip);
        tl_cell_update(self);
    }
}

static void tl_cell_dispose(GObject *object)
{
    TlCell *self = TL_CELL(object);
    if (self->picture && self->thumbnails) {
        tl_thumbnails_forget(self->thumbnails, self->picture);
        self->picture = NULL;
    }
    g_clear_object(&self->image);
    g_clear_object(&self->workspace);
    g_clear_object(&self->thumbnails);
    G_OBJECT_CLASS(tl_cell_parent_class)->dispose(object);
}

static void tl_cell_class_init(TlCellClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_cell_dispose;
}

static void tl_cell_init(TlCell *self)
{
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 4);
    gtk_widget_set_margin_start(GTK_WIDGET(self), 4);
    gtk_widget_set_margin_end(GTK_WIDGET(self), 4);
    gtk_widget_set_margin_bottom(GTK_WIDGET(self), 4);
    self->picture = GTK_PICTURE(gtk_picture_new());
    self->name = GTK_LABEL(gtk_label_new(NULL));
    gtk_widget_set_size_request(GTK_WIDGET(self->picture), SIDE_PX, SIDE_PX);
    gtk_label_set_ellipsize(self->name, PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_max_width_chars(self->name, 16);
    gtk_widget_add_css_class(GTK_WIDGET(self->name), "caption");
    gtk_box_append(GTK_BOX(self), GTK_WIDGET(self->picture));
    gtk_box_append(GTK_BOX(self), GTK_WIDGET(self->name));
    for (guint i = 0; i < METERS; i++) {
        self->meters[i] = TL_METER(tl_meter_new(TRUE));
        gtk_box_append(GTK_BOX(self), GTK_WIDGET(self->meters[i]));
    }
}

GtkWidget *tl_cell_new(TlWorkspace *workspace, TlThumbnails *thumbnails)
{
    TlCell *self = g_object_new(TL_TYPE_CELL, NULL);
    self->workspace = g_object_ref(workspace);
    self->thumbnails = g_object_ref(thumbnails);
    return GTK_WIDGET(self);
}
