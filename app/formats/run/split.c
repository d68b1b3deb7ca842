/* Splits. The part of an image follows from nothing but its kin, the seed and the shares,
 * so that it stays for ever, whatever is decided, added or left out; to have every label in
 * proportion in every part would need to look at the others. Kin is the image itself, or
 * the first one that looked nearly the same. */
#include "app/formats/run/run.h"
#include "app/image/image_hash.h"
#include "app/store/likeness.h"

#include <string.h>

#define BATCH 256 /* rows a transaction: enough that waiting for the disk does not count */

struct writing {
    store *memory;
    guint pending;
    gint64 done;              /* the image that was hashed last */
    struct hash_index *index;
    GPtrArray *kin;           /* of the index's entries */
    GStringChunk *texts;      /* that they point into */
    const ExportOptions *options;
    guint count, total;
};

/* --- Kin ---------------------------------------------------------------------------- */

static gboolean start_row(struct writing *w, GError **error)
{
    return w->pending++ > 0 || store_begin(w->memory, error);
}

static gboolean end_row(struct writing *w, gboolean last, GError **error)
{
    if (w->pending == 0 || (!last && w->pending < BATCH)) {
        return TRUE;
    }
    w->pending = 0;
    return store_commit(w->memory, error);
}

/* An image whose files are all gone has no hash, and is its own kin. */
static gboolean hash_image(const StoreLikeness *image, gpointer user_data, GError **error)
{
    struct writing *w = user_data;
    guint64 hash;
    if (w->options->progress) {
        w->options->progress(w->count++, w->total, w->options->data);
    }
    if (w->done == image->image || !img_hash(image->path, NULL, &hash, NULL)) {
        return TRUE;
    }
    w->done = image->image;
    return start_row(w, error) && store_put_likeness(w->memory, image->image, &hash, error)
           && end_row(w, FALSE, error);
}

static gboolean note_unreadable(const StoreLikeness *image, gpointer user_data,
                                GError **error)
{
    struct writing *w = user_data;
    return start_row(w, error) && store_put_likeness(w->memory, image->image, NULL, error)
           && end_row(w, FALSE, error);
}

/* Flat pictures are alike without being the same. */
static gboolean has_structure(const StoreLikeness *image)
{
    return image->hashed && image->dhash != 0 && image->dhash != G_MAXUINT64;
}

static gboolean give_kin(const StoreLikeness *image, gpointer user_data, GError **error)
{
    struct writing *w = user_data;
    gboolean structure = has_structure(image), good = TRUE;
    const char *kin = image->kin ? image->kin : image->hash;
    if (!image->kin) {
        int nearest = structure ? hash_index_nearest(w->index, image->dhash) : -1;
        kin = nearest >= 0 ? w->kin->pdata[nearest] : kin;
        good = start_row(w, error) && store_set_kin(w->memory, image->image, kin, error)
               && end_row(w, FALSE, error);
    }
    if (structure) {
        hash_index_add(w->index, image->dhash);
        g_ptr_array_add(w->kin, g_string_chunk_insert_const(w->texts, kin));
    }
    return good;
}

gboolean export_prepare_split(const ExportRun *run, GError **error)
{
    struct writing w = { .memory = run->options->memory, .options = run->options,
                         .index = hash_index_new(), .kin = g_ptr_array_new(),
                         .texts = g_string_chunk_new(4096),
                         .total = store_count_items(run->s) };
    /* Each pass reads what the one before committed. */
    gboolean good = store_each_unlike(run->s, hash_image, &w, error)
                    && end_row(&w, TRUE, error)
                    && store_each_unlike(run->s, note_unreadable, &w, error)
                    && end_row(&w, TRUE, error)
                    && store_each_likeness(run->s, give_kin, &w, error)
                    && end_row(&w, TRUE, error);
    hash_index_free(&w.index);
    g_ptr_array_unref(w.kin);
    g_string_chunk_free(w.texts);
    return good;
}

/* --- Parts -------------------------------------------------------------------------- */

gboolean export_has_split(const ExportRun *run)
{
    const double *split = run->options->split;
    return split[0] + split[1] + split[2] > 0;
}

/* 0 to 1, from all bits of the text. */
static double draw(const char *kin, guint64 seed)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "/%s", seed, kin);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    sum[13] = '\0'; /* 52 bits, which a double holds */
    return (double)g_ascii_strtoull(sum, NULL, 16) / (double)((guint64)1 << 52);
}

guint export_split_of(const ExportRun *run, const StoreItem *item)
{
    if (!export_has_split(run)) {
        return 0;
    }
    g_autofree char *kin = store_kin(run->s, item->image);
    double at = draw(kin ? kin : item->hash, run->options->split_seed), edge = 0;
    guint part = 0;
    while (part < run->n_subsets - 1 && at >= (edge += run->shares[part])) {
        part++;
    }
    return part;
}
