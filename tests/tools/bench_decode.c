/* How long decoding and resizing take, and what the reduced decode changes:
 * bench_decode [--size N] [--crop N] [--runs N] IMAGE… prints, for each image and then on
 * average, milliseconds (the best of the runs) for the full decode, the reduced one and
 * the resize of each, and the difference of the two tensors in 1/255. */
#include "app/image/image.h"

#include <math.h>
#include <stdio.h>

struct times { double full, full_resize, reduced, reduced_resize, mean, worst; };

static int runs = 5;

static double now_ms(void)
{
    return 1e-3 * (double)g_get_monotonic_time();
}

/* Decodes at the full size, or as img_load_tensor does. */
static gboolean decode(const char *path, const struct img_preprocess *p, gboolean full,
                       struct img_pixels *out, GError **error)
{
    int side = p->fit == IMG_FIT_CROP ? p->resize_size : p->size;
    return full ? img_decode(path, TRUE, NULL, out, error)
                : img_decode_reduced(path, IMG_MARGIN * side, NULL, out, error);
}

static gboolean measure(const char *path, const struct img_preprocess *p, gboolean full,
                        double *decode_ms, double *resize_ms, float *tensor,
                        GError **error)
{
    *decode_ms = *resize_ms = HUGE_VAL;
    for (int i = 0; i < runs; i++) {
        struct img_pixels pixels = { 0 };
        double start = now_ms();
        if (!decode(path, p, full, &pixels, error)) {
            return FALSE;
        }
        double middle = now_ms();
        gboolean good = img_to_tensor(&pixels, p, tensor, error);
        *resize_ms = MIN(*resize_ms, now_ms() - middle);
        *decode_ms = MIN(*decode_ms, middle - start);
        img_clear(&pixels);
        if (!good) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean measure_image(const char *path, const struct img_preprocess *p,
                              struct times *t, GError **error)
{
    gsize count = 3 * (gsize)p->size * (gsize)p->size;
    g_autofree float *want = g_new(float, count), *got = g_new(float, count);
    if (!measure(path, p, TRUE, &t->full, &t->full_resize, want, error)
        || !measure(path, p, FALSE, &t->reduced, &t->reduced_resize, got, error)) {
        return FALSE;
    }
    t->mean = t->worst = 0;
    for (gsize i = 0; i < count; i++) {
        double d = 255 * fabs((double)got[i] - want[i]);
        t->mean += d / (double)count;
        t->worst = MAX(t->worst, d);
    }
    return TRUE;
}

static void print(const char *name, const struct times *t)
{
    printf("%-24s %8.2f %8.2f %8.2f %8.2f %8.3f %6.1f\n", name, t->full, t->full_resize,
           t->reduced, t->reduced_resize, t->mean, t->worst);
}

int main(int argc, char **argv)
{
    int size = 224, crop = 0;
    const GOptionEntry entries[] = {
        { "size", 0, 0, G_OPTION_ARG_INT, &size, "Side of the tensor (224)", "N" },
        { "crop", 0, 0, G_OPTION_ARG_INT, &crop, "Shorter side before a crop", "N" },
        { "runs", 0, 0, G_OPTION_ARG_INT, &runs, "Runs of which the best counts", "N" },
        { 0 } };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("IMAGE…");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 2 || runs < 1
        || size < 1) {
        fprintf(stderr, "%s\n", error ? error->message : "no image was given");
        return 2;
    }
    struct img_preprocess p = { size, crop ? crop : size,
                                crop ? IMG_FIT_CROP : IMG_FIT_SQUASH, IMG_BILINEAR, { 0 },
                                { 1, 1, 1 } };
    struct times sum = { 0 };
    printf("%-24s %8s %8s %8s %8s %8s %6s\n", "ms", "full", "resize", "reduced", "resize",
           "mean", "worst");
    for (int i = 1; i < argc; i++) {
        struct times t;
        if (!measure_image(argv[i], &p, &t, &error)) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        g_autofree char *name = g_path_get_basename(argv[i]);
        print(name, &t);
        double share = 1.0 / (argc - 1);
        sum.full += t.full * share;
        sum.full_resize += t.full_resize * share;
        sum.reduced += t.reduced * share;
        sum.reduced_resize += t.reduced_resize * share;
        sum.mean += t.mean * share;
        sum.worst = MAX(sum.worst, t.worst);
    }
    print("average, and worst", &sum);
    return 0;
}
