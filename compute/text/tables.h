/* Generated tables of the tokenizer; see generate_tables.py. Private to compute/text/. */
#ifndef TAGLIGHT_COMPUTE_TABLES_H
#define TAGLIGHT_COMPUTE_TABLES_H

#include <stdint.h>

enum { UNICODE_LETTER = 1, UNICODE_NUMBER = 2, UNICODE_SPACE = 4, UNICODE_STRIP = 8,
       UNICODE_CASED = 16, UNICODE_IGNORABLE = 32 };

/* Code points from `start` to the next entry have these flags. */
struct unicode_range { uint32_t start; uint8_t flags; };
extern const struct unicode_range unicode_ranges[];
extern const uint32_t unicode_range_count;

struct unicode_lower { uint32_t from, to; };
extern const struct unicode_lower unicode_lowers[]; /* sorted */
extern const uint32_t unicode_lower_count;

struct html_entity { const char *name, *text; }; /* name with or without its semicolon */
extern const struct html_entity html_entities[]; /* sorted by strcmp */
extern const uint32_t html_entity_count;
extern const struct unicode_lower html_replaced[]; /* numeric references */
extern const uint32_t html_replaced_count;

uint32_t unicode_flags(uint32_t code);

#endif
