#include "app/image/details.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <string.h>

/* EXIF data lie in one segment of 64 KiB at most, soon after a JPEG's start. */
#define READ_BYTES (256 << 10)
#define MAX_ENTRIES 512

enum {
    TAG_MAKE = 0x10f, TAG_MODEL = 0x110, TAG_DATE = 0x132, TAG_EXIF = 0x8769,
    TAG_GPS = 0x8825, TAG_DATE_TAKEN = 0x9003,
    GPS_LATITUDE_REF = 1, GPS_LATITUDE = 2, GPS_LONGITUDE_REF = 3, GPS_LONGITUDE = 4
};
enum { TYPE_ASCII = 2, TYPE_RATIONAL = 5 };

/* A TIFF block; every read checks its bounds and gives 0 outside. */
struct block {
    const guint8 *data;
    gsize size;
    gboolean little;
};

struct entry { guint tag, type, count, value; gsize at; /* of the value's own place */ };

static guint read_number(const struct block *b, gsize at, guint bytes)
{
    guint value = 0;
    if (at > b->size || b->size - at < bytes) {
        return 0;
    }
    for (guint i = 0; i < bytes; i++) {
        value |= (guint)b->data[at + i] << 8 * (b->little ? i : bytes - 1 - i);
    }
    return value;
}

/* Text of `e`, to be freed; NULL when there is none. */
static char *read_text(const struct block *b, const struct entry *e)
{
    gsize at = e->count <= 4 ? e->at : e->value;
    if (e->type != TYPE_ASCII || at > b->size || e->count > b->size - at) {
        return NULL;
    }
    g_autofree char *raw = g_strndup((const char *)b->data + at, e->count);
    g_autofree char *text = g_utf8_make_valid(raw, -1);
    return *g_strstrip(text) ? g_steal_pointer(&text) : NULL;
}

/* Degrees, minutes and seconds. */
static gboolean read_angle(const struct block *b, const struct entry *e, double *out)
{
    if (e->type != TYPE_RATIONAL || e->count != 3 || e->value > b->size
        || b->size - e->value < 24) {
        return FALSE;
    }
    double unit = 1;
    *out = 0;
    for (guint i = 0; i < 3; i++, unit /= 60) {
        guint below = read_number(b, e->value + 8 * i + 4, 4);
        *out += below ? unit * read_number(b, e->value + 8 * i, 4) / below : 0;
    }
    return *out <= 180;
}

typedef void (*entry_func)(const struct block *b, const struct entry *e,
                           struct img_details *out);

static void each_entry(const struct block *b, gsize at, entry_func func,
                       struct img_details *out)
{
    guint n = MIN(read_number(b, at, 2), MAX_ENTRIES);
    for (guint i = 0; i < n; i++) {
        gsize place = at + 2 + 12 * (gsize)i;
        struct entry e = { read_number(b, place, 2), read_number(b, place + 2, 2),
                           read_number(b, place + 4, 4), read_number(b, place + 8, 4),
                           place + 8 };
        func(b, &e, out);
    }
}

static void take_gps(const struct block *b, const struct entry *e, struct img_details *out)
{
    double angle;
    if ((e->tag == GPS_LATITUDE || e->tag == GPS_LONGITUDE) && read_angle(b, e, &angle)) {
        /* The reference stands before it, and has left its sign. */
        double *to = e->tag == GPS_LATITUDE ? &out->latitude : &out->longitude;
        *to = *to < 0 ? -angle : angle;
        out->located = out->located || e->tag == GPS_LONGITUDE;
    } else if ((e->tag == GPS_LATITUDE_REF || e->tag == GPS_LONGITUDE_REF)
               && e->type == TYPE_ASCII && e->at < b->size) {
        guint8 letter = b->data[e->at];
        *(e->tag == GPS_LATITUDE_REF ? &out->latitude : &out->longitude) =
            letter == 'S' || letter == 'W' ? -1 : 0;
    }
}

/* "2024:05:13 18:20:11" as other dates are written. */
static void take_date(char *text, struct img_details *out)
{
    if (text && strlen(text) == 19 && text[4] == ':' && text[7] == ':') {
        text[4] = text[7] = '-';
        g_free(out->date);
        out->date = text;
    } else {
        g_free(text);
    }
}

static void take_exif(const struct block *b, const struct entry *e, struct img_details *out)
{
    if (e->tag == TAG_DATE_TAKEN) {
        take_date(read_text(b, e), out);
    }
}

/* Models often begin with the maker's name. */
static void take_camera(char *text, struct img_details *out)
{
    char *before = out->camera;
    if (before && text && !g_str_has_prefix(text, before)) {
        out->camera = g_strconcat(before, " ", text, NULL);
        g_free(text);
        g_free(before);
    } else if (text) {
        g_free(before);
        out->camera = text;
    }
}

static void take_main(const struct block *b, const struct entry *e, struct img_details *out)
{
    if (e->tag == TAG_MAKE || e->tag == TAG_MODEL) {
        take_camera(read_text(b, e), out);
    } else if (e->tag == TAG_DATE && !out->date) {
        take_date(read_text(b, e), out);
    } else if (e->tag == TAG_EXIF) {
        each_entry(b, e->value, take_exif, out);
    } else if (e->tag == TAG_GPS) {
        each_entry(b, e->value, take_gps, out);
    }
}

static void parse_block(const guint8 *data, gsize size, struct img_details *out)
{
    struct block b = { data, size, size > 1 && data[0] == 'I' && data[1] == 'I' };
    if (read_number(&b, 2, 2) == 42) {
        each_entry(&b, read_number(&b, 4, 4), take_main, out);
    }
}

void img_details_parse(const guint8 *data, gsize size, struct img_details *out)
{
    gsize at = 2;
    if (size < 4 || data[0] != 0xff || data[1] != 0xd8) {
        return;
    }
    while (at + 4 <= size && data[at] == 0xff && data[at + 1] != 0xda) {
        gsize length = (gsize)data[at + 2] << 8 | data[at + 3];
        gsize rest = size - at - 4;
        if (data[at + 1] == 0xe1 && length >= 8 && rest >= 6
            && memcmp(data + at + 4, "Exif\0\0", 6) == 0) {
            parse_block(data + at + 10, MIN(length - 8, rest - 6), out);
            return;
        }
        at += 2 + MAX(length, 2);
    }
}

gboolean img_details_read(const char *path, struct img_details *out, GError **error)
{
    GStatBuf info;
    *out = (struct img_details){ 0 };
    FILE *file = g_stat(path, &info) == 0 && S_ISREG(info.st_mode) ? g_fopen(path, "rb")
                                                                    : NULL;
    if (!file) {
        g_autofree char *name = g_filename_display_name(path);
        int code = errno ? errno : EINVAL;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                    g_strerror(code));
        return FALSE;
    }
    g_autofree guint8 *data = g_malloc(READ_BYTES);
    gsize got = fread(data, 1, READ_BYTES, file);
    fclose(file);
    out->bytes = info.st_size;
    out->mtime = info.st_mtime;
    GdkPixbufFormat *format = gdk_pixbuf_get_file_info(path, &out->width, &out->height);
    g_autofree char *name = format ? gdk_pixbuf_format_get_name(format) : NULL;
    out->format = name ? g_ascii_strup(name, -1) : NULL;
    img_details_parse(data, got, out);
    return TRUE;
}

void img_details_clear(struct img_details *d)
{
    g_free(d->format);
    g_free(d->date);
    g_free(d->camera);
    *d = (struct img_details){ 0 };
}
