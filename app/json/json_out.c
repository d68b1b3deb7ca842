#include "app/json/json_out.h"

#include <math.h>

void json_out_text(JsonBuilder *b, const char *name, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
    json_builder_set_member_name(b, name);
    if (valid) {
        json_builder_add_string_value(b, valid);
    } else {
        json_builder_add_null_value(b);
    }
}

void json_out_count(JsonBuilder *b, const char *name, gint64 count)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, count);
}

void json_out_number(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    if (isfinite(value)) {
        json_builder_add_double_value(b, value);
    } else {
        json_builder_add_null_value(b);
    }
}

void json_out_flag(JsonBuilder *b, const char *name, gboolean value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_boolean_value(b, value);
}

void json_out_begin_array(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
}

void json_out_begin_object(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
}

char *json_out_string(JsonBuilder *b)
{
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    return json_to_string(root, TRUE);
}
