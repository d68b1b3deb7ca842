/* A labelled data set: images, labels, what is known of each pair, and an optional split,
 * whatever files it came from. To add a layout: a file in layouts/ and a line in the table
 * of dataset.c.
 *
 * What is known is stored sparsely, so a data set costs memory for the pairs that its
 * files list. Once opened it does not change and may be read from any thread. */
#pragma once

#include "app/dataset/csv.h"
#include "app/dataset/truth.h"
#include "app/store/events.h"

G_BEGIN_DECLS

/* What a pair is that the files do not list. */
enum dataset_unlisted {
    DATASET_UNLISTED_DEFAULT, /* as the layout has it */
    DATASET_UNLISTED_NEGATIVE,
    DATASET_UNLISTED_UNKNOWN,
};

/* Labels that a model was trained with, and those that it never saw. */
enum dataset_group { DATASET_NO_GROUP, DATASET_SEEN, DATASET_UNSEEN };

struct dataset_options {
    const char *images; /* folder below which the images lie; NULL: found out */
    enum dataset_unlisted unlisted;
    const char *layout; /* its id; NULL: found out from the content */
    gboolean zeros;     /* dataset_scan gives negatives of files that have a 0, -1 or false
                         * for every pair, whether anybody looked at it or not */
};

struct dataset;

/* `options` may be NULL. Errors of a file's content name the file and the place in it.
 * Where a person and a model contradict, the person's word is the truth. */
struct dataset *dataset_open(const char *path, const struct dataset_options *options,
                             GError **error);
/* Takes what a file says of a pair, with all that stands beside it; borrowed. FALSE, with
 * the error set, ends the reading. */
typedef gboolean (*dataset_func)(const struct dataset *d, guint image, guint label,
                                 const StoreEvent *event, gpointer user_data,
                                 GError **error);
/* Reads as dataset_open, but gives every pair that the files list to `func` (which may be
 * NULL) instead of keeping it: the memory is that of the names, and for JSON whose ids
 * may come before what they stand for, of the ids. Nothing is known of any pair then.
 * This is what makes every layout a format of imports too. */
struct dataset *dataset_scan(const char *path, const struct dataset_options *options,
                             dataset_func func, gpointer user_data, GError **error);
void dataset_close(struct dataset **d);

/* The layouts that there are, by number; NULL behind the last. */
const char *dataset_layout_id(guint index);
const char *dataset_layout_summary(guint index);

/* Which layout it was. */
const char *dataset_layout(const struct dataset *d);
/* One line for a person: the layout, and what pairs that are not listed stand for. */
const char *dataset_summary(const struct dataset *d);
guint dataset_n_images(const struct dataset *d);
guint dataset_n_labels(const struct dataset *d);
/* As the data set names it, UTF-8; no two images have the same name. */
const char *dataset_image_name(const struct dataset *d, guint image);
/* Where the file should be, to be freed, in the encoding of file names. For a name without
 * the suffix of an image, the only file there of that stem that no other name stands for. */
char *dataset_image_path(const struct dataset *d, guint image);
/* SHA-256 of the content in hex, and its size (0: unknown), where the files say so, else
 * NULL. */
const char *dataset_image_hash(const struct dataset *d, guint image, gint64 *bytes);
/* The number that the files give an image, else 0. */
gint64 dataset_image_number(const struct dataset *d, guint image);
/* "train", "val2017", …; NULL when the data set has no split. */
const char *dataset_image_split(const struct dataset *d, guint image);
const char *dataset_label(const struct dataset *d, guint label);
enum dataset_group dataset_label_group(const struct dataset *d, guint label);
/* -1 when there is none of that name. */
int dataset_find_image(const struct dataset *d, const char *name);
int dataset_find_label(const struct dataset *d, const char *name);
/* Writes what is known of every label of an image: enum truth, [n_labels]. */
void dataset_truth(const struct dataset *d, guint image, gint8 *out);

/* The lines of a UTF-8 text file without blanks around them, empty ones left out; a byte
 * order mark and CRLF are accepted. For lists of labels and of images. */
GPtrArray *dataset_read_lines(const char *path, GError **error);

G_END_DECLS
