#include "app/query/similar.h"

#include <math.h>

void similar_mean(const float *values, guint tokens, guint width, float *out)
{
    for (guint k = 0; k < width; k++) {
        double sum = 0;
        for (guint t = 0; t < tokens; t++) {
            sum += values[(gsize)t * width + k];
        }
        out[k] = (float)(sum / tokens);
    }
}

static double length_of(const float *row, guint width)
{
    double square = 0;
    for (guint k = 0; k < width; k++) {
        square += (double)row[k] * row[k];
    }
    return sqrt(square);
}

static double cosine(const float *a, const float *b, guint width)
{
    double dot = 0, lengths = length_of(a, width) * length_of(b, width);
    for (guint k = 0; k < width; k++) {
        dot += (double)a[k] * b[k];
    }
    return lengths > 0 ? dot / lengths : 0;
}

static int nearest_first(gconstpointer left, gconstpointer right)
{
    const struct similar_match *a = left, *b = right;
    if (a->cosine != b->cosine) {
        return a->cosine > b->cosine ? -1 : 1;
    }
    return a->image < b->image ? -1 : a->image > b->image;
}

GArray *similar_rank(const float *features, guint images, guint width, const float *like,
                     guint most)
{
    GArray *matches = g_array_sized_new(FALSE, FALSE, sizeof(struct similar_match), images);
    for (guint i = 0; i < images; i++) {
        struct similar_match m = { i, (float)cosine(features + (gsize)i * width, like,
                                                    width) };
        g_array_append_val(matches, m);
    }
    g_array_sort(matches, nearest_first);
    g_array_set_size(matches, MIN(most, images));
    return matches;
}
