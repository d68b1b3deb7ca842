/* Hashes of looks: the same for copies, other for other pictures, found when near. */
#include "app/image/image_hash.h"
#include "app/image/image.h"
#include "tests/temp_dir.h"

#include <glib/gstdio.h>

static char *dir, *samples;

static guint64 hash_of(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    guint64 hash;
    REQUIRE(img_hash(path, NULL, &hash, NULL));
    return hash;
}

/* The sample at another size, as a JPEG of a quality. */
static void save_copy(const char *sample, const char *name, double scale,
                      const char *quality)
{
    g_autofree char *from = g_build_filename(samples, sample, NULL);
    g_autofree char *to = g_build_filename(dir, name, NULL);
    g_autoptr(GdkPixbuf) picture = gdk_pixbuf_new_from_file(from, NULL);
    g_autoptr(GdkPixbuf) small = gdk_pixbuf_scale_simple(
        picture, (int)(scale * gdk_pixbuf_get_width(picture)),
        (int)(scale * gdk_pixbuf_get_height(picture)), GDK_INTERP_HYPER);
    REQUIRE(gdk_pixbuf_save(small, to, "jpeg", NULL, "quality", quality, NULL));
}

static void test_copies(void)
{
    const char *const names[] = { "landscape.jpg", "plasma.jpg" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        guint64 original = hash_of(samples, names[i]);
        save_copy(names[i], "half.jpg", 0.5, "90");
        save_copy(names[i], "large.jpg", 3, "60");
        REQUIRE(img_hash_distance(original, hash_of(dir, "half.jpg"))
                <= HASH_INDEX_REACH);
        REQUIRE(img_hash_distance(original, hash_of(dir, "large.jpg"))
                <= HASH_INDEX_REACH);
    }
    REQUIRE(img_hash_distance(hash_of(samples, names[0]), hash_of(samples, names[1]))
            > 12);
}

/* 9 x 8 pixels are their own bits: brighter to the right but for one row. */
static void test_bits(void)
{
    g_autofree char *path = g_build_filename(dir, "bits.ppm", NULL);
    g_autoptr(GString) text = g_string_new("P3 9 8 255\n");
    for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 9; x++) {
            int grey = y == 2 ? 200 - 20 * x : 20 * x;
            g_string_append_printf(text, "%d %d %d ", grey, grey, grey);
        }
    }
    REQUIRE(g_file_set_contents(path, text->str, -1, NULL));
    REQUIRE(hash_of(dir, "bits.ppm") == 0xffff00ffffffffffull);
    REQUIRE(g_file_set_contents(path, "P3 1 1 255 9 9 9 ", -1, NULL));
    REQUIRE(hash_of(dir, "bits.ppm") == 0); /* no structure */
}

static void test_unreadable(void)
{
    g_autoptr(GError) error = NULL;
    guint64 hash;
    REQUIRE(!img_hash("/nowhere/at all.jpg", NULL, &hash, &error));
    REQUIRE(strstr(error->message, "at all.jpg"));
}

/* All that is near is found, and of several the nearest: as by looking at all. */
static void test_index(void)
{
    struct hash_index *index = hash_index_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    guint64 all[3000];
    for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
        guint64 hash = (guint64)g_rand_int(random) << 32 | g_rand_int(random);
        guint64 near = i ? all[g_rand_int_range(random, 0, (gint32)i)] : hash;
        for (int flips = g_rand_int_range(random, 0, 7); flips > 0; flips--) {
            near ^= (guint64)1 << g_rand_int_range(random, 0, 64);
        }
        guint64 wanted = i % 2 ? near : hash;
        int best = -1;
        guint distance = HASH_INDEX_REACH + 1;
        for (guint j = 0; j < i; j++) {
            guint d = img_hash_distance(all[j], wanted);
            best = d < distance ? (int)j : best;
            distance = MIN(d, distance);
        }
        REQUIRE_INT(hash_index_nearest(index, wanted), best);
        REQUIRE_INT(hash_index_add(index, wanted), i);
        all[i] = wanted;
    }
    hash_index_free(&index);
    hash_index_free(&index);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    samples = argv[1];
    dir = temp_dir_make("hash");
    test_copies();
    test_bits();
    test_unreadable();
    test_index();
    temp_dir_remove(dir);
    return 0;
}
