/* Decisions that were made elsewhere, taken into a database: from any layout of
 * app/dataset. All or nothing; and what a run would change can be asked for first, for it
 * is the same run without its end. */
#pragma once

#include "app/imports/places.h"

G_BEGIN_DECLS

#define IMPORT_NAMED 20 /* of what is listed by name, the first ones */

struct import_params {
    struct dataset_options data;
    int how;               /* of places.h */
    gboolean dry_run;
    gboolean as_proposals; /* predictions instead of decisions */
    const char *author;    /* of decisions whose file names none; not NULL, for only what
                            * this machine's person decided has none */
    const char *time;      /* as store_time() writes it: when that was decided for which the
                            * file has no time. NULL: not known; then such a decision never
                            * overrules one that is there */
    GStrv labels;          /* only these; NULL: all */
    void (*progress)(guint done, guint total, gpointer user_data); /* may be NULL */
    gpointer user_data;
};

/* Names, the first IMPORT_NAMED of them, and how many there are. */
struct import_names { GPtrArray *names; guint64 count; };

struct import_report {
    char *layout;
    guint images, by_path, by_name, by_content, new_images;
    struct import_names missing, new_labels;
    /* By enum StoreTake: decisions, predictions. */
    guint64 decisions[STORE_TAKE_KEPT + 1], predictions[STORE_TAKE_KEPT + 1];
    struct import_names kept;  /* "IMAGE: LABEL" where what is here stays */
    guint64 without_image;     /* pairs of images that were not found */
};

/* Into the database `db`, made when missing; it is left as it was, or missing, when this
 * fails or does not write. NULL on failure. */
struct import_report *import_run(const char *db, const char *path,
                                 const struct import_params *params, GError **error);
void import_report_free(struct import_report **report);
char *import_report_to_json(const struct import_report *r, gboolean dry_run);
void import_report_print(const struct import_report *r, gboolean dry_run);

G_END_DECLS
