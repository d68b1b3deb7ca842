/* A tokenizer learnt from text, in the files that CLIP's has: vocab.json, merges.txt. */
#ifndef TAGLIGHT_COMPUTE_BPE_LEARN_H
#define TAGLIGHT_COMPUTE_BPE_LEARN_H

#include "compute/status.h"

#include <stdint.h>

/* Fewest tokens that a vocabulary can have: 256 bytes, the same at the end of a word, and
 * the marks of a prompt's start and end. */
#define BPE_LEARN_LEAST 514

/* Learns merges from n texts (UTF-8), cut into words as tokenizer_encode() does it, and
 * writes vocab.json and merges.txt into the folder `dir`. The pair of tokens that stands
 * in most words is merged first, of equal ones the pair that comes first by its text, until
 * every word is one token or there are `most` tokens. Any other text can still be encoded,
 * byte by byte. *size is the number of tokens. */
enum nn_status bpe_learn(const char *const *texts, size_t n, uint32_t most, const char *dir,
                         uint32_t *size, struct nn_error *error);

#endif
