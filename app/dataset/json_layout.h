/* Which program's JSON a file is, told by the first key that says so. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum json_layout {
    JSON_LAYOUT_NONE,  /* no JSON, or none that is known */
    JSON_LAYOUT_COCO,
    JSON_LAYOUT_DATUMARO,
    JSON_LAYOUT_FIFTYONE,
    JSON_LAYOUT_LABELME,
    JSON_LAYOUT_LABEL_STUDIO,
    JSON_LAYOUT_METADATA, /* lines of Hugging Face's metadata.jsonl */
};

/* head: the first bytes of the file, as of struct dataset_file. An object that says
 * nothing is taken for COCO. */
enum json_layout json_layout_find(const char *path, const char *head);

G_END_DECLS
