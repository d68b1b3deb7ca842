#include "app/dataset/json_layout.h"

#include "app/dataset/json_stream.h"

#include <string.h>

/* A value's first character is asked where a key alone would not do. */
static const struct { const char *key, *begins; enum json_layout layout; } signs[] = {
    { "images", "[", JSON_LAYOUT_COCO },
    { "annotations", "[", JSON_LAYOUT_COCO },
    { "categories", "[", JSON_LAYOUT_COCO },
    { "categories", "{", JSON_LAYOUT_DATUMARO },
    { "dm_format_version", NULL, JSON_LAYOUT_DATUMARO },
    { "items", "[", JSON_LAYOUT_DATUMARO },
    { "classes", "[", JSON_LAYOUT_FIFTYONE },
    { "labels", "{", JSON_LAYOUT_FIFTYONE },
    { "flags", "{", JSON_LAYOUT_LABELME },
    { "shapes", "[", JSON_LAYOUT_LABELME },
    { "imagePath", NULL, JSON_LAYOUT_LABELME },
    { "data", "{", JSON_LAYOUT_LABEL_STUDIO },
    { "file_name", "\"", JSON_LAYOUT_METADATA } };

static enum json_layout find_sign(struct json_stream *json, const char *key)
{
    char next = json_stream_peek(json);
    for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (strcmp(signs[i].key, key) == 0
            && (!signs[i].begins || *signs[i].begins == next)) {
            return signs[i].layout;
        }
    }
    return JSON_LAYOUT_NONE;
}

enum json_layout json_layout_find(const char *path, const char *head)
{
    char first = head[strspn(head, " \t\r\n")];
    enum json_layout layout = JSON_LAYOUT_NONE;
    if (first != '{') {
        return first == '[' ? JSON_LAYOUT_LABEL_STUDIO : layout;
    }
    struct json_stream *json = json_stream_open(path);
    json_stream_object(json);
    for (const char *key; !layout && (key = json_stream_key(json));) {
        layout = find_sign(json, key);
        if (!layout) {
            json_stream_skip(json);
        }
    }
    json_stream_close(&json, NULL);
    return layout ? layout : JSON_LAYOUT_COCO;
}
