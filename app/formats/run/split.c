/* Splits. The part of an image follows from nothing but its kin, the seed and the
 * shares, so that it stays for ever, whatever is decided, added or left out; to have
 * every label in proportion in every part would need to look at the others. Kin is the
 * image itself, or the first one that looked nearly the same. */
#include "app/formats/run/run.h"
#include "app/image/image_hash.h"
#include "app/store/likeness.h"

#include <string.h>

#define BATCH 256 /* rows a transaction: waiting for the disk does not count then */

/* What is to be remembered of an image: its looks, or its kin. */
struct row {
    gint64 image;
    gboolean readable;
    guint64 dhash;
    const char *kin; /* NULL: this is about its looks */
};

/* Rows wait here and are written in one short transaction, for a window may want to
 * write a decision while pictures are decoded. */
struct writing {
    const ExportOptions *options;
    GArray *rows;             /* of struct row */
    gint64 done;              /* the image that was hashed last */
    struct hash_index *index;
    GPtrArray *kin;           /* of the index's entries */
    GStringChunk *texts;      /* that kin points into */
    guint count, total;
};

/* --- Remembering ------------------------------------------------------------------ */

static gboolean write_row(store *memory, const struct row *row, GError **error)
{
    return row->kin ? store_set_kin(memory, row->image, row->kin, error)
                    : store_put_likeness(memory, row->image,
                                         row->readable ? &row->dhash : NULL, error);
}

static gboolean flush(struct writing *w, GError **error)
{
    store *memory = w->options->memory;
    gboolean good = w->rows->len == 0 || store_begin(memory, error);
    for (guint i = 0; good && i < w->rows->len; i++) {
        good = write_row(memory, &g_array_index(w->rows, struct row, i), error);
    }
    good = good && (w->rows->len == 0 || store_commit(memory, error));
    g_array_set_size(w->rows, 0);
    return good;
}

static gboolean add_row(struct writing *w, const struct row *row, GError **error)
{
    g_array_append_val(w->rows, *row);
    return w->rows->len < BATCH || flush(w, error);
}

/* --- Kin -------------------------------------------------------------------------- */

/* An image whose files are all gone has no hash, and is its own kin. */
static gboolean hash_image(const StoreLikeness *image, gpointer user_data,
                           GError **error)
{
    struct writing *w = user_data;
    struct row row = { .image = image->image, .readable = TRUE };
    if (w->options->progress) {
        w->options->progress(w->count++, w->total, w->options->data);
    }
    if (w->done == image->image || !img_hash(image->path, NULL, &row.dhash, NULL)) {
        return TRUE;
    }
    w->done = image->image;
    return add_row(w, &row, error);
}

static gboolean note_unreadable(const StoreLikeness *image, gpointer user_data,
                                GError **error)
{
    struct row row = { .image = image->image };
    return add_row(user_data, &row, error);
}

static gboolean give_kin(const StoreLikeness *image, gpointer user_data, GError **error)
{
    struct writing *w = user_data;
    gboolean structure = image->hashed && img_hash_tells(image->dhash);
    int nearest = -1;
    if (!image->kin && structure) {
        nearest = hash_index_nearest(w->index, image->dhash);
    }
    const char *kin = nearest >= 0 ? w->kin->pdata[nearest]
                      : image->kin ? image->kin
                                   : image->hash;
    kin = g_string_chunk_insert_const(w->texts, kin);
    if (structure) {
        hash_index_add(w->index, image->dhash);
        g_ptr_array_add(w->kin, (gpointer)kin);
    }
    struct row row = { .image = image->image, .kin = kin };
    return image->kin || add_row(w, &row, error);
}

gboolean export_prepare_split(store *s, const ExportOptions *options, GError **error)
{
    struct writing w = { .options = options, .index = hash_index_new(),
                         .kin = g_ptr_array_new(), .texts = g_string_chunk_new(4096),
                         .rows = g_array_new(FALSE, FALSE, sizeof(struct row)),
                         .total = store_count_items(s) };
    /* Each pass reads what the one before committed. */
    gboolean good = store_each_unlike(s, hash_image, &w, error) && flush(&w, error)
                    && store_each_unlike(s, note_unreadable, &w, error)
                    && flush(&w, error)
                    && store_each_likeness(s, give_kin, &w, error)
                    && flush(&w, error);
    hash_index_free(&w.index);
    g_array_unref(w.rows);
    g_ptr_array_unref(w.kin);
    g_string_chunk_free(w.texts);
    return good;
}

/* --- Parts ------------------------------------------------------------------------ */

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

guint export_part_of(store *s, const StoreItem *item, const double *shares, guint n,
                     guint64 seed)
{
    g_autofree char *kin = store_kin(s, item->image);
    double at = draw(kin ? kin : item->hash, seed), edge = 0;
    guint part = 0;
    while (part < n - 1 && at >= (edge += shares[part])) {
        part++;
    }
    return part;
}

guint export_split_of(const ExportRun *run, const StoreItem *item)
{
    return export_has_split(run)
               ? export_part_of(run->s, item, run->shares, run->n_subsets,
                                run->options->split_seed)
               : 0;
}
