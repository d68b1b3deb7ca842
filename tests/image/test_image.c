/* Images against Pillow's numbers, and images that are not: test_image FOLDER. */
#include "app/image/image.h"
#include "compute/weights/weights.h"
#include "tests/check.h"

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
    double worst = 0, sum = 0, limit = strstr(name, ".jpg") ? 4.5 : 1.01;
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

static void test_hostile(const char *folder)
{
    g_autofree char *dir = g_dir_make_tmp("taglight-image-XXXXXX", NULL);
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
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", dir);
    REQUIRE(system(remove) == 0);
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
    printf("%d tensors, %d failed\n", count, failed);
    return failed || !count ? 1 : 0;
}
