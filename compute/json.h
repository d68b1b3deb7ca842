/* A strict JSON reader (RFC 8259) for the small documents beside checkpoints: headers,
 * indices, vocabularies, configurations.
 *
 * Parsing makes a flat list of tokens over the text, 16 bytes each, so memory is bounded
 * by the text. Strings are decoded on demand. Depth is at most 64 and tokens at most
 * 8 million. Invalid UTF-8, lone surrogates, control characters, trailing commas and a
 * second document are refused with their byte position.
 *
 * A struct json is immutable; it keeps a pointer to the text, which must outlive it. */
#ifndef TAGLIGHT_COMPUTE_JSON_H
#define TAGLIGHT_COMPUTE_JSON_H

#include "compute/status.h"

#include <stdbool.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY,
                 JSON_OBJECT };

struct json_token {
    uint32_t start, end; /* bytes of the text; strings without their quotes */
    uint32_t next;       /* index of the token after this one and all that is in it */
    enum json_type type;
};

struct json;

#define JSON_NONE UINT32_MAX

/* `what` names the document in messages. */
enum nn_status json_parse(struct json **out, const char *text, size_t size,
                          const char *what, struct nn_error *error);
/* Reads and parses a file of at most 64 MiB. *text is malloc'ed, the caller's, and needed
 * as long as the json. */
enum nn_status json_load(struct json **out, char **text, const char *path,
                         struct nn_error *error);
void json_destroy(struct json **json);

/* Token 0 is the document. The children of an array follow it, each at the `next` of the
 * one before; those of an object are keys and values in turn. */
const struct json_token *json_token(const struct json *json, uint32_t index);
enum json_type json_type_of(const struct json *json, uint32_t index);
/* First child, or JSON_NONE. */
uint32_t json_first(const struct json *json, uint32_t parent);
/* The child of `parent` after `index`, or JSON_NONE. */
uint32_t json_next(const struct json *json, uint32_t parent, uint32_t index);
uint32_t json_count(const struct json *json, uint32_t parent);
/* The value of the first member called `key`, or JSON_NONE (also when `object` is none
 * or no object). */
uint32_t json_get(const struct json *json, uint32_t object, const char *key);

/* The decoded string, malloc'ed and NUL-terminated; *size (may be NULL) counts its bytes,
 * which may hold NULs. NULL when it is no string or memory is out. */
char *json_string(const struct json *json, uint32_t index, size_t *size);
bool json_string_is(const struct json *json, uint32_t index, const char *text);
/* False when the token is not an integer literal (no sign, point or exponent) or does
 * not fit. */
bool json_u64(const struct json *json, uint32_t index, uint64_t *out);
bool json_double(const struct json *json, uint32_t index, double *out);

#endif
