/* A hash of a picture's looks: copies that were made smaller, compressed again or
 * retouched a little have nearly the same, other pictures seldom. Any thread. */
#pragma once

#include "app/image/image.h"

G_BEGIN_DECLS

/* The difference hash of 64 bits: the picture, turned as it is to be seen, in grey and
 * made 9 x 8 pixels; a bit, the first one the highest, is 1 where a pixel is darker
 * than the next one to its right. 0 for a picture without structure. */
gboolean img_hash(const char *path, GCancellable *cancellable, guint64 *out,
                  GError **error);
/* Of a picture that is decoded and turned already, at least IMG_HASH_SIDE pixels a side
 * where the file has as many. */
#define IMG_HASH_SIDE 72
gboolean img_hash_pixels(const struct img_pixels *picture, guint64 *out,
                         GError **error);
/* FALSE for the hashes of pictures without structure, which are alike without being the
 * same. */
gboolean img_hash_tells(guint64 hash);
/* Bits that differ, 0 to 64. */
guint img_hash_distance(guint64 a, guint64 b);

/* Many hashes, to find the nearest of. One thread at a time. */
struct hash_index;

/* Nearer hashes than this, or as near, are always found. */
#define HASH_INDEX_REACH 4

struct hash_index *hash_index_new(void);
void hash_index_free(struct hash_index **index);
/* Its number, from 0. */
guint hash_index_add(struct hash_index *index, guint64 hash);
/* The number of the nearest hash that is at most HASH_INDEX_REACH away, the first added
 * of several; -1 when there is none. */
int hash_index_nearest(const struct hash_index *index, guint64 hash);
/* Calls `func` for each hash that is at most HASH_INDEX_REACH away, for some more than
 * once. */
void hash_index_each(const struct hash_index *index, guint64 hash,
                     void (*func)(guint number, guint distance, gpointer data),
                     gpointer data);

G_END_DECLS
