/* Writing decisions as files that other tools read. To add a format: a file
 * export_<id>.c beside these and a line in the table of export.c. */
#pragma once

#include "app/store/store.h"

#include <stdio.h>

G_BEGIN_DECLS

typedef struct {
    const char *root; /* paths below this folder are written relative to it; NULL: as
                       * they are stored */
} ExportOptions;

typedef struct {
    const char *id, *summary;
    /* Writes everything to `out`. FALSE with an error of the store; errors of the stream
     * are found by the caller. */
    gboolean (*write)(store *s, const ExportOptions *options, FILE *out, GError **error);
} ExportFormat;

extern const ExportFormat export_csv, export_coco;

/* NULL-terminated. */
const ExportFormat *const *export_formats(void);
const ExportFormat *export_find(const char *id);
/* To `path` by a temporary file beside it; straight to what is no ordinary file, and to
 * standard output for "-". */
gboolean export_run(store *s, const ExportFormat *format, const ExportOptions *options,
                    const char *path, GError **error);
/* The deepest folder that holds every image of the store, to be freed; NULL when there is
 * no image. */
char *export_common_root(store *s, GError **error);
/* The image's path as the options ask, valid UTF-8, to be freed. */
char *export_path(const StoreRow *row, const ExportOptions *options);

G_END_DECLS
