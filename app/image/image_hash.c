#include "app/image/image_hash.h"

#include <string.h>

#define WIDTH 9
#define HEIGHT 8

gboolean img_hash_pixels(const struct img_pixels *picture, guint64 *out, GError **error)
{
    struct img_pixels small = { 0 };
    *out = 0;
    if (!img_resize(picture, WIDTH, HEIGHT, IMG_BILINEAR, &small, error)) {
        return FALSE;
    }
    for (int y = 0; y < HEIGHT; y++) {
        int before = 0;
        for (int x = 0; x < WIDTH; x++) {
            const guint8 *rgb = small.rgb + 3 * (y * WIDTH + x);
            int grey = 299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2];
            if (x > 0) {
                *out = *out << 1 | (before < grey);
            }
            before = grey;
        }
    }
    img_clear(&small);
    return TRUE;
}

/* What is decoded is large enough that a reduced JPEG gives the same bits. */
gboolean img_hash(const char *path, GCancellable *cancellable, guint64 *out,
                  GError **error)
{
    struct img_pixels picture = { 0 };
    *out = 0;
    gboolean good = img_decode_reduced(path, IMG_HASH_SIDE, cancellable, &picture,
                                       error)
                    && img_hash_pixels(&picture, out, error);
    img_clear(&picture);
    return good;
}

gboolean img_hash_tells(guint64 hash)
{
    return hash != 0 && hash != G_MAXUINT64;
}

guint img_hash_distance(guint64 a, guint64 b)
{
    return (guint)__builtin_popcountll(a ^ b);
}

/* --- Finding ---------------------------------------------------------------------- */

/* Of HASH_INDEX_REACH + 1 bands at least one is the same in two hashes that differ in
 * no more than HASH_INDEX_REACH bits, so only those that share a band are compared. */
#define BANDS (HASH_INDEX_REACH + 1)
#define BAND_BITS 13
#define BAND_VALUES (1 << BAND_BITS)

struct entry {
    guint64 hash;
    int next[BANDS]; /* the entry before with the same band; -1: none */
};

struct hash_index {
    GArray *entries;
    int newest[BANDS][BAND_VALUES];
};

static guint band_of(guint64 hash, int band)
{
    return (guint)(hash >> (BAND_BITS * band)) & (BAND_VALUES - 1);
}

struct hash_index *hash_index_new(void)
{
    struct hash_index *index = g_new(struct hash_index, 1);
    index->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
    memset(index->newest, 0xff, sizeof index->newest); /* all -1 */
    return index;
}

void hash_index_free(struct hash_index **index)
{
    if (*index) {
        g_array_unref((*index)->entries);
        g_clear_pointer(index, g_free);
    }
}

guint hash_index_add(struct hash_index *index, guint64 hash)
{
    struct entry entry = { .hash = hash };
    guint number = index->entries->len;
    for (int b = 0; b < BANDS; b++) {
        int *newest = &index->newest[b][band_of(hash, b)];
        entry.next[b] = *newest;
        *newest = (int)number;
    }
    g_array_append_val(index->entries, entry);
    return number;
}

void hash_index_each(const struct hash_index *index, guint64 hash,
                     void (*func)(guint number, guint distance, gpointer data),
                     gpointer data)
{
    for (int b = 0; b < BANDS; b++) {
        int at = index->newest[b][band_of(hash, b)];
        while (at >= 0) {
            const struct entry *entry =
                &g_array_index(index->entries, struct entry, at);
            guint d = img_hash_distance(entry->hash, hash);
            if (d <= HASH_INDEX_REACH) {
                func((guint)at, d, data);
            }
            at = entry->next[b];
        }
    }
}

struct nearest { int number; guint distance; };

static void keep_nearest(guint number, guint distance, gpointer data)
{
    struct nearest *best = data;
    if (distance < best->distance
        || (distance == best->distance && (int)number < best->number)) {
        *best = (struct nearest){ (int)number, distance };
    }
}

int hash_index_nearest(const struct hash_index *index, guint64 hash)
{
    struct nearest best = { -1, HASH_INDEX_REACH + 1 };
    hash_index_each(index, hash, keep_nearest, &best);
    return best.number;
}
