#include "app/dataset/scores.h"

#include "app/dataset/csv_layout.h"

#include <math.h>
#include <string.h>

struct scores *scores_new(void)
{
    struct scores *s = g_new0(struct scores, 1);
    s->images = g_ptr_array_new_with_free_func(g_free);
    s->labels = g_ptr_array_new_with_free_func(g_free);
    s->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    s->image_of = g_hash_table_new(g_str_hash, g_str_equal);
    s->label_of = g_hash_table_new(g_str_hash, g_str_equal);
    return s;
}

void scores_free(struct scores **scores)
{
    struct scores *s = *scores;
    *scores = NULL;
    if (s) {
        g_hash_table_unref(s->image_of);
        g_hash_table_unref(s->label_of);
        g_ptr_array_unref(s->images);
        g_ptr_array_unref(s->labels);
        g_ptr_array_unref(s->rows);
        g_free(s);
    }
}

static guint add_name(GPtrArray *names, GHashTable *index_of, const char *name)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(index_of, name));
    if (at == 0) {
        char *copy = g_strdup(name);
        g_ptr_array_add(names, copy);
        at = names->len;
        g_hash_table_insert(index_of, copy, GUINT_TO_POINTER(at));
    }
    return at - 1;
}

guint scores_add_image(struct scores *s, const char *name)
{
    guint image = add_name(s->images, s->image_of, name);
    if (image == s->rows->len) {
        g_ptr_array_add(s->rows, g_array_new(FALSE, FALSE, sizeof(float)));
    }
    return image;
}

guint scores_add_label(struct scores *s, const char *name)
{
    return add_name(s->labels, s->label_of, name);
}

gboolean scores_set(struct scores *s, guint image, guint label, float value)
{
    GArray *row = s->rows->pdata[image];
    const float nothing = NAN;
    while (row->len <= label) {
        g_array_append_val(row, nothing);
    }
    float *at = &g_array_index(row, float, label);
    if (!isnan(*at)) {
        return FALSE;
    }
    *at = value;
    return TRUE;
}

float scores_get(const struct scores *s, guint image, guint label)
{
    const GArray *row = s->rows->pdata[image];
    return label < row->len ? g_array_index(row, float, label) : NAN;
}

/* --- Reading -------------------------------------------------------------------------- */

static gboolean read_pair(struct scores *s, const struct csv *csv,
                          const struct csv_layout *layout, guint image, GError **error)
{
    float value;
    g_autofree char *label = csv_trimmed(csv, (guint)layout->label);
    if (!csv_number(csv, (guint)layout->value, &value, error)) {
        return FALSE;
    }
    return scores_set(s, image, scores_add_label(s, label), value)
           || csv_fail(csv, (guint)layout->label, error,
                       "this image and label have a score already: \"%s\"", label);
}

static gboolean read_cells(struct scores *s, const struct csv *csv,
                           const struct csv_layout *layout, guint image, GError **error)
{
    guint label = 0;
    for (guint i = 0; i < csv_n_fields(csv); i++) {
        float value;
        if (!csv_layout_is_label(layout, csv, i)) {
            continue;
        }
        if (*csv_field(csv, i)) {
            if (!csv_number(csv, i, &value, error)) {
                return FALSE;
            }
            scores_set(s, image, label, value);
        }
        label++;
    }
    return TRUE;
}

/* What `taglight tag` says of an image that it could not read: no scores. */
static gboolean is_error_row(const struct csv *csv, const struct csv_layout *layout)
{
    int column = layout->wide ? -1 : csv_find(csv, "error");
    return column >= 0 && *csv_field(csv, (guint)column)
           && !*csv_field(csv, (guint)layout->label);
}

static gboolean read_row(struct scores *s, const struct csv *csv,
                         const struct csv_layout *layout, GError **error)
{
    if (is_error_row(csv, layout)) {
        return TRUE;
    }
    const char *name = csv_layout_image(layout, csv, error);
    if (!name) {
        return FALSE;
    }
    guint before = s->images->len;
    guint image = scores_add_image(s, name);
    if (!layout->wide) {
        return read_pair(s, csv, layout, image, error);
    }
    if (s->images->len == before) {
        return csv_fail(csv, (guint)layout->image, error, "%s has a row already", name);
    }
    return read_cells(s, csv, layout, image, error);
}

struct scores *scores_read(const char *path, GError **error)
{
    static const char *const values[] = { "confidence", "score", "value", NULL };
    GError *failure = NULL;
    struct csv *csv = csv_open(path, error);
    if (!csv) {
        return NULL;
    }
    struct csv_layout layout = csv_layout_find(csv, values);
    struct scores *s = scores_new();
    layout.wide |= layout.value < 0; /* there are no scores without a value */
    s->wide = layout.wide;
    for (guint i = 0; layout.wide && i < csv_n_fields(csv); i++) {
        if (csv_layout_is_label(&layout, csv, i)) {
            scores_add_label(s, csv_header(csv, i));
        }
    }
    while (!failure && csv_next(csv, &failure)) {
        read_row(s, csv, &layout, &failure);
    }
    csv_close(&csv);
    if (failure) {
        g_propagate_error(error, failure);
        scores_free(&s);
    }
    return s;
}

/* --- Writing -------------------------------------------------------------------------- */

static void put_field(FILE *out, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
    g_autofree char *doubled = g_strjoinv("\"\"", parts);
    gboolean plain = !strpbrk(text, ",;\t\"\r\n") && !g_ascii_isspace(text[0]);
    fprintf(out, "%s%s%s", plain ? "" : "\"", doubled, plain ? "" : "\"");
}

gboolean scores_write(const struct scores *s, FILE *out)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    fputs("image", out);
    for (guint i = 0; i < s->labels->len; i++) {
        fputc(',', out);
        put_field(out, s->labels->pdata[i]);
    }
    fputc('\n', out);
    for (guint i = 0; i < s->images->len && !ferror(out); i++) {
        put_field(out, s->images->pdata[i]);
        for (guint j = 0; j < s->labels->len; j++) {
            float value = scores_get(s, i, j);
            fputc(',', out);
            if (!isnan(value)) {
                fputs(g_ascii_formatd(text, sizeof text, "%.9g", value), out);
            }
        }
        fputc('\n', out);
    }
    return !ferror(out) && fflush(out) == 0;
}
