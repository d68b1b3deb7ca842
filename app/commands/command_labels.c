/* `taglight labels`: the vocabulary of a database. */
#include "app/commands/commands.h"
#include "app/library/identity.h"
#include "app/store/browse.h"
#include "app/words/prompt_expression.h"
#include "app/words/vocabulary_file.h"

#include <stdio.h>
#include <string.h>

struct work {
    store *s;
    char **args;   /* of the action; ends with NULL */
    int n;
    GError **error;
};

static gboolean fail(const struct work *w, const char *format, const char *text)
{
    g_autofree char *message = g_strdup_printf(format, text);
    g_set_error_literal(w->error, STORE_ERROR, STORE_ERROR_REFUSED, message);
    return FALSE;
}

/* The label that argument `index` names, or 0 with an error. */
static gint64 label_at(const struct work *w, int index)
{
    gint64 label = store_find_label(w->s, w->args[index]);
    if (!label) {
        fail(w, "there is no label \"%s\"", w->args[index]);
    }
    return label;
}

/* --- Looking ---------------------------------------------------------------------------- */

static void print_names(const char *title, const GStrv names)
{
    if (names[0]) {
        g_autofree char *joined = g_strjoinv(", ", names);
        g_print("  %s: %s", title, joined);
    }
}

static void print_text(const char *title, const char *text)
{
    if (text) {
        g_print("  %s: %s", title, text);
    }
}

static void print_entry(const VocabularyEntry *e)
{
    g_print("%s%s", e->favourite ? "* " : "", e->name);
    print_names("synonyms", e->synonyms);
    print_names("implies", e->parents);
    print_names("only one of", e->groups);
    print_text("asks", e->prompt);
    print_text("key", e->key);
    print_text("colour", e->colour);
    print_text("note", e->note);
    g_print("\n");
}

static gboolean run_list(const struct work *w)
{
    g_autoptr(GPtrArray) entries = vocabulary_load(w->s, w->error);
    for (guint i = 0; entries && i < entries->len; i++) {
        const VocabularyEntry *e = entries->pdata[i];
        if (e->listed) {
            print_entry(e);
        }
    }
    return entries != NULL;
}

static gboolean run_search(const struct work *w)
{
    g_autoptr(GPtrArray) entries = vocabulary_load(w->s, w->error);
    g_autoptr(GPtrArray) found =
        entries ? vocabulary_search(entries, w->args[0], entries->len) : NULL;
    for (guint i = 0; found && i < found->len; i++) {
        print_entry(found->pdata[i]);
    }
    return entries != NULL;
}

/* --- Names -------------------------------------------------------------------------------- */

static gboolean run_add(const struct work *w)
{
    for (int i = 0; i < w->n; i++) {
        if (!vocabulary_add(w->s, w->args[i], w->error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* After what was decided got another name. */
static gboolean tell_followed(guint n, const char *name)
{
    g_print(n == 1 ? "%u decision counts for %s now\n" : "%u decisions count for %s now\n",
            n, name);
    return TRUE;
}

static gboolean run_rename(const struct work *w)
{
    gint64 label = label_at(w, 0);
    return label && vocabulary_rename(w->s, label, w->args[1], w->error)
           && tell_followed(store_count_decided(w->s, label), w->args[1]);
}

static gboolean run_merge(const struct work *w)
{
    gint64 from = label_at(w, 0), into = from ? label_at(w, 1) : 0;
    guint n = into ? store_count_decided(w->s, from) : 0;
    return into && vocabulary_merge(w->s, from, into, w->error)
           && tell_followed(n, w->args[1]);
}

static gboolean run_split(const struct work *w)
{
    return vocabulary_split(w->s, w->args[0], w->error);
}

static gboolean run_synonym(const struct work *w)
{
    gint64 label = label_at(w, 0);
    for (int i = 1; label && i < w->n; i++) {
        if (!vocabulary_add_synonym(w->s, label, w->args[i], w->error)) {
            return FALSE;
        }
    }
    return label != 0;
}

static gboolean run_hide(const struct work *w)
{
    gint64 label = label_at(w, 0);
    return label && store_hide_label(w->s, w->args[0], w->error);
}

/* --- Properties ----------------------------------------------------------------------------- */

static gboolean run_parent(const struct work *w)
{
    gint64 label = label_at(w, 0), parent = label ? label_at(w, 1) : 0;
    return parent && vocabulary_add_parent(w->s, label, parent, w->error);
}

static gboolean run_unparent(const struct work *w)
{
    gint64 label = label_at(w, 0), parent = label ? label_at(w, 1) : 0;
    return parent && vocabulary_remove_parent(w->s, label, parent, w->error);
}

static gboolean run_group(const struct work *w)
{
    for (int i = 1; i < w->n; i++) {
        gint64 label = label_at(w, i);
        if (!label || !vocabulary_add_to_group(w->s, label, w->args[0], w->error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean run_ungroup(const struct work *w)
{
    for (int i = 1; i < w->n; i++) {
        gint64 label = label_at(w, i);
        if (!label || !vocabulary_remove_from_group(w->s, label, w->args[0], w->error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean set(const struct work *w, VocabularyField field)
{
    gint64 label = label_at(w, 0);
    return label && vocabulary_set(w->s, label, field, w->args[1], w->error);
}

static gboolean run_prompt(const struct work *w)
{
    gint64 label = label_at(w, 0);
    g_autofree char *name = label ? vocabulary_name(w->s, label) : NULL;
    struct prompt_expression *e = NULL;
    if (!label || (w->args[1] && *w->args[1]
                   && !(e = prompt_expression_new(name, w->args[1], "%s", w->error)))) {
        return FALSE;
    }
    prompt_expression_free(e);
    return set(w, VOCABULARY_PROMPT);
}

static gboolean run_colour(const struct work *w) { return set(w, VOCABULARY_COLOUR); }
static gboolean run_key(const struct work *w) { return set(w, VOCABULARY_KEY); }
static gboolean run_note(const struct work *w) { return set(w, VOCABULARY_NOTE); }

static gboolean run_favourite(const struct work *w)
{
    gint64 label = label_at(w, 0);
    return label && vocabulary_set_favourite(w->s, label, TRUE, w->error);
}

static gboolean run_unfavourite(const struct work *w)
{
    gint64 label = label_at(w, 0);
    return label && vocabulary_set_favourite(w->s, label, FALSE, w->error);
}

static gboolean run_folder(const struct work *w)
{
    g_autoptr(GArray) labels = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (int i = 1; i < w->n; i++) {
        gint64 label = label_at(w, i);
        if (!label) {
            return FALSE;
        }
        g_array_append_val(labels, label);
    }
    return vocabulary_set_folder(w->s, w->args[0], (const gint64 *)(gpointer)labels->data,
                                 labels->len, w->error);
}

/* --- Deciding ----------------------------------------------------------------------------------- */

static void print_changes(store *s, const char *path, const GArray *changes)
{
    g_autofree char *shown = g_filename_display_name(path);
    for (guint i = 0; i < changes->len; i++) {
        const VocabularyChange *c = &g_array_index(changes, VocabularyChange, i);
        g_autofree char *name = vocabulary_name(s, c->label);
        g_autofree char *why = c->because ? vocabulary_name(s, c->because) : NULL;
        g_print("%s: %s %s%s%s\n", shown, name,
                c->after > 0 ? "accepted" : c->after < 0 ? "rejected" : "cleared",
                why ? ", because of " : "", why ? why : "");
    }
}

static gboolean decide_one(const struct work *w, gint64 label, const char *file,
                           StoreVerdict verdict)
{
    StoreSource source = { .confidence = -1, .threshold = -1 };
    struct identity identity;
    g_autofree char *path = g_canonicalize_filename(file, NULL);
    gboolean known = identity_look_up(w->s, path, &identity)
                     || identity_read(path, NULL, &identity, w->error);
    gint64 image = known ? identity_put(w->s, path, &identity, w->error) : 0;
    g_autoptr(GArray) changes =
        image ? vocabulary_decide(w->s, image, label, verdict, &source, w->error) : NULL;
    if (changes) {
        print_changes(w->s, file, changes);
    }
    identity_clear(&identity);
    return changes != NULL;
}

static gboolean decide(const struct work *w, StoreVerdict verdict)
{
    gint64 label = label_at(w, 0);
    for (int i = 1; label && i < w->n; i++) {
        if (!decide_one(w, label, w->args[i], verdict)) {
            return FALSE;
        }
    }
    return label != 0;
}

static gboolean run_accept(const struct work *w) { return decide(w, STORE_ACCEPTED); }
static gboolean run_reject(const struct work *w) { return decide(w, STORE_REJECTED); }
static gboolean run_clear(const struct work *w) { return decide(w, STORE_CLEARED); }

/* --- Files ---------------------------------------------------------------------------------------- */

static char *read_all(const char *path, GError **error)
{
    char *text = NULL;
    if (strcmp(path, "-") != 0) {
        g_file_get_contents(path, &text, NULL, error);
        return text;
    }
    GString *all = g_string_new(NULL);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, stdin)) > 0;) {
        g_string_append_len(all, part, (gssize)n);
    }
    return g_string_free(g_steal_pointer(&all), FALSE);
}

static gboolean run_import(const struct work *w)
{
    guint labels = 0;
    g_autofree char *text = read_all(w->args[0], w->error);
    if (!text || !vocabulary_file_read(w->s, text, w->args[0], &labels, w->error)) {
        return FALSE;
    }
    g_print("%u labels read\n", labels);
    return TRUE;
}

/* JSON unless the file is to be a list. */
static gboolean run_export(const struct work *w)
{
    const char *out = w->n > 0 ? w->args[0] : "-";
    g_autofree char *text = g_str_has_suffix(out, ".txt") ? vocabulary_file_list(w->s, w->error)
                                                          : vocabulary_file_write(w->s, w->error);
    if (text && strcmp(out, "-") == 0) {
        g_print("%s", text);
        return TRUE;
    }
    return text && g_file_set_contents(out, text, -1, w->error);
}

/* --- The command ------------------------------------------------------------------------------------ */

static const struct action {
    const char *name;
    gboolean (*run)(const struct work *w);
    int least, most;     /* arguments; most < 0: any number */
    gboolean reads_only;
} actions[] = {
    { "list", run_list, 0, 0, TRUE },
    { "search", run_search, 1, 1, TRUE },
    { "add", run_add, 1, -1, FALSE },
    { "hide", run_hide, 1, 1, FALSE },
    { "rename", run_rename, 2, 2, FALSE },
    { "merge", run_merge, 2, 2, FALSE },
    { "split", run_split, 1, 1, FALSE },
    { "synonym", run_synonym, 2, -1, FALSE },
    { "parent", run_parent, 2, 2, FALSE },
    { "unparent", run_unparent, 2, 2, FALSE },
    { "group", run_group, 2, -1, FALSE },
    { "ungroup", run_ungroup, 2, -1, FALSE },
    { "prompt", run_prompt, 1, 2, FALSE },
    { "colour", run_colour, 1, 2, FALSE },
    { "key", run_key, 1, 2, FALSE },
    { "note", run_note, 1, 2, FALSE },
    { "favourite", run_favourite, 1, 1, FALSE },
    { "unfavourite", run_unfavourite, 1, 1, FALSE },
    { "folder", run_folder, 1, -1, FALSE },
    { "accept", run_accept, 2, -1, FALSE },
    { "reject", run_reject, 2, -1, FALSE },
    { "clear", run_clear, 2, -1, FALSE },
    { "import", run_import, 1, 1, FALSE },
    { "export", run_export, 0, 1, TRUE },
};

static const char help[] =
    "list                         labels with what is known of them\n"
    "search TEXT                  those whose name or synonyms hold it\n"
    "add LABEL…, hide LABEL       put on the list, or take off it\n"
    "rename OLD NEW               decisions follow, the old name stays a synonym\n"
    "merge FROM INTO              decisions follow; `split FROM` takes it back\n"
    "synonym LABEL NAME…          other names; `split NAME` makes one a label again\n"
    "parent LABEL PARENT          who accepts LABEL accepts PARENT; unparent\n"
    "group GROUP LABEL…           of which only one may hold; ungroup\n"
    "prompt LABEL [TEXT]          what it asks the model, such as \"a photo of {}\"\n"
    "colour, key, note LABEL [X]  nothing takes it away; favourite, unfavourite LABEL\n"
    "folder FOLDER [LABEL…]       labels that are used there and below\n"
    "accept LABEL IMAGE…          decide, with what follows; reject, clear\n"
    "import FILE, export [FILE]   all of it as JSON, or a list of names (.txt)";

static const struct action *find_action(const char *name, int n)
{
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        const struct action *a = &actions[i];
        if (strcmp(a->name, name) == 0 && n >= a->least && (a->most < 0 || n <= a->most)) {
            return a;
        }
    }
    return NULL;
}

int command_labels(int argc, char **argv)
{
    g_autofree char *db = NULL;
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &db, "Database of decisions", "FILE" }, { 0 } };
    if (!command_parse(&argc, &argv, entries, "ACTION… - the vocabulary of a database",
                       help)) {
        return COMMAND_MISUSED;
    }
    const struct action *action = argc > 1 ? find_action(argv[1], argc - 2) : NULL;
    if (!db || !action) {
        return command_fail(COMMAND_MISUSED, "labels needs --db and an action with what "
                            "belongs to it; see `taglight labels --help`");
    }
    g_autoptr(GError) error = NULL;
    store *s = store_open(db, action->reads_only ? STORE_READ_ONLY : STORE_CREATE, &error);
    struct work work = { s, argv + 2, argc - 2, &error };
    gboolean good = s && action->run(&work);
    store_close(&s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}
