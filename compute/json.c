#include "compute/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 64
#define MAX_FILE_BYTES (64u << 20)
#define MAX_TOKENS 8000000u

struct json {
    const char *text;
    struct json_token *tokens;
    uint32_t n, room;
};

struct parser {
    struct json *json;
    const uint8_t *text;
    uint32_t size, at;
    const char *wrong; /* set at the first fault, together with `at` */
};

static bool fail(struct parser *p, const char *wrong)
{
    if (!p->wrong) {
        p->wrong = wrong;
    }
    return false;
}

static void skip_space(struct parser *p)
{
    while (p->at < p->size && strchr(" \t\r\n", p->text[p->at]) && p->text[p->at]) {
        p->at++;
    }
}

static uint32_t add_token(struct parser *p, enum json_type type, uint32_t start)
{
    struct json *json = p->json;
    if (json->n == json->room) {
        uint32_t room = json->room ? 2 * json->room : 256;
        void *grown = json->n < MAX_TOKENS
                          ? realloc(json->tokens, room * sizeof *json->tokens) : NULL;
        if (!grown) {
            fail(p, "there are too many values");
            return JSON_NONE;
        }
        json->tokens = grown;
        json->room = room;
    }
    json->tokens[json->n] = (struct json_token){ start, start, json->n + 1, type };
    return json->n++;
}

/* The length of a valid UTF-8 sequence at `s`, or 0. */
static uint32_t utf8_length(const uint8_t *s, uint32_t left)
{
    uint32_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    if (n == 0 || n > left) {
        return 0;
    }
    for (uint32_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0)
        || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90)) {
        return 0;
    }
    return n;
}

static int hex4(const uint8_t *s)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int c = s[i];
        int digit = c >= '0' && c <= '9' ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* At a backslash: the code point and the bytes that the escape takes; 0 when wrong. */
static uint32_t read_escape(const uint8_t *s, uint32_t left, uint32_t *code)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (left < 2) {
        return 0;
    }
    const char *found = s[1] ? strchr(letters, s[1]) : NULL;
    if (found) {
        *code = (uint8_t)values[found - letters];
        return 2;
    }
    if (s[1] != 'u' || left < 6) {
        return 0;
    }
    int high = hex4(s + 2);
    if (high < 0 || (high >= 0xdc00 && high < 0xe000)) {
        return 0;
    }
    if (high < 0xd800 || high >= 0xe000) {
        *code = (uint32_t)high;
        return 6;
    }
    if (left < 12 || s[6] != '\\' || s[7] != 'u') {
        return 0;
    }
    int low = hex4(s + 8);
    if (low < 0xdc00 || low >= 0xe000) {
        return 0;
    }
    *code = 0x10000u + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
    return 12;
}

static bool parse_string(struct parser *p)
{
    uint32_t token = add_token(p, JSON_STRING, ++p->at);
    if (token == JSON_NONE) {
        return false;
    }
    while (p->at < p->size && p->text[p->at] != '"') {
        uint32_t code, left = p->size - p->at, n;
        if (p->text[p->at] < 0x20) {
            return fail(p, "a control character in a string");
        }
        n = p->text[p->at] == '\\' ? read_escape(p->text + p->at, left, &code)
                                   : utf8_length(p->text + p->at, left);
        if (n == 0) {
            return fail(p, p->text[p->at] == '\\' ? "a wrong escape in a string"
                                                  : "invalid UTF-8");
        }
        p->at += n;
    }
    if (p->at == p->size) {
        return fail(p, "a string without an end");
    }
    p->json->tokens[token].end = p->at++;
    return true;
}

static bool digits(struct parser *p)
{
    uint32_t start = p->at;
    while (p->at < p->size && p->text[p->at] >= '0' && p->text[p->at] <= '9') {
        p->at++;
    }
    return p->at > start;
}

static bool parse_number(struct parser *p)
{
    uint32_t token = add_token(p, JSON_NUMBER, p->at);
    if (token == JSON_NONE) {
        return false;
    }
    p->at += p->text[p->at] == '-';
    bool zero = p->at < p->size && p->text[p->at] == '0';
    uint32_t start = p->at;
    if (!digits(p) || (zero && p->at > start + 1)) {
        return fail(p, "a wrong number");
    }
    if (p->at < p->size && p->text[p->at] == '.') {
        p->at++;
        if (!digits(p)) {
            return fail(p, "a wrong number");
        }
    }
    if (p->at < p->size && (p->text[p->at] == 'e' || p->text[p->at] == 'E')) {
        p->at++;
        p->at += p->at < p->size && (p->text[p->at] == '+' || p->text[p->at] == '-');
        if (!digits(p)) {
            return fail(p, "a wrong number");
        }
    }
    p->json->tokens[token].end = p->at;
    return true;
}

static bool parse_word(struct parser *p)
{
    static const struct { const char *word; enum json_type type; } words[] = {
        { "null", JSON_NULL }, { "false", JSON_FALSE }, { "true", JSON_TRUE } };
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i].word);
        if (p->size - p->at >= length
            && memcmp(p->text + p->at, words[i].word, length) == 0) {
            uint32_t token = add_token(p, words[i].type, p->at);
            p->at += (uint32_t)length;
            if (token != JSON_NONE) {
                p->json->tokens[token].end = p->at;
            }
            return token != JSON_NONE;
        }
    }
    return fail(p, "something that is not a value");
}

/* One value; containers are opened here and closed by parse_document. */
static bool parse_scalar(struct parser *p)
{
    uint8_t c = p->text[p->at];
    if (c == '"') {
        return parse_string(p);
    }
    return c == '-' || (c >= '0' && c <= '9') ? parse_number(p) : parse_word(p);
}

static bool at_char(const struct parser *p, char c)
{
    return p->at < p->size && p->text[p->at] == (uint8_t)c;
}

/* After "{" or ",": a key and its colon. */
static bool parse_key(struct parser *p)
{
    skip_space(p);
    if (!at_char(p, '"')) {
        return fail(p, "a key is missing");
    }
    if (!parse_string(p)) {
        return false;
    }
    skip_space(p);
    if (!at_char(p, ':')) {
        return fail(p, "a colon is missing");
    }
    p->at++;
    return true;
}

/* With an explicit stack: a document's depth must not reach our own. */
static bool parse_document(struct parser *p)
{
    uint32_t open[MAX_DEPTH];
    int depth = 0;
    for (;;) {
        skip_space(p);
        if (p->at == p->size) {
            return fail(p, "the text ends early");
        }
        bool object = at_char(p, '{'), array = at_char(p, '[');
        if (object || array) {
            if (depth == MAX_DEPTH) {
                return fail(p, "values are nested too deep");
            }
            open[depth] = add_token(p, object ? JSON_OBJECT : JSON_ARRAY, p->at++);
            if (open[depth] == JSON_NONE) {
                return false;
            }
            depth++;
            skip_space(p);
            if (!at_char(p, object ? '}' : ']')) {
                if (object && !parse_key(p)) {
                    return false;
                }
                continue;
            }
        } else if (!parse_scalar(p)) {
            return false;
        }
        /* Behind a value, or before the end of an empty container. */
        for (;;) {
            if (depth == 0) {
                return true;
            }
            skip_space(p);
            struct json_token *container = &p->json->tokens[open[depth - 1]];
            bool is_object = container->type == JSON_OBJECT;
            if (at_char(p, is_object ? '}' : ']')) {
                container->end = ++p->at;
                container->next = p->json->n;
                depth--;
                continue;
            }
            if (!at_char(p, ',')) {
                return fail(p, "a comma or an end is missing");
            }
            p->at++;
            if (is_object && !parse_key(p)) {
                return false;
            }
            break;
        }
    }
}

enum nn_status json_parse(struct json **out, const char *text, size_t size,
                          const char *what, struct nn_error *error)
{
    if (size >= UINT32_MAX) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: the JSON is too large", what);
    }
    struct json *json = calloc(1, sizeof *json);
    if (!json) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", what);
    }
    json->text = text;
    struct parser p = { .json = json, .text = (const uint8_t *)text,
                        .size = (uint32_t)size };
    bool good = parse_document(&p);
    if (good) {
        skip_space(&p);
        good = p.at == p.size || fail(&p, "more text after the end");
    }
    if (!good) {
        json_destroy(&json);
        return nn_fail(error, NN_ERROR_INVALID, "%s: JSON byte %u: %s", what, p.at,
                       p.wrong);
    }
    *out = json;
    return NN_OK;
}

/* *size counts the bytes; NULL and a message when there is no such file. */
static char *read_text(const char *path, size_t *size, struct nn_error *error)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    char *text = NULL;
    if (!file || fstat(fileno(file), &info) != 0) {
        nn_fail(error, NN_ERROR_IO, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode) || info.st_size > (off_t)MAX_FILE_BYTES) {
        nn_fail(error, NN_ERROR_INVALID, "%s: not a JSON file of a sensible size", path);
    } else if (!(text = malloc((size_t)info.st_size + 1))) {
        nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    } else {
        *size = fread(text, 1, (size_t)info.st_size, file);
        text[*size] = '\0';
    }
    if (file) {
        fclose(file);
    }
    return text;
}

enum nn_status json_load(struct json **out, char **text, const char *path,
                         struct nn_error *error)
{
    struct nn_error fault = { 0 };
    size_t size = 0;
    char *read = read_text(path, &size, &fault);
    enum nn_status status =
        read ? json_parse(out, read, size, path, error)
             : nn_fail(error, fault.status, "%s", fault.text);
    if (status != NN_OK) {
        free(read);
        return status;
    }
    *text = read;
    return NN_OK;
}

void json_destroy(struct json **json)
{
    if (!json || !*json) {
        return;
    }
    free((*json)->tokens);
    free(*json);
    *json = NULL;
}

const struct json_token *json_token(const struct json *json, uint32_t index)
{
    return &json->tokens[index];
}

enum json_type json_type_of(const struct json *json, uint32_t index)
{
    return index == JSON_NONE ? JSON_NULL : json->tokens[index].type;
}

uint32_t json_first(const struct json *json, uint32_t parent)
{
    if (parent == JSON_NONE || json->tokens[parent].next == parent + 1) {
        return JSON_NONE;
    }
    return parent + 1;
}

uint32_t json_next(const struct json *json, uint32_t parent, uint32_t index)
{
    uint32_t next = json->tokens[index].next;
    return next < json->tokens[parent].next ? next : JSON_NONE;
}

uint32_t json_count(const struct json *json, uint32_t parent)
{
    uint32_t count = 0;
    for (uint32_t i = json_first(json, parent); i != JSON_NONE;
         i = json_next(json, parent, i)) {
        count++;
    }
    return count;
}

uint32_t json_get(const struct json *json, uint32_t object, const char *key)
{
    if (object == JSON_NONE || json->tokens[object].type != JSON_OBJECT) {
        return JSON_NONE;
    }
    for (uint32_t i = json_first(json, object); i != JSON_NONE;) {
        uint32_t value = json_next(json, object, i);
        if (json_string_is(json, i, key)) {
            return value;
        }
        i = json_next(json, object, value);
    }
    return JSON_NONE;
}

/* --- Values ------------------------------------------------------------------------- */

static size_t put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

char *json_string(const struct json *json, uint32_t index, size_t *size)
{
    if (index == JSON_NONE || json->tokens[index].type != JSON_STRING) {
        return NULL;
    }
    const uint8_t *at = (const uint8_t *)json->text + json->tokens[index].start;
    const uint8_t *end = (const uint8_t *)json->text + json->tokens[index].end;
    char *out = malloc((size_t)(end - at) + 1); /* decoding never makes it longer */
    if (!out) {
        return NULL;
    }
    size_t n = 0;
    while (at < end) {
        if (*at == '\\') {
            uint32_t code = 0;
            at += read_escape(at, (uint32_t)(end - at), &code);
            n += put_utf8(code, out + n);
        } else {
            out[n++] = (char)*at++;
        }
    }
    out[n] = '\0';
    if (size) {
        *size = n;
    }
    return out;
}

bool json_string_is(const struct json *json, uint32_t index, const char *text)
{
    if (index == JSON_NONE || json->tokens[index].type != JSON_STRING) {
        return false;
    }
    const struct json_token *t = &json->tokens[index];
    size_t raw = t->end - t->start, length = strlen(text);
    if (!memchr(json->text + t->start, '\\', raw)) {
        return raw == length && memcmp(json->text + t->start, text, raw) == 0;
    }
    size_t size = 0;
    char *decoded = json_string(json, index, &size);
    bool same = decoded && size == length && memcmp(decoded, text, size) == 0;
    free(decoded);
    return same;
}

bool json_u64(const struct json *json, uint32_t index, uint64_t *out)
{
    if (index == JSON_NONE || json->tokens[index].type != JSON_NUMBER) {
        return false;
    }
    uint64_t value = 0;
    for (uint32_t i = json->tokens[index].start; i < json->tokens[index].end; i++) {
        char c = json->text[i];
        if (c < '0' || c > '9' || value > (UINT64_MAX - (uint64_t)(c - '0')) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(c - '0');
    }
    *out = value;
    return true;
}

bool json_double(const struct json *json, uint32_t index, double *out)
{
    if (index == JSON_NONE || json->tokens[index].type != JSON_NUMBER) {
        return false;
    }
    char copy[64];
    size_t length = json->tokens[index].end - json->tokens[index].start;
    if (length >= sizeof copy) {
        return false;
    }
    memcpy(copy, json->text + json->tokens[index].start, length);
    copy[length] = '\0';
    *out = strtod(copy, NULL);
    return true;
}
