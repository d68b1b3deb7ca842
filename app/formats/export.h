/* Writing what is known of images as files that other tools read. To add a format: a
 * file export_<id>.c beside these, its name in formats.h and in the table of export.c;
 * what it may use stands in run/run.h.
 *
 * An export is one pass over the images by path, in the memory of one image. A file and
 * a folder appear under their names when they are whole; sidecars one by one. Ids of
 * images and labels are the store's and stay from one export to the next. */
#pragma once

#include "app/store/items.h"

#include <stdio.h>

G_BEGIN_DECLS

/* A label is a positive of an image when it is asked for and not rejected. */
enum export_states { EXPORT_ACCEPTED = 1, EXPORT_REJECTED = 2, EXPORT_UNDECIDED = 4 };
enum export_sources { EXPORT_BY_HUMAN = 1, EXPORT_BY_MODEL = 2 };
enum export_images { EXPORT_LEAVE, EXPORT_COPY, EXPORT_LINK };
enum export_kind { EXPORT_FILE, EXPORT_FOLDER, EXPORT_SIDECARS };

#define EXPORT_SPLITS 3 /* train, val, test */

/* Zeros: all that is accepted (and rejected, where the format can say so), in one part,
 * with the images where they are. Strings are borrowed. */
typedef struct {
    /* Paths below this folder are written relative to it; NULL: as they are stored. */
    const char *root;
    const char *prefix; /* before each path, such as "gs://bucket/"; files only */
    const char *under;  /* only images below this folder */
    guint states, sources; /* bits; 0: the format's own, and any source */
    const char *const *labels; /* NULL-terminated names; NULL: all labels */
    double min_score; /* what a model said with a lower score is left out */
    const char *since, *until; /* of store_time(): only what was said in between */
    double split[EXPORT_SPLITS]; /* shares of train, val, test, sum 1; zeros: none */
    guint64 split_seed;
    /* A second connection to the same database, which may write: for what splits and
     * sidecars remember. */
    store *memory;
    const char *subset; /* name of the one part without splits; NULL: the format's */
    enum export_images images;
    gboolean boxes; /* COCO: a box of the whole image */
    gboolean byte_order_mark;
    gboolean stem_names; /* XMP: quay.xmp in place of quay.jpg.xmp */
    const char *machine_root; /* XMP: keyword above those of a model; NULL: none */
    /* A line for a person about something that the format cannot hold; may be NULL. */
    void (*warn)(const char *text);
    void (*progress)(guint done, guint total, gpointer data); /* may be NULL */
    gpointer data;
} ExportOptions;

typedef struct export_run ExportRun;
typedef struct export_item ExportItem;

typedef struct {
    const char *id, *summary;
    enum export_kind kind;
    guint states; /* what it writes when nothing is asked: bits */
    /* States that it tells apart: bits. Without EXPORT_REJECTED it never gets a
     * rejected label, and all that it gets are positives. */
    guint marks;
    gboolean scores;  /* it keeps them */
    gboolean parted;  /* a file by itself, a folder with splits or images */
    gboolean spreads; /* it has places for the images */
    gboolean places;  /* it is nothing but places for images */
    gboolean keyed;   /* it names images without their suffix */
    gboolean csv;     /* may begin with a byte order mark */
    const char *subset; /* name of a single part */
    gsize size; /* of its own state, ExportRun.state; bytes */
    gboolean (*begin)(ExportRun *run, GError **error); /* may be NULL */
    gboolean (*item)(ExportRun *run, const ExportItem *item, GError **error);
    gboolean (*end)(ExportRun *run, GError **error); /* may be NULL */
    void (*clear)(ExportRun *run); /* in any case, after `begin`; may be NULL */
} ExportFormat;

/* NULL-terminated. */
const ExportFormat *const *export_formats(void);
const ExportFormat *export_find(const char *id);
/* To `path`: a file by a temporary one beside it, straight to what is no ordinary file,
 * and to standard output for "-"; a folder that must not be there yet or be empty;
 * sidecars below a folder, or beside the images when it is NULL. */
gboolean export_run(store *s, const ExportFormat *format, const ExportOptions *options,
                    const char *path, GError **error);
/* The deepest folder that holds every image of the store, to be freed; NULL when there
 * is no image. */
char *export_common_root(store *s, GError **error);

/* --- Splits, for who wants to know where an export puts an image
 * ------------------- */

/* The parts that have a share: their names and shares, both [EXPORT_SPLITS]; how
 * many. */
guint export_parts(const double *split, const char **names, double *shares);
/* Makes sure that every image has kin, through options->memory; an export with splits
 * begins so. */
gboolean export_prepare_split(store *s, const ExportOptions *options, GError **error);
/* The part that an image is in: a function of its kin, the shares [n] and the seed. */
guint export_part_of(store *s, const StoreItem *item, const double *shares, guint n,
                     guint64 seed);

G_END_DECLS
