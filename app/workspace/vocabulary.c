#include "app/workspace/vocabulary.h"

#include "app/store/browse.h"
#include "app/words/vocabulary_file.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct Edit Edit;
struct Edit {
    gboolean (*run)(store *s, Edit *e, GError **error); /* NULL: only read again */
    char *(*tell)(const Edit *e);                       /* what was done, for a person */
    VocabularyWish wish;
    gint64 from, into;
    char *text, *before, *folder;
    GArray *ids;
    guint n;             /* decisions or labels that it was about */
    GPtrArray *entries;  /* read afterwards */
    GArray *set;         /* of the folder */
};

static void edit_free(gpointer data)
{
    Edit *e = data;
    vocabulary_wish_clear(&e->wish);
    g_free(e->text);
    g_free(e->before);
    g_free(e->folder);
    g_clear_pointer(&e->ids, g_array_unref);
    g_clear_pointer(&e->entries, g_ptr_array_unref);
    g_clear_pointer(&e->set, g_array_unref);
    g_free(e);
}

/* --- Labels that follow ---------------------------------------------------------------- */

static gboolean in_set(const GArray *set, gint64 label)
{
    for (guint i = 0; set && i < set->len; i++) {
        if (g_array_index(set, gint64, i) == label) {
            return TRUE;
        }
    }
    return set == NULL;
}

static const VocabularyEntry *entry_of(const GPtrArray *entries, const Label *label)
{
    if (label->row) {
        return vocabulary_entry(entries, label->row);
    }
    for (guint i = 0; i < entries->len; i++) {
        const VocabularyEntry *e = entries->pdata[i];
        if (strcmp(e->name, label->name) == 0) {
            return e;
        }
    }
    return NULL;
}

static void follow_name(char **name, const char *before, const char *now)
{
    if (g_strcmp0(*name, before) == 0) {
        g_free(*name);
        *name = g_strdup(now);
    }
}

void vocabulary_take_looks(Label *label, const VocabularyEntry *e)
{
    label->own_key = e->key ? g_unichar_tolower(g_utf8_get_char(e->key)) : 0;
    g_free(label->colour);
    label->colour = g_strdup(e->colour);
}

/* A label that asks its name asks something else under a new one. */
static void take_entry(TlWorkspace *self, guint index, const VocabularyEntry *e)
{
    Label *label = self->labels->pdata[index];
    label->row = e->label;
    vocabulary_take_looks(label, e);
    if (strcmp(label->name, e->name) != 0) {
        g_autofree char *before = g_steal_pointer(&label->name);
        label->name = g_strdup(e->name);
        follow_name(&self->order_label, before, e->name);
        follow_name(&self->order_label_before, before, e->name);
        follow_name(&self->last_label, before, e->name);
        workspace_ask_again(self, index);
    }
    if (!label->words_once) {
        workspace_ask(self, index, e->prompt);
    }
}

static gboolean has_row(TlWorkspace *self, gint64 row)
{
    for (guint i = 0; i < self->labels->len; i++) {
        if (((Label *)self->labels->pdata[i])->row == row) {
            return TRUE;
        }
    }
    return FALSE;
}

static void add_missing(TlWorkspace *self)
{
    guint first = self->labels->len;
    for (guint i = 0; i < self->entries->len; i++) {
        const VocabularyEntry *e = self->entries->pdata[i];
        if (e->listed && in_set(self->folder_set, e->label) && !has_row(self, e->label)
            && workspace_find_label(self, e->name) < 0) {
            Label *label = workspace_label_new(self, e->name);
            label->words = g_strdup(e->prompt);
            label->row = e->label;
            vocabulary_take_looks(label, e);
            g_ptr_array_add(self->labels, label);
        }
    }
    if (self->labels->len > first) {
        scoring_encode_labels(self, (Label *const *)self->labels->pdata + first,
                              self->labels->len - first);
        thresholds_read(self);
    }
}

static void follow(TlWorkspace *self)
{
    for (guint i = self->labels->len; i-- > 0;) {
        const Label *label = self->labels->pdata[i];
        const VocabularyEntry *e =
            label->preview ? NULL : entry_of(self->entries, label);
        if (e && e->listed && in_set(self->folder_set, e->label)) {
            take_entry(self, i, e);
        } else if (!label->preview && label->row) {
            workspace_drop_label(self, i);
        }
    }
    add_missing(self);
    workspace_tell_labels(self);
}

/* --- Reading and changing ----------------------------------------------------------------- */

static gboolean run_wish(store *s, Edit *e, GError **error);
static gboolean run_merge(store *s, Edit *e, GError **error);
static gboolean run_import(store *s, Edit *e, GError **error);

static void work_edit(store *s, gpointer data, GError **error)
{
    Edit *e = data;
    if (!e->run || e->run(s, e, error)) {
        e->entries = vocabulary_load(s, error);
        e->set = e->folder ? vocabulary_folder(s, e->folder) : NULL;
    }
}

static void done_edit(TlWorkspace *self, gpointer data, gboolean good)
{
    Edit *e = data;
    if (!good || !e->entries) {
        return;
    }
    g_clear_pointer(&self->entries, g_ptr_array_unref);
    self->entries = g_steal_pointer(&e->entries);
    g_clear_pointer(&self->folder_set, g_array_unref);
    if (g_strcmp0(e->folder, self->folder) == 0) {
        self->folder_set = g_steal_pointer(&e->set);
    }
    follow(self);
    if (e->run == run_wish || e->run == run_merge || e->run == run_import) {
        database_find(self, 0); /* decisions may count for another label */
    }
    g_autofree char *text = e->tell ? e->tell(e) : NULL;
    g_signal_emit(self, workspace_signals[VOCABULARY], 0, text);
}

static Edit *edit_new(TlWorkspace *self, gboolean (*run)(store *, Edit *, GError **),
                      char *(*tell)(const Edit *))
{
    Edit *e = g_new0(Edit, 1);
    e->run = run;
    e->tell = tell;
    e->folder = g_strdup(self->folder);
    return e;
}

static void push(TlWorkspace *self, Edit *e)
{
    static const DatabaseTask task = { work_edit, done_edit, edit_free };
    database_do(self, &task, e);
}

void tl_workspace_read_vocabulary(TlWorkspace *self)
{
    push(self, edit_new(self, NULL, NULL));
}

const GPtrArray *tl_workspace_vocabulary(TlWorkspace *self) { return self->entries; }
const GArray *tl_workspace_folder_labels(TlWorkspace *self) { return self->folder_set; }

/* --- One label ------------------------------------------------------------------------------ */

static gboolean run_wish(store *s, Edit *e, GError **error)
{
    e->before = e->wish.label ? vocabulary_name(s, e->wish.label) : NULL;
    gint64 label = vocabulary_edit(s, &e->wish, error);
    e->n = label ? store_count_decided(s, label) : 0;
    return label != 0;
}

static char *tell_wish(const Edit *e)
{
    g_autofree char *name = g_strstrip(g_strdup(e->wish.name));
    if (e->before && strcmp(e->before, name) != 0) {
        return g_strdup_printf(
            ngettext("“%s” is called “%s” now, and %u decision followed",
                     "“%s” is called “%s” now, and %u decisions followed", e->n),
            e->before, name, e->n);
    }
    return g_strdup_printf(_("“%s” is saved"), name);
}

void tl_workspace_edit_label(TlWorkspace *self, VocabularyWish *wish)
{
    Edit *e = edit_new(self, run_wish, tell_wish);
    e->wish = *wish;
    *wish = (VocabularyWish){ 0 };
    push(self, e);
}

static gboolean run_merge(store *s, Edit *e, GError **error)
{
    e->before = vocabulary_name(s, e->from);
    e->text = vocabulary_name(s, e->into);
    e->n = store_count_decided(s, e->from);
    return vocabulary_merge(s, e->from, e->into, error);
}

static char *tell_merge(const Edit *e)
{
    return g_strdup_printf(ngettext("%u decision on “%s” counts for “%s” now",
                                    "%u decisions on “%s” count for “%s” now", e->n), e->n,
                           e->before ? e->before : "", e->text ? e->text : "");
}

void tl_workspace_merge_labels(TlWorkspace *self, gint64 from, gint64 into)
{
    Edit *e = edit_new(self, run_merge, tell_merge);
    e->from = from;
    e->into = into;
    push(self, e);
}

/* --- Many --------------------------------------------------------------------------------------- */

static char *tell_added(const Edit *e)
{
    return g_strdup_printf(ngettext("%u label taken in", "%u labels taken in", e->n), e->n);
}

static gboolean run_text(store *s, Edit *e, GError **error)
{
    int n = vocabulary_add_text(s, e->text, error);
    e->n = n > 0 ? (guint)n : 0;
    return n >= 0;
}

void tl_workspace_add_text(TlWorkspace *self, const char *text)
{
    Edit *e = edit_new(self, run_text, tell_added);
    e->text = g_strdup(text);
    push(self, e);
}

static gboolean run_import(store *s, Edit *e, GError **error)
{
    g_autofree char *text = NULL, *name = g_filename_display_name(e->text);
    return g_file_get_contents(e->text, &text, NULL, error)
           && vocabulary_file_read(s, text, name, &e->n, error);
}

void tl_workspace_import_labels(TlWorkspace *self, const char *path)
{
    Edit *e = edit_new(self, run_import, tell_added);
    e->text = g_strdup(path);
    push(self, e);
}

static gboolean run_export(store *s, Edit *e, GError **error)
{
    g_autofree char *text = g_str_has_suffix(e->text, ".txt")
                                ? vocabulary_file_list(s, error)
                                : vocabulary_file_write(s, error);
    return text && g_file_set_contents(e->text, text, -1, error);
}

static char *tell_export(const Edit *e)
{
    g_autofree char *name = g_filename_display_basename(e->text);
    return g_strdup_printf(_("The labels are in “%s”"), name);
}

void tl_workspace_export_labels(TlWorkspace *self, const char *path)
{
    Edit *e = edit_new(self, run_export, tell_export);
    e->text = g_strdup(path);
    push(self, e);
}

static gboolean run_set(store *s, Edit *e, GError **error)
{
    return vocabulary_set_folder(s, e->folder, (const gint64 *)(gpointer)e->ids->data,
                                 e->ids->len, error);
}

static char *tell_set(const Edit *e)
{
    return e->ids->len == 0
               ? g_strdup(_("All labels are used in this folder"))
               : g_strdup_printf(ngettext("%u label is used in this folder",
                                          "%u labels are used in this folder", e->ids->len),
                                 e->ids->len);
}

static void set_folder(TlWorkspace *self, const gint64 *labels, guint n,
                       char *(*tell)(const Edit *))
{
    if (self->folder) {
        Edit *e = edit_new(self, run_set, tell);
        e->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_array_append_vals(e->ids, labels, n);
        push(self, e);
    }
}

void tl_workspace_set_folder_labels(TlWorkspace *self, const gint64 *labels, guint n)
{
    set_folder(self, labels, n, tell_set);
}

void tl_workspace_use_in_folder(TlWorkspace *self, gint64 label, gboolean used)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    guint listed = 0;
    for (guint i = 0; self->entries && i < self->entries->len; i++) {
        const VocabularyEntry *e = self->entries->pdata[i];
        gboolean in = e->label == label ? used : in_set(self->folder_set, e->label);
        listed += e->listed;
        if (e->listed && in) {
            g_array_append_val(ids, e->label);
        }
    }
    if (ids->len == 0) {
        workspace_report(self, _("A folder uses one label at least"));
        return;
    }
    set_folder(self, (const gint64 *)(gpointer)ids->data,
               ids->len == listed ? 0 : ids->len, tell_set);
}

void vocabulary_join_folder(TlWorkspace *self, gint64 row)
{
    if (self->folder_set && !in_set(self->folder_set, row)) {
        g_array_append_val(self->folder_set, row);
        set_folder(self, (const gint64 *)(gpointer)self->folder_set->data,
                   self->folder_set->len, NULL);
    }
}

/* --- Counting -------------------------------------------------------------------------------------- */

static void work_count(store *s, gpointer data, GError **error)
{
    Edit *e = data;
    e->n = store_count_decided(s, e->from);
}

static void done_count(TlWorkspace *self, gpointer data, gboolean good)
{
    const Edit *e = data;
    g_signal_emit(self, workspace_signals[COUNTED], 0, e->from, e->n);
}

void tl_workspace_count_decided(TlWorkspace *self, gint64 label)
{
    static const DatabaseTask task = { work_count, done_count, edit_free };
    Edit *e = edit_new(self, NULL, NULL);
    e->from = label;
    database_do(self, &task, e);
}

/* --- Names ------------------------------------------------------------------------------------------- */

const char *vocabulary_stands_for(TlWorkspace *self, const char *name)
{
    for (guint i = 0; self->entries && i < self->entries->len; i++) {
        const VocabularyEntry *e = self->entries->pdata[i];
        if (g_strv_contains((const char *const *)e->synonyms, name)) {
            return e->name;
        }
    }
    return name;
}

gint64 tl_workspace_find_name(TlWorkspace *self, const char *name)
{
    const char *own = vocabulary_stands_for(self, name);
    for (guint i = 0; self->entries && i < self->entries->len; i++) {
        const VocabularyEntry *e = self->entries->pdata[i];
        if (strcmp(e->name, own) == 0) {
            return e->label;
        }
    }
    return 0;
}
