/* CLIP's byte-level byte-pair tokenizer (openai/CLIP simple_tokenizer, spec 4.7).
 *
 * A struct tokenizer is immutable after loading and may be used from any thread. */
#ifndef TAGLIGHT_COMPUTE_TOKENIZER_H
#define TAGLIGHT_COMPUTE_TOKENIZER_H

#include "compute/status.h"

#include <stddef.h>
#include <stdint.h>

struct tokenizer;

/* Loads from a folder (`tokenizer.json`, or `vocab.json` + `merges.txt`, or a
 * `bpe_simple_vocab_16e6.txt.gz`), or from one such file. Failures name the file and
 * the line or position. */
enum nn_status tokenizer_load(struct tokenizer **out, const char *path,
                              struct nn_error *error);
void tokenizer_destroy(struct tokenizer **tokenizer);

int32_t tokenizer_start_id(const struct tokenizer *tokenizer);
int32_t tokenizer_end_id(const struct tokenizer *tokenizer);
int32_t tokenizer_vocabulary_size(const struct tokenizer *tokenizer);

/* Encodes `length` bytes of UTF-8 (which may hold NULs; invalid sequences become
 * U+FFFD as Python's decoder does it) to ids without the start and end tokens. *out is
 * malloc'ed, owned by the caller, and holds *count ids. */
enum nn_status tokenizer_encode(const struct tokenizer *tokenizer, const char *text,
                                size_t length, int32_t **out, size_t *count,
                                struct nn_error *error);

/* Fills out[context] with start, ids, end and zeros. Text that is too long is cut and
 * the last id is the end token. Returns in *used the number of ids up to and with the
 * end token, and in *full the number that the uncut text needs. */
enum nn_status tokenizer_prompt(const struct tokenizer *tokenizer, const char *text,
                                size_t length, int64_t *out, size_t context,
                                size_t *used, size_t *full, struct nn_error *error);

#endif
