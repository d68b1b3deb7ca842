/* What a person decides: steps of one image or many, taken back and brought back whole. */
#include "app/library/identity.h"
#include "app/store/steps.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>

typedef struct {
    TlImage *image;
    double confidence;
    gint64 row;             /* found on the thread of the store */
} Part;

typedef struct {
    GArray *parts;          /* of Part; NULL for undo and redo */
    char *label, *prompt;
    StoreVerdict verdict;
    TlModelFacts *model;
    gboolean redo;
    GArray *changes;        /* of StoreChange: what holds afterwards */
} Step;

static void part_clear(gpointer data)
{
    g_object_unref(((Part *)data)->image);
}

static void step_free(gpointer data)
{
    Step *step = data;
    g_clear_pointer(&step->parts, g_array_unref);
    g_clear_pointer(&step->changes, g_array_unref);
    g_clear_pointer(&step->model, tl_model_facts_unref);
    g_free(step->label);
    g_free(step->prompt);
    g_free(step);
}

/* --- Images that show what holds ------------------------------------------------------------ */

static void unref_table(gpointer table)
{
    g_hash_table_unref(table);
}

/* What holds now: by the name of a label, by the row of an image. Borrows the changes. */
static GHashTable *collect(GArray *changes)
{
    GHashTable *labels = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, unref_table);
    for (guint i = 0; i < changes->len; i++) {
        StoreChange *c = &g_array_index(changes, StoreChange, i);
        GHashTable *rows = g_hash_table_lookup(labels, c->name);
        if (!rows) {
            rows = g_hash_table_new(g_int64_hash, g_int64_equal);
            g_hash_table_insert(labels, c->name, rows);
        }
        g_hash_table_insert(rows, &c->image, GINT_TO_POINTER(c->verdict));
    }
    return labels;
}

/* Every image of that content, for a folder may hold one twice. */
static void show_verdicts(TlWorkspace *self, GHashTable *rows, guint label)
{
    for (guint i = 0; i < self->images->items->len; i++) {
        TlImage *image = self->images->items->pdata[i];
        gpointer verdict;
        if (image->row && g_hash_table_lookup_extended(rows, &image->row, NULL, &verdict)) {
            image_set_verdict(image, label, GPOINTER_TO_INT(verdict));
        }
    }
}

static void show_changes(TlWorkspace *self, GArray *changes)
{
    g_autoptr(GHashTable) labels = collect(changes);
    for (guint l = 0; l < self->labels->len; l++) {
        GHashTable *rows = g_hash_table_lookup(labels, tl_workspace_label(self, l));
        if (rows) {
            show_verdicts(self, rows, l);
        }
    }
    g_signal_emit(self, workspace_signals[CHANGED], 0, NULL);
}

/* --- Deciding ----------------------------------------------------------------------------------- */

/* The rows come first, as reading a file that is not known yet takes its time. */
static gboolean find_rows(store *s, GArray *parts, GError **error)
{
    for (guint i = 0; i < parts->len; i++) {
        Part *part = &g_array_index(parts, Part, i);
        struct identity identity;
        const char *path = part->image->path;
        gboolean known = identity_look_up(s, path, &identity)
                         || identity_read(path, NULL, &identity, error);
        part->row = known ? identity_put(s, path, &identity, error) : 0;
        identity_clear(&identity);
        if (!part->row) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean decide_parts(store *s, Step *step, gint64 label, GError **error)
{
    g_autofree char *mark = database_model_mark(step->model);
    gint64 first = 0;
    for (guint i = 0; i < step->parts->len; i++) {
        const Part *part = &g_array_index(step->parts, Part, i);
        StoreSource source = { .model = mark, .prompt = step->prompt,
                               .confidence = part->confidence, .threshold = -1 };
        if (!store_decide_in_step(s, part->row, label, step->verdict, &source, &first,
                                  step->changes, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static void work_decide(store *s, gpointer data, GError **error)
{
    Step *step = data;
    gint64 label = 0;
    step->changes = store_changes_new();
    if (!find_rows(s, step->parts, error) || !store_begin(s, error)) {
        return;
    }
    label = store_put_label(s, step->label, NULL, error);
    if (label && decide_parts(s, step, label, error)) {
        store_commit(s, error);
    } else {
        store_rollback(s);
    }
}

static char *describe(const Step *step)
{
    guint n = step->parts->len;
    const char *format =
        step->verdict == STORE_ACCEPTED
            ? ngettext("“%s” accepted on %u image", "“%s” accepted on %u images", n)
        : step->verdict == STORE_REJECTED
            ? ngettext("“%s” rejected on %u image", "“%s” rejected on %u images", n)
            : ngettext("“%s” open again on %u image", "“%s” open again on %u images", n);
    return g_strdup_printf(format, step->label, n);
}

static void done_decide(TlWorkspace *self, gpointer data, gboolean good)
{
    Step *step = data;
    g_autofree char *text = describe(step);
    for (guint i = 0; good && i < step->parts->len; i++) {
        Part *part = &g_array_index(step->parts, Part, i);
        part->image->row = part->row;
    }
    if (good) {
        show_changes(self, step->changes);
        g_signal_emit(self, workspace_signals[DECIDED], 0, text, TRUE);
    }
}

void tl_workspace_decide_all(TlWorkspace *self, GPtrArray *images, guint label,
                             StoreVerdict verdict)
{
    static const DatabaseTask task = { work_decide, done_decide, step_free };
    Label *about = self->labels->pdata[label];
    if (images->len == 0) {
        return;
    }
    workspace_keep_label(self, about);
    Step *step = g_new0(Step, 1);
    step->parts = g_array_sized_new(FALSE, FALSE, sizeof(Part), images->len);
    g_array_set_clear_func(step->parts, part_clear);
    for (guint i = 0; i < images->len; i++) {
        TlImage *image = images->pdata[i];
        Part part = { g_object_ref(image), tl_image_confidence(image, label), 0 };
        g_array_append_val(step->parts, part);
    }
    step->label = g_strdup(about->name);
    step->prompt = g_strdup(about->prompt);
    step->verdict = verdict;
    step->model = self->model ? tl_model_facts_ref(self->model) : NULL;
    g_free(self->last_label);
    self->last_label = g_strdup(about->name);
    self->last_verdict = verdict;
    database_do(self, &task, step);
}

void tl_workspace_decide(TlWorkspace *self, TlImage *image, guint label,
                         StoreVerdict verdict)
{
    g_autoptr(GPtrArray) images = image_array();
    g_ptr_array_add(images, g_object_ref(image));
    tl_workspace_decide_all(self, images, label, verdict);
}

void tl_workspace_repeat(TlWorkspace *self, GPtrArray *images)
{
    int label = self->last_label ? workspace_find_label(self, self->last_label) : -1;
    if (label < 0) {
        workspace_report(self, _("There is nothing to repeat"));
    } else {
        tl_workspace_decide_all(self, images, (guint)label, self->last_verdict);
    }
}

void tl_workspace_accept_above(TlWorkspace *self, guint label)
{
    g_autoptr(GPtrArray) images = image_array();
    double threshold = tl_workspace_threshold(self, label);
    for (guint i = 0; i < self->shown->items->len; i++) {
        TlImage *image = self->shown->items->pdata[i];
        double confidence = tl_image_confidence(image, label);
        if (confidence >= threshold && confidence >= 0
            && tl_image_verdict(image, label) == STORE_CLEARED) {
            g_ptr_array_add(images, g_object_ref(image));
        }
    }
    if (images->len == 0) {
        workspace_report(self, _("No open image is above the threshold"));
    }
    tl_workspace_decide_all(self, images, label, STORE_ACCEPTED);
}

/* --- Back and forth ------------------------------------------------------------------------------- */

static void work_turn(store *s, gpointer data, GError **error)
{
    Step *step = data;
    step->changes = step->redo ? store_redo(s, error) : store_undo(s, error);
}

static char *describe_turn(const Step *step)
{
    GArray *changes = step->changes;
    guint at = step->redo ? 0 : changes->len - 1, n = 0; /* the decision, not what followed */
    const char *name = g_array_index(changes, StoreChange, at).name;
    for (guint i = 0; i < changes->len; i++) {
        n += g_str_equal(g_array_index(changes, StoreChange, i).name, name);
    }
    const char *format =
        step->redo ? ngettext("“%s” decided again on %u image",
                              "“%s” decided again on %u images", n)
                   : ngettext("“%s” taken back on %u image", "“%s” taken back on %u images",
                              n);
    return g_strdup_printf(format, name, n);
}

static void done_turn(TlWorkspace *self, gpointer data, gboolean good)
{
    Step *step = data;
    if (good && step->changes->len == 0) {
        workspace_report(self, step->redo ? _("There is nothing to redo")
                                          : _("There is nothing to undo"));
    } else if (good) {
        g_autofree char *text = describe_turn(step);
        show_changes(self, step->changes);
        g_signal_emit(self, workspace_signals[DECIDED], 0, text, step->redo);
    }
}

static void turn(TlWorkspace *self, gboolean redo)
{
    static const DatabaseTask task = { work_turn, done_turn, step_free };
    Step *step = g_new0(Step, 1);
    step->redo = redo;
    database_do(self, &task, step);
}

void tl_workspace_undo(TlWorkspace *self)
{
    turn(self, FALSE);
}

void tl_workspace_redo(TlWorkspace *self)
{
    turn(self, TRUE);
}
