#include "ui/shortcuts.h"

#include "ui/keys.h"

#include <glib/gi18n.h>
#include <string.h>

/* What no person chooses: keys of labels, of the grid. */
static const struct { const char *keys, *title; } fixed[] = {
    { "1...9", N_("Accept the label of that key; again opens it") },
    { "<Shift>1...9", N_("Reject the label of that key") },
    { "<Ctrl>a", N_("Select all images") }, { "<Shift>Right", N_("Select more images") },
    { "Return", N_("Large picture") }, { "Escape", N_("Back to the grid") } };

static void add_group(GString *xml, const char *title)
{
    g_autofree char *group = g_markup_printf_escaped(
        "<child><object class='GtkShortcutsGroup'><property name='title'>%s</property>",
        title);
    g_string_append(xml, group);
}

static void add_entry(GString *xml, const char *keys, const char *title)
{
    g_autofree char *entry = g_markup_printf_escaped(
        "<child><object class='GtkShortcutsShortcut'>"
        "<property name='accelerator'>%s</property>"
        "<property name='title'>%s</property></object></child>", keys, title);
    g_string_append(xml, entry);
}

/* GtkShortcutsWindow takes its parts from a description only, so one is written here. */
static char *describe(void)
{
    g_autoptr(GString) xml = g_string_new(
        "<interface><object class='GtkShortcutsWindow' id='shortcuts'>"
        "<property name='modal'>1</property><child><object class='GtkShortcutsSection'>"
        "<property name='section-name'>all</property>"
        "<property name='max-height'>12</property>");
    add_group(xml, _("Labels and the Grid"));
    for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++) {
        add_entry(xml, fixed[i].keys, _(fixed[i].title));
    }
    for (guint i = 0; i < keys_count(); i++) {
        if (i == 0 || strcmp(keys_group(i), keys_group(i - 1)) != 0) {
            g_string_append(xml, "</object></child>");
            add_group(xml, keys_group(i));
        }
        add_entry(xml, keys_of(i), keys_title(i));
    }
    g_string_append(xml, "</object></child></object></child></object></interface>");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

GtkShortcutsWindow *shortcuts_new(void)
{
    g_autofree char *xml = describe();
    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_string(xml, -1);
    return GTK_SHORTCUTS_WINDOW(gtk_builder_get_object(builder, "shortcuts"));
}
