/* What people see of an image besides its pixels: test_pictures CORPUS. EXIF data, and the
 * thumbnails that programs share. */
#include "app/image/details.h"
#include "app/image/image.h"
#include "app/image/thumbnail_cache.h"
#include "tests/temp_dir.h"

#include <glib/gstdio.h>
#include <math.h>
#include <utime.h>

/* --- Details ------------------------------------------------------------------------------- */

/* One entry of a directory, most significant byte first. */
static void put_entry(GByteArray *out, guint16 tag, guint16 type, guint32 count,
                      guint32 value)
{
    guint16 head[] = { GUINT16_TO_BE(tag), GUINT16_TO_BE(type) };
    guint32 tail[] = { GUINT32_TO_BE(count), GUINT32_TO_BE(value) };
    g_byte_array_append(out, (guint8 *)head, sizeof head);
    g_byte_array_append(out, (guint8 *)tail, sizeof tail);
}

static void put_count(GByteArray *out, guint16 n)
{
    guint16 count = GUINT16_TO_BE(n);
    g_byte_array_append(out, (guint8 *)&count, sizeof count);
}

static void put_angle(GByteArray *out, guint32 degrees, guint32 minutes, guint32 seconds)
{
    guint32 values[] = { GUINT32_TO_BE(degrees), GUINT32_TO_BE(1), GUINT32_TO_BE(minutes),
                         GUINT32_TO_BE(1), GUINT32_TO_BE(seconds * 10), GUINT32_TO_BE(10) };
    g_byte_array_append(out, (guint8 *)values, sizeof values);
}

static void pad_to(GByteArray *out, gsize size)
{
    while (out->len < size) {
        g_byte_array_append(out, (const guint8 *)"", 1);
    }
}

/* The places in the block are those that the entries name: directories at 8, 64 and 100,
 * texts at 160, 170 and 180, angles at 200 and 224. */
static GByteArray *exif_file(void)
{
    GByteArray *b = g_byte_array_new();
    static const guint8 start[] = "\xff\xd8\xff\xe1\x01\x02" "Exif\0\0" "MM\0*\0\0\0\x08";
    g_byte_array_append(b, start, sizeof start - 1);
    gsize block = 12;
    put_count(b, 4);
    put_entry(b, 0x10f, 2, 5, 160);
    put_entry(b, 0x110, 2, 9, 170);
    put_entry(b, 0x8769, 4, 1, 64);
    put_entry(b, 0x8825, 4, 1, 100);
    pad_to(b, block + 64);
    put_count(b, 1);
    put_entry(b, 0x9003, 2, 20, 180);
    pad_to(b, block + 100);
    put_count(b, 4);
    put_entry(b, 1, 2, 2, 0x53000000); /* "S" */
    put_entry(b, 2, 5, 3, 200);
    put_entry(b, 3, 2, 2, 0x45000000); /* "E" */
    put_entry(b, 4, 5, 3, 224);
    pad_to(b, block + 160);
    g_byte_array_append(b, (const guint8 *)"Acme\0\0\0\0\0\0Acme Q7\0\0\0", 20);
    g_byte_array_append(b, (const guint8 *)"2024:05:13 18:20:11\0", 20);
    put_angle(b, 33, 30, 36);
    put_angle(b, 151, 12, 0);
    return b;
}

static void test_exif(void)
{
    g_autoptr(GByteArray) file = exif_file();
    struct img_exif d;
    guint width, height;
    img_exif_of_jpeg(file->data, file->len, &d, &width, &height);
    REQUIRE_STR(d.camera, "Acme Q7");
    REQUIRE_STR(d.date, "2024-05-13 18:20:11");
    REQUIRE(d.located && fabs(d.latitude + 33.51) < 1e-9 && fabs(d.longitude - 151.2) < 1e-9);
    for (guint size = 0; size < file->len; size++) { /* cut anywhere */
        g_autofree guint8 *part = g_memdup2(file->data, size);
        img_exif_of_jpeg(part, size, &d, &width, &height);
    }
    for (guint i = 0; i < file->len * 8; i++) { /* one bit wrong */
        g_autofree guint8 *part = g_memdup2(file->data, file->len);
        part[i / 8] ^= (guint8)(1 << i % 8);
        img_exif_of_jpeg(part, file->len, &d, &width, &height);
    }
}

/* Files of which another program wrote the Exif: either order of bytes, XMP before it, and
 * two segments, of which the second turns. */
static void test_exif_files(const char *corpus)
{
    static const struct { const char *name, *camera, *date; guint orientation; } cases[] = {
        { "little", "Acme Q7", "2024-05-13 18:20:11", 6 },
        { "big", "Acme Q7", "2024-05-13 18:20:11", 6 },
        { "xmp_first", "Acme Q7", "2024-05-13 18:20:11", 6 },
        { "filled", "Acme Q7", "2024-05-13 18:20:11", 6 },
        { "two", "Ab", "2024-05-13 18:20:11", 6 },
        { "far", "", "", 0 },
        { "itself", "", "", 0 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(corpus, "..", "exif", cases[i].name, NULL);
        g_autofree char *data = NULL;
        gsize size;
        struct img_exif exif;
        guint width, height;
        REQUIRE(g_file_get_contents(path, &data, &size, NULL));
        img_exif_of_jpeg((const guint8 *)data, size, &exif, &width, &height);
        REQUIRE_STR(exif.camera, cases[i].camera);
        REQUIRE_STR(exif.date, cases[i].date);
        REQUIRE_INT(exif.orientation, cases[i].orientation);
        REQUIRE(width == 640 && height == 480);
        REQUIRE(!exif.located || (fabs(exif.latitude + 33.51) < 1e-9
                                  && fabs(exif.longitude + 151.2) < 1e-9));
        REQUIRE(exif.located == (*cases[i].date != '\0'));
    }
}

static void test_file(const char *corpus)
{
    g_autofree char *path = g_build_filename(corpus, "rgba.png", NULL);
    g_autoptr(GError) error = NULL;
    struct img_details d;
    REQUIRE(img_details_read(path, &d, NULL));
    REQUIRE(d.width > 0 && d.height > 0 && d.bytes > 0 && d.mtime > 0);
    REQUIRE_STR(d.format, "PNG");
    REQUIRE(!*d.exif.date && !*d.exif.camera && !d.exif.located);
    img_details_clear(&d);
    REQUIRE(!img_details_read(corpus, &d, &error) && error);
}

/* --- Thumbnails ------------------------------------------------------------------------------- */

static char *cached_file(const char *path, const char *folder)
{
    g_autofree char *uri = g_filename_to_uri(path, NULL, NULL);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, uri, -1);
    g_autofree char *name = g_strconcat(sum, ".png", NULL);
    return g_build_filename(g_get_user_cache_dir(), "thumbnails", folder, name, NULL);
}

static guint8 first_byte(GdkPixbuf *pixbuf)
{
    return gdk_pixbuf_read_pixels(pixbuf)[0];
}

/* As another program would have made it, but of one colour. */
static void forge(const char *path, const char *file)
{
    GStatBuf info;
    REQUIRE(g_stat(path, &info) == 0);
    g_autofree char *uri = g_filename_to_uri(path, NULL, NULL);
    g_autofree char *mtime = g_strdup_printf("%ld", (long)info.st_mtime);
    g_autoptr(GdkPixbuf) grey = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, 256, 128);
    gdk_pixbuf_fill(grey, 0x4d4d4dff);
    REQUIRE(gdk_pixbuf_save(grey, file, "png", NULL, "tEXt::Thumb::URI", uri,
                            "tEXt::Thumb::MTime", mtime, NULL));
}

static void test_shared_thumbnails(const char *corpus, const char *dir)
{
    g_autofree char *source = g_build_filename(corpus, "progressive.jpg", NULL);
    g_autofree char *path = g_build_filename(dir, "a b.jpg", NULL);
    g_autofree char *bytes = NULL;
    gsize size;
    REQUIRE(g_file_get_contents(source, &bytes, &size, NULL));
    REQUIRE(g_file_set_contents(path, bytes, (gssize)size, NULL));
    g_autofree char *file = cached_file(path, "large");
    g_autoptr(GdkPixbuf) made = thumbnail_cache_get(path, 200, NULL, NULL);
    REQUIRE(made && MAX(gdk_pixbuf_get_width(made), gdk_pixbuf_get_height(made)) <= 200);
    GStatBuf info;
    REQUIRE(g_stat(file, &info) == 0 && (info.st_mode & 0777) == 0600);
    forge(path, file);
    g_autoptr(GdkPixbuf) read = thumbnail_cache_get(path, 128, NULL, NULL);
    REQUIRE_INT(gdk_pixbuf_get_width(read), 128); /* a larger one serves too */
    REQUIRE_INT(first_byte(read), 0x4d);
    struct utimbuf times = { 1000, 1000 };
    REQUIRE(g_utime(path, &times) == 0); /* the file changed: it is no longer valid */
    g_autoptr(GdkPixbuf) again = thumbnail_cache_get(path, 200, NULL, NULL);
    REQUIRE(again && gdk_pixbuf_get_height(again) == gdk_pixbuf_get_height(made)
            && first_byte(again) == first_byte(made));
    g_autoptr(GError) error = NULL;
    REQUIRE(!thumbnail_cache_get(dir, 200, NULL, &error) && error);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    char *dir = temp_dir_make("pictures");
    g_autofree char *cache = g_build_filename(dir, "cache", NULL);
    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    test_exif();
    test_exif_files(argv[1]);
    test_file(argv[1]);
    test_shared_thumbnails(argv[1], dir);
    temp_dir_remove(dir);
    return 0;
}
