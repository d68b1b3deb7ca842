/* Text as the files of other programs want it. Whatever comes in leaves as valid UTF-8,
 * bytes that are none as U+FFFD, except in CSV fields, which keep their bytes: a reader
 * of CSV may want the name of a file as it is. */
#pragma once

#include <glib.h>
#include <stdio.h>

G_BEGIN_DECLS

/* A field of RFC 4180, in quotes where it needs them. */
void text_csv_field(FILE *out, const char *text);
/* A string of JSON with its quotes. */
void text_json_string(FILE *out, const char *text);
/* Text or the value of an attribute. What XML 1.0 cannot hold becomes U+FFFD. */
void text_xml(FILE *out, const char *text);
/* The same without entities, to be freed. */
char *text_xml_valid(const char *text);
/* printf of one double, with a point in every locale. */
void text_number(FILE *out, const char *format, double value);

G_END_DECLS
