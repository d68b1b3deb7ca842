/* Writing JSON: members of the object that a builder has open. Like the builder, for one
 * thread at a time. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* NULL becomes null, and bytes that are no UTF-8, as in names of files, U+FFFD. */
void json_out_text(JsonBuilder *b, const char *name, const char *text);
void json_out_count(JsonBuilder *b, const char *name, gint64 count);
/* JSON has no NaN and no infinity: what is undefined is null. */
void json_out_number(JsonBuilder *b, const char *name, double value);
void json_out_flag(JsonBuilder *b, const char *name, gboolean value);
/* Begins a member that is an array or an object; ends as any of the builder. */
void json_out_begin_array(JsonBuilder *b, const char *name);
void json_out_begin_object(JsonBuilder *b, const char *name);
/* What was built, for people to read, to be freed. */
char *json_out_string(JsonBuilder *b);

G_END_DECLS
