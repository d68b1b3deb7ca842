/* Byte-pair encoding over a fixed vocabulary. Private to compute/text/. */
#ifndef TAGLIGHT_COMPUTE_BPE_H
#define TAGLIGHT_COMPUTE_BPE_H

#include "compute/status.h"

#include <stdint.h>

struct bpe;

struct bpe *bpe_create(void); /* NULL when out of memory */
void bpe_destroy(struct bpe **bpe);

/* A token by its text in the byte alphabet. False when the text or the id is there
 * already, or memory is out. */
int bpe_add_token(struct bpe *bpe, const char *text, size_t size, int32_t id);
/* The id of a token, or -1. */
int32_t bpe_find(const struct bpe *bpe, const char *text, size_t size);
int32_t bpe_vocabulary_size(const struct bpe *bpe); /* highest id + 1 */
/* The next merge in order of rank. NULL, or what is wrong. */
const char *bpe_add_merge(struct bpe *bpe, const char *left, size_t left_size,
                          const char *right, size_t right_size);
/* After all tokens: finds the ids of the 256 bytes with and without "</w>". */
const char *bpe_finish(struct bpe *bpe);
/* Appends the ids of one word's bytes; false when out of memory. */
int bpe_encode(const struct bpe *bpe, const uint8_t *word, size_t size, int32_t **ids,
               size_t *n, size_t *room);
/* The text of a byte in the byte alphabet; returns its length (1 or 2). */
size_t bpe_byte_text(uint8_t byte, char *out);

#endif
