#include "app/workspace/vocabulary.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <string.h>

G_DEFINE_FINAL_TYPE(TlWorkspace, tl_workspace, G_TYPE_OBJECT)

#define DEFAULT_THRESHOLD 0.5

guint workspace_signals[N_SIGNALS];

void workspace_report(TlWorkspace *self, const char *text)
{
    g_signal_emit(self, workspace_signals[FAILED], 0, text);
}

void workspace_report_error(TlWorkspace *self, const GError *error)
{
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        workspace_report(self, error->message);
    }
}

/* --- Status ------------------------------------------------------------------------------- */

#define STATUS_MS 40

static gboolean on_status(gpointer data)
{
    TlWorkspace *self = data;
    self->status_timeout = 0;
    g_signal_emit(self, workspace_signals[STATUS], 0);
    return G_SOURCE_REMOVE;
}

void workspace_set_status(TlWorkspace *self)
{
    guint n = self->images->items->len;
    g_free(self->status);
    self->status = n == 0 ? g_strdup("")
                          : g_strdup_printf(_("%u of %u images"), self->done, n);
    if (!self->status_timeout) {
        self->status_timeout = g_timeout_add(STATUS_MS, on_status, self);
    }
}

const char *tl_workspace_status(TlWorkspace *self) { return self->status; }

double tl_workspace_fraction(TlWorkspace *self)
{
    guint n = self->images->items->len;
    return n ? (double)self->done / n : 0;
}

/* --- Images ------------------------------------------------------------------------------------------ */

GListModel *tl_workspace_images(TlWorkspace *self) { return G_LIST_MODEL(self->shown); }
guint tl_workspace_n_all(TlWorkspace *self) { return self->images->items->len; }

/* --- Labels ----------------------------------------------------------------------------------------- */

static void label_free(gpointer data)
{
    Label *label = data;
    g_free(label->name);
    g_free(label->words);
    g_free(label->prompt);
    g_clear_pointer(&label->embedding, g_bytes_unref);
    g_free(label->colour);
    g_free(label);
}

guint tl_workspace_n_labels(TlWorkspace *self) { return self->labels->len; }

const char *tl_workspace_label(TlWorkspace *self, guint index)
{
    return ((Label *)self->labels->pdata[index])->name;
}

GPtrArray *tl_workspace_label_names(TlWorkspace *self)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < self->labels->len; i++) {
        const Label *label = self->labels->pdata[i];
        if (!label->preview) {
            g_ptr_array_add(names, g_strdup(label->name));
        }
    }
    return names;
}

gunichar tl_workspace_label_key(TlWorkspace *self, guint index)
{
    return ((Label *)self->labels->pdata[index])->key;
}

const char *tl_workspace_label_colour(TlWorkspace *self, guint index)
{
    return ((Label *)self->labels->pdata[index])->colour;
}

static gboolean is_own_key(TlWorkspace *self, gunichar key)
{
    for (guint i = 0; i < self->labels->len; i++) {
        if (((Label *)self->labels->pdata[i])->own_key == key) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Labels have the keys that a person gave them; the others get what is left, in order. */
static void deal_keys(TlWorkspace *self)
{
    const char *left = TL_WORKSPACE_KEYS;
    for (guint i = 0; i < self->labels->len; i++) {
        Label *label = self->labels->pdata[i];
        while (*left && (is_own_key(self, (guchar)*left) || strchr(self->reserved, *left))) {
            left++;
        }
        label->key = label->own_key ? label->own_key : *left ? (guchar)*left++ : 0;
    }
}

void tl_workspace_reserve_keys(TlWorkspace *self, const char *keys)
{
    g_free(self->reserved);
    self->reserved = g_strdup(keys);
    workspace_tell_labels(self);
}

void workspace_tell_labels(TlWorkspace *self)
{
    deal_keys(self);
    g_signal_emit(self, workspace_signals[LABELS], 0);
}

int workspace_find_label(TlWorkspace *self, const char *name)
{
    for (guint i = 0; i < self->labels->len; i++) {
        if (strcmp(tl_workspace_label(self, i), name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

Label *workspace_label_new(TlWorkspace *self, const char *name)
{
    Label *label = g_new0(Label, 1);
    label->name = g_strdup(name);
    label->threshold = self->threshold;
    return label;
}

static gboolean can_add(TlWorkspace *self)
{
    return !self->model || self->model->open_vocabulary;
}

static Label *add(TlWorkspace *self, const char *name)
{
    Label *label = workspace_label_new(self, name);
    g_ptr_array_add(self->labels, label);
    workspace_tell_labels(self);
    scoring_encode_labels(self, &label, 1);
    return label;
}

void workspace_drop_label(TlWorkspace *self, guint index)
{
    self->urgent = self->urgent == self->labels->pdata[index] ? NULL : self->urgent;
    for (guint i = 0; i < self->images->items->len; i++) {
        image_drop_label(self->images->items->pdata[i], index);
    }
    g_ptr_array_remove_index(self->labels, index);
}

static void drop_label(TlWorkspace *self, guint index)
{
    workspace_drop_label(self, index);
    workspace_tell_labels(self);
}

void workspace_keep_label(TlWorkspace *self, Label *label)
{
    if (label->preview) {
        label->preview = FALSE;
        database_add_label(self, label);
        workspace_tell_labels(self);
    }
}

guint tl_workspace_add_label(TlWorkspace *self, const char *text)
{
    g_autofree char *typed = g_strstrip(g_strdup(text));
    const char *name = vocabulary_stands_for(self, typed);
    int index = workspace_find_label(self, name);
    if (index >= 0) {
        workspace_keep_label(self, self->labels->pdata[index]);
    } else if (*name && !can_add(self)) {
        workspace_report(self, _("This model answers for its own labels only"));
    } else if (*name && workspace_check_words(self, name, NULL)) {
        database_add_label(self, add(self, name));
        index = (int)self->labels->len - 1;
    }
    return index < 0 ? G_MAXUINT : (guint)index;
}

void tl_workspace_remove_label(TlWorkspace *self, guint index)
{
    database_hide_label(self, tl_workspace_label(self, index));
    drop_label(self, index);
    tl_workspace_read_vocabulary(self);
}

/* --- A label that is being typed ------------------------------------------------------------------- */

static int find_preview(TlWorkspace *self)
{
    for (guint i = 0; i < self->labels->len; i++) {
        if (((Label *)self->labels->pdata[i])->preview) {
            return (int)i;
        }
    }
    return -1;
}

/* Back to the order from before. */
static void end_preview(TlWorkspace *self, guint index)
{
    drop_label(self, index);
    self->order = self->order_before;
    g_free(self->order_label);
    self->order_label = g_steal_pointer(&self->order_label_before);
}

void tl_workspace_preview_label(TlWorkspace *self, const char *text)
{
    g_autofree char *name = g_strstrip(g_strdup(text));
    int before = find_preview(self);
    if (before >= 0 && strcmp(tl_workspace_label(self, (guint)before), name) == 0) {
        return;
    }
    if (before >= 0) {
        end_preview(self, (guint)before);
    }
    if (*name && self->model && can_add(self) && workspace_find_label(self, name) < 0
        && workspace_can_read(name)) {
        self->order_before = self->order;
        g_free(self->order_label_before);
        self->order_label_before = g_steal_pointer(&self->order_label);
        add(self, name)->preview = TRUE;
        self->order = TL_ORDER_LIKELY;
        self->order_label = g_strdup(name);
        order_apply(self);
    } else if (before >= 0) {
        order_apply(self);
    }
}

/* --- Model and life --------------------------------------------------------------------------------------- */

/* Nothing that an earlier model gave is of use to the next one. */
static void forget_model(TlWorkspace *self)
{
    g_clear_pointer(&self->model, tl_model_facts_unref);
    encoding_drop(self);
    scoring_cancel(self);
    self->halted = FALSE;
    self->urgent = NULL;
    self->busy = NULL;
    self->done = 0;
    self->score_from = 0;
    for (guint i = 0; i < self->images->items->len; i++) {
        image_forget(self->images->items->pdata[i]);
    }
    for (guint i = 0; i < self->labels->len; i++) {
        Label *label = self->labels->pdata[i];
        g_clear_pointer(&label->embedding, g_bytes_unref);
    }
}

static void on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(TlWorkspace) self = data;
    g_autoptr(GError) error = NULL;
    TlModelFacts *facts = tl_engine_load_finish(TL_ENGINE(source), result, &error);
    self->loading = FALSE;
    forget_model(self);
    self->model = facts;
    if (!facts) {
        workspace_report_error(self, error);
    } else {
        scoring_encode_labels(self, (Label *const *)self->labels->pdata,
                              self->labels->len);
        for (char **l = facts->open_vocabulary ? NULL : facts->labels; l && *l; l++) {
            if (workspace_find_label(self, *l) < 0) {
                g_ptr_array_add(self->labels, workspace_label_new(self, *l));
            }
        }
        database_find(self, 0);
        thresholds_read(self);
    }
    workspace_tell_labels(self);
    g_signal_emit(self, workspace_signals[STATUS], 0);
}

void tl_workspace_load_model(TlWorkspace *self, const char *path, const char *device)
{
    self->loading = TRUE;
    g_free(self->model_path);
    self->model_path = g_strdup(path);
    learning_find_earlier(self);
    g_free(self->device);
    self->device = g_strdup(device);
    tl_engine_load_async(self->engine, path, device, NULL, on_loaded, g_object_ref(self));
}

const char *tl_workspace_model_path(TlWorkspace *self) { return self->model_path; }
const TlModelFacts *tl_workspace_model(TlWorkspace *self) { return self->model; }
gboolean tl_workspace_loading(TlWorkspace *self) { return self->loading; }

const char *tl_workspace_database(TlWorkspace *self)
{
    return self->db_path;
}

const char *tl_workspace_folder(TlWorkspace *self)
{
    return self->folder;
}

TlWorkspace *tl_workspace_new(const char *db_path, GError **error)
{
    store *s = store_open(db_path, STORE_CREATE, error);
    if (!s) {
        return NULL;
    }
    TlWorkspace *self = g_object_new(TL_TYPE_WORKSPACE, NULL);
    self->store = s;
    self->db_path = g_strdup(db_path);
    self->entries = vocabulary_load(s, NULL);
    for (guint i = 0; self->entries && i < self->entries->len; i++) {
        const VocabularyEntry *e = self->entries->pdata[i];
        if (e->listed) {
            Label *label = workspace_label_new(self, e->name);
            label->words = g_strdup(e->prompt);
            label->row = e->label;
            vocabulary_take_looks(label, e);
            g_ptr_array_add(self->labels, label);
        }
    }
    deal_keys(self);
    database_back_up(self);
    filter_load_saved(self);
    return self;
}

void tl_workspace_stop(TlWorkspace *self)
{
    if (!self->database) {
        return;
    }
    g_cancellable_cancel(self->cancellable);
    g_cancellable_cancel(self->scoring);
    g_cancellable_cancel(self->diverse);
    g_clear_handle_id(&self->status_timeout, g_source_remove);
    g_clear_handle_id(&self->order_timeout, g_source_remove);
    g_clear_handle_id(&self->pump_idle, g_source_remove);
    folder_forget(self);
    thresholds_write(self);
    tl_workspace_stop_learning(self);
    g_thread_pool_free(g_steal_pointer(&self->database), FALSE, TRUE);
    g_thread_pool_free(g_steal_pointer(&self->reader), FALSE, TRUE);
    store_close(&self->store);
    while (self->learning) { /* its thread uses the device until the end of a step */
        g_main_context_iteration(NULL, TRUE);
    }
    token_cache_close(&self->kept);
    token_cache_close(&self->read);
    tl_engine_stop(self->engine);
}

static void tl_workspace_finalize(GObject *object)
{
    TlWorkspace *self = TL_WORKSPACE(object);
    tl_workspace_stop(self);
    g_clear_object(&self->engine);
    g_clear_pointer(&self->model, tl_model_facts_unref);
    encoding_drop(self);
    g_object_unref(self->images);
    g_object_unref(self->shown);
    g_clear_object(&self->diverse);
    g_free(self->order_label);
    g_free(self->order_label_before);
    g_free(self->last_label);
    g_free(self->folder);
    g_clear_pointer(&self->entries, g_ptr_array_unref);
    g_clear_pointer(&self->folder_set, g_array_unref);
    query_free(&self->filter);
    g_strfreev(self->filter_names);
    g_strfreev(self->filter_queries);
    g_hash_table_unref(self->watched);
    g_hash_table_unref(self->changed);
    g_object_unref(self->cancellable);
    g_object_unref(self->scoring);
    g_ptr_array_unref(self->labels);
    g_free(self->status);
    g_free(self->device);
    g_free(self->model_path);
    g_free(self->db_path);
    g_free(self->earlier);
    g_free(self->reserved);
    G_OBJECT_CLASS(tl_workspace_parent_class)->finalize(object);
}

static void tl_workspace_class_init(TlWorkspaceClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_workspace_finalize;
    GType type = TL_TYPE_WORKSPACE;
    guint *signals = workspace_signals;
    signals[CHANGED] = g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 1, TL_TYPE_IMAGE);
    signals[LABELS] = g_signal_new("labels", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
    signals[STATUS] = g_signal_new("status", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
    signals[FAILED] = g_signal_new("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[DECIDED] = g_signal_new("decided", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
    signals[ORDERED] = g_signal_new("ordered", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 0);
    signals[FILTERS] = g_signal_new("filters", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 0);
    signals[VOCABULARY] = g_signal_new("vocabulary", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                       NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[COUNTED] = g_signal_new("counted", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 2, G_TYPE_INT64, G_TYPE_UINT);
    signals[LEARNT] = g_signal_new("learnt", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
}

static void tl_workspace_init(TlWorkspace *self)
{
    self->images = g_object_new(IMAGE_TYPE_LIST, NULL);
    self->shown = g_object_new(IMAGE_TYPE_LIST, NULL);
    self->labels = g_ptr_array_new_with_free_func(label_free);
    self->threshold = DEFAULT_THRESHOLD;
    self->reserved = g_strdup("acnpruw");
    folder_init(self);
    self->cancellable = g_cancellable_new();
    self->engine = tl_engine_new();
    self->scoring = g_cancellable_new();
    self->database = g_thread_pool_new(database_run, NULL, 1, TRUE, NULL);
    self->reader = g_thread_pool_new(scoring_read, NULL, 1, TRUE, NULL);
    self->status = g_strdup("");
    g_queue_init(&self->pending);
}
