#include "ui/label_form.h"

#include "ui/keys.h"

#include <glib/gi18n.h>

typedef enum { NAME, PROMPT, SYNONYMS, PARENTS, GROUPS, COLOUR, KEY, NOTE, N_TEXTS } Text;

struct _TlLabelForm {
    GtkBox parent;
    TlWorkspace *workspace;
    gint64 label;
    GtkEditable *texts[N_TEXTS], *merge;
    GtkSwitch *favourite, *listed, *used;
    GtkLabel *counted;
    gboolean updating;
};

G_DEFINE_FINAL_TYPE(TlLabelForm, tl_label_form, GTK_TYPE_BOX)

static guint said;

static void say(TlLabelForm *self, const char *text)
{
    g_signal_emit(self, said, 0, text);
}

/* --- Showing ----------------------------------------------------------------------------- */

static gboolean is_used(TlLabelForm *self)
{
    const GArray *set = tl_workspace_folder_labels(self->workspace);
    for (guint i = 0; set && i < set->len; i++) {
        if (g_array_index(set, gint64, i) == self->label) {
            return TRUE;
        }
    }
    return set == NULL;
}

static void set_names(TlLabelForm *self, Text text, GStrv names)
{
    g_autofree char *joined = names ? g_strjoinv(", ", names) : NULL;
    gtk_editable_set_text(self->texts[text], joined ? joined : "");
}

static void set_text(TlLabelForm *self, Text text, const char *value)
{
    gtk_editable_set_text(self->texts[text], value ? value : "");
}

void tl_label_form_show(TlLabelForm *self, const VocabularyEntry *entry)
{
    static const VocabularyEntry none = { .listed = TRUE };
    const VocabularyEntry *e = entry ? entry : &none;
    self->updating = TRUE;
    self->label = e->label;
    set_text(self, NAME, e->name);
    set_text(self, PROMPT, e->prompt);
    set_names(self, SYNONYMS, e->synonyms);
    set_names(self, PARENTS, e->parents);
    set_names(self, GROUPS, e->groups);
    set_text(self, COLOUR, e->colour);
    set_text(self, KEY, e->key);
    set_text(self, NOTE, e->note);
    gtk_editable_set_text(self->merge, "");
    gtk_switch_set_active(self->favourite, e->favourite);
    gtk_switch_set_active(self->listed, e->listed);
    gtk_switch_set_active(self->used, is_used(self) || !entry);
    gtk_widget_set_sensitive(GTK_WIDGET(self->merge), entry != NULL);
    gtk_widget_set_sensitive(GTK_WIDGET(self->used),
                             entry && e->listed && tl_workspace_folder(self->workspace));
    gtk_label_set_text(self->counted, entry ? "…" : _("A new label"));
    self->updating = FALSE;
    if (entry) {
        tl_workspace_count_decided(self->workspace, e->label);
    }
}

void tl_label_form_start(TlLabelForm *self)
{
    tl_label_form_show(self, NULL);
    gtk_widget_grab_focus(GTK_WIDGET(gtk_editable_get_delegate(self->texts[NAME])));
}

const char *tl_label_form_name(TlLabelForm *self)
{
    return gtk_editable_get_text(self->texts[NAME]);
}

gint64 tl_label_form_label(TlLabelForm *self)
{
    return self->label;
}

static void on_counted(TlWorkspace *workspace, gint64 label, guint n, gpointer data)
{
    TlLabelForm *self = data;
    if (label == self->label) {
        g_autofree char *text = g_strdup_printf(
            ngettext("%u decision; it follows when the label is renamed or merged",
                     "%u decisions; they follow when the label is renamed or merged", n), n);
        gtk_label_set_text(self->counted, text);
    }
}

/* --- Changing ------------------------------------------------------------------------------ */

static char *text_of(TlLabelForm *self, Text text)
{
    return g_strstrip(g_strdup(gtk_editable_get_text(self->texts[text])));
}

static void on_save(TlLabelForm *self)
{
    g_autofree char *key = text_of(self, KEY);
    const char *command = *key ? keys_command_of(g_utf8_get_char(key)) : NULL;
    VocabularyWish wish = { .label = self->label, .name = text_of(self, NAME),
                            .prompt = text_of(self, PROMPT), .colour = text_of(self, COLOUR),
                            .key = g_strdup(key), .note = text_of(self, NOTE),
                            .favourite = gtk_switch_get_active(self->favourite),
                            .listed = gtk_switch_get_active(self->listed) };
    if (command) {
        g_autofree char *why = g_strdup_printf(_("The key %s is taken: %s"), key, command);
        vocabulary_wish_clear(&wish);
        say(self, why);
        return;
    }
    wish.synonyms = vocabulary_split_names(gtk_editable_get_text(self->texts[SYNONYMS]));
    wish.parents = vocabulary_split_names(gtk_editable_get_text(self->texts[PARENTS]));
    wish.groups = vocabulary_split_names(gtk_editable_get_text(self->texts[GROUPS]));
    tl_workspace_edit_label(self->workspace, &wish);
}

static void on_merge(TlLabelForm *self)
{
    g_autofree char *name = g_strstrip(g_strdup(gtk_editable_get_text(self->merge)));
    gint64 into = tl_workspace_find_name(self->workspace, name);
    if (!into) {
        g_autofree char *why = g_strdup_printf(_("There is no label “%s”"), name);
        say(self, why);
    } else if (self->label) {
        tl_workspace_merge_labels(self->workspace, self->label, into);
    }
}

static void on_used(TlLabelForm *self)
{
    if (!self->updating && self->label) {
        tl_workspace_use_in_folder(self->workspace, self->label,
                                   gtk_switch_get_active(self->used));
    }
}

/* --- Building ------------------------------------------------------------------------------- */

static GtkEditable *entry_new(AdwPreferencesGroup *group, const char *title,
                              const char *tooltip)
{
    GtkWidget *row = adw_entry_row_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    gtk_widget_set_tooltip_text(row, tooltip);
    adw_preferences_group_add(group, row);
    return GTK_EDITABLE(row);
}

static GtkSwitch *switch_new(AdwPreferencesGroup *group, const char *title,
                             const char *subtitle)
{
    GtkWidget *row = adw_action_row_new(), *knob = gtk_switch_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    gtk_widget_set_valign(knob, GTK_ALIGN_CENTER);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), knob);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), knob);
    gtk_accessible_update_property(GTK_ACCESSIBLE(knob), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                   -1);
    adw_preferences_group_add(group, row);
    return GTK_SWITCH(knob);
}

static AdwPreferencesGroup *group_new(TlLabelForm *self)
{
    GtkWidget *group = adw_preferences_group_new();
    gtk_box_append(GTK_BOX(self), group);
    return ADW_PREFERENCES_GROUP(group);
}

static void build(TlLabelForm *self)
{
    static const struct { const char *title, *tooltip; } texts[N_TEXTS] = {
        [NAME] = { N_("Name"), N_("The old name goes on standing for the label") },
        [PROMPT] = { N_("Asks the model"),
                     N_("Nothing for the name; a photo of {} | a drawing of {}") },
        [SYNONYMS] = { N_("Other names"), N_("With commas between") },
        [PARENTS] = { N_("Implies"),
                      N_("Labels that are accepted with it, with commas between") },
        [GROUPS] = { N_("Groups of which one holds"), N_("With commas between") },
        [COLOUR] = { N_("Colour"), N_("Such as #3584e4") },
        [KEY] = { N_("Key"), N_("One letter or digit") }, [NOTE] = { N_("Note"), NULL } };
    AdwPreferencesGroup *words = group_new(self), *flags = group_new(self);
    for (guint i = 0; i < N_TEXTS; i++) {
        self->texts[i] = entry_new(words, _(texts[i].title),
                                   texts[i].tooltip ? _(texts[i].tooltip) : NULL);
        g_signal_connect_swapped(self->texts[i], "entry-activated", G_CALLBACK(on_save),
                                 self);
    }
    self->favourite = switch_new(flags, _("Favourite"), NULL);
    self->listed = switch_new(flags, _("On the list"), _("Decisions stay in any case"));
    self->used = switch_new(flags, _("Used in this folder"), _("At once"));
    self->merge = entry_new(group_new(self), _("Merge into the label"),
                            _("Its decisions count for the other one from now on"));
    adw_entry_row_set_show_apply_button(ADW_ENTRY_ROW(self->merge), TRUE);
    g_signal_connect_swapped(self->merge, "apply", G_CALLBACK(on_merge), self);
    g_signal_connect_swapped(self->used, "notify::active", G_CALLBACK(on_used), self);
}

static void tl_label_form_dispose(GObject *object)
{
    TlLabelForm *self = TL_LABEL_FORM(object);
    if (self->workspace) {
        g_signal_handlers_disconnect_by_data(self->workspace, self);
    }
    g_clear_object(&self->workspace);
    G_OBJECT_CLASS(tl_label_form_parent_class)->dispose(object);
}

static void tl_label_form_class_init(TlLabelFormClass *class)
{
    G_OBJECT_CLASS(class)->dispose = tl_label_form_dispose;
    said = g_signal_new("said", TL_TYPE_LABEL_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                        G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void tl_label_form_init(TlLabelForm *self)
{
    GtkWidget *save = gtk_button_new_with_label(_("Save the Label"));
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 12);
    self->counted = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_xalign(self->counted, 0);
    gtk_label_set_wrap(self->counted, TRUE);
    gtk_box_append(GTK_BOX(self), GTK_WIDGET(self->counted));
    gtk_widget_add_css_class(save, "suggested-action");
    gtk_widget_set_halign(save, GTK_ALIGN_END);
    g_signal_connect_swapped(save, "clicked", G_CALLBACK(on_save), self);
    build(self);
    gtk_box_insert_child_after(GTK_BOX(self), save, GTK_WIDGET(self->counted));
}

GtkWidget *tl_label_form_new(TlWorkspace *workspace)
{
    TlLabelForm *self = g_object_new(TL_TYPE_LABEL_FORM, NULL);
    self->workspace = g_object_ref(workspace);
    g_signal_connect(workspace, "counted", G_CALLBACK(on_counted), self);
    tl_label_form_show(self, NULL);
    return GTK_WIDGET(self);
}
