#include "ui/keys.h"

#include "ui/settings.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct { const char *action, *title, *keys; } Command;

static const Command deciding[] = {
    { "win.accept", N_("Accept the chosen label"), "a" },
    { "win.reject", N_("Reject it"), "r" },
    { "win.clear", N_("Open it again"), "c Delete KP_Delete" },
    { "win.repeat", N_("The last decision again, on this image"), "period" },
    { "win.accept-above", N_("Accept all above the threshold"), "<Control><Shift>a" },
    { "win.undo", N_("Undo"), "<Control>z" },
    { "win.redo", N_("Redo"), "<Control><Shift>z <Control>y" } };
static const Command moving[] = {
    { "win.next", N_("Next image"), "n" }, { "win.previous", N_("Previous image"), "p" },
    { "win.next-open", N_("Next undecided image"), "u" },
    { "win.find", N_("Find images by a filter line"), "<Control>f" },
    { "win.refresh", N_("Order the images again"), "F5" } };
static const Command picture[] = {
    { "win.full-screen", N_("Full screen"), "F11" },
    { "win.zoom-in", N_("Zoom in"), "plus KP_Add <Control>plus <Control>equal" },
    { "win.zoom-out", N_("Zoom out"), "minus KP_Subtract <Control>minus" },
    { "win.fit", N_("Fit the picture"), "<Control>0 KP_0" },
    { "win.turn(1)", N_("Turn right"), "<Control>r <Control>Right" },
    { "win.turn(-1)", N_("Turn left"), "<Control><Shift>r <Control>Left" },
    { "win.heat", N_("Where the model looked"), "w" },
    { "win.details", N_("Image details"), "<Alt>Return" } };
static const Command general[] = {
    { "win.new-label", N_("Type a label"), "<Control>l" },
    { "win.manage-labels", N_("Manage labels"), "<Control><Shift>l" },
    { "win.open", N_("Open a folder"), "<Control>o" },
    { "win.tag-folder", N_("Tag a folder"), "<Control>t" },
    { "win.look", N_("Look at your data"), "<Control>d" },
    { "win.check", N_("Check the set"), "<Control>h" },
    { "app.new-window", N_("New window"), "<Control>n" },
    { "app.preferences", N_("Preferences"), "<Control>comma" },
    { "app.help", N_("Help"), "F1" },
    { "win.show-help-overlay", N_("Keyboard shortcuts"), "<Control>question" },
    { "window.close", N_("Close the window"), "<Control>w" },
    { "app.quit", N_("Quit"), "<Control>q" } };

static const struct { const char *title; const Command *commands; guint n; } groups[] = {
    { N_("Deciding"), deciding, G_N_ELEMENTS(deciding) },
    { N_("Images"), moving, G_N_ELEMENTS(moving) },
    { N_("Picture"), picture, G_N_ELEMENTS(picture) },
    { N_("General"), general, G_N_ELEMENTS(general) } };

static GHashTable *own; /* action -> accelerators that a person chose */

/* --- The table ---------------------------------------------------------------------------- */

static const Command *find(guint command, const char **group)
{
    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
        if (command < groups[g].n) {
            *group = groups[g].title;
            return &groups[g].commands[command];
        }
        command -= groups[g].n;
    }
    g_assert_not_reached();
}

guint keys_count(void)
{
    guint n = 0;
    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
        n += groups[g].n;
    }
    return n;
}

const char *keys_group(guint command)
{
    const char *group;
    find(command, &group);
    return _(group);
}

const char *keys_title(guint command)
{
    const char *group;
    return _(find(command, &group)->title);
}

const char *keys_of(guint command)
{
    const char *group;
    const Command *c = find(command, &group);
    const char *chosen = own ? g_hash_table_lookup(own, c->action) : NULL;
    return chosen ? chosen : c->keys;
}

gboolean keys_are_own(guint command)
{
    const char *group;
    return own && g_hash_table_contains(own, find(command, &group)->action);
}

/* --- Accelerators -------------------------------------------------------------------------- */

/* A letter is text while a person types: it is no accelerator of the application. */
static gboolean is_plain(const char *accelerator, guint *key)
{
    GdkModifierType modifiers;
    return gtk_accelerator_parse(accelerator, key, &modifiers) && modifiers == 0
           && !(*key >= GDK_KEY_F1 && *key <= GDK_KEY_F35);
}

static void apply(GtkApplication *app, guint command)
{
    const char *group;
    g_auto(GStrv) all = g_strsplit(keys_of(command), " ", -1);
    g_autoptr(GPtrArray) accelerators = g_ptr_array_new();
    guint key;
    for (char **a = all; *a; a++) {
        if (**a && !is_plain(*a, &key)) {
            g_ptr_array_add(accelerators, *a);
        }
    }
    g_ptr_array_add(accelerators, NULL);
    gtk_application_set_accels_for_action(app, find(command, &group)->action,
                                          (const char *const *)accelerators->pdata);
}

static gboolean same(const char *a, const char *b)
{
    guint key, other;
    GdkModifierType modifiers, others;
    return gtk_accelerator_parse(a, &key, &modifiers)
           && gtk_accelerator_parse(b, &other, &others) && key == other
           && modifiers == others;
}

static gboolean has(guint command, const char *accelerator)
{
    g_auto(GStrv) all = g_strsplit(keys_of(command), " ", -1);
    for (char **a = all; *a; a++) {
        if (**a && same(*a, accelerator)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* --- Choosing ------------------------------------------------------------------------------- */

/* "win.accept=a Delete", a line each. */
static void keep(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < keys_count(); i++) {
        const char *group;
        const char *action = find(i, &group)->action;
        const char *chosen = g_hash_table_lookup(own, action);
        if (chosen) {
            g_string_append_printf(text, "%s=%s\n", action, chosen);
        }
    }
    settings_set("keys", text->str);
}

static gboolean is_free(guint command, const char *accelerators, const char **other)
{
    g_auto(GStrv) all = g_strsplit(accelerators, " ", -1);
    guint key;
    GdkModifierType modifiers;
    *other = NULL;
    for (char **a = all; *a; a++) {
        if (**a && !gtk_accelerator_parse(*a, &key, &modifiers)) {
            return FALSE;
        }
        for (guint i = 0; **a && i < keys_count(); i++) {
            if (i != command && has(i, *a)) {
                *other = keys_title(i);
                return FALSE;
            }
        }
    }
    return TRUE;
}

gboolean keys_set(GtkApplication *app, guint command, const char *accelerators,
                  const char **other)
{
    const char *group;
    const Command *c = find(command, &group);
    if (!is_free(command, accelerators ? accelerators : c->keys, other)) {
        return FALSE;
    }
    if (accelerators) {
        g_hash_table_insert(own, g_strdup(c->action), g_strdup(accelerators));
    } else {
        g_hash_table_remove(own, c->action);
    }
    keep();
    apply(app, command);
    return TRUE;
}

static void take(const char *action, const char *accelerators)
{
    for (guint i = 0; i < keys_count(); i++) {
        const char *group;
        if (strcmp(find(i, &group)->action, action) == 0) {
            g_hash_table_insert(own, g_strdup(action), g_strdup(accelerators));
        }
    }
}

/* Two commands may have swapped their keys, so conflicts are looked for when all are read. */
void keys_start(GtkApplication *app)
{
    g_autofree char *text = settings_get("keys");
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (char **l = lines; *l; l++) {
        char *sign = strchr(*l, '=');
        if (sign) {
            *sign = '\0';
            take(*l, sign + 1);
        }
    }
    for (guint i = 0; i < keys_count(); i++) {
        const char *group, *other;
        if (keys_are_own(i) && !is_free(i, keys_of(i), &other)) {
            g_hash_table_remove(own, find(i, &group)->action);
        }
    }
    for (guint i = 0; i < keys_count(); i++) {
        apply(app, i);
    }
}

/* --- Keys that are pressed ------------------------------------------------------------------- */

static int find_plain(guint wanted)
{
    for (guint i = 0; i < keys_count(); i++) {
        g_auto(GStrv) all = g_strsplit(keys_of(i), " ", -1);
        for (char **a = all; *a; a++) {
            guint key;
            if (**a && is_plain(*a, &key) && key == wanted) {
                return (int)i;
            }
        }
    }
    return -1;
}

const char *keys_action(guint key)
{
    const char *group;
    int command = find_plain(key);
    return command < 0 ? NULL : find((guint)command, &group)->action;
}

char *keys_letters(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < keys_count(); i++) {
        g_auto(GStrv) all = g_strsplit(keys_of(i), " ", -1);
        for (char **a = all; *a; a++) {
            guint key;
            gunichar c = **a && is_plain(*a, &key) ? gdk_keyval_to_unicode(key) : 0;
            if (c && g_unichar_isalnum(c)) {
                g_string_append_unichar(text, c);
            }
        }
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

const char *keys_command_of(gunichar character)
{
    int command = find_plain(gdk_unicode_to_keyval(g_unichar_tolower(character)));
    return command < 0 ? NULL : keys_title((guint)command);
}
