/* What a network gets of a picture. */
#include "app/image/image_private.h"

/* Python's round: halves go to the even neighbour. */
static int half_of(int n)
{
    return n % 2 == 0 ? n / 2 : (n / 2) % 2 == 0 ? n / 2 : n / 2 + 1;
}

void img_normalise(const guint8 *rgb, const struct img_preprocess *p, float *out)
{
    gsize count = (gsize)p->size * (gsize)p->size;
    for (gsize c = 0; c < 3; c++) {
        float values[256];
        for (int v = 0; v < 256; v++) {
            values[v] = ((float)v / 255.0f - p->mean[c]) / p->std[c];
        }
        for (gsize i = 0; i < count; i++) {
            out[c * count + i] = values[rgb[i * 3 + c]];
        }
    }
}

gboolean img_to_tensor(const struct img_pixels *src, const struct img_preprocess *p,
                       float *out, GError **error)
{
    int width = p->size, height = p->size;
    struct img_window w = { 0, 0, p->size, p->size };
    if (p->fit == IMG_FIT_CROP) {
        /* Sizes are whole numbers over a power of two, so that these quotients are cut
         * where those of whole numbers are. */
        double wide = src->x.size > 0 ? src->x.size : src->width;
        double high = src->y.size > 0 ? src->y.size : src->height;
        double shorter = p->resize_size;
        width = (int)(wide <= high ? shorter : MIN(shorter * wide / high, G_MAXINT / 2));
        height = (int)(wide <= high ? MIN(shorter * high / wide, G_MAXINT / 2) : shorter);
        w.x = half_of(width - p->size);
        w.y = half_of(height - p->size);
    }
    if (p->size < 1 || p->size > 8192 || width < p->size || height < p->size) {
        g_set_error(error, IMG_ERROR, IMG_ERROR_SIZE,
                    "a crop of %d does not fit an image of %d x %d", p->size, width, height);
        return FALSE;
    }
    struct img_pixels fitted;
    img_resize_window(src, width, height, p->filter, w, &fitted);
    img_normalise(fitted.rgb, p, out);
    img_clear(&fitted);
    return TRUE;
}

gboolean img_load_tensor(const char *path, const struct img_preprocess *p,
                         GCancellable *cancellable, float *out, GError **error)
{
    struct img_pixels pixels = { 0 };
    int side = p->fit == IMG_FIT_CROP ? p->resize_size : p->size;
    gboolean good = img_decode_reduced(path, IMG_MARGIN * side, cancellable, &pixels, error)
                    && img_to_tensor(&pixels, p, out, error);
    img_clear(&pixels);
    return good;
}
