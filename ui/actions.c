/* What a person can do in the window. The keys are in keys.c. */
#include "ui/window_private.h"

#include "ui/batch.h"
#include "ui/health.h"
#include "ui/look.h"
#include "ui/keys.h"
#include "ui/manager.h"
#include "ui/notice.h"
#include "ui/wordings.h"

#include <glib/gi18n.h>

#define STEP 1.25

static const char *const order_names[TL_N_ORDERS] = {
    "folder", "likely", "uncertain", "diverse", "undecided", "disagree", "random" };

/* --- Decisions ------------------------------------------------------------------------------ */

/* On all that is selected; after a decision on a single image comes the next one. */
static void decide(TlWindow *self, guint label, StoreVerdict verdict, gboolean go_on)
{
    g_autoptr(GPtrArray) images = tl_grid_selected(self->grid);
    if (label >= tl_workspace_n_labels(self->workspace)) {
        window_say(self, _("Choose a label first"), FALSE);
        return;
    }
    tl_workspace_decide_all(self->workspace, images, label, verdict);
    if (go_on && images->len == 1) {
        tl_grid_move(self->grid, 1);
    }
}

static void action_accept(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    decide(self, tl_labels_chosen(self->labels), STORE_ACCEPTED, TRUE);
}

static void action_reject(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    decide(self, tl_labels_chosen(self->labels), STORE_REJECTED, TRUE);
}

static void action_clear(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    decide(self, tl_labels_chosen(self->labels), STORE_CLEARED, FALSE);
}

static void action_repeat(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    g_autoptr(GPtrArray) images = tl_grid_selected(self->grid);
    tl_workspace_repeat(self->workspace, images);
}

static void action_accept_above(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    guint label = tl_labels_chosen(self->labels);
    if (label < tl_workspace_n_labels(self->workspace)) {
        tl_workspace_accept_above(self->workspace, label);
    }
}

static void action_undo(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_workspace_undo(TL_WINDOW(widget)->workspace);
}

static void action_redo(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_workspace_redo(TL_WINDOW(widget)->workspace);
}

static gboolean all_have(TlWindow *self, guint label, StoreVerdict verdict)
{
    g_autoptr(GPtrArray) images = tl_grid_selected(self->grid);
    for (guint i = 0; i < images->len; i++) {
        if (tl_image_verdict(images->pdata[i], label) != verdict) {
            return FALSE;
        }
    }
    return TRUE;
}

/* A label's own key accepts it, with Shift rejects it, and a second time opens it again. */
static gboolean decide_by_key(TlWindow *self, guint key, gboolean shift)
{
    StoreVerdict verdict = shift ? STORE_REJECTED : STORE_ACCEPTED;
    for (guint i = 0; i < tl_workspace_n_labels(self->workspace); i++) {
        gunichar own = tl_workspace_label_key(self->workspace, i);
        if (own && own == gdk_keyval_to_unicode(gdk_keyval_to_lower(key))) {
            decide(self, i, all_have(self, i, verdict) ? STORE_CLEARED : verdict, FALSE);
            return TRUE;
        }
    }
    return FALSE;
}

/* --- Moving about ----------------------------------------------------------------------------- */

static void action_next(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_grid_move(TL_WINDOW(widget)->grid, 1);
}

static void action_previous(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_grid_move(TL_WINDOW(widget)->grid, -1);
}

static void action_next_open(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    guint label = tl_labels_chosen(self->labels);
    if (label < tl_workspace_n_labels(self->workspace)
        && !tl_grid_next_open(self->grid, label)) {
        window_say(self, _("Every image in view is decided for this label"), FALSE);
    }
}

static void action_new_label(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_labels_focus_entry(TL_WINDOW(widget)->labels);
}

static void action_find(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_find_start(TL_WINDOW(widget)->find);
}

static void action_compare_wordings(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    guint label = g_variant_get_uint32(parameter);
    if (label < tl_workspace_n_labels(self->workspace)) {
        wordings_show(GTK_WINDOW(self), self->workspace, self->thumbnails, label);
    }
}

static void action_manage_labels(GtkWidget *widget, const char *name, GVariant *parameter)
{
    manager_show(GTK_WINDOW(widget), TL_WINDOW(widget)->workspace);
}

static void action_about_model(GtkWidget *widget, const char *name, GVariant *parameter)
{
    notice_show_model(GTK_WINDOW(widget), TL_WINDOW(widget)->workspace);
}

static void action_refresh(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWorkspace *workspace = TL_WINDOW(widget)->workspace;
    const char *about = tl_workspace_order_label(workspace);
    guint n = tl_workspace_n_labels(workspace), label = 0;
    while (about && label < n && !g_str_equal(tl_workspace_label(workspace, label), about)) {
        label++;
    }
    tl_workspace_set_order(workspace, tl_workspace_order(workspace), label);
}

/* --- The set ------------------------------------------------------------------------------------- */

static void action_look(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    guint label = tl_labels_chosen(self->labels);
    look_show(GTK_WINDOW(self), self->workspace,
              label < tl_workspace_n_labels(self->workspace)
                  ? tl_workspace_label(self->workspace, label) : NULL);
}

static void action_check(GtkWidget *widget, const char *name, GVariant *parameter)
{
    health_show(TL_WINDOW(widget));
}

/* --- The picture --------------------------------------------------------------------------------- */

static void action_zoom_in(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_viewer_zoom(TL_WINDOW(widget)->viewer, STEP);
}

static void action_zoom_out(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_viewer_zoom(TL_WINDOW(widget)->viewer, 1 / STEP);
}

static void action_fit(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_viewer_zoom(TL_WINDOW(widget)->viewer, 0);
}

static void action_turn(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_viewer_turn(TL_WINDOW(widget)->viewer, g_variant_get_int32(parameter));
}

static void action_large(GtkWidget *widget, const char *name, GVariant *parameter)
{
    TlWindow *self = TL_WINDOW(widget);
    window_set_large(self, !self->large);
}

static void action_full_screen(GtkWidget *widget, const char *name, GVariant *parameter)
{
    if (gtk_window_is_fullscreen(GTK_WINDOW(widget))) {
        gtk_window_unfullscreen(GTK_WINDOW(widget));
    } else {
        window_set_large(TL_WINDOW(widget), TRUE);
        gtk_window_fullscreen(GTK_WINDOW(widget));
    }
}

/* One step back towards the grid. */
static gboolean leave(TlWindow *self)
{
    if (gtk_window_is_fullscreen(GTK_WINDOW(self))) {
        gtk_window_unfullscreen(GTK_WINDOW(self));
    } else if (self->large) {
        window_set_large(self, FALSE);
    } else {
        return FALSE;
    }
    return TRUE;
}

/* --- Folders ---------------------------------------------------------------------------------------- */

static void on_chosen(GtkNativeDialog *dialog, int response, gpointer data)
{
    TlWindow *self = data;
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);
        if (path) {
            tl_window_open(self, path);
        }
    }
    g_object_unref(dialog);
}

static void action_open(GtkWidget *widget, const char *name, GVariant *parameter)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Open a Folder"), GTK_WINDOW(widget), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
        _("_Open"), _("_Cancel"));
    g_signal_connect(dialog, "response", G_CALLBACK(on_chosen), widget);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void action_tag_folder(GtkWidget *widget, const char *name, GVariant *parameter)
{
    batch_show(GTK_WINDOW(widget), TL_WINDOW(widget)->workspace);
}

static void action_open_path(GtkWidget *widget, const char *name, GVariant *parameter)
{
    tl_window_open(TL_WINDOW(widget), g_variant_get_bytestring(parameter));
}

/* --- Actions with a state ---------------------------------------------------------------------------- */

static void on_order(GSimpleAction *action, GVariant *value, gpointer data)
{
    TlWindow *self = data;
    for (guint i = 0; i < TL_N_ORDERS; i++) {
        if (g_str_equal(g_variant_get_string(value, NULL), order_names[i])) {
            guint label = tl_labels_chosen(self->labels);
            if (label == G_MAXUINT && i != TL_ORDER_FOLDER && i != TL_ORDER_RANDOM) {
                window_say(self, _("Choose a label first"), FALSE);
                return;
            }
            tl_workspace_set_order(self->workspace, i, label);
        }
    }
}

void actions_show_order(TlWindow *self)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), "order");
    const char *name = order_names[tl_workspace_order(self->workspace)];
    g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_string(name));
}

static void on_heat(GSimpleAction *action, GVariant *value, gpointer data)
{
    g_simple_action_set_state(action, value);
    tl_heat_set_shown(TL_WINDOW(data)->heat, g_variant_get_boolean(value));
}

static void on_details(GSimpleAction *action, GVariant *value, gpointer data)
{
    g_simple_action_set_state(action, value);
    gtk_stack_set_visible_child_name(TL_WINDOW(data)->pages,
                                     g_variant_get_boolean(value) ? "details" : "labels");
}

/* --- Keys ----------------------------------------------------------------------------------------------- */

/* What the key gives without Shift. */
static guint plain_key(GtkWidget *widget, guint code)
{
    GdkDisplay *display = gtk_widget_get_display(widget);
    g_autofree GdkKeymapKey *places = NULL;
    g_autofree guint *values = NULL;
    int n = 0;
    gdk_display_map_keycode(display, code, &places, &values, &n);
    for (int i = 0; i < n; i++) {
        if (places[i].group == 0 && places[i].level == 0) {
            return values[i];
        }
    }
    return 0;
}

/* What a detailed name such as "win.turn(1)" stands for; FALSE for NULL. */
static gboolean run_key(TlWindow *self, const char *action)
{
    g_autofree char *name = NULL;
    g_autoptr(GVariant) target = NULL;
    return action && g_action_parse_detailed_name(action, &name, &target, NULL)
           && gtk_widget_activate_action_variant(GTK_WIDGET(self), name, target);
}

/* Letters are text while a person types, and commands elsewhere. */
static gboolean on_key(GtkEventControllerKey *keys, guint key, guint code,
                       GdkModifierType state, gpointer data)
{
    TlWindow *self = data;
    GtkWidget *focus = gtk_root_get_focus(GTK_ROOT(self));
    gboolean shift = (state & GDK_SHIFT_MASK) != 0;
    if ((focus && GTK_IS_EDITABLE(focus))
        || (state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SUPER_MASK))) {
        return FALSE;
    }
    if (key == GDK_KEY_Escape) {
        return leave(self);
    }
    return run_key(self, keys_action(key))
           || decide_by_key(self, plain_key(GTK_WIDGET(self), code), shift);
}

/* --- Setting up ------------------------------------------------------------------------------------------- */

void actions_install(TlWindowClass *class)
{
    static const struct {
        const char *name, *parameter;
        GtkWidgetActionActivateFunc run;
    } table[] = {
        { "win.open", NULL, action_open }, { "win.open-path", "ay", action_open_path },
        { "win.tag-folder", NULL, action_tag_folder },
        { "win.undo", NULL, action_undo }, { "win.redo", NULL, action_redo },
        { "win.accept", NULL, action_accept }, { "win.reject", NULL, action_reject },
        { "win.clear", NULL, action_clear }, { "win.repeat", NULL, action_repeat },
        { "win.accept-above", NULL, action_accept_above },
        { "win.next", NULL, action_next }, { "win.previous", NULL, action_previous },
        { "win.next-open", NULL, action_next_open },
        { "win.new-label", NULL, action_new_label },
        { "win.refresh", NULL, action_refresh }, { "win.find", NULL, action_find },
        { "win.zoom-in", NULL, action_zoom_in }, { "win.zoom-out", NULL, action_zoom_out },
        { "win.fit", NULL, action_fit }, { "win.turn", "i", action_turn },
        { "win.look", NULL, action_look }, { "win.check", NULL, action_check },
        { "win.manage-labels", NULL, action_manage_labels },
        { "win.compare-wordings", "u", action_compare_wordings },
        { "win.large", NULL, action_large }, { "win.about-model", NULL, action_about_model },
        { "win.full-screen", NULL, action_full_screen } };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        gtk_widget_class_install_action(GTK_WIDGET_CLASS(class), table[i].name,
                                        table[i].parameter, table[i].run);
    }
}

void actions_add(TlWindow *self)
{
    static const GActionEntry entries[] = {
        { "order", NULL, "s", "'folder'", on_order }, { "heat", NULL, NULL, "false", on_heat },
        { "details", NULL, NULL, "false", on_details } };
    GtkEventController *keys = gtk_event_controller_key_new();
    g_action_map_add_action_entries(G_ACTION_MAP(self), entries, G_N_ELEMENTS(entries), self);
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self), keys);
}
