/* Splitting cleaned text into words and words into ids; loading is in vocabulary.c. */
#include "compute/text/tokenizer.h"

#include "compute/text/tables.h"
#include "compute/text/tokenizer_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void tokenizer_destroy(struct tokenizer **tokenizer)
{
    if (!tokenizer || !*tokenizer) {
        return;
    }
    bpe_destroy(&(*tokenizer)->bpe);
    free(*tokenizer);
    *tokenizer = NULL;
}

int32_t tokenizer_start_id(const struct tokenizer *tokenizer)
{
    return tokenizer->start;
}

int32_t tokenizer_end_id(const struct tokenizer *tokenizer)
{
    return tokenizer->end;
}

int32_t tokenizer_vocabulary_size(const struct tokenizer *tokenizer)
{
    return bpe_vocabulary_size(tokenizer->bpe);
}

/* --- Words -------------------------------------------------------------------------------
 * The alternatives of the regular expression in order: a special token, a contraction,
 * letters, one number, other signs (spec 4.7). */

static bool matches(const struct codes *c, size_t at, const char *text)
{
    for (; *text; text++, at++) {
        if (at >= c->n || c->data[at] != (uint8_t)*text) {
            return false;
        }
    }
    return true;
}

static size_t contraction(const struct codes *c, size_t at)
{
    static const char *const endings[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (matches(c, at, endings[i])) {
            return strlen(endings[i]);
        }
    }
    /* The expression ignores case, and so a long s counts as an s. */
    return at + 1 < c->n && c->data[at] == '\'' && c->data[at + 1] == 0x17f ? 2 : 0;
}

size_t tokenizer_word_length(const struct codes *c, size_t at)
{
    const uint32_t word = UNICODE_LETTER | UNICODE_NUMBER | UNICODE_SPACE;
    size_t length = contraction(c, at);
    uint32_t flags = unicode_flags(c->data[at]);
    if (length > 0 || flags & UNICODE_SPACE) {
        return length;
    }
    if (flags & UNICODE_NUMBER) {
        return 1;
    }
    bool letters = flags & UNICODE_LETTER;
    length = 1;
    while (at + length < c->n) {
        uint32_t next = unicode_flags(c->data[at + length]);
        if (letters ? !(next & UNICODE_LETTER) : (next & word) != 0) {
            break;
        }
        length++;
    }
    return length;
}

struct id_list { int32_t *ids; size_t n, room; };

static bool put_word(const struct tokenizer *t, const struct codes *c, size_t at,
                     size_t length, struct id_list *out)
{
    char *bytes = malloc(length * 4 + 1);
    size_t size = 0;
    if (!bytes) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        size += code_to_utf8(c->data[at + i], bytes + size);
    }
    bool good = bpe_encode(t->bpe, (const uint8_t *)bytes, size, &out->ids, &out->n,
                           &out->room);
    free(bytes);
    return good;
}

static bool put_id(struct id_list *out, int32_t id)
{
    if (out->n == out->room) {
        size_t room = out->room ? 2 * out->room : 64;
        int32_t *grown = realloc(out->ids, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        out->ids = grown;
        out->room = room;
    }
    out->ids[out->n++] = id;
    return true;
}

static bool encode(const struct tokenizer *t, const struct codes *c, struct id_list *out)
{
    for (size_t at = 0; at < c->n;) {
        size_t start = strlen(t->start_text), end = strlen(t->end_text), length;
        if (matches(c, at, t->start_text)) {
            length = start;
            if (!put_id(out, t->start)) {
                return false;
            }
        } else if (matches(c, at, t->end_text)) {
            length = end;
            if (!put_id(out, t->end)) {
                return false;
            }
        } else {
            length = tokenizer_word_length(c, at);
            if (length > 0 && !put_word(t, c, at, length, out)) {
                return false;
            }
        }
        at += length ? length : 1;
    }
    return true;
}

enum nn_status tokenizer_encode(const struct tokenizer *tokenizer, const char *text,
                                size_t length, int32_t **out, size_t *count,
                                struct nn_error *error)
{
    struct codes codes = codes_from_utf8(text, length);
    struct id_list list = { malloc(sizeof(int32_t)), 0, 1 };
    bool good = list.ids && clean_text(&codes) && encode(tokenizer, &codes, &list);
    codes_clear(&codes);
    if (!good) {
        free(list.ids);
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a prompt");
    }
    *out = list.ids;
    *count = list.n;
    return NN_OK;
}

enum nn_status tokenizer_prompt(const struct tokenizer *tokenizer, const char *text,
                                size_t length, int64_t *out, size_t context,
                                size_t *used, size_t *full, struct nn_error *error)
{
    int32_t *ids = NULL;
    size_t n = 0;
    if (context < 2) {
        return nn_fail(error, NN_ERROR_INVALID, "a prompt needs room for two tokens");
    }
    enum nn_status status = tokenizer_encode(tokenizer, text, length, &ids, &n, error);
    if (status != NN_OK) {
        return status;
    }
    *full = n + 2;
    size_t kept = n < context - 2 ? n : context - 2;
    memset(out, 0, context * sizeof *out);
    out[0] = tokenizer->start;
    for (size_t i = 0; i < kept; i++) {
        out[i + 1] = ids[i];
    }
    out[kept + 1] = tokenizer->end;
    *used = kept + 2;
    free(ids);
    return NN_OK;
}
