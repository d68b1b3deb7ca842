#include "app/dataset/csv_layout.h"

#include <math.h>
#include <string.h>

static int find_any(const struct csv *csv, const char *const *names)
{
    int column = -1;
    for (; *names && column < 0; names++) {
        column = csv_find(csv, *names);
    }
    return column;
}

struct csv_layout csv_layout_find(const struct csv *csv, const char *const *values)
{
    static const char *const labels[] = { "label", "LabelName", NULL };
    static const char *const images[] = { "image", "path", "filename", "file_name",
                                          "image_name", "ImageID", NULL };
    struct csv_layout layout = { .image = find_any(csv, images),
                                 .split = csv_find(csv, "split"),
                                 .label = find_any(csv, labels),
                                 .value = find_any(csv, values) };
    guint named = csv_n_fields(csv) - !*csv_header(csv, 0);
    layout.wide = layout.label < 0 || layout.label == layout.image
                  || (layout.value < 0 && named > 2);
    if (layout.wide || layout.image < 0) {
        layout.image = 0; /* in wide files whatever it is called */
    }
    return layout;
}

gboolean csv_layout_is_label(const struct csv_layout *layout, const struct csv *csv,
                             guint column)
{
    return (int)column != layout->image && (int)column != layout->split
           && *csv_header(csv, column);
}

const char *csv_layout_image(const struct csv_layout *layout, const struct csv *csv,
                             GError **error)
{
    const char *name = csv_field(csv, (guint)layout->image);
    if (!*name) {
        csv_fail(csv, (guint)layout->image, error, "the image has no name");
        return NULL;
    }
    return name;
}

gboolean csv_number(const struct csv *csv, guint field, float *out, GError **error)
{
    const char *text = csv_field(csv, field);
    char *end;
    double value = g_ascii_strtod(text, &end);
    gboolean good = end > text && isfinite((float)value);
    while (*end == ' ' || *end == '\t') {
        end++;
    }
    if (!good || *end) {
        return csv_fail(csv, field, error, "this is not a number: \"%s\"", text);
    }
    *out = (float)value;
    return TRUE;
}
