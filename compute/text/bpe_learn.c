/* Words are lists of token numbers; each round counts the pairs of neighbours over all
 * words and merges one. Label lists have a few thousand words at most, so that counting
 * anew in each round takes no time that matters. */
#include "compute/text/bpe_learn.h"

#include "compute/text/tokenizer_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    char *text;       /* UTF-8, to find it again */
    uint32_t count;   /* how often it stands in the texts */
    int32_t *tokens;
    uint32_t n;
};

struct pair { int32_t left, right; uint64_t count; };

struct learner {
    struct word *words;
    size_t n_words, words_room;
    char **tokens;    /* texts in the byte alphabet, by number */
    uint32_t n_tokens, tokens_room;
    struct pair *merges;
    uint32_t n_merges, merges_room;
};

static bool add_token(struct learner *l, const char *text)
{
    if (l->n_tokens == l->tokens_room) {
        uint32_t room = l->tokens_room ? 2 * l->tokens_room : 1024;
        char **grown = realloc(l->tokens, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        l->tokens = grown;
        l->tokens_room = room;
    }
    char *copy = malloc(strlen(text) + 1);
    if (copy) {
        l->tokens[l->n_tokens++] = strcpy(copy, text);
    }
    return copy != NULL;
}

/* Token b is byte b, token 256 + b the same at the end of a word. */
static bool add_bytes(struct learner *l)
{
    bool good = true;
    for (int i = 0; i < 512 && good; i++) {
        char text[8];
        size_t size = bpe_byte_text((uint8_t)(i % 256), text);
        memcpy(text + size, i < 256 ? "" : "</w>", i < 256 ? 1 : 5);
        good = add_token(l, text);
    }
    return good;
}

/* --- Words ------------------------------------------------------------------------------- */

static bool start_word(struct learner *l, const char *text)
{
    if (l->n_words == l->words_room) {
        size_t room = l->words_room ? 2 * l->words_room : 256;
        struct word *grown = realloc(l->words, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        l->words = grown;
        l->words_room = room;
    }
    size_t size = strlen(text);
    struct word w = { malloc(size + 1), 1, malloc((size + 1) * sizeof(int32_t)),
                      (uint32_t)size };
    l->words[l->n_words++] = w;
    if (!w.text || !w.tokens) {
        return false;
    }
    memcpy(w.text, text, size + 1);
    for (size_t i = 0; i < size; i++) {
        w.tokens[i] = (uint8_t)text[i] + (i + 1 == size ? 256 : 0);
    }
    return true;
}

static bool add_word(struct learner *l, const char *text)
{
    for (size_t i = 0; i < l->n_words; i++) {
        if (strcmp(l->words[i].text, text) == 0) {
            l->words[i].count++;
            return true;
        }
    }
    return start_word(l, text);
}

static bool add_text(struct learner *l, const char *text)
{
    struct codes codes = codes_from_utf8(text, strlen(text));
    bool good = clean_text(&codes);
    char *word = malloc(4 * codes.n + 1);
    for (size_t at = 0; at < codes.n && good; ) {
        size_t length = tokenizer_word_length(&codes, at), size = 0;
        for (size_t i = 0; i < length && word; i++) {
            size += code_to_utf8(codes.data[at + i], word + size);
        }
        good = word != NULL;
        if (good && length > 0) {
            word[size] = '\0';
            good = add_word(l, word);
        }
        at += length ? length : 1;
    }
    free(word);
    codes_clear(&codes);
    return good;
}

/* --- Merges ------------------------------------------------------------------------------ */

static int by_tokens(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    return a->left != b->left ? (a->left < b->left ? -1 : 1)
                              : (a->right > b->right) - (a->right < b->right);
}

/* Whether a is to be merged before b. */
static bool is_before(const struct learner *l, const struct pair *a, const struct pair *b)
{
    if (a->count != b->count) {
        return a->count > b->count;
    }
    int order = strcmp(l->tokens[a->left], l->tokens[b->left]);
    return order ? order < 0 : strcmp(l->tokens[a->right], l->tokens[b->right]) < 0;
}

/* The pair that most words hold; count 0 when every word is one token. `pairs` has room
 * for all of them. */
static struct pair find_pair(const struct learner *l, struct pair *pairs)
{
    size_t n = 0;
    struct pair best = { 0 };
    for (size_t w = 0; w < l->n_words; w++) {
        const struct word *word = &l->words[w];
        for (uint32_t i = 0; i + 1 < word->n; i++) {
            pairs[n++] = (struct pair){ word->tokens[i], word->tokens[i + 1], word->count };
        }
    }
    qsort(pairs, n, sizeof *pairs, by_tokens);
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && by_tokens(&pairs[i], &pairs[next]) == 0; next++) {
            pairs[i].count += pairs[next].count;
        }
        if (best.count == 0 || is_before(l, &pairs[i], &best)) {
            best = pairs[i];
        }
    }
    return best;
}

static bool add_merge(struct learner *l, const struct pair *pair)
{
    if (l->n_merges == l->merges_room) {
        uint32_t room = l->merges_room ? 2 * l->merges_room : 256;
        struct pair *grown = realloc(l->merges, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        l->merges = grown;
        l->merges_room = room;
    }
    l->merges[l->n_merges++] = *pair;
    return true;
}

/* The token that the pair becomes, -1 when memory is out. Another pair may have made it
 * before: "a bc" and "ab c" give one. */
static int32_t joined_token(struct learner *l, const struct pair *pair)
{
    const char *left = l->tokens[pair->left], *right = l->tokens[pair->right];
    size_t size = strlen(left) + strlen(right) + 1;
    char *text = malloc(size);
    if (!text) {
        return -1;
    }
    snprintf(text, size, "%s%s", left, right);
    uint32_t at = 0;
    while (at < l->n_tokens && strcmp(l->tokens[at], text) != 0) {
        at++;
    }
    bool good = at < l->n_tokens || add_token(l, text);
    free(text);
    return good ? (int32_t)at : -1;
}

static bool merge(struct learner *l, const struct pair *pair)
{
    int32_t made = joined_token(l, pair);
    if (made < 0 || !add_merge(l, pair)) {
        return false;
    }
    for (size_t w = 0; w < l->n_words; w++) {
        struct word *word = &l->words[w];
        uint32_t n = 0;
        for (uint32_t i = 0; i < word->n; i++) {
            bool here = i + 1 < word->n && word->tokens[i] == pair->left
                        && word->tokens[i + 1] == pair->right;
            word->tokens[n++] = here ? made : word->tokens[i];
            i += here;
        }
        word->n = n;
    }
    return true;
}

static bool merge_all(struct learner *l, uint32_t most)
{
    size_t room = 1;
    for (size_t w = 0; w < l->n_words; w++) {
        room += l->words[w].n;
    }
    struct pair *pairs = malloc(room * sizeof *pairs);
    bool good = pairs != NULL;
    while (good && l->n_tokens + 2 < most) {
        struct pair best = find_pair(l, pairs);
        if (best.count == 0) {
            break;
        }
        good = merge(l, &best);
    }
    free(pairs);
    return good;
}

/* --- Files ------------------------------------------------------------------------------- */

static void put_vocabulary(const struct learner *l, FILE *file)
{
    fputc('{', file);
    for (uint32_t i = 0; i < l->n_tokens; i++) {
        fputc('"', file);
        for (const char *c = l->tokens[i]; *c; c++) {
            fprintf(file, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
        }
        fprintf(file, "\": %u, ", i);
    }
    fprintf(file, "\"<|startoftext|>\": %u, \"<|endoftext|>\": %u}\n", l->n_tokens,
            l->n_tokens + 1);
}

static void put_merges(const struct learner *l, FILE *file)
{
    fputs("#version: 0.2\n", file);
    for (uint32_t i = 0; i < l->n_merges; i++) {
        fprintf(file, "%s %s\n", l->tokens[l->merges[i].left],
                l->tokens[l->merges[i].right]);
    }
}

static enum nn_status write_file(const struct learner *l, const char *dir, const char *name,
                                 void (*put)(const struct learner *l, FILE *file),
                                 struct nn_error *error)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a vocabulary");
    }
    snprintf(path, size, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    if (file) {
        put(l, file);
    }
    bool good = file && fflush(file) == 0 && !ferror(file);
    enum nn_status status =
        good ? NN_OK : nn_fail(error, NN_ERROR_IO, "%s: %s", path, strerror(errno));
    if (file) {
        fclose(file);
    }
    free(path);
    return status;
}

static void learner_clear(struct learner *l)
{
    for (size_t i = 0; i < l->n_words; i++) {
        free(l->words[i].text);
        free(l->words[i].tokens);
    }
    for (uint32_t i = 0; i < l->n_tokens; i++) {
        free(l->tokens[i]);
    }
    free(l->words);
    free(l->tokens);
    free(l->merges);
}

enum nn_status bpe_learn(const char *const *texts, size_t n, uint32_t most, const char *dir,
                         uint32_t *size, struct nn_error *error)
{
    struct learner l = { 0 };
    if (most < BPE_LEARN_LEAST) {
        return nn_fail(error, NN_ERROR_INVALID, "a vocabulary has at least %d tokens, not %u",
                       BPE_LEARN_LEAST, most);
    }
    bool good = add_bytes(&l);
    for (size_t i = 0; i < n && good; i++) {
        good = add_text(&l, texts[i]);
    }
    good = good && merge_all(&l, most);
    enum nn_status status =
        good ? NN_OK : nn_fail(error, NN_ERROR_MEMORY, "out of memory for a vocabulary");
    if (status == NN_OK) {
        status = write_file(&l, dir, "vocab.json", put_vocabulary, error);
    }
    if (status == NN_OK) {
        status = write_file(&l, dir, "merges.txt", put_merges, error);
    }
    if (status == NN_OK) {
        *size = l.n_tokens + 2;
    }
    learner_clear(&l);
    return status;
}
