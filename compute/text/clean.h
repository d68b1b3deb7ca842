/* Text cleaning before tokens: code points in, code points out. */
#ifndef TAGLIGHT_COMPUTE_CLEAN_H
#define TAGLIGHT_COMPUTE_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct codes { uint32_t *data; size_t n, room; bool failed; };

void codes_put(struct codes *codes, uint32_t code);
void codes_clear(struct codes *codes);
/* Decodes UTF-8 as Python does with errors="replace". */
struct codes codes_from_utf8(const char *text, size_t size);
/* Writes up to 4 bytes; returns their number. */
size_t code_to_utf8(uint32_t code, char *out);

/* HTML unescape twice, strip, collapse white space, strip, lower-case (spec 4.7, without
 * the repair of mojibake by ftfy). In place; false when memory is out. */
bool clean_text(struct codes *codes);

#endif
