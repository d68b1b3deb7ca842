#include "ui/findings.h"

#include <glib/gi18n.h>

#define NAMED 3 /* images of a finding whose names stand in its row */

struct _TlFinding {
    GObject parent;
    const HealthFinding *finding;
    char *text;       /* of a heading, or of what could not be checked */
    gboolean heading;
};

G_DEFINE_FINAL_TYPE(TlFinding, tl_finding, G_TYPE_OBJECT)

static void tl_finding_finalize(GObject *object)
{
    g_free(TL_FINDING(object)->text);
    G_OBJECT_CLASS(tl_finding_parent_class)->finalize(object);
}

static void tl_finding_class_init(TlFindingClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_finding_finalize;
}

static void tl_finding_init(TlFinding *self)
{
}

const HealthFinding *tl_finding_get(TlFinding *self)
{
    return self->finding;
}

/* --- The list ----------------------------------------------------------------------------- */

static void append(GListStore *list, const HealthFinding *finding, char *text,
                   gboolean heading)
{
    g_autoptr(TlFinding) item = g_object_new(TL_TYPE_FINDING, NULL);
    item->finding = finding;
    item->text = text;
    item->heading = heading;
    g_list_store_append(list, item);
}

static const char *check_title(guint check)
{
    switch (check) {
    case HEALTH_FILES: return _("Files");
    case HEALTH_DUPLICATES: return _("Copies");
    case HEALTH_LEAKAGE: return _("Splits");
    case HEALTH_DISAGREEMENT: return _("Doubtful decisions");
    default: return _("Balance");
    }
}

/* The findings of one check and severity, under a heading. */
static void append_group(GListStore *list, const HealthReport *report, guint check,
                         HealthSeverity severity)
{
    static const char *const titles[HEALTH_SEVERITIES] = { N_("Notes"), N_("Warnings"),
                                                           N_("Errors") };
    guint count = 0;
    for (guint pass = 0; pass < 2; pass++) {
        for (guint i = 0; i < report->findings->len; i++) {
            const HealthFinding *f = report->findings->pdata[i];
            if (f->check == check && f->severity == severity && pass == 0) {
                count++;
            } else if (f->check == check && f->severity == severity) {
                append(list, f, NULL, FALSE);
            }
        }
        if (pass == 0 && count > 0) {
            append(list, NULL, g_strdup_printf("%s · %s (%u)", _(titles[severity]),
                                               check_title(check), count), TRUE);
        }
    }
}

GListModel *findings_new(const HealthReport *report)
{
    GListStore *list = g_list_store_new(TL_TYPE_FINDING);
    for (int severity = HEALTH_ERROR; severity >= HEALTH_NOTE; severity--) {
        for (guint check = 1; check <= HEALTH_ALL; check <<= 1) {
            append_group(list, report, check, (HealthSeverity)severity);
        }
    }
    if (report->passed_over->len > 0) {
        append(list, NULL, g_strdup(_("Not checked")), TRUE);
    }
    for (guint i = 0; i < report->passed_over->len; i++) {
        append(list, NULL, g_strdup(report->passed_over->pdata[i]), FALSE);
    }
    return G_LIST_MODEL(list);
}

/* --- Rows --------------------------------------------------------------------------------- */

static GtkWidget *text_new(GtkWidget *box)
{
    GtkWidget *label = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_box_append(GTK_BOX(box), label);
    return label;
}

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *icon = gtk_image_new();
    gtk_widget_set_valign(icon, GTK_ALIGN_START);
    text_new(texts);
    gtk_widget_add_css_class(text_new(texts), "dim-label");
    gtk_widget_set_hexpand(texts, TRUE);
    gtk_widget_set_margin_top(row, 6);
    gtk_widget_set_margin_bottom(row, 6);
    gtk_box_append(GTK_BOX(row), icon);
    gtk_box_append(GTK_BOX(row), texts);
    gtk_list_item_set_child(item, row);
}

/* The names of some of its images; NULL for one without. */
static char *name_images(const HealthFinding *finding)
{
    g_autoptr(GString) text = g_string_new(NULL);
    guint n = finding->paths->len;
    for (guint i = 0; i < MIN(n, NAMED); i++) {
        g_autofree char *name = g_filename_display_basename(finding->paths->pdata[i]);
        g_string_append_printf(text, "%s%s", i ? ", " : "", name);
    }
    if (n > NAMED) {
        g_string_append_printf(text, _(" and %u more"), n - NAMED);
    }
    return n ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static char *title_of(const TlFinding *item)
{
    const HealthFinding *f = item->finding;
    g_autofree char *text = g_utf8_make_valid(f ? f->text : item->text, -1);
    return f && f->label ? g_strdup_printf("“%s”: %s", f->label, text)
                         : g_steal_pointer(&text);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    static const char *const icons[HEALTH_SEVERITIES] = {
        "dialog-information-symbolic", "dialog-warning-symbolic", "dialog-error-symbolic" };
    TlFinding *self = gtk_list_item_get_item(item);
    const HealthFinding *f = self->finding;
    GtkWidget *icon = gtk_widget_get_first_child(gtk_list_item_get_child(item));
    GtkWidget *title = gtk_widget_get_first_child(gtk_widget_get_next_sibling(icon));
    GtkWidget *names = gtk_widget_get_next_sibling(title);
    g_autofree char *text = title_of(self), *images = f ? name_images(f) : NULL;
    gtk_image_set_from_icon_name(GTK_IMAGE(icon), f ? icons[f->severity] : NULL);
    gtk_widget_set_visible(icon, f != NULL);
    gtk_label_set_text(GTK_LABEL(title), text);
    gtk_label_set_text(GTK_LABEL(names), images ? images : "");
    gtk_widget_set_visible(names, images != NULL);
    if (self->heading) {
        gtk_widget_add_css_class(title, "heading");
    } else {
        gtk_widget_remove_css_class(title, "heading");
    }
}

GtkListItemFactory *findings_factory_new(void)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    g_signal_connect(factory, "setup", G_CALLBACK(on_setup), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(on_bind), NULL);
    return factory;
}
