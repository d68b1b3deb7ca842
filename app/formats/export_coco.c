/* COCO labels as Datumaro writes and reads them: annotations without boxes
 * (formats.md 3.1). Rejected labels are left out, for the format has no negatives. Ids
 * are the store's, so that they stay from one export to the next. */
#include "app/formats/export.h"

#include <json-glib/json-glib.h>

struct coco {
    JsonBuilder *b;
    const ExportOptions *options;
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
    g_autofree char *path = export_path(row, c->options);
    json_builder_begin_object(c->b);
    put_number(c->b, "id", row->file);
    put_text(c->b, "file_name", path);
    put_number(c->b, "width", row->width);
    put_number(c->b, "height", row->height);
    put_number(c->b, "license", 0);
    put_text(c->b, "flickr_url", "");
    put_text(c->b, "coco_url", "");
    put_number(c->b, "date_captured", 0);
    json_builder_end_object(c->b);
    return TRUE;
}

static gboolean put_category(const StoreRow *row, gpointer user_data)
{
    struct coco *c = user_data;
    json_builder_begin_object(c->b);
    put_number(c->b, "id", row->label);
    put_text(c->b, "name", row->name);
    put_text(c->b, "supercategory", "");
    json_builder_end_object(c->b);
    return TRUE;
}

static gboolean put_annotation(const StoreRow *row, gpointer user_data)
{
    struct coco *c = user_data;
    if (row->verdict != STORE_ACCEPTED) {
        return TRUE;
    }
    json_builder_begin_object(c->b);
    put_number(c->b, "id", ++c->annotations);
    put_number(c->b, "image_id", row->file);
    put_number(c->b, "category_id", row->label);
    if (row->confidence >= 0) {
        json_builder_set_member_name(c->b, "score");
        json_builder_add_double_value(c->b, row->confidence);
    }
    json_builder_set_member_name(c->b, "attributes");
    json_builder_begin_object(c->b);
    put_text(c->b, "state", "accepted");
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

static gboolean write_coco(store *s, const ExportOptions *options, FILE *out,
                           GError **error)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    struct coco c = { b, options, 0 };
    struct {
        const char *name;
        gboolean (*each)(store *, StoreRowFunc, gpointer, GError **);
        StoreRowFunc put;
    } lists[] = { { "categories", store_each_label, put_category },
                  { "images", store_each_image, put_image },
                  { "annotations", store_each_decision, put_annotation } };
    json_builder_begin_object(b);
    put_head(b);
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        json_builder_set_member_name(b, lists[i].name);
        json_builder_begin_array(b);
        if (!lists[i].each(s, lists[i].put, &c, error)) {
            return FALSE;
        }
        json_builder_end_array(b);
    }
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *text = json_to_string(root, TRUE);
    fputs(text, out);
    fputc('\n', out);
    return TRUE;
}

const ExportFormat export_coco = { "coco", "COCO labels as Datumaro reads them",
                                   write_coco };
