#include "compute/text/clean.h"

#include "compute/text/tables.h"

#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffd
#define CAPITAL_SIGMA 0x3a3
#define SMALL_SIGMA 0x3c3
#define FINAL_SIGMA 0x3c2

uint32_t unicode_flags(uint32_t code)
{
    uint32_t low = 0, high = unicode_range_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (unicode_ranges[middle].start <= code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0 : unicode_ranges[low - 1].flags;
}

/* --- Code points --------------------------------------------------------------------- */

void codes_put(struct codes *codes, uint32_t code)
{
    if (codes->n == codes->room) {
        size_t room = codes->room ? 2 * codes->room : 64;
        void *grown = realloc(codes->data, room * sizeof *codes->data);
        if (!grown) {
            codes->failed = true;
            return;
        }
        codes->data = grown;
        codes->room = room;
    }
    codes->data[codes->n++] = code;
}

void codes_clear(struct codes *codes)
{
    free(codes->data);
    *codes = (struct codes){ 0 };
}

/* Bytes that belong together at `s`: *code is REPLACEMENT for a faulty start, and the
 * count covers the longest valid beginning, as Unicode's chapter 3 advises. */
static size_t decode_one(const uint8_t *s, size_t left, uint32_t *code)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t need;
    *code = REPLACEMENT;
    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    if (s[0] < 0xc2 || s[0] > 0xf4) {
        return 1;
    }
    need = s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
    low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : low;
    high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : high;
    uint32_t value = s[0] & (0x3fu >> need);
    for (size_t i = 1; i <= need; i++) {
        if (i >= left || s[i] < low || s[i] > high) {
            return i;
        }
        value = value << 6 | (s[i] & 0x3f);
        low = 0x80;
        high = 0xbf;
    }
    *code = value;
    return need + 1;
}

struct codes codes_from_utf8(const char *text, size_t size)
{
    struct codes codes = { 0 };
    for (size_t at = 0; at < size;) {
        uint32_t code;
        at += decode_one((const uint8_t *)text + at, size - at, &code);
        codes_put(&codes, code);
    }
    return codes;
}

size_t code_to_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = more; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(lead[more] | code);
    return more + 1;
}

/* --- HTML ------------------------------------------------------------------------------- */

static const char *find_entity(const char *name)
{
    uint32_t low = 0, high = html_entity_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(name, html_entities[middle].name);
        if (order == 0) {
            return html_entities[middle].text;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static bool is_digit(uint32_t c, bool hex)
{
    return (c >= '0' && c <= '9')
           || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

/* Code points that HTML forbids and Python's unescape drops. */
static bool is_dropped(uint32_t c)
{
    return (c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f)
           || (c >= 0x7f && c <= 0x9f) || (c >= 0xfdd0 && c <= 0xfdef)
           || (c & 0xfffe) == 0xfffe;
}

static void put_reference(struct codes *out, uint32_t number)
{
    for (uint32_t i = 0; i < html_replaced_count; i++) {
        if (html_replaced[i].from == number) {
            codes_put(out, html_replaced[i].to);
            return;
        }
    }
    if ((number >= 0xd800 && number <= 0xdfff) || number > 0x10ffff) {
        codes_put(out, REPLACEMENT);
    } else if (!is_dropped(number)) {
        codes_put(out, number);
    }
}

/* At "&#": the length that was used, 0 when it is no reference. */
static size_t numeric(const uint32_t *in, size_t left, struct codes *out)
{
    size_t at = 2;
    bool hex = at < left && (in[at] == 'x' || in[at] == 'X');
    at += hex;
    size_t start = at;
    uint32_t number = 0;
    for (; at < left && is_digit(in[at], hex); at++) {
        uint32_t digit = in[at] <= '9' ? in[at] - '0' : (in[at] | 32) - 'a' + 10;
        number = number > 0x10ffff ? number : number * (hex ? 16 : 10) + digit;
    }
    if (at == start) {
        return 0;
    }
    put_reference(out, number);
    return at + (at < left && in[at] == ';');
}

/* At "&": a name of up to 32 code points, or the longest known beginning of it. */
static size_t named(const uint32_t *in, size_t left, struct codes *out)
{
    char name[40];
    size_t n = 0;
    while (n < 32 && n + 1 < left && !memchr("\t\n\f <&#;", (int)in[n + 1], 8)
           && in[n + 1] < 0x110000) {
        if (in[n + 1] >= 128) {
            break; /* no entity has such a name; a shorter one may still match */
        }
        name[n] = (char)in[n + 1];
        n++;
    }
    if (n > 0 && n + 1 < left && in[n + 1] == ';') {
        name[n++] = ';';
    }
    for (size_t length = n; length > 1; length--) {
        name[length] = '\0';
        const char *text = find_entity(name);
        if (text) {
            struct codes codes = codes_from_utf8(text, strlen(text));
            for (size_t i = 0; i < codes.n; i++) {
                codes_put(out, codes.data[i]);
            }
            codes_clear(&codes);
            return length + 1;
        }
    }
    return 0;
}

static struct codes unescape(const struct codes *in)
{
    struct codes out = { 0 };
    for (size_t i = 0; i < in->n;) {
        size_t used = 0, left = in->n - i;
        if (in->data[i] == '&' && left > 1) {
            used = in->data[i + 1] == '#' ? numeric(in->data + i, left, &out)
                                          : named(in->data + i, left, &out);
        }
        if (used == 0) {
            codes_put(&out, in->data[i]);
            used = 1;
        }
        i += used;
    }
    return out;
}

/* --- White space and case ------------------------------------------------------------------ */

static void strip(struct codes *c)
{
    size_t first = 0;
    while (c->n > 0 && unicode_flags(c->data[c->n - 1]) & UNICODE_STRIP) {
        c->n--;
    }
    while (first < c->n && unicode_flags(c->data[first]) & UNICODE_STRIP) {
        first++;
    }
    if (first > 0) {
        memmove(c->data, c->data + first, (c->n - first) * sizeof *c->data);
        c->n -= first;
    }
}

static void collapse(struct codes *c)
{
    size_t n = 0;
    bool space = false;
    for (size_t i = 0; i < c->n; i++) {
        bool is_space = unicode_flags(c->data[i]) & UNICODE_SPACE;
        if (!is_space) {
            c->data[n++] = c->data[i];
        } else if (!space) {
            c->data[n++] = ' ';
        }
        space = is_space;
    }
    c->n = n;
}

/* A capital sigma that ends a word: a cased letter before it and none behind it, with
 * ignorable ones in between. */
static bool is_final_sigma(const struct codes *c, size_t at)
{
    size_t i = at;
    while (i > 0 && unicode_flags(c->data[i - 1]) & UNICODE_IGNORABLE) {
        i--;
    }
    if (i == 0 || !(unicode_flags(c->data[i - 1]) & UNICODE_CASED)) {
        return false;
    }
    i = at + 1;
    while (i < c->n && unicode_flags(c->data[i]) & UNICODE_IGNORABLE) {
        i++;
    }
    return i == c->n || !(unicode_flags(c->data[i]) & UNICODE_CASED);
}

static uint32_t lower_of(uint32_t code)
{
    uint32_t low = 0, high = unicode_lower_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (unicode_lowers[middle].from == code) {
            return unicode_lowers[middle].to;
        }
        if (unicode_lowers[middle].from < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return code;
}

static struct codes lower(const struct codes *in)
{
    struct codes out = { 0 };
    for (size_t i = 0; i < in->n; i++) {
        uint32_t c = in->data[i];
        if (c == CAPITAL_SIGMA) {
            codes_put(&out, is_final_sigma(in, i) ? FINAL_SIGMA : SMALL_SIGMA);
        } else if (c == 0x130) { /* the only letter with two for its lower case */
            codes_put(&out, 'i');
            codes_put(&out, 0x307);
        } else {
            codes_put(&out, lower_of(c));
        }
    }
    return out;
}

bool clean_text(struct codes *codes)
{
    for (int step = 0; step < 3; step++) {
        struct codes next = step < 2 ? unescape(codes) : lower(codes);
        bool failed = codes->failed || next.failed;
        codes_clear(codes);
        *codes = next;
        codes->failed = failed;
        if (step == 1) {
            strip(codes);
            collapse(codes);
            strip(codes);
        }
    }
    return !codes->failed;
}
