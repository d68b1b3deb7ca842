#include "ui/label_menu.h"

#include <glib/gi18n.h>

/* The precision that a threshold is proposed for. */
#define PRECISION 0.95

typedef struct {
    TlWorkspace *workspace;
    guint label;
    GtkPopover *popover;   /* that owns this */
    GtkLabel *trust;
} Menu;

static void menu_free(gpointer data)
{
    Menu *m = data;
    g_object_unref(m->workspace);
    g_free(m);
}

/* --- Entries ----------------------------------------------------------------------------- */

static void on_likely(Menu *m)
{
    gtk_popover_popdown(m->popover);
    tl_workspace_set_order(m->workspace, TL_ORDER_LIKELY, m->label);
}

static void on_uncertain(Menu *m)
{
    gtk_popover_popdown(m->popover);
    tl_workspace_set_order(m->workspace, TL_ORDER_UNCERTAIN, m->label);
}

static void on_accept_above(Menu *m)
{
    gtk_popover_popdown(m->popover);
    tl_workspace_accept_above(m->workspace, m->label);
}

static void on_compare(Menu *m)
{
    gtk_popover_popdown(m->popover);
    gtk_widget_activate_action(GTK_WIDGET(m->popover), "win.compare-wordings", "u", m->label);
}

static void on_remove(Menu *m)
{
    gtk_popover_popdown(m->popover);
    tl_workspace_remove_label(m->workspace, m->label);
}

/* --- Threshold and trust ------------------------------------------------------------------- */

static char *describe_wished(const struct trust_threshold *wished)
{
    if (wished->holds) {
        return g_strdup_printf(_("From %.0f %% on, %.0f %% or more are right"),
                               100 * wished->threshold, 100 * PRECISION);
    }
    if (wished->more > 0) {
        return g_strdup_printf(
            ngettext("%d more decision above it would show whether %.0f %% are right",
                     "%d more decisions above it would show whether %.0f %% are right",
                     (gulong)wished->more), wished->more, 100 * PRECISION);
    }
    return g_strdup_printf(_("No threshold is known yet from which on %.0f %% are right"),
                           100 * PRECISION);
}

static void show_trust(Menu *m)
{
    TlTrust trust;
    tl_workspace_trust(m->workspace, m->label, PRECISION, &trust);
    g_autofree char *wished = describe_wished(&trust.wished);
    g_autofree char *whole = g_strdup_printf(
        _("Above it: %u accepted, %u rejected, %u open\n"
          "At it, the label holds with %.0f %% (%.0f to %.0f %%)\n%s"),
        trust.counts.accepted, trust.counts.rejected, trust.counts.undecided,
        100 * trust.probability, 100 * trust.interval.low, 100 * trust.interval.high, wished);
    gtk_label_set_text(m->trust, whole);
}

static void on_threshold(GtkRange *scale, gpointer data)
{
    Menu *m = data;
    tl_workspace_set_threshold(m->workspace, m->label, gtk_range_get_value(scale) / 100);
    show_trust(m);
}

static GtkWidget *threshold_new(Menu *m)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *both = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *text = gtk_label_new_with_mnemonic(_("_Threshold in %"));
    GtkWidget *scale = gtk_scale_new_with_range(GTK_ORIENTATION_HORIZONTAL, 0, 100, 1);
    m->trust = GTK_LABEL(gtk_label_new(NULL));
    gtk_range_set_value(GTK_RANGE(scale),
                        100 * tl_workspace_threshold(m->workspace, m->label));
    gtk_scale_set_draw_value(GTK_SCALE(scale), TRUE);
    gtk_widget_set_size_request(scale, 160, -1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(text), scale);
    gtk_accessible_update_relation(GTK_ACCESSIBLE(scale),
                                   GTK_ACCESSIBLE_RELATION_LABELLED_BY, text, NULL, -1);
    gtk_label_set_xalign(m->trust, 0);
    gtk_widget_add_css_class(GTK_WIDGET(m->trust), "caption");
    g_signal_connect(scale, "value-changed", G_CALLBACK(on_threshold), m);
    g_signal_connect_swapped(scale, "map", G_CALLBACK(show_trust), m);
    gtk_box_append(GTK_BOX(box), text);
    gtk_box_append(GTK_BOX(box), scale);
    gtk_box_append(GTK_BOX(both), box);
    gtk_box_append(GTK_BOX(both), GTK_WIDGET(m->trust));
    return both;
}

/* --- The whole ------------------------------------------------------------------------------- */

GtkWidget *label_menu_new(TlWorkspace *workspace, guint label)
{
    static const struct { const char *text; void (*clicked)(Menu *); } entries[] = {
        { N_("_Best Images First"), on_likely },
        { N_("_Uncertain Images First"), on_uncertain },
        { N_("_Accept All Above the Threshold"), on_accept_above },
        { N_("_Compare Wordings…"), on_compare },
        { N_("_Remove the Label"), on_remove } };
    GtkWidget *popover = gtk_popover_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    Menu *m = g_new0(Menu, 1);
    m->workspace = g_object_ref(workspace);
    m->label = label;
    m->popover = GTK_POPOVER(popover);
    g_object_set_data_full(G_OBJECT(popover), "menu", m, menu_free);
    gtk_box_append(GTK_BOX(box), threshold_new(m));
    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
        GtkWidget *entry = gtk_button_new_with_mnemonic(_(entries[i].text));
        gtk_widget_add_css_class(entry, "flat");
        gtk_label_set_xalign(GTK_LABEL(gtk_button_get_child(GTK_BUTTON(entry))), 0);
        g_signal_connect_swapped(entry, "clicked", G_CALLBACK(entries[i].clicked), m);
        gtk_box_append(GTK_BOX(box), entry);
    }
    gtk_popover_set_child(GTK_POPOVER(popover), box);
    return popover;
}
