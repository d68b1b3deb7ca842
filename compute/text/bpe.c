#include "compute/text/bpe.h"

#include "compute/text/clean.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ID 2000000

struct token { char *text; uint32_t size; int32_t id; };
struct merge { uint64_t pair; int32_t rank, result; };

struct bpe {
    struct token *tokens;  /* open addressing by text */
    size_t n_tokens, tokens_room;
    struct merge *merges;  /* open addressing by pair; result -1 is empty */
    size_t n_merges, merges_room;
    uint8_t *used;         /* bit per id */
    int32_t highest;
    int32_t byte_id[2][256]; /* [ends a word] */
};

struct bpe *bpe_create(void)
{
    struct bpe *bpe = calloc(1, sizeof *bpe);
    if (bpe) {
        bpe->used = calloc(MAX_ID / 8 + 1, 1);
        bpe->highest = -1;
    }
    if (bpe && !bpe->used) {
        bpe_destroy(&bpe);
    }
    return bpe;
}

void bpe_destroy(struct bpe **bpe)
{
    if (!bpe || !*bpe) {
        return;
    }
    for (size_t i = 0; i < (*bpe)->tokens_room; i++) {
        free((*bpe)->tokens[i].text);
    }
    free((*bpe)->tokens);
    free((*bpe)->merges);
    free((*bpe)->used);
    free(*bpe);
    *bpe = NULL;
}

/* --- Tables ---------------------------------------------------------------------------- */

static uint64_t hash_text(const char *text, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ (uint8_t)text[i]) * 0x100000001b3u;
    }
    return h ^ h >> 29;
}

static struct token *token_slot(struct token *table, size_t room, const char *text,
                                size_t size)
{
    size_t at = hash_text(text, size) & (room - 1);
    while (table[at].text
           && (table[at].size != size || memcmp(table[at].text, text, size) != 0)) {
        at = (at + 1) & (room - 1);
    }
    return &table[at];
}

static bool grow_tokens(struct bpe *bpe)
{
    size_t room = bpe->tokens_room ? 2 * bpe->tokens_room : 1024;
    struct token *table = calloc(room, sizeof *table);
    if (!table) {
        return false;
    }
    for (size_t i = 0; i < bpe->tokens_room; i++) {
        const struct token *t = &bpe->tokens[i];
        if (t->text) {
            *token_slot(table, room, t->text, t->size) = *t;
        }
    }
    free(bpe->tokens);
    bpe->tokens = table;
    bpe->tokens_room = room;
    return true;
}

int bpe_add_token(struct bpe *bpe, const char *text, size_t size, int32_t id)
{
    if (id < 0 || id >= MAX_ID || bpe->used[id / 8] >> (id % 8) & 1
        || (2 * (bpe->n_tokens + 1) > bpe->tokens_room && !grow_tokens(bpe))) {
        return 0;
    }
    struct token *slot = token_slot(bpe->tokens, bpe->tokens_room, text, size);
    char *copy = slot->text ? NULL : malloc(size + 1);
    if (!copy) {
        return 0;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    *slot = (struct token){ copy, (uint32_t)size, id };
    bpe->used[id / 8] |= (uint8_t)(1 << (id % 8));
    bpe->highest = id > bpe->highest ? id : bpe->highest;
    bpe->n_tokens++;
    return 1;
}

int32_t bpe_find(const struct bpe *bpe, const char *text, size_t size)
{
    if (bpe->tokens_room == 0) {
        return -1;
    }
    const struct token *slot = token_slot(bpe->tokens, bpe->tokens_room, text, size);
    return slot->text ? slot->id : -1;
}

int32_t bpe_vocabulary_size(const struct bpe *bpe)
{
    return bpe->highest + 1;
}

static struct merge *merge_slot(struct merge *table, size_t room, uint64_t pair)
{
    size_t at = (pair * 0x9e3779b97f4a7c15u >> 20) & (room - 1);
    while (table[at].result >= 0 && table[at].pair != pair) {
        at = (at + 1) & (room - 1);
    }
    return &table[at];
}

static bool grow_merges(struct bpe *bpe)
{
    size_t room = bpe->merges_room ? 2 * bpe->merges_room : 1024;
    struct merge *table = malloc(room * sizeof *table);
    if (!table) {
        return false;
    }
    for (size_t i = 0; i < room; i++) {
        table[i].result = -1;
    }
    for (size_t i = 0; i < bpe->merges_room; i++) {
        if (bpe->merges[i].result >= 0) {
            *merge_slot(table, room, bpe->merges[i].pair) = bpe->merges[i];
        }
    }
    free(bpe->merges);
    bpe->merges = table;
    bpe->merges_room = room;
    return true;
}

static uint64_t pair_of(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

const char *bpe_add_merge(struct bpe *bpe, const char *left, size_t left_size,
                          const char *right, size_t right_size)
{
    char text[512];
    if (left_size + right_size > sizeof text) {
        return "a merge is too long";
    }
    memcpy(text, left, left_size);
    memcpy(text + left_size, right, right_size);
    int32_t a = bpe_find(bpe, left, left_size), b = bpe_find(bpe, right, right_size);
    int32_t result = bpe_find(bpe, text, left_size + right_size);
    if (a < 0 || b < 0 || result < 0) {
        return "a merge of tokens that are not in the vocabulary";
    }
    if (2 * (bpe->n_merges + 1) > bpe->merges_room && !grow_merges(bpe)) {
        return "out of memory";
    }
    struct merge *slot = merge_slot(bpe->merges, bpe->merges_room, pair_of(a, b));
    if (slot->result >= 0) {
        return "a merge is there twice";
    }
    *slot = (struct merge){ pair_of(a, b), (int32_t)bpe->n_merges++, result };
    return NULL;
}

/* --- Bytes ------------------------------------------------------------------------------- */

size_t bpe_byte_text(uint8_t byte, char *out)
{
    uint32_t code = byte, shift = 0;
    for (uint32_t b = 0; b <= byte; b++) {
        bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        if (b == byte && !printable) {
            code = 256 + shift;
        }
        shift += !printable;
    }
    return code_to_utf8(code, out);
}

const char *bpe_finish(struct bpe *bpe)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[8];
        size_t size = bpe_byte_text((uint8_t)byte, text);
        bpe->byte_id[0][byte] = bpe_find(bpe, text, size);
        memcpy(text + size, "</w>", 4);
        bpe->byte_id[1][byte] = bpe_find(bpe, text, size + 4);
        if (bpe->byte_id[0][byte] < 0 || bpe->byte_id[1][byte] < 0) {
            return "the vocabulary lacks one of the 256 bytes";
        }
    }
    return NULL;
}

/* --- Encoding ---------------------------------------------------------------------------------
 * Symbols are a linked list over the word; candidate pairs wait in a heap by (rank,
 * place). All pairs of the lowest rank are merged from left to right before a new pair is
 * looked at, as the reference does it. */

struct symbol { int32_t id; int32_t previous, next; };
struct candidate { int32_t rank, place, result; uint64_t pair; };
struct heap { struct candidate *items; size_t n, room; };

static bool before(const struct candidate *a, const struct candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

static bool heap_push(struct heap *heap, struct candidate item)
{
    if (heap->n == heap->room) {
        size_t room = heap->room ? 2 * heap->room : 64;
        void *grown = realloc(heap->items, room * sizeof *heap->items);
        if (!grown) {
            return false;
        }
        heap->items = grown;
        heap->room = room;
    }
    size_t at = heap->n++;
    while (at > 0 && before(&item, &heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
    return true;
}

static struct candidate heap_pop(struct heap *heap)
{
    struct candidate top = heap->items[0], last = heap->items[--heap->n];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->n) {
            break;
        }
        if (child + 1 < heap->n && before(&heap->items[child + 1], &heap->items[child])) {
            child++;
        }
        if (!before(&heap->items[child], &last)) {
            break;
        }
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = last;
    return top;
}

static bool offer(const struct bpe *bpe, struct heap *heap, const struct symbol *symbols,
                  int32_t place)
{
    if (place < 0 || symbols[place].next < 0 || bpe->merges_room == 0) {
        return true;
    }
    uint64_t pair = pair_of(symbols[place].id, symbols[symbols[place].next].id);
    const struct merge *m = merge_slot(bpe->merges, bpe->merges_room, pair);
    return m->result < 0
           || heap_push(heap, (struct candidate){ m->rank, place, m->result, pair });
}

/* Merges at a candidate's place when its pair is still there. */
static bool apply(const struct bpe *bpe, struct heap *heap, struct symbol *symbols,
                  const struct candidate *c)
{
    struct symbol *left = &symbols[c->place];
    if (left->id < 0 || left->next < 0
        || pair_of(left->id, symbols[left->next].id) != c->pair) {
        return true;
    }
    struct symbol *right = &symbols[left->next];
    left->id = c->result;
    right->id = -1;
    left->next = right->next;
    if (left->next >= 0) {
        symbols[left->next].previous = c->place;
    }
    return offer(bpe, heap, symbols, left->previous) && offer(bpe, heap, symbols, c->place);
}

static bool merge_all(const struct bpe *bpe, struct symbol *symbols, size_t n)
{
    struct heap heap = { 0 }, round = { 0 };
    bool good = true;
    for (size_t i = 0; i < n && good; i++) {
        good = offer(bpe, &heap, symbols, (int32_t)i);
    }
    while (heap.n > 0 && good) {
        int32_t rank = heap.items[0].rank;
        round.n = 0;
        while (heap.n > 0 && heap.items[0].rank == rank && good) {
            good = heap_push(&round, heap_pop(&heap)); /* comes sorted, so it stays so */
        }
        for (size_t i = 0; i < round.n && good; i++) {
            good = apply(bpe, &heap, symbols, &round.items[i]);
        }
    }
    free(heap.items);
    free(round.items);
    return good;
}

int bpe_encode(const struct bpe *bpe, const uint8_t *word, size_t size, int32_t **ids,
               size_t *n, size_t *room)
{
    if (size == 0) {
        return 1;
    }
    struct symbol *symbols = size < INT32_MAX ? malloc(size * sizeof *symbols) : NULL;
    if (!symbols) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        bool last = i + 1 == size;
        symbols[i] = (struct symbol){ bpe->byte_id[last][word[i]], (int32_t)i - 1,
                                      last ? -1 : (int32_t)i + 1 };
    }
    bool good = merge_all(bpe, symbols, size);
    for (int32_t i = 0; i >= 0 && good; i = symbols[i].next) {
        if (*n == *room) {
            size_t more = *room ? 2 * *room : 64;
            int32_t *grown = realloc(*ids, more * sizeof **ids);
            if (!grown) {
                good = false;
                break;
            }
            *ids = grown;
            *room = more;
        }
        (*ids)[(*n)++] = symbols[i].id;
    }
    free(symbols);
    return good;
}
