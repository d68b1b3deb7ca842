/* Writing decisions as files that other tools read. To add a format: a file
 * export_<id>.c beside these and a line in the table of export.c. */
#pragma once

#include "app/store/store.h"

#include <stdio.h>

G_BEGIN_DECLS

typedef struct {
    const char *id, *summary;
    /* Writes everything to `out`. FALSE with an error of the store; errors of the stream
     * are found by the caller. */
    gboolean (*write)(store *s, FILE *out, GError **error);
} ExportFormat;

extern const ExportFormat export_csv, export_coco;

/* NULL-terminated. */
const ExportFormat *const *export_formats(void);
const ExportFormat *export_find(const char *id);
/* To `path` by a temporary file beside it, or to standard output for "-". */
gboolean export_run(store *s, const ExportFormat *format, const char *path,
                    GError **error);

G_END_DECLS
