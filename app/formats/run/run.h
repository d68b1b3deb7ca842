/* What a format writes with. The run opens and names the outputs, chooses images and
 * labels and says what of them is to be written; a format only puts it into words. */
#pragma once

#include "app/formats/export.h"
#include "app/formats/text.h"

G_BEGIN_DECLS

/* What may come often and is told of a few times only. */
enum export_warning {
    EXPORT_WARN_NAME,  /* a path that is not UTF-8 */
    EXPORT_WARN_STEM,  /* files that differ in their suffix only */
    EXPORT_WARN_LABEL, /* a label that the format cannot hold as it is */
    EXPORT_WARN_IMAGE, /* an image that the format cannot hold as it is */
    EXPORT_WARNINGS
};

typedef struct {
    gint64 id;
    const char *name; /* valid UTF-8 */
} ExportLabel;

typedef struct {
    guint label; /* index into the run's labels */
    const char *name;
    const StoreTag *known;
} ExportTag;

struct export_item {
    const StoreItem *known;
    /* Its path as it is to be written, valid UTF-8; not absolute in a folder that has
     * places for images. */
    const char *name;
    const char *below; /* its path below the root, in the encoding of file names */
    const char *key; /* `name` without suffix; with it where another has the same */
    gboolean shared; /* an image before it has the same path but for the suffix */
    guint subset; /* index into the run's subsets */
    const ExportTag *tags; /* what is asked for, by label; see ExportFormat.marks */
    guint n_tags;
};

struct export_run {
    const ExportFormat *format;
    const ExportOptions *options;
    store *s;
    const char *name; /* of the output, for messages */
    FILE *out; /* of a file, else NULL */
    char *folder; /* of a folder, under its temporary name, or of sidecars */
    guint states;
    ExportLabel *labels; /* [n_labels], by id */
    guint n_labels;
    const char *subsets[EXPORT_SPLITS]; /* the parts with a share, or the one part */
    double shares[EXPORT_SPLITS];
    guint n_subsets;
    guint warned[EXPORT_WARNINGS];
    gpointer state; /* format->size bytes */
    GPtrArray *sidecars; /* to be written when what they own is on the disk */
    GPtrArray *memories; /* of what they own, to be put on the disk */
    guint failed; /* sidecars */
};

/* --- For formats ------------------------------------------------------------------ */

gboolean export_is_positive(const ExportTag *tag);
/* "accepted", "rejected" or "undecided". */
const char *export_state_name(const ExportTag *tag);
const char *export_source_name(const ExportTag *tag); /* "human" or "model" */
gboolean export_has_split(const ExportRun *run);
/* Tells the person, with the file or label it is about. */
void export_warn(ExportRun *run, enum export_warning about, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Sets `error` from errno, with the path; returns FALSE. */
gboolean export_io_error(const char *path, GError **error);
/* The same for writing to the output. */
gboolean export_write_error(const ExportRun *run, GError **error);

/* A file of the folder, with the folders it stands in. The path is below the folder. */
FILE *export_open(const ExportRun *run, const char *path, GError **error);
/* The same to write on at its end. */
FILE *export_open_again(const ExportRun *run, const char *path, GError **error);
/* Finds errors of writing. Takes over `file`; NULL is well. */
gboolean export_close(const ExportRun *run, FILE **file, GError **error);
/* The image at a path below the folder, as the options ask. */
gboolean export_place(const ExportRun *run, const ExportItem *item, const char *path,
                      GError **error);
/* The image at BEFORE/PART/AFTER/NAME, where `before` and `after` may be "". */
gboolean export_place_in_part(const ExportRun *run, const ExportItem *item,
                              const char *before, const char *after, GError **error);

/* A file for each part: zeroed, then opened, then closed or cleared. */
struct export_parts {
    FILE *out[EXPORT_SPLITS];
    guint count[EXPORT_SPLITS]; /* for the format: what it has written to each */
};

/* Named `before` PART `after`, below the folder. */
gboolean export_open_parts(const ExportRun *run, struct export_parts *parts,
                           const char *before, const char *after, GError **error);
/* After `tail` was written to each. */
gboolean export_close_parts(const ExportRun *run, struct export_parts *parts,
                            const char *tail, GError **error);
void export_clear_parts(struct export_parts *parts);
/* ExportFormat.clear of a format whose state is a struct export_parts. */
void export_clear_state(ExportRun *run);
/* Of a list in JSON: a comma but before the first of a part, and a new line. */
void export_next(struct export_parts *parts, guint part);

/* Adds what was written to `from` to the end of `out` and closes `from`. */
gboolean export_append(const ExportRun *run, FILE *out, FILE **from, GError **error);
/* A label as part of a file's name, to be freed: the same label always gives the same
 * name and other labels others. *changed says whether it is not the label itself. */
char *export_file_name(const ExportLabel *label, gboolean *changed);

/* Where a sidecar of the image stands, to be freed: `suffix` after the whole name, or
 * in the place of the image's own with `stem`. NULL, after a word to the person, when
 * there is no image that it could stand beside, or another image has that sidecar. */
char *export_sidecar(ExportRun *run, const ExportItem *item, const char *suffix,
                     gboolean stem);
/* What is there, "" when nothing is. NULL with an error when it cannot be read. */
char *export_read_sidecar(const char *path, gsize *size, GError **error);
/* A sidecar that cannot be written: it is named and left alone, and the run fails at
 * its end. Frees the error. Returns TRUE, for the other sidecars go on. */
gboolean export_skip_sidecar(ExportRun *run, GError *error);
/* Will replace the sidecar, after what export_merge() remembered is on the disk. Takes
 * over `text`. */
gboolean export_queue_sidecar(ExportRun *run, const char *path, char *text, gsize size,
                              GError **error);

/* What a field of a sidecar holds and what we own of it. */
struct export_keywords {
    GPtrArray *all;   /* of char *: what it is to hold */
    GPtrArray *ours;  /* of char *, sorted: what of that we wrote, now or before */
    gboolean changed; /* whether `all` is not what is there */
};

/* Joins what is there with what we say now: what we wrote before and do not say any
 * more goes, all else stays in its place, what is new comes last. Remembers what is
 * ours. there and now: of char *. */
gboolean export_merge(ExportRun *run, const char *path, const char *field,
                      const GPtrArray *there, const GPtrArray *now,
                      struct export_keywords *out, GError **error);
void export_keywords_clear(struct export_keywords *keywords);
gboolean export_has_keyword(const GPtrArray *keywords, const char *keyword);

/* --- For the run ------------------------------------------------------------------ */

/* Gives the format every image that is asked for. */
gboolean export_pass(ExportRun *run, GError **error);
/* The labels that the run is about. */
gboolean export_find_labels(ExportRun *run, GError **error);
gboolean export_is_below(const char *path, const char *root);
void export_begin_sidecars(ExportRun *run);
/* Writes the sidecars that wait. FALSE too when any failed. */
gboolean export_end_sidecars(ExportRun *run, GError **error);
/* The part that an image is in; a function of its kin, the shares and the seed. */
guint export_split_of(const ExportRun *run, const StoreItem *item);
/* A path of a database, which may be someone else's, must not lead out of a folder. */
gboolean export_check_inside(const char *path, GError **error);
/* With all that is in it. */
void export_remove_folder(const char *path);

G_END_DECLS
