/* The formats, one file each; what they keep stands in docs/formats.md. */
#pragma once

#include "app/formats/export.h"

G_BEGIN_DECLS

extern const ExportFormat export_csv, export_onehot, export_coco, export_datumaro,
    export_fiftyone, export_huggingface, export_openimages, export_automl,
    export_labelstudio, export_labelme, export_voc, export_cvat, export_yolo,
    export_txt, export_xmp, export_cleanlab;

G_END_DECLS
