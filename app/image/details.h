/* What a file says of the picture in it: for people, not for networks. Any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

struct img_details {
    gint64 bytes, mtime;  /* of the file; seconds */
    int width, height;    /* as stored, in pixels; 0 when they cannot be told */
    char *format;         /* "JPEG", or NULL */
    /* Of the EXIF data of a JPEG; NULL where there is none. */
    char *date;           /* "2024-05-13 18:20:11", by the camera's clock */
    char *camera;         /* maker and model */
    gboolean located;
    double latitude, longitude; /* degrees; north and east are positive */
};

/* Reads the file's first part only. */
gboolean img_details_read(const char *path, struct img_details *out, GError **error);
void img_details_clear(struct img_details *d);
/* Finds the above EXIF data in the first `size` bytes of a file; what is damaged or cut is
 * left out. */
void img_details_parse(const guint8 *data, gsize size, struct img_details *out);

G_END_DECLS
