/* COCO labels as Datumaro writes and reads them: annotations without boxes
 * (formats.md 3.1). Rejected labels are left out, for the format has no negatives. */
#include "app/formats/export.h"

#include <json-glib/json-glib.h>

struct coco {
    JsonBuilder *b;
    GHashTable *images;     /* path -> number from 1 */
    GHashTable *categories; /* label name -> number from 1 */
    int annotations;
};

static void put_number(JsonBuilder *b, const char *name, gint64 value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

static void put_text(JsonBuilder *b, const char *name, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, valid);
}

static gboolean put_image(const StoreRow *row, gpointer user_data)
{
    struct coco *c = user_data;
    int id = (int)g_hash_table_size(c->images) + 1;
    g_hash_table_insert(c->images, g_strdup(row->path), GINT_TO_POINTER(id));
    json_builder_begin_object(c->b);
    put_number(c->b, "id", id);
    put_text(c->b, "file_name", row->path);
    put_number(c->b, "width", row->width);
    put_number(c->b, "height", row->height);
    put_number(c->b, "license", 0);
    json_builder_end_object(c->b);
    return TRUE;
}

static gboolean put_annotation(const StoreRow *row, gpointer user_data)
{
    struct coco *c = user_data;
    gpointer image = g_hash_table_lookup(c->images, row->path);
    gpointer category = g_hash_table_lookup(c->categories, row->name);
    if (row->verdict != STORE_ACCEPTED || !image || !category) {
        return TRUE;
    }
    json_builder_begin_object(c->b);
    put_number(c->b, "id", ++c->annotations);
    put_number(c->b, "image_id", GPOINTER_TO_INT(image));
    put_number(c->b, "category_id", GPOINTER_TO_INT(category));
    if (row->confidence >= 0) {
        json_builder_set_member_name(c->b, "score");
        json_builder_add_double_value(c->b, row->confidence);
    }
    json_builder_set_member_name(c->b, "attributes");
    json_builder_begin_object(c->b);
    put_text(c->b, "source", row->by_model ? "model" : "human");
    json_builder_end_object(c->b);
    json_builder_end_object(c->b);
    return TRUE;
}

static void put_head(JsonBuilder *b)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%d");
    json_builder_set_member_name(b, "info");
    json_builder_begin_object(b);
    put_text(b, "description", "Taglight export");
    put_text(b, "version", "1.0");
    put_number(b, "year", g_date_time_get_year(now));
    put_text(b, "contributor", "");
    put_text(b, "url", "");
    put_text(b, "date_created", date);
    json_builder_end_object(b);
    json_builder_set_member_name(b, "licenses");
    json_builder_begin_array(b);
    json_builder_begin_object(b);
    put_number(b, "id", 0);
    put_text(b, "name", "");
    put_text(b, "url", "");
    json_builder_end_object(b);
    json_builder_end_array(b);
}

static void put_categories(struct coco *c, char **labels)
{
    json_builder_set_member_name(c->b, "categories");
    json_builder_begin_array(c->b);
    for (int id = 1; labels && *labels; labels++, id++) {
        g_hash_table_insert(c->categories, g_strdup(*labels), GINT_TO_POINTER(id));
        json_builder_begin_object(c->b);
        put_number(c->b, "id", id);
        put_text(c->b, "name", *labels);
        put_text(c->b, "supercategory", "");
        json_builder_end_object(c->b);
    }
    json_builder_end_array(c->b);
}

static gboolean write_coco(store *s, FILE *out, GError **error)
{
    g_auto(GStrv) labels = store_labels(s, error);
    if (!labels) {
        return FALSE;
    }
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(GHashTable) images =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) categories =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct coco c = { b, images, categories, 0 };
    json_builder_begin_object(b);
    put_head(b);
    put_categories(&c, labels);
    json_builder_set_member_name(b, "images");
    json_builder_begin_array(b);
    gboolean good = store_each_image(s, put_image, &c, error);
    json_builder_end_array(b);
    json_builder_set_member_name(b, "annotations");
    json_builder_begin_array(b);
    good = good && store_each_decision(s, put_annotation, &c, error);
    json_builder_end_array(b);
    json_builder_end_object(b);
    if (good) {
        g_autoptr(JsonNode) root = json_builder_get_root(b);
        g_autofree char *text = json_to_string(root, TRUE);
        fputs(text, out);
        fputc('\n', out);
    }
    return good;
}

const ExportFormat export_coco = { "coco", "COCO labels as Datumaro reads them",
                                   write_coco };
