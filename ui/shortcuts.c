#include "ui/shortcuts.h"

#include <glib/gi18n.h>

typedef struct { const char *keys, *title; } Shortcut;

static const Shortcut deciding[] = {
    { "a", N_("Accept the chosen label") }, { "r", N_("Reject it") },
    { "c Delete", N_("Open it again") },
    { "1...9", N_("Accept the label of that key; again opens it") },
    { "<Shift>1...9", N_("Reject the label of that key") },
    { "period", N_("The last decision again, on this image") },
    { "<Ctrl><Shift>a", N_("Accept all above the threshold") },
    { "<Ctrl>z", N_("Undo") }, { "<Ctrl><Shift>z", N_("Redo") } };
static const Shortcut moving[] = {
    { "n p", N_("Next and previous image") }, { "u", N_("Next undecided image") },
    { "<Ctrl>f", N_("Find images by a filter line") },
    { "F5", N_("Order the images again") },
    { "<Ctrl>a", N_("Select all images") },
    { "<Shift>Right", N_("Select more images") } };
static const Shortcut picture[] = {
    { "Return", N_("Large picture") }, { "F11", N_("Full screen") },
    { "Escape", N_("Back to the grid") }, { "plus minus", N_("Zoom in and out") },
    { "<Ctrl>0", N_("Fit the picture") },
    { "<Ctrl>r <Ctrl><Shift>r", N_("Turn right and left") },
    { "w", N_("Where the model looked") }, { "<Alt>Return", N_("Image details") } };
static const Shortcut general[] = {
    { "<Ctrl>l", N_("Type a label") }, { "<Ctrl>o", N_("Open a folder") },
    { "<Ctrl>t", N_("Tag a folder") },
    { "<Ctrl>d", N_("Look at your data") }, { "<Ctrl>h", N_("Check the set") },
    { "<Ctrl>n", N_("New window") }, { "<Ctrl>comma", N_("Preferences") },
    { "F1", N_("Help") }, { "<Ctrl>question", N_("Keyboard shortcuts") }, { "<Ctrl>w", N_("Close the window") } };

static const struct { const char *title; const Shortcut *shortcuts; gsize n; } groups[] = {
    { N_("Deciding"), deciding, G_N_ELEMENTS(deciding) },
    { N_("Images"), moving, G_N_ELEMENTS(moving) },
    { N_("Picture"), picture, G_N_ELEMENTS(picture) },
    { N_("General"), general, G_N_ELEMENTS(general) } };

/* GtkShortcutsWindow takes its parts from a description only, so one is written here. */
static char *describe(void)
{
    g_autoptr(GString) xml = g_string_new(
        "<interface><object class='GtkShortcutsWindow' id='shortcuts'>"
        "<property name='modal'>1</property><child><object class='GtkShortcutsSection'>"
        "<property name='section-name'>all</property>"
        "<property name='max-height'>11</property>");
    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
        g_autofree char *group = g_markup_printf_escaped(
            "<child><object class='GtkShortcutsGroup'><property name='title'>%s</property>",
            _(groups[g].title));
        g_string_append(xml, group);
        for (gsize i = 0; i < groups[g].n; i++) {
            g_autofree char *entry = g_markup_printf_escaped(
                "<child><object class='GtkShortcutsShortcut'>"
                "<property name='accelerator'>%s</property>"
                "<property name='title'>%s</property></object></child>",
                groups[g].shortcuts[i].keys, _(groups[g].shortcuts[i].title));
            g_string_append(xml, entry);
        }
        g_string_append(xml, "</object></child>");
    }
    g_string_append(xml, "</object></child></object></interface>");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

GtkShortcutsWindow *shortcuts_new(void)
{
    g_autofree char *xml = describe();
    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_string(xml, -1);
    return GTK_SHORTCUTS_WINDOW(gtk_builder_get_object(builder, "shortcuts"));
}
