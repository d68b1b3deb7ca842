/* Image files: at full size, reduced, and as thumbnails. */
#define _GNU_SOURCE
#include "app/image/image.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = fuzz_file(data, size, path);
    struct img_pixels pixels = { 0 };
    struct img_preprocess p = { 32, 32, IMG_FIT_CROP, IMG_BICUBIC, { 0 }, { 1, 1, 1 } };
    float tensor[3 * 32 * 32];
    if (img_decode(path, TRUE, NULL, &pixels, NULL)) {
        img_to_tensor(&pixels, &p, tensor, NULL);
    }
    img_clear(&pixels);
    if (img_decode_reduced(path, 8, NULL, &pixels, NULL)) {
        img_to_tensor(&pixels, &p, tensor, NULL);
    }
    img_clear(&pixels);
    g_autoptr(GdkPixbuf) thumbnail = img_thumbnail(path, 16, NULL, NULL);
    if (thumbnail && MAX(gdk_pixbuf_get_width(thumbnail),
                         gdk_pixbuf_get_height(thumbnail)) > 16) {
        abort();
    }
    close(fd);
    return 0;
}
