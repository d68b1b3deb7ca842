/* From the store's images to what a format gets: which of them, which of their labels,
 * and under which names. */
#include "app/formats/run/run.h"

#include <string.h>

struct pass {
    ExportRun *run;
    GHashTable *label_of; /* id -> index + 1 */
    GArray *tags;         /* of ExportTag */
    GPtrArray *keys;      /* paths of the images before that may share theirs */
    gsize root_size;      /* bytes of the root with its slash; 0 without a root */
    guint *counts;        /* [n_labels, n_subsets] positives */
    guint done, total;
};

/* --- Labels ----------------------------------------------------------------------- */

static gboolean is_wanted(const ExportOptions *options, const char *name)
{
    return !options->labels || g_strv_contains(options->labels, name);
}

struct label_list { const ExportOptions *options; GArray *labels; };

static gboolean add_label(const StoreRow *row, gpointer user_data)
{
    struct label_list *list = user_data;
    if (is_wanted(list->options, row->name)) {
        ExportLabel label = { row->label, g_utf8_make_valid(row->name, -1) };
        g_array_append_val(list->labels, label);
    }
    return TRUE;
}

static gboolean check_labels(const ExportRun *run, GError **error)
{
    const char *const *wanted = run->options->labels;
    for (; wanted && *wanted; wanted++) {
        if (store_find_label(run->s, *wanted) == 0) {
            g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                        "there is no label \"%s\" in this database", *wanted);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean export_find_labels(ExportRun *run, GError **error)
{
    struct label_list list = { run->options,
                               g_array_new(FALSE, FALSE, sizeof(ExportLabel)) };
    gboolean good = check_labels(run, error)
                    && store_each_label(run->s, add_label, &list, error);
    run->n_labels = list.labels->len;
    run->labels = (ExportLabel *)(gpointer)g_array_free(list.labels, FALSE);
    return good;
}

/* --- Tags ------------------------------------------------------------------------- */

gboolean export_is_positive(const ExportTag *tag)
{
    return tag->known->verdict != STORE_REJECTED;
}

const char *export_state_name(const ExportTag *tag)
{
    StoreVerdict verdict = tag->known->verdict;
    return verdict == STORE_ACCEPTED   ? "accepted"
           : verdict == STORE_REJECTED ? "rejected"
                                       : "undecided";
}

const char *export_source_name(const ExportTag *tag)
{
    return tag->known->by_model ? "model" : "human";
}

/* A person's word stands whatever a model thought of it. */
static gboolean is_asked(const ExportRun *run, const StoreTag *tag)
{
    const ExportOptions *o = run->options;
    guint state = tag->verdict == STORE_ACCEPTED   ? EXPORT_ACCEPTED
                  : tag->verdict == STORE_REJECTED ? EXPORT_REJECTED
                                                   : EXPORT_UNDECIDED;
    guint source = tag->by_model ? EXPORT_BY_MODEL : EXPORT_BY_HUMAN;
    return (run->states & state) && (!o->sources || (o->sources & source))
           && (!tag->by_model || o->min_score <= 0 || tag->score >= o->min_score)
           && (!o->since || strcmp(tag->time, o->since) >= 0)
           && (!o->until || strcmp(tag->time, o->until) <= 0);
}

static void choose_tags(struct pass *p, const StoreItem *known, guint subset)
{
    ExportRun *run = p->run;
    g_array_set_size(p->tags, 0);
    for (guint i = 0; i < known->n_tags; i++) {
        const StoreTag *tag = &known->tags[i];
        guint label = GPOINTER_TO_UINT(g_hash_table_lookup(p->label_of, &tag->label));
        if (label > 0 && is_asked(run, tag)) {
            ExportTag chosen = { label - 1, run->labels[label - 1].name, tag };
            g_array_append_val(p->tags, chosen);
            p->counts[(label - 1) * run->n_subsets + subset] +=
                export_is_positive(&chosen);
        }
    }
}

/* --- Names ------------------------------------------------------------------------ */

gboolean export_is_below(const char *path, const char *root)
{
    gsize n = strlen(root);
    while (n > 0 && root[n - 1] == '/') {
        n--;
    }
    return strncmp(path, root, n) == 0 && path[n] == '/' && path[n + 1] != '\0';
}

static const char *below_root(const ExportRun *run, const char *path)
{
    const char *root = run->options->root;
    if (root && export_is_below(path, root)) {
        path += strlen(root);
        path += strspn(path, "/");
    }
    return path;
}

/* Bytes of a path before the suffix of its last part. */
static gsize stem_size(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return dot && dot > base ? (gsize)(dot - path) : strlen(path);
}

/* Images come by path, so those that can have the key "a" all lie between "a" and the
 * end of what begins with "a."; older keys are forgotten. */
static gboolean is_taken(GPtrArray *keys, const char *path, const char *key)
{
    gboolean taken = FALSE;
    for (guint i = keys->len; i-- > 0;) {
        const char *old = keys->pdata[i];
        gsize n = strlen(old);
        int order = strncmp(path, old, n);
        if (order > 0 || (order == 0 && (guchar)path[n] > '.')) {
            g_ptr_array_remove_index_fast(keys, i);
        } else {
            taken = taken || strcmp(old, key) == 0;
        }
    }
    return taken;
}

/* The key of the image, and whether another one before it has the same stem. */
static char *find_key(struct pass *p, const char *path, const char *name,
                      gboolean *shared)
{
    g_autofree char *stem = g_strndup(path, stem_size(path));
    *shared = is_taken(p->keys, path, stem);
    g_ptr_array_add(p->keys, *shared ? g_strdup(path) : g_steal_pointer(&stem));
    return *shared ? g_strdup(name) : g_strndup(name, stem_size(name));
}

static char *make_name(ExportRun *run, const char *below)
{
    const ExportFormat *f = run->format;
    if (f->spreads && run->folder) {
        below += strspn(below, "/");
    }
    if (!g_utf8_validate(below, -1, NULL)) {
        g_autofree char *valid = g_utf8_make_valid(below, -1);
        export_warn(run, EXPORT_WARN_NAME,
                    "%s: the name is not UTF-8; it is written with replacement "
                    "characters", valid);
    }
    g_autofree char *name = g_utf8_make_valid(below, -1);
    return g_strconcat(run->options->prefix ? run->options->prefix : "", name, NULL);
}

/* --- The pass --------------------------------------------------------------------- */

static gboolean put_item(const StoreItem *known, gpointer user_data, GError **error)
{
    struct pass *p = user_data;
    ExportRun *run = p->run;
    const ExportOptions *o = run->options;
    if (o->progress) {
        o->progress(p->done++, p->total, o->data);
    }
    if (o->under && !export_is_below(known->path, o->under)) {
        return TRUE;
    }
    const char *below = below_root(run, known->path);
    g_autofree char *name = make_name(run, below);
    gboolean shared;
    g_autofree char *key = find_key(p, known->path, name, &shared);
    if (shared && run->format->keyed) {
        export_warn(run, EXPORT_WARN_STEM,
                    "%s: another image differs in the suffix only, so this one is "
                    "named with its suffix", name);
    }
    guint subset = export_split_of(run, known);
    choose_tags(p, known, subset);
    ExportItem item = { known, name, below, key, shared, subset,
                        (const ExportTag *)(gpointer)p->tags->data, p->tags->len };
    return run->format->item(run, &item, error)
           && (!run->out || !ferror(run->out) || export_write_error(run, error));
}

/* Chance decides a split, so a rare label may be missing from one. */
static void warn_of_missing(const struct pass *p)
{
    ExportRun *run = p->run;
    for (guint i = 0; i < run->n_labels; i++) {
        const guint *count = p->counts + i * run->n_subsets;
        g_autoptr(GString) text = g_string_new(NULL);
        gboolean any = FALSE, all = TRUE;
        for (guint s = 0; s < run->n_subsets; s++) {
            any = any || count[s] > 0;
            all = all && count[s] > 0;
            g_string_append_printf(text, "%s%u %s", s ? ", " : "", count[s],
                                   run->subsets[s]);
        }
        if (any && !all) {
            export_warn(run, EXPORT_WARN_LABEL, "\"%s\" is not in every split: %s",
                        run->labels[i].name, text->str);
        }
    }
}

gboolean export_pass(ExportRun *run, GError **error)
{
    struct pass p = { .run = run };
    p.label_of = g_hash_table_new(g_int64_hash, g_int64_equal);
    p.tags = g_array_new(FALSE, FALSE, sizeof(ExportTag));
    p.keys = g_ptr_array_new_with_free_func(g_free);
    p.counts = g_new0(guint, MAX(run->n_labels * run->n_subsets, 1));
    p.total = store_count_items(run->s);
    for (guint i = 0; i < run->n_labels; i++) {
        g_hash_table_insert(p.label_of, &run->labels[i].id, GUINT_TO_POINTER(i + 1));
    }
    gboolean good = store_each_item(run->s, put_item, &p, error);
    if (good && run->n_subsets > 1) {
        warn_of_missing(&p);
    }
    g_hash_table_unref(p.label_of);
    g_array_unref(p.tags);
    g_ptr_array_unref(p.keys);
    g_free(p.counts);
    return good;
}

/* --- Words to the person ---------------------------------------------------------- */

#define MOST_WARNINGS 10

void export_warn(ExportRun *run, enum export_warning about, const char *format, ...)
{
    guint *count = &run->warned[about];
    if (!run->options->warn || *count > MOST_WARNINGS) {
        return;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    run->options->warn(++*count > MOST_WARNINGS ? "there are more of this kind" : text);
}
