/* Exif is a TIFF file in a segment of the JPEG: a header that says the order of bytes
 * and where the first directory is; a directory is a count (2 bytes), then entries of
 * 12: tag (2), type (2), count (4), and the value or where it stands (4). */
#include "app/image/exif.h"

#include <string.h>

/* Far more than any camera writes, so that a file cannot keep the reader busy. */
#define MAX_ENTRIES 512

enum {
    TAG_MAKE = 0x010f, TAG_MODEL = 0x0110, TAG_ORIENTATION = 0x0112, TAG_DATE = 0x0132,
    TAG_EXIF = 0x8769, TAG_GPS = 0x8825, TAG_DATE_TAKEN = 0x9003, TAG_WIDTH = 0xa002,
    TAG_HEIGHT = 0xa003
};
enum { GPS_LATITUDE_REF = 1, GPS_LATITUDE, GPS_LONGITUDE_REF, GPS_LONGITUDE };
enum { TYPE_ASCII = 2, TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_RATIONAL = 5 };

struct tiff { const guint8 *data; gsize size; gboolean little; };

/* at: where its value stands, or where it is said where that stands. */
struct entry { guint tag, type, count; gsize at; };

typedef void (*entry_func)(const struct tiff *t, const struct entry *e, gpointer to);

/* --- Directories ----------------------------------------------------------------- */

static gboolean is_inside(const struct tiff *t, gsize at, gsize bytes)
{
    return at <= t->size && t->size - at >= bytes;
}

/* 0 outside. */
static guint number_at(const struct tiff *t, gsize at, guint bytes)
{
    guint value = 0;
    for (guint i = 0; is_inside(t, at, bytes) && i < bytes; i++) {
        value = value << 8 | t->data[at + (t->little ? bytes - 1 - i : i)];
    }
    return value;
}

static void each_entry(const struct tiff *t, gsize directory, entry_func func, gpointer to)
{
    guint count = MIN(number_at(t, directory, 2), MAX_ENTRIES);
    gsize at = directory + 2;
    for (guint i = 0; i < count && is_inside(t, at, 12); i++, at += 12) {
        struct entry e = { number_at(t, at, 2), number_at(t, at + 2, 2),
                           number_at(t, at + 4, 4), at + 8 };
        func(t, &e, to);
    }
}

/* Values this short stand in the entry itself. 0 when it is none. */
static guint number_of(const struct tiff *t, const struct entry *e)
{
    return e->type == TYPE_SHORT  ? number_at(t, e->at, 2)
           : e->type == TYPE_LONG ? number_at(t, e->at, 4) : 0;
}

/* As much of a text as fits, in whole characters. */
static void put_text(char *out, gsize size, const char *text)
{
    const char *end;
    g_strlcpy(out, text, size);
    if (!g_utf8_validate(out, -1, &end)) {
        out[end - out] = '\0';
    }
}

/* Text without blanks around it; "" when it is none. */
static void text_of(const struct tiff *t, const struct entry *e, char *out, gsize size)
{
    gsize at = e->count <= 4 ? e->at : number_at(t, e->at, 4);
    *out = '\0';
    if (e->type == TYPE_ASCII && is_inside(t, at, e->count)) {
        g_autofree char *raw = g_strndup((const char *)t->data + at, MIN(e->count, size));
        g_autofree char *text = g_utf8_make_valid(raw, -1);
        put_text(out, size, g_strstrip(text));
    }
}

/* Degrees, minutes and seconds. */
static gboolean angle_of(const struct tiff *t, const struct entry *e, double *out)
{
    gsize at = number_at(t, e->at, 4);
    double unit = 1;
    if (e->type != TYPE_RATIONAL || e->count != 3 || !is_inside(t, at, 24)) {
        return FALSE;
    }
    *out = 0;
    for (gsize i = 0; i < 3; i++, unit /= 60) {
        guint below = number_at(t, at + 8 * i + 4, 4);
        *out += below ? unit * number_at(t, at + 8 * i, 4) / below : 0;
    }
    return TRUE;
}

/* --- What the entries say ------------------------------------------------------------ */

struct place { double latitude, longitude; gboolean south, west, has[2]; };

static void take_place(const struct tiff *t, const struct entry *e, gpointer to)
{
    struct place *p = to;
    char letter[4];
    switch (e->tag) {
    case GPS_LATITUDE_REF:
        text_of(t, e, letter, sizeof letter);
        p->south = *letter == 'S';
        break;
    case GPS_LONGITUDE_REF:
        text_of(t, e, letter, sizeof letter);
        p->west = *letter == 'W';
        break;
    case GPS_LATITUDE:
        p->has[0] = angle_of(t, e, &p->latitude) && p->latitude <= 90;
        break;
    case GPS_LONGITUDE:
        p->has[1] = angle_of(t, e, &p->longitude) && p->longitude <= 180;
        break;
    default:
        break;
    }
}

static void read_place(const struct tiff *t, gsize directory, struct img_exif *out)
{
    struct place p = { 0 };
    each_entry(t, directory, take_place, &p);
    if (p.has[0] && p.has[1]) {
        out->located = TRUE;
        out->latitude = p.south ? -p.latitude : p.latitude;
        out->longitude = p.west ? -p.longitude : p.longitude;
    }
}

/* "2024:05:13 18:20:11" as other dates are written. */
static void take_date(const struct tiff *t, const struct entry *e, struct img_exif *out)
{
    char text[sizeof out->date + 1];
    text_of(t, e, text, sizeof text);
    if (strlen(text) == 19 && text[4] == ':' && text[7] == ':') {
        text[4] = text[7] = '-';
        g_strlcpy(out->date, text, sizeof out->date);
    }
}

/* Models often begin with the maker's name. */
static void take_model(const struct tiff *t, const struct entry *e, struct img_exif *out)
{
    char model[sizeof out->camera];
    g_autofree char *maker = g_strdup(out->camera);
    text_of(t, e, model, sizeof model);
    if (*maker && *model && !g_str_has_prefix(model, maker)) {
        g_autofree char *both = g_strconcat(maker, " ", model, NULL);
        put_text(out->camera, sizeof out->camera, both);
    } else if (*model) {
        put_text(out->camera, sizeof out->camera, model);
    }
}

static void take_second(const struct tiff *t, const struct entry *e, gpointer to)
{
    struct img_exif *out = to;
    if (e->tag == TAG_DATE_TAKEN) {
        take_date(t, e, out);
    } else if (e->tag == TAG_WIDTH && !out->width) {
        out->width = number_of(t, e);
    } else if (e->tag == TAG_HEIGHT && !out->height) {
        out->height = number_of(t, e);
    }
}

struct first { struct img_exif *out; gsize second, gps; };

static void take_first(const struct tiff *t, const struct entry *e, gpointer to)
{
    struct first *f = to;
    switch (e->tag) {
    case TAG_MAKE: text_of(t, e, f->out->camera, sizeof f->out->camera); break;
    case TAG_MODEL: take_model(t, e, f->out); break;
    case TAG_DATE: take_date(t, e, f->out); break;
    case TAG_EXIF: f->second = number_of(t, e); break;
    case TAG_GPS: f->gps = number_of(t, e); break;
    case TAG_ORIENTATION:
        if (e->type == TYPE_SHORT && !f->out->orientation) {
            f->out->turns = TRUE;
            f->out->orientation = number_of(t, e);
        }
        break;
    default: break;
    }
}

void img_exif_parse(const guint8 *block, gsize size, struct img_exif *out)
{
    *out = (struct img_exif){ 0 };
    if (size < 14 || memcmp(block, "Exif\0\0", 6) != 0) {
        return;
    }
    struct tiff t = { block + 6, size - 6, memcmp(block + 6, "II*\0", 4) == 0 };
    struct first first = { .out = out };
    if (!t.little && memcmp(t.data, "MM\0*", 4) != 0) {
        return;
    }
    each_entry(&t, number_at(&t, 4, 4), take_first, &first);
    /* The directories that it names, once each; that of the second one has the date on
     * which the picture was taken, which goes before that of the file. */
    if (first.second) {
        each_entry(&t, first.second, take_second, out);
    }
    if (first.gps) {
        read_place(&t, first.gps, out);
    }
}

/* --- Segments ------------------------------------------------------------------------ */

/* What an earlier segment has not told. */
static void join(const struct img_exif *from, struct img_exif *to)
{
    if (from->turns && !to->orientation) {
        to->turns = TRUE;
        to->orientation = from->orientation;
    }
    if (!to->width || !to->height) {
        to->width = from->width;
        to->height = from->height;
    }
    if (!*to->date) {
        memcpy(to->date, from->date, sizeof to->date);
    }
    if (!*to->camera) {
        memcpy(to->camera, from->camera, sizeof to->camera);
    }
    if (!to->located) {
        to->located = from->located;
        to->latitude = from->latitude;
        to->longitude = from->longitude;
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
    const struct tiff file = { head, size, FALSE }; /* as far as numbers go */
    gsize at = 2;
    *out = (struct img_exif){ 0 };
    *width = *height = 0;
    while (number_at(&file, 0, 2) == 0xffd8 && is_inside(&file, at, 4) && head[at] == 0xff
           && head[at + 1] != 0xda) { /* there the picture begins */
        guint8 marker = head[at + 1];
        gsize bytes = number_at(&file, at + 2, 2), rest = size - at - 4;
        if (marker == 0xff) { /* filling */
            at++;
            continue;
        }
        if (bytes < 2) {
            return;
        }
        if (marker == 0xe1) {
            struct img_exif exif;
            img_exif_parse(head + at + 4, MIN(bytes - 2, rest), &exif);
            join(&exif, out);
        } else if (is_frame(marker) && bytes >= 7 && bytes - 2 <= rest && *width == 0) {
            *height = number_at(&file, at + 5, 2);
            *width = number_at(&file, at + 7, 2);
        }
        at += 2 + bytes;
    }
}
