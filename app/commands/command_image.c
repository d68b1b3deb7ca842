#include "app/commands/commands.h"
#include "app/image/image.h"
#include "compute/weights/weights.h"

#include <string.h>

static gboolean parse_triple(const char *text, float out[3])
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    if (g_strv_length(parts) != 3) {
        return FALSE;
    }
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        out[i] = (float)g_ascii_strtod(parts[i], &end);
        if (end == parts[i] || *end) {
            return FALSE;
        }
    }
    return TRUE;
}

static int save(const char *path, const struct img_pixels *pixels, const float *tensor,
                int size)
{
    struct nn_error error = { 0 };
    struct weights_output outputs[2] = {
        { .name = "rgb", .type = WEIGHTS_U8, .rank = 3,
          .shape = { (guint64)pixels->height, (guint64)pixels->width, 3 },
          .values = pixels->rgb },
        { .name = "image", .type = WEIGHTS_F32, .rank = 3,
          .shape = { 3, (guint64)size, (guint64)size }, .values = tensor } };
    return weights_save(path, outputs, 2, NULL, 0, &error) == NN_OK
               ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error.text);
}

int command_image(int argc, char **argv)
{
    g_autofree char *out = NULL, *fit = NULL, *filter = NULL, *mean = NULL, *std = NULL;
    gboolean no_orient = FALSE;
    int size = 64, resize_size = 0;
    const GOptionEntry entries[] = {
        { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Where to write the tensors", "FILE" },
        { "size", 0, 0, G_OPTION_ARG_INT, &size, "Side of the result (64)", "N" },
        { "resize-size", 0, 0, G_OPTION_ARG_INT, &resize_size,
          "Shorter side before a crop (the size)", "N" },
        { "fit", 0, 0, G_OPTION_ARG_STRING, &fit, "squash or crop", "FIT" },
        { "filter", 0, 0, G_OPTION_ARG_STRING, &filter, "bilinear or bicubic", "FILTER" },
        { "mean", 0, 0, G_OPTION_ARG_STRING, &mean, "Mean of each channel", "R,G,B" },
        { "std", 0, 0, G_OPTION_ARG_STRING, &std, "Deviation of each channel", "R,G,B" },
        { "no-orient", 0, 0, G_OPTION_ARG_NONE, &no_orient,
          "Leave the EXIF orientation alone", NULL },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "FILE - write what a network gets",
                       "Writes rgb [height, width, 3] and image [3, size, size]; "
                       "`model forward` takes a batch of such images.")) {
        return COMMAND_MISUSED;
    }
    struct img_preprocess p = { .size = size, .std = { 1, 1, 1 } };
    p.resize_size = resize_size ? resize_size : size;
    gboolean good = argc == 2 && out && size > 0 && size <= 4096
                    && p.resize_size >= size && p.resize_size <= 8192
                    && (!mean || parse_triple(mean, p.mean))
                    && (!std || parse_triple(std, p.std));
    if (fit && strcmp(fit, "crop") == 0) {
        p.fit = IMG_FIT_CROP;
    } else {
        good = good && (!fit || strcmp(fit, "squash") == 0);
    }
    if (filter && strcmp(filter, "bicubic") == 0) {
        p.filter = IMG_BICUBIC;
    } else {
        good = good && (!filter || strcmp(filter, "bilinear") == 0);
    }
    if (!good) {
        return command_fail(COMMAND_MISUSED,
                            "image needs one FILE and --out; see `taglight image --help`");
    }
    struct img_pixels pixels = { 0 };
    g_autoptr(GError) error = NULL;
    g_autofree float *tensor = g_new(float, 3 * (gsize)size * (gsize)size);
    if (!img_decode(argv[1], !no_orient, NULL, &pixels, &error)
        || !img_to_tensor(&pixels, &p, tensor, &error)) {
        img_clear(&pixels);
        return command_fail(COMMAND_FAILED, "%s", error->message);
    }
    int status = save(out, &pixels, tensor, size);
    img_clear(&pixels);
    return status;
}
