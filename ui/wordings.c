#include "ui/wordings.h"

#include "app/workspace/comparison.h"
#include "ui/dialogs.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <math.h>

#define SIDE_PX 96

typedef struct {
    GtkEditable *entry;
    GtkLabel *figures;
    GtkWidget *use;
    GtkPicture *pictures[TL_COMPARISON_BEST]; /* own references: thumbnails may come late */
    GtkLabel *values[TL_COMPARISON_BEST];
} Side;

typedef struct {
    TlWorkspace *workspace;
    TlThumbnails *thumbnails;
    GtkWidget *window;
    char *label;
    char *asked[2];           /* what the comparison is of */
    TlComparison *comparison; /* NULL before the first */
    GtkLabel *verdict;
    Side sides[2];
} Wordings;

/* --- Results ------------------------------------------------------------------------------ */

static void show_figures(Side *side, const struct trust_separation *s, double precision)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (isnan(s->area)) {
        g_string_append(text, _("Nothing to tell apart yet"));
    } else {
        g_string_append_printf(text, _("Told apart: %.1f %% (%.1f to %.1f %%)"), 100 * s->area,
                               100 * s->interval.low, 100 * s->interval.high);
    }
    if (!isnan(precision)) {
        g_string_append_c(text, '\n');
        g_string_append_printf(text, _("Average precision: %.1f %%"), 100 * precision);
    }
    gtk_label_set_text(side->figures, text->str);
}

static void show_best(Wordings *w, guint number)
{
    Side *side = &w->sides[number];
    TlImage *images[TL_COMPARISON_BEST];
    double values[TL_COMPARISON_BEST];
    guint n = w->comparison ? tl_comparison_best(w->comparison, number, images, values) : 0;
    for (guint i = 0; i < TL_COMPARISON_BEST; i++) {
        GtkWidget *cell = gtk_widget_get_parent(GTK_WIDGET(side->pictures[i]));
        gtk_widget_set_visible(cell, i < n);
        if (i < n) {
            const char *name = tl_image_name(images[i]);
            g_autofree char *text = g_strdup_printf(_("%.1f %%"), 100 * values[i]);
            g_autofree char *both = g_strdup_printf("%s, %s", name, text);
            gtk_label_set_text(side->values[i], text);
            gtk_widget_set_tooltip_text(cell, name);
            gtk_accessible_update_property(GTK_ACCESSIBLE(side->pictures[i]),
                                           GTK_ACCESSIBLE_PROPERTY_LABEL, both, -1);
            tl_thumbnails_show(w->thumbnails, side->pictures[i], tl_image_path(images[i]));
        }
    }
}

static char *describe_contest(const Wordings *w, const struct trust_contest *contest)
{
    const struct trust_comparison *c = &contest->comparison;
    if (isnan(c->difference)) {
        return g_strdup(_("Too few decisions to compare: it takes two of each kind"));
    }
    if (contest->better == 0) {
        return g_strdup_printf(
            _("Neither is shown to be better: the difference is %+.1f points (%+.1f to %+.1f)"),
            100 * c->difference, 100 * c->interval.low, 100 * c->interval.high);
    }
    const char *text = w->asked[contest->better - 1];
    double one = fabs(c->interval.low), other = fabs(c->interval.high);
    return g_strdup_printf(_("“%s” separates better by %.1f points (%.1f to %.1f)"),
                           *text ? text : w->label, 100 * fabs(c->difference),
                           100 * MIN(one, other), 100 * MAX(one, other));
}

static void show_results(Wordings *w)
{
    const struct trust_contest *contest = tl_comparison_contest(w->comparison);
    const struct trust_comparison *c = &contest->comparison;
    g_autofree char *verdict = describe_contest(w, contest);
    g_autofree char *counts = g_strdup_printf(
        _("Rests on %u accepted and %u rejected images of this folder; %u were asked about"),
        c->a.accepted, c->a.rejected, tl_comparison_asked(w->comparison));
    g_autofree char *whole = g_strdup_printf(
        "%s\n%s%s", verdict, counts, tl_comparison_done(w->comparison) ? "" : "…");
    gtk_label_set_text(w->verdict, whole);
    show_figures(&w->sides[0], &c->a, contest->precision[0]);
    show_figures(&w->sides[1], &c->b, contest->precision[1]);
    show_best(w, 0);
    show_best(w, 1);
}

/* --- Asking --------------------------------------------------------------------------------- */

static void forget(Wordings *w)
{
    if (w->comparison) {
        tl_comparison_stop(w->comparison);
        g_signal_handlers_disconnect_by_data(w->comparison, w);
        g_clear_object(&w->comparison);
    }
}

static void on_failed(TlComparison *comparison, const char *text, Wordings *w)
{
    gtk_label_set_text(w->verdict, text);
}

/* G_MAXUINT when it went. */
static guint find_label(const Wordings *w)
{
    for (guint i = 0; i < tl_workspace_n_labels(w->workspace); i++) {
        if (g_str_equal(tl_workspace_label(w->workspace, i), w->label)) {
            return i;
        }
    }
    return G_MAXUINT;
}

static void compare(Wordings *w)
{
    g_autoptr(GError) error = NULL;
    guint label = find_label(w);
    forget(w);
    for (guint i = 0; i < 2; i++) {
        g_free(w->asked[i]);
        w->asked[i] = g_strdup(gtk_editable_get_text(w->sides[i].entry));
    }
    if (label == G_MAXUINT) {
        gtk_label_set_text(w->verdict, _("The label is no longer there"));
        return;
    }
    w->comparison =
        tl_comparison_new(w->workspace, label, w->asked[0], w->asked[1], &error);
    gtk_label_set_text(w->verdict, w->comparison ? _("Asking the model…") : error->message);
    if (w->comparison) {
        g_signal_connect_swapped(w->comparison, "changed", G_CALLBACK(show_results), w);
        g_signal_connect(w->comparison, "failed", G_CALLBACK(on_failed), w);
    }
}

static void on_use(GtkWidget *button, Wordings *w)
{
    Side *side = button == w->sides[0].use ? &w->sides[0] : &w->sides[1];
    guint label = find_label(w);
    if (label != G_MAXUINT) {
        tl_workspace_set_wording(w->workspace, label, gtk_editable_get_text(side->entry));
        gtk_window_close(GTK_WINDOW(w->window));
    }
}

static void wordings_free(gpointer data)
{
    Wordings *w = data;
    for (guint s = 0; s < 2; s++) {
        for (guint i = 0; i < TL_COMPARISON_BEST; i++) {
            tl_thumbnails_forget(w->thumbnails, w->sides[s].pictures[i]);
            g_object_unref(w->sides[s].pictures[i]);
        }
    }
    g_object_unref(w->workspace);
    g_object_unref(w->thumbnails);
    g_free(w->asked[0]);
    g_free(w->asked[1]);
    g_free(w->label);
    g_free(w);
}

/* --- Building ------------------------------------------------------------------------------- */

static GtkWidget *strip_new(Side *side)
{
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    for (guint i = 0; i < TL_COMPARISON_BEST; i++) {
        GtkWidget *cell = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
        side->pictures[i] = GTK_PICTURE(g_object_ref_sink(gtk_picture_new()));
        side->values[i] = GTK_LABEL(gtk_label_new(NULL));
        gtk_widget_set_size_request(GTK_WIDGET(side->pictures[i]), SIDE_PX, SIDE_PX);
        gtk_widget_add_css_class(GTK_WIDGET(side->values[i]), "caption");
        gtk_box_append(GTK_BOX(cell), GTK_WIDGET(side->pictures[i]));
        gtk_box_append(GTK_BOX(cell), GTK_WIDGET(side->values[i]));
        gtk_widget_set_visible(cell, FALSE);
        gtk_box_append(GTK_BOX(box), cell);
    }
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), box);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_AUTOMATIC,
                                   GTK_POLICY_NEVER);
    gtk_widget_set_size_request(scrolled, -1, SIDE_PX + 40);
    return scrolled;
}

static GtkWidget *side_new(Wordings *w, guint number, const char *text)
{
    Side *side = &w->sides[number];
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    const char *name = number == 0 ? _("First wording") : _("Second wording");
    g_autofree char *use = g_strdup_printf(_("Use this wording: %s"), name);
    side->entry = GTK_EDITABLE(gtk_entry_new());
    side->use = gtk_button_new_with_label(_("Use This Wording"));
    side->figures = GTK_LABEL(gtk_label_new(NULL));
    gtk_editable_set_text(side->entry, text);
    gtk_widget_set_hexpand(GTK_WIDGET(side->entry), TRUE);
    gtk_entry_set_placeholder_text(GTK_ENTRY(side->entry), w->label);
    gtk_accessible_update_property(GTK_ACCESSIBLE(side->entry),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(side->use), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   use, -1);
    gtk_label_set_xalign(side->figures, 0);
    g_signal_connect_swapped(side->entry, "activate", G_CALLBACK(compare), w);
    g_signal_connect(side->use, "clicked", G_CALLBACK(on_use), w);
    gtk_box_append(GTK_BOX(line), GTK_WIDGET(side->entry));
    gtk_box_append(GTK_BOX(line), side->use);
    gtk_box_append(GTK_BOX(box), line);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(side->figures));
    gtk_box_append(GTK_BOX(box), strip_new(side));
    return box;
}

static GtkWidget *content_new(Wordings *w, const char *first)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *button = gtk_button_new_with_label(_("Compare"));
    w->verdict = GTK_LABEL(gtk_label_new(
        _("Write what the label is to ask: words, or an expression such as\n"
          "a photo of {} | a drawing of {}, or boat + night - 2:harbour")));
    gtk_label_set_wrap(w->verdict, TRUE);
    gtk_label_set_xalign(w->verdict, 0);
    gtk_widget_add_css_class(button, "suggested-action");
    gtk_widget_set_halign(button, GTK_ALIGN_START);
    g_signal_connect_swapped(button, "clicked", G_CALLBACK(compare), w);
    gtk_box_append(GTK_BOX(box), side_new(w, 0, first));
    gtk_box_append(GTK_BOX(box), side_new(w, 1, ""));
    gtk_box_append(GTK_BOX(box), button);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(w->verdict));
    gtk_widget_set_margin_top(box, 12);
    gtk_widget_set_margin_bottom(box, 18);
    gtk_widget_set_margin_start(box, 18);
    gtk_widget_set_margin_end(box, 18);
    return box;
}

void wordings_show(GtkWindow *parent, TlWorkspace *workspace, TlThumbnails *thumbnails,
                   guint label)
{
    Wordings *w = g_new0(Wordings, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    const char *words = tl_workspace_wording(workspace, label);
    w->workspace = g_object_ref(workspace);
    w->thumbnails = g_object_ref(thumbnails);
    w->label = g_strdup(tl_workspace_label(workspace, label));
    g_autofree char *title = g_strdup_printf(_("Wordings of “%s”"), w->label);
    w->window = dialogs_window_new(parent, title, 720, -1);
    gtk_box_append(GTK_BOX(box), adw_header_bar_new());
    gtk_box_append(GTK_BOX(box), content_new(w, words ? words : w->label));
    adw_window_set_content(ADW_WINDOW(w->window), box);
    g_object_set_data_full(G_OBJECT(w->window), "wordings", w, wordings_free);
    g_signal_connect_swapped(w->window, "destroy", G_CALLBACK(forget), w);
    gtk_widget_grab_focus(GTK_WIDGET(w->sides[1].entry));
    gtk_window_present(GTK_WINDOW(w->window));
}
