/* Exif is a TIFF file in a segment of the JPEG: a header that says the order of bytes
 * and where the first directory is; a directory is a count (2 bytes), then entries of
 * 12: tag (2), type (2), count (4), and the value or where it stands (4). */
#include "app/image/exif.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TAG_EXIF = 0x8769, TAG_WIDTH = 0xa002,
       TAG_HEIGHT = 0xa003 };
enum { TYPE_SHORT = 3, TYPE_LONG = 4 };

struct tiff { const guint8 *data; gsize size; gboolean little; };

static guint number_at(const guint8 *at, int bytes, gboolean little)
{
    guint value = 0;
    for (int i = 0; i < bytes; i++) {
        value = value << 8 | at[little ? bytes - 1 - i : i];
    }
    return value;
}

/* One number of that tag in the directory; FALSE when it has none. */
static gboolean find_number(const struct tiff *t, gsize directory, guint tag,
                            guint *out)
{
    if (directory > t->size || t->size - directory < 2) {
        return FALSE;
    }
    guint count = number_at(t->data + directory, 2, t->little);
    for (gsize i = 0; i < count && t->size - directory >= 2 + (i + 1) * 12; i++) {
        const guint8 *entry = t->data + directory + 2 + i * 12;
        guint type = number_at(entry + 2, 2, t->little);
        if (number_at(entry, 2, t->little) == tag
            && (type == TYPE_SHORT || (type == TYPE_LONG && tag != TAG_ORIENTATION))) {
            /* Values this short stand in the entry itself. */
            *out = number_at(entry + 8, type == TYPE_SHORT ? 2 : 4, t->little);
            return TRUE;
        }
    }
    return FALSE;
}

void img_exif_parse(const guint8 *block, gsize size, struct img_exif *out)
{
    *out = (struct img_exif){ 0 };
    if (size < 14 || memcmp(block, "Exif\0\0", 6) != 0) {
        return;
    }
    struct tiff t = { block + 6, size - 6, block[6] == 'I' };
    guint first = number_at(t.data + 4, 4, t.little), more = 0;
    out->turns = find_number(&t, first, TAG_ORIENTATION, &out->orientation);
    if (find_number(&t, first, TAG_EXIF, &more)) {
        find_number(&t, more, TAG_WIDTH, &out->width);
        find_number(&t, more, TAG_HEIGHT, &out->height);
    }
}

/* A frame header: all of C0 to CF but the tables that stand between them. */
static gboolean is_frame(guint8 marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8
           && marker != 0xcc;
}

void img_exif_of_jpeg(const guint8 *head, gsize size, struct img_exif *out,
                      guint *width, guint *height)
{
    *out = (struct img_exif){ 0 };
    *width = *height = 0;
    gsize at = 2;
    while (size >= 4 && at <= size - 4 && head[at] == 0xff && *width == 0) {
        guint8 marker = head[at + 1];
        gsize bytes = number_at(head + at + 2, 2, FALSE);
        if (marker == 0xff) { /* filling */
            at++;
            continue;
        }
        if (bytes < 2 || bytes > size - at - 2) {
            return;
        }
        if (marker == 0xe1 && !out->turns) {
            img_exif_parse(head + at + 4, bytes - 2, out);
        } else if (is_frame(marker) && bytes >= 7) {
            *height = number_at(head + at + 5, 2, FALSE);
            *width = number_at(head + at + 7, 2, FALSE);
        }
        at += 2 + bytes;
    }
}
