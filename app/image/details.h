/* What a file says of the picture in it: for people, not for networks. Any thread. */
#pragma once

#include "app/image/exif.h"

#include <gio/gio.h>

G_BEGIN_DECLS

struct img_details {
    gint64 bytes, mtime;  /* of the file; seconds */
    int width, height;    /* as stored, in pixels; 0 when they cannot be told */
    char *format;         /* "JPEG", or NULL */
    struct img_exif exif; /* of a JPEG */
};

/* Reads the file's first part only. */
gboolean img_details_read(const char *path, struct img_details *out, GError **error);
void img_details_clear(struct img_details *d);

G_END_DECLS
