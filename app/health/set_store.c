/* The set of a decision database. */
#include "app/health/health_private.h"
#include "app/store/likeness.h"

#include <glib/gstdio.h>
#include <string.h>

struct loading {
    HealthSet *set;
    store *s;
    const HealthStoreOptions *options;
    GHashTable *label_of; /* id -> number + 1 */
    GHashTable *looks_of; /* image id -> guint64 */
    GHashTable *seen;     /* ids of images that came under another path before */
    double shares[EXPORT_SPLITS];
    guint n_parts;        /* 0: no splits */
    guint first_split;
};

static gboolean add_label(const StoreRow *row, gpointer user_data)
{
    struct loading *load = user_data;
    gint64 *id = g_new(gint64, 1);
    *id = row->label;
    guint number = health_add_label(load->set, row->name);
    g_hash_table_insert(load->label_of, id, GUINT_TO_POINTER(number + 1));
    return TRUE;
}

static gboolean add_looks(const StoreLikeness *likeness, gpointer user_data,
                          GError **error)
{
    struct loading *load = user_data;
    if (likeness->hashed) {
        gint64 *id = g_new(gint64, 1);
        guint64 *looks = g_new(guint64, 1);
        *id = likeness->image;
        *looks = likeness->dhash;
        g_hash_table_insert(load->looks_of, id, looks);
    }
    return TRUE;
}

/* A file that is gone has not changed: that it is gone is for another check to say. */
static gboolean has_changed(store *s, const StoreItem *item)
{
    GStatBuf info;
    return g_stat(item->path, &info) == 0
           && store_find_image(s, item->path, info.st_size, info.st_mtime)
                  != item->image;
}

/* As store_each_item_of names them. */
static gboolean is_model(const char *model, const char *name)
{
    gsize n = strlen(name);
    return strncmp(model, name, n) == 0 && (model[n] == '\0' || model[n] == '#');
}

/* What the newest prediction says; else what stood on the screen at the decision. */
static double confidence_of(const struct loading *load, const StoreTag *tag)
{
    const char *model = load->options->model;
    gboolean counts = !model || is_model(tag->model, model);
    return tag->predicted >= 0 ? tag->predicted : counts ? tag->score : -1;
}

static void add_tag(struct loading *load, guint image, const StoreTag *tag)
{
    HealthSet *set = load->set;
    gpointer found = g_hash_table_lookup(load->label_of, &tag->label);
    guint label = GPOINTER_TO_UINT(found) - 1;
    double confidence = confidence_of(load, tag);
    if (tag->verdict == STORE_CLEARED) {
        health_label(set, label)->undecided++;
        return;
    }
    health_decide(set, image, label, (gint8)tag->verdict);
    health_label(set, label)->by_model += tag->by_model ? 1 : 0;
    /* What a model accepted would measure it by itself. */
    if (confidence >= 0 && !tag->by_model) {
        HealthPair pair = { image, label, (gint8)tag->verdict, (float)confidence };
        g_array_append_val(set->pairs, pair);
    }
}

/* An image under a second path is a file more, and no decision more. */
static void add_tags(struct loading *load, guint image, const StoreItem *item)
{
    gboolean again = g_hash_table_contains(load->seen, &item->image);
    for (guint i = 0; i < item->n_tags; i++) {
        const StoreTag *tag = &item->tags[i];
        gpointer label = g_hash_table_lookup(load->label_of, &tag->label);
        if (label && !again) {
            add_tag(load, image, tag);
        } else if (label && tag->verdict != STORE_CLEARED) {
            health_mark_image(load->set, image, GPOINTER_TO_UINT(label) - 1,
                              (gint8)tag->verdict);
        }
    }
    if (!again) {
        gint64 *id = g_new(gint64, 1);
        *id = item->image;
        g_hash_table_add(load->seen, id);
    }
}

static guint part_of(const struct loading *load, const StoreItem *item)
{
    return export_part_of(load->s, item, load->shares, load->n_parts,
                          load->options->split_seed);
}

static gboolean add_item(const StoreItem *item, gpointer user_data, GError **error)
{
    struct loading *load = user_data;
    if (g_cancellable_set_error_if_cancelled(load->options->cancellable, error)) {
        return FALSE;
    }
    guint number = health_add_image(load->set, item->path);
    HealthImage *image = health_image(load->set, number);
    image->changed = !load->options->blind && has_changed(load->s, item);
    image->hash = image->changed ? NULL : health_text(load->set, item->hash);
    const guint64 *looks = g_hash_table_lookup(load->looks_of, &item->image);
    if (looks && !image->changed) {
        image->hashed = TRUE;
        image->looks = *looks;
    }
    if (load->n_parts) {
        image->split = (int)(load->first_split + part_of(load, item));
    }
    add_tags(load, number, item);
    const HealthStoreOptions *o = load->options;
    return !o->each || o->each(item, o->data, error);
}

static gboolean prepare_splits(struct loading *load, GError **error)
{
    const HealthStoreOptions *o = load->options;
    const char *names[EXPORT_SPLITS];
    ExportOptions export = { .split_seed = o->split_seed, .memory = o->memory };
    memcpy(export.split, o->split, sizeof export.split);
    load->n_parts = export_parts(o->split, names, load->shares);
    load->first_split = load->set->splits->len;
    for (guint i = 0; i < load->n_parts; i++) {
        g_ptr_array_add(load->set->splits, (gpointer)health_text(load->set, names[i]));
    }
    return export_prepare_split(load->s, &export, error);
}

/* All of one moment, but what makes the splits, which writes. */
static gboolean read_all(struct loading *load, GError **error)
{
    if (!store_begin_reading(load->s, error)) {
        return FALSE;
    }
    gboolean good = store_each_label(load->s, add_label, load, error)
                    && store_each_likeness(load->s, add_looks, load, error)
                    && store_each_item_in(load->s, load->options->folder,
                                          load->options->model, add_item, load, error);
    store_end_reading(load->s);
    for (guint i = 0; good && load->options->folder && i < load->set->labels->len; i++) {
        HealthLabel *label = health_label(load->set, i);
        label->elsewhere = label->accepted + label->rejected == 0;
    }
    return good;
}

gboolean health_add_store(HealthSet *set, store *s, const HealthStoreOptions *options,
                          GError **error)
{
    struct loading load = {
        .set = set, .s = s, .options = options,
        .label_of = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
        .looks_of = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free),
        .seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)
    };
    gboolean good = (!options->split || prepare_splits(&load, error))
                    && read_all(&load, error);
    g_hash_table_unref(load.label_of);
    g_hash_table_unref(load.looks_of);
    g_hash_table_unref(load.seen);
    return good;
}
