/* The Exif of a JPEG: how the picture is to be turned, and what the camera says of it. What
 * is damaged or cut is left out. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct img_exif {
    gboolean turns;    /* the orientation stands there */
    guint orientation; /* as written: 1 to 8, or what no reader knows */
    guint width, height; /* pixels, as who wrote the Exif saw it; 0: not told */
    char date[20];     /* "2024-05-13 18:20:11", by the camera's clock; "": not told */
    char camera[128];  /* maker and model, UTF-8; "": not told */
    gboolean located;
    double latitude, longitude; /* degrees; north and east are positive */
};

/* Reads what an APP1 segment holds after its length; zeros where it is no Exif. */
void img_exif_parse(const guint8 *block, gsize size, struct img_exif *out);
/* Reads the first bytes of a JPEG, as many as there are: its Exif (of several, each thing
 * from the first that tells it), and the sides of the picture as it is stored. Zeros for
 * what is not among them. */
void img_exif_of_jpeg(const guint8 *head, gsize size, struct img_exif *out,
                      guint *width, guint *height);

G_END_DECLS
