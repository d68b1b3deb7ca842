/* For the readers of data sets: how one is filled. */
#pragma once

#include "app/dataset/dataset.h"
#include "app/dataset/json_layout.h"

G_BEGIN_DECLS

struct dataset_pair {
    guint32 image, label;
    gint8 truth;
    guint8 by_model;
};

/* What the files say of an image beside its name. */
struct dataset_fact { char *hash; gint64 bytes, number; };

struct dataset {
    const struct dataset_reader *reader;
    dataset_func func;      /* takes the pairs; NULL: they are kept */
    gpointer user_data;
    gboolean scans, zeros;  /* pairs are not kept; of the options */
    GError *failure;        /* of `func` */
    char *summary;
    char *root;             /* folder of all images, from the options; or NULL */
    GPtrArray *images;      /* of names */
    GPtrArray *splits;      /* by image: interned text or NULL */
    GPtrArray *roots;       /* by image: its folder, interned, or NULL */
    GHashTable *facts;      /* image index + 1 -> struct dataset_fact */
    GPtrArray *labels;      /* of names */
    GArray *groups;         /* guint8 by label */
    GHashTable *image_of, *label_of; /* name -> index + 1 */
    gint8 unlisted;         /* what a pair is that is not in `pairs` */
    gboolean lists_all;     /* the files leave no pair open: the option has no say */
    GArray *pairs;          /* of struct dataset_pair, by image and label when filled */
    GArray *first;          /* guint32, n_images + 1: the first pair of each image */
};

/* What tells of which layout a path is. */
struct dataset_file {
    const char *path;
    gboolean folder;
    const char *head;      /* its first bytes without a byte order mark, NUL-terminated; ""
                            * for a folder */
    enum json_layout json; /* JSON_LAYOUT_NONE for a folder */
};

struct dataset_reader {
    const char *id, *summary;
    gboolean (*matches)(const struct dataset_file *file);
    /* Fills `d`; sets summary, and unlisted (negative before) and lists_all where they
     * differ. */
    gboolean (*read)(struct dataset *d, const char *path, GError **error);
};

extern const struct dataset_reader dataset_automl, dataset_coco, dataset_csv, dataset_cvat,
    dataset_datumaro, dataset_fiftyone, dataset_huggingface, dataset_labelme,
    dataset_labelstudio, dataset_list, dataset_nuswide, dataset_onehot, dataset_openimages, dataset_store,
    dataset_txt, dataset_voc, dataset_xmp, dataset_yolo;

/* No confidence, no threshold, a person's. */
#define DATASET_EVENT(what)                                                            \
    ((StoreEvent){ .verdict = (StoreVerdict)(what),                                    \
                   .source = { .confidence = -1, .threshold = -1 } })

/* Indices; a name that is there already keeps its own. `split` may be NULL. */
guint dataset_add_image(struct dataset *d, const char *name, const char *split);
guint dataset_add_label(struct dataset *d, const char *name, enum dataset_group group);
/* A pair may be listed again when it says the same; what contradicts itself fails when
 * all is read. */
void dataset_add(struct dataset *d, guint image, guint label, enum truth truth);
/* The same with all that is said beside it; texts are borrowed. */
void dataset_add_event(struct dataset *d, guint image, guint label,
                       const StoreEvent *event);
/* The same for a pair that has to have some value in these files: only the options make a
 * negative of it that is told. */
void dataset_add_filled(struct dataset *d, guint image, guint label, enum truth truth);
void dataset_set_content(struct dataset *d, guint image, const char *hash, gint64 bytes);
void dataset_set_number(struct dataset *d, guint image, gint64 number);
/* Where the images from `first` on lie, when the options do not say: the first of the
 * folders below `base` (NULL-terminated) that holds image `first`, else `base`. */
void dataset_find_root(struct dataset *d, guint first, const char *base,
                       const char *const *folders);
/* Sets an error "PATH:LINE: …". Returns FALSE. */
gboolean dataset_fail(const char *path, guint64 line, GError **error, const char *format,
                      ...) G_GNUC_PRINTF(4, 5);

G_END_DECLS
