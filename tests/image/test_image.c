/* Images against Pillow's numbers, and images that are not: test_image FOLDER. */
#define _GNU_SOURCE /* memmem */
#include "app/image/image.h"
#include "compute/weights/weights.h"
#include "tests/temp_dir.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int compare(const char *folder, const struct weights *reference,
                   const struct weights_tensor *t, const char *suffix)
{
    struct nn_error failure = { 0 };
    g_autoptr(GError) error = NULL;
    gsize skip = strlen(t->name) - strlen(suffix);
    gboolean oriented = g_str_has_suffix(t->name, "_oriented");
    gboolean crop = strstr(suffix, "short73") != NULL;
    g_autofree char *name = g_strndup(t->name, skip);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct img_preprocess p = { 64, crop ? 73 : 64, crop ? IMG_FIT_CROP : IMG_FIT_SQUASH,
                                IMG_BILINEAR, { 0 }, { 1, 1, 1 } };
    struct img_pixels pixels = { 0 };
    float *want = g_new(float, t->count), *got = g_new(float, 3 * 64 * 64);
    if (!img_decode(path, oriented, NULL, &pixels, &error)
        || !img_to_tensor(&pixels, &p, got, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    REQUIRE_INT(t->count, 3 * 64 * 64);
    if (weights_read_f32(reference, t, want, &failure) != NN_OK) {
        return 1;
    }
    double worst = 0, sum = 0, limit = 1.01;
    for (guint i = 0; i < t->count; i++) {
        double d = 255 * fabs(got[i] - want[i]);
        worst = MAX(worst, d);
        sum += d;
    }
    img_clear(&pixels);
    g_free(want);
    g_free(got);
    if (worst > limit || sum / (double)t->count > 0.6) {
        fprintf(stderr, "%s: off by %g of 255\n", t->name, worst);
        return 1;
    }
    return 0;
}

static int test_reference(const char *folder, int *count)
{
    static const char *const suffixes[] = { ".squash64", ".squash64_oriented",
                                            ".short73crop64", ".short73crop64_oriented" };
    g_autofree char *path = g_build_filename(folder, "reference.safetensors", NULL);
    struct nn_error error = { 0 };
    struct weights *reference = NULL;
    int failed = 0;
    REQUIRE_OK(weights_open(&reference, path, &error));
    for (gsize i = 0; i < weights_count(reference); i++) {
        const struct weights_tensor *t = weights_at(reference, i);
        for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
            if (g_str_has_suffix(t->name, suffixes[s])) {
                failed += compare(folder, reference, t, suffixes[s]);
                (*count)++;
            }
        }
    }
    weights_destroy(&reference);
    return failed;
}

static void require_refused(const char *dir, const char *name, const void *data,
                            gssize size)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autoptr(GError) error = NULL;
    struct img_pixels pixels = { 0 };
    if (data) {
        REQUIRE(g_file_set_contents(path, data, size, NULL));
    }
    REQUIRE(!img_decode(path, TRUE, NULL, &pixels, &error));
    REQUIRE(error && strstr(error->message, name));
    REQUIRE(!pixels.rgb);
}

/* A progressive file whose last scan comes again and again: little to read, much to do. */
static void test_scans(const char *folder, const char *dir)
{
    g_autofree char *path = g_build_filename(folder, "progressive.jpg", NULL);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    REQUIRE(g_file_get_contents(path, &bytes, &size, NULL));
    gsize scan = size - 2;
    while (memcmp(bytes + scan, "\xff\xda", 2) != 0) {
        scan--;
    }
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_byte_array_append(out, (guint8 *)bytes, (guint)scan);
    for (int i = 0; i < 120; i++) {
        g_byte_array_append(out, (guint8 *)bytes + scan, (guint)(size - 2 - scan));
    }
    g_byte_array_append(out, (const guint8 *)"\xff\xd9", 2);
    require_refused(dir, "scans.jpg", out->data, (gssize)out->len);
}

static void test_hostile(const char *folder)
{
    char *dir = temp_dir_make("image");
    g_autofree char *pipe = g_build_filename(dir, "pipe.png", NULL);
    g_autofree char *sub = g_build_filename(dir, "folder.jpg", NULL);
    g_autofree char *good = g_build_filename(folder, "rgba.png", NULL);
    g_autofree char *photo = g_build_filename(folder, "exif6.jpg", NULL);
    g_autofree char *bytes = NULL, *jpeg = NULL;
    gsize size = 0, jpeg_size = 0;
    REQUIRE(g_file_get_contents(good, &bytes, &size, NULL));
    REQUIRE(g_file_get_contents(photo, &jpeg, &jpeg_size, NULL));
    REQUIRE(mkfifo(pipe, 0600) == 0 && g_mkdir(sub, 0700) == 0);
    require_refused(dir, "pipe.png", NULL, 0);
    require_refused(dir, "folder.jpg", NULL, 0);
    require_refused(dir, "missing.png", NULL, 0);
    require_refused(dir, "empty.png", "", 0);
    require_refused(dir, "text.jpg", "hello, I am no image", -1);
    require_refused(dir, "cut.png", bytes, (gssize)(size / 2));
    require_refused(dir, "cut.jpg", jpeg, (gssize)(jpeg_size / 2));
    /* 60,000 x 60,000 in the header of a tiny file. */
    guint32 side = GUINT32_TO_BE(60000);
    memcpy(bytes + 16, &side, 4);
    memcpy(bytes + 20, &side, 4);
    require_refused(dir, "huge.png", bytes, (gssize)size);
    /* Pixels, or a header, of 4 GB in a file of 64 bytes: no memory may be taken. */
    for (int field = 10; field <= 14; field += 4) {
        char bmp[64] = "BM";
        memset(bmp + field, 0xff, 4);
        require_refused(dir, "bad.bmp", bmp, sizeof bmp);
    }
    guint8 *frame = memmem(jpeg, jpeg_size, "\xff\xc0", 2);
    REQUIRE(frame);
    memset(frame + 5, 0xea, 4); /* height and width */
    require_refused(dir, "huge.jpg", jpeg, (gssize)jpeg_size);
    test_scans(folder, dir);
    temp_dir_remove(dir);
}

/* --- Reduced decoding ------------------------------------------------------------------- */

/* Sides that no scale divides, so that the last column and row are picture in part. */
enum { WIDE = 1605, HIGH = 1203, SIDE = 96 };

static char *make_jpeg(const char *dir)
{
    char *path = g_build_filename(dir, "waves.jpg", NULL);
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, WIDE, HIGH);
    for (int y = 0; y < HIGH; y++) {
        guint8 *row = gdk_pixbuf_get_pixels(pixbuf) + y * gdk_pixbuf_get_rowstride(pixbuf);
        for (int x = 0; x < WIDE; x++, row += 3) {
            row[0] = (guint8)(127 + 120 * sin(x / 30.0));
            row[1] = (guint8)(127 + 120 * sin(y / 25.0));
            row[2] = (guint8)(x * 255 / WIDE);
        }
    }
    REQUIRE(gdk_pixbuf_save(pixbuf, path, "jpeg", NULL, "quality", "95", NULL));
    return path;
}

/* Puts an Exif block with that orientation behind the first marker. */
static char *with_orientation(const char *path, int orientation)
{
    static const guint8 block[] = "\xff\xe1\0\x22""Exif\0\0II*\0\x08\0\0\0\1\0"
                                  "\x12\1\3\0\1\0\0\0\1\0\0\0\0\0\0\0";
    char *turned = g_strdup_printf("%s.%d.jpg", path, orientation);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    REQUIRE(g_file_get_contents(path, &bytes, &size, NULL));
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_byte_array_append(out, (guint8 *)bytes, 2);
    g_byte_array_append(out, block, sizeof block - 1);
    out->data[2 + 28] = (guint8)orientation;
    g_byte_array_append(out, (guint8 *)bytes + 2, (guint)size - 2);
    REQUIRE(g_file_set_contents(turned, (char *)out->data, out->len, NULL));
    return turned;
}

static void compare_reduced(const char *path, enum img_fit fit)
{
    struct img_preprocess p = { SIDE, SIDE + 10, fit, IMG_BILINEAR, { 0 }, { 1, 1, 1 } };
    struct img_pixels full = { 0 }, reduced = { 0 };
    float want[3 * SIDE * SIDE], got[3 * SIDE * SIDE];
    double sum = 0, worst = 0;
    REQUIRE(img_decode(path, TRUE, NULL, &full, NULL));
    REQUIRE(img_decode_reduced(path, IMG_MARGIN * SIDE, NULL, &reduced, NULL));
    REQUIRE_INT(reduced.width, (full.width + 3) / 4);
    REQUIRE_INT(reduced.height, (full.height + 3) / 4);
    REQUIRE(img_to_tensor(&full, &p, want, NULL));
    REQUIRE(img_load_tensor(path, &p, NULL, got, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
        double d = 255 * fabs(got[i] - want[i]);
        sum += d;
        worst = MAX(worst, d);
    }
    if (sum / G_N_ELEMENTS(want) > 0.5 || worst > 5) {
        fprintf(stderr, "%s: off by %g, %g on average\n", path, worst,
                sum / G_N_ELEMENTS(want));
        exit(1);
    }
    img_clear(&full);
    img_clear(&reduced);
}

static void test_reduced(void)
{
    char *dir = temp_dir_make("image");
    g_autofree char *path = make_jpeg(dir), *bytes = NULL;
    gsize size = 0;
    for (int orientation = 1; orientation <= 8; orientation++) {
        g_autofree char *turned = with_orientation(path, orientation);
        compare_reduced(turned, IMG_FIT_SQUASH);
        compare_reduced(turned, IMG_FIT_CROP);
        g_autoptr(GdkPixbuf) small = img_thumbnail(turned, SIDE, NULL, NULL);
        REQUIRE(small);
        REQUIRE_INT(MAX(gdk_pixbuf_get_width(small), gdk_pixbuf_get_height(small)), SIDE);
        REQUIRE((gdk_pixbuf_get_width(small) == SIDE) == (orientation < 5));
        g_unlink(turned);
    }
    /* Cut where a small picture is whole already: the end of the file must be seen. */
    struct img_preprocess p = { SIDE, SIDE, IMG_FIT_SQUASH, IMG_BILINEAR, { 0 }, { 1, 1, 1 } };
    float tensor[3 * SIDE * SIDE];
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    REQUIRE(g_file_get_contents(path, &bytes, &size, NULL));
    g_cancellable_cancel(cancelled);
    REQUIRE(!img_load_tensor(path, &p, cancelled, tensor, &error));
    REQUIRE(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    g_clear_error(&error);
    REQUIRE(g_file_set_contents(path, bytes, (gssize)size - 40, NULL));
    REQUIRE(!img_load_tensor(path, &p, NULL, tensor, &error));
    REQUIRE(g_error_matches(error, IMG_ERROR, IMG_ERROR_BROKEN));
    REQUIRE(strstr(error->message, "waves.jpg"));
    temp_dir_remove(dir);
}

int main(int argc, char **argv)
{
    int count = 0;
    REQUIRE(argc == 2);
    if (!g_file_test(argv[1], G_FILE_TEST_IS_DIR)) {
        return CHECK_SKIP;
    }
    int failed = test_reference(argv[1], &count);
    test_hostile(argv[1]);
    test_reduced();
    printf("%d tensors, %d failed\n", count, failed);
    return failed || !count ? 1 : 0;
}
