#include "ui/meter.h"

#include <glib/gi18n.h>

struct _TlMeter {
    GtkWidget parent;
    GtkWidget *head;
    GtkLevelBar *bar;   /* tells screen readers of the value, which GTK does for its own */
    GtkImage *sign;
    GtkLabel *key, *name, *number;
    TlMeterValue value; /* its label is the text of `name` */
};

G_DEFINE_FINAL_TYPE(TlMeter, tl_meter, GTK_TYPE_WIDGET)

static const struct { const char *icon, *text; } signs[] = {
    { "window-close-symbolic", N_("rejected") },
    { "radio-symbolic", N_("open") },
    { "object-select-symbolic", N_("accepted") } };

/* --- Drawing -------------------------------------------------------------------------------- */

/* The mark is in the colour of text, which every theme sets apart from its ground. */
static void tl_meter_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    TlMeter *self = TL_METER(widget);
    graphene_rect_t bar, mark;
    GdkRGBA colour;
    gtk_widget_snapshot_child(widget, self->head, snapshot);
    gtk_widget_snapshot_child(widget, GTK_WIDGET(self->bar), snapshot);
    if (!gtk_widget_compute_bounds(GTK_WIDGET(self->bar), widget, &bar)) {
        return;
    }
    gtk_style_context_get_color(gtk_widget_get_style_context(widget), &colour);
    gboolean right = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
    float at = right ? 1 - (float)self->value.threshold : (float)self->value.threshold;
    mark = GRAPHENE_RECT_INIT(bar.origin.x + bar.size.width * at - 1, bar.origin.y - 2, 2,
                              bar.size.height + 4);
    gtk_snapshot_append_color(snapshot, &colour, &mark);
}

/* --- Values ------------------------------------------------------------------------------------ */

static void tell(TlMeter *self)
{
    const TlMeterValue *v = &self->value;
    const char *state = _(signs[v->verdict + 1].text);
    g_autofree char *text =
        v->confidence < 0 ? g_strdup_printf(_("not known yet, %s"), state)
                          : g_strdup_printf(_("%.0f %%, %s"), 100 * v->confidence, state);
    gtk_accessible_update_property(
        GTK_ACCESSIBLE(self->bar), GTK_ACCESSIBLE_PROPERTY_LABEL, v->label,
        GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text,
        -1);
}

static gboolean is_shown(const TlMeter *self, const TlMeterValue *v)
{
    return self->value.label && g_str_equal(self->value.label, v->label)
           && self->value.key == v->key && self->value.confidence == v->confidence
           && self->value.threshold == v->threshold && self->value.verdict == v->verdict;
}

void tl_meter_set(TlMeter *self, const TlMeterValue *value)
{
    if (is_shown(self, value)) {
        return; /* many cells are told of each change */
    }
    g_autofree char *number = value->confidence < 0
                                  ? g_strdup("…")
                                  : g_strdup_printf(_("%.0f %%"), 100 * value->confidence);
    char key[7] = { 0 };
    g_unichar_to_utf8(g_unichar_toupper(value->key), key);
    gtk_label_set_text(self->name, value->label);
    gtk_label_set_text(self->number, number);
    gtk_label_set_text(self->key, key);
    gtk_widget_set_visible(GTK_WIDGET(self->key), value->key != 0);
    gtk_image_set_from_icon_name(self->sign, signs[value->verdict + 1].icon);
    gtk_level_bar_set_value(self->bar, 100 * CLAMP(value->confidence, 0, 1));
    self->value = *value;
    self->value.label = gtk_label_get_text(self->name);
    tell(self);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* --- Life ------------------------------------------------------------------------------------------ */

static void tl_meter_dispose(GObject *object)
{
    TlMeter *self = TL_METER(object);
    g_clear_pointer(&self->head, gtk_widget_unparent);
    if (self->bar) {
        gtk_widget_unparent(GTK_WIDGET(self->bar));
        self->bar = NULL;
    }
    self->value.label = NULL;
    G_OBJECT_CLASS(tl_meter_parent_class)->dispose(object);
}

static void tl_meter_class_init(TlMeterClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = tl_meter_dispose;
    widget->snapshot = tl_meter_snapshot;
    gtk_widget_class_set_layout_manager_type(widget, GTK_TYPE_BOX_LAYOUT);
    gtk_widget_class_set_accessible_role(widget, GTK_ACCESSIBLE_ROLE_GROUP);
    gtk_widget_class_set_css_name(widget, "meter");
}

static void tl_meter_init(TlMeter *self)
{
    GtkLayoutManager *layout = gtk_widget_get_layout_manager(GTK_WIDGET(self));
    gtk_orientable_set_orientation(GTK_ORIENTABLE(layout), GTK_ORIENTATION_VERTICAL);
    gtk_box_layout_set_spacing(GTK_BOX_LAYOUT(layout), 3);
    self->head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
    self->bar = GTK_LEVEL_BAR(gtk_level_bar_new_for_interval(0, 100));
    self->sign = GTK_IMAGE(gtk_image_new());
    self->key = GTK_LABEL(gtk_label_new(NULL));
    self->name = GTK_LABEL(gtk_label_new(NULL));
    self->number = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_ellipsize(self->name, PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(self->name, 0);
    gtk_widget_set_hexpand(GTK_WIDGET(self->name), TRUE);
    gtk_widget_add_css_class(GTK_WIDGET(self->number), "numeric");
    gtk_widget_add_css_class(GTK_WIDGET(self->key), "keycap");
    /* One colour from end to end: what is decided is said by the sign. */
    gtk_level_bar_remove_offset_value(self->bar, GTK_LEVEL_BAR_OFFSET_LOW);
    gtk_level_bar_remove_offset_value(self->bar, GTK_LEVEL_BAR_OFFSET_HIGH);
    gtk_level_bar_remove_offset_value(self->bar, GTK_LEVEL_BAR_OFFSET_FULL);
    gtk_box_append(GTK_BOX(self->head), GTK_WIDGET(self->sign));
    gtk_box_append(GTK_BOX(self->head), GTK_WIDGET(self->key));
    gtk_box_append(GTK_BOX(self->head), GTK_WIDGET(self->name));
    gtk_box_append(GTK_BOX(self->head), GTK_WIDGET(self->number));
    gtk_widget_set_parent(self->head, GTK_WIDGET(self));
    gtk_widget_set_parent(GTK_WIDGET(self->bar), GTK_WIDGET(self));
}

GtkWidget *tl_meter_new(gboolean small)
{
    TlMeter *self = g_object_new(TL_TYPE_METER, NULL);
    if (small) {
        gtk_widget_add_css_class(self->head, "caption");
        gtk_image_set_pixel_size(self->sign, 12);
        gtk_label_set_max_width_chars(self->name, 10);
    }
    return GTK_WIDGET(self);
}
