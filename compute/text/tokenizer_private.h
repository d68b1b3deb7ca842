/* Private to compute/text/. */
#ifndef TAGLIGHT_COMPUTE_TOKENIZER_PRIVATE_H
#define TAGLIGHT_COMPUTE_TOKENIZER_PRIVATE_H

#include "compute/text/bpe.h"
#include "compute/text/clean.h"

struct tokenizer {
    struct bpe *bpe;
    int32_t start, end;
    const char *start_text, *end_text;
};

/* Code points of the word that starts at `at` of a cleaned text; 0 for white space. */
size_t tokenizer_word_length(const struct codes *codes, size_t at);

#endif
