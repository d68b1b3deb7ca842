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

#endif
