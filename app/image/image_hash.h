/* A hash of a picture's looks: copies that were made smaller, compressed again or
 * retouched a little have nearly the same, other pictures seldom. Any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The difference hash of 64 bits: the picture, turned as it is to be seen, in grey and
 * made 9 x 8 pixels; a bit, the first one the highest, is 1 where a pixel is darker
 * than the next one to its right. 0 for a picture without structure. */
gboolean img_hash(const char *path, GCancellable *cancellable, guint64 *out,
                  GError **error);
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

G_END_DECLS
