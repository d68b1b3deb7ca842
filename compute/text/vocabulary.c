/* Loading tokenizers: vocab.json with merges.txt, tokenizer.json, or OpenAI's merges. */
#include "compute/json.h"
#include "compute/text/tokenizer.h"
#include "compute/text/tokenizer_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAX_FILE_BYTES (64u << 20)
#define OPENAI_MERGES (49152 - 256 - 2)

struct text { char *data; size_t size; };

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path) {
        snprintf(path, size, "%s/%s", dir, name);
    }
    return path;
}

/* zlib reads plain files as they are. */
static enum nn_status read_file(const char *path, struct text *out, struct nn_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return nn_fail(error, NN_ERROR_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: this is not a regular file", path);
    }
    gzFile file = gzopen(path, "rb");
    size_t room = 1 << 20;
    *out = (struct text){ malloc(room + 1), 0 };
    enum nn_status status = file && out->data
                                ? NN_OK : nn_fail(error, NN_ERROR_IO, "%s: cannot be read",
                                                  path);
    while (status == NN_OK) {
        int got = gzread(file, out->data + out->size, (unsigned)(room - out->size));
        if (got < 0) {
            status = nn_fail(error, NN_ERROR_INVALID, "%s: the compressed data is damaged",
                             path);
        } else if (got == 0) {
            int code = 0;
            gzerror(file, &code);
            if (code != Z_OK && code != Z_STREAM_END) {
                status = nn_fail(error, NN_ERROR_INVALID,
                                 "%s: the compressed data is cut short", path);
            }
            break;
        }
        out->size += got > 0 ? (size_t)got : 0;
        if (status == NN_OK && out->size == room) {
            room *= 2;
            char *grown = room <= MAX_FILE_BYTES ? realloc(out->data, room + 1) : NULL;
            status = grown ? NN_OK : nn_fail(error, NN_ERROR_INVALID,
                                             "%s: larger than any tokenizer", path);
            out->data = grown ? grown : out->data;
        }
    }
    if (file) {
        gzclose(file);
    }
    if (status != NN_OK) {
        free(out->data);
        *out = (struct text){ 0 };
        return status;
    }
    out->data[out->size] = '\0';
    return NN_OK;
}

/* --- Vocabularies ------------------------------------------------------------------------ */

static enum nn_status add_vocabulary(struct bpe *bpe, const struct json *json,
                                     uint32_t object, const char *path,
                                     struct nn_error *error)
{
    if (json_type_of(json, object) != JSON_OBJECT) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: there is no vocabulary in it", path);
    }
    for (uint32_t key = json_first(json, object); key != JSON_NONE;) {
        uint32_t value = json_next(json, object, key);
        size_t size = 0;
        uint64_t id = 0;
        char *text = json_string(json, key, &size);
        bool good = text && json_u64(json, value, &id) && id < INT32_MAX
                    && bpe_add_token(bpe, text, size, (int32_t)id);
        free(text);
        if (!good) {
            return nn_fail(error, NN_ERROR_INVALID,
                           "%s: byte %u: a token's id is wrong or there twice", path,
                           json_token(json, value)->start);
        }
        key = json_next(json, object, value);
    }
    return NN_OK;
}

static enum nn_status add_line(struct bpe *bpe, const char *line, size_t size,
                               const char *path, unsigned number, struct nn_error *error)
{
    const char *space = memchr(line, ' ', size);
    const char *wrong = "there is no space between two tokens";
    if (space) {
        size_t left = (size_t)(space - line);
        wrong = bpe_add_merge(bpe, line, left, space + 1, size - left - 1);
    }
    return wrong ? nn_fail(error, NN_ERROR_INVALID, "%s: line %u: %s", path, number, wrong)
                 : NN_OK;
}

/* Lines after the header; at most `most`. */
static enum nn_status add_merges(struct bpe *bpe, const struct text *text, size_t most,
                                 const char *path, struct nn_error *error)
{
    const char *at = text->data, *end = text->data + text->size;
    size_t n = 0;
    for (unsigned number = 1; at < end && n < most; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((newline ? newline : end) - at);
        size -= size > 0 && at[size - 1] == '\r';
        bool header = number == 1 && (size == 0 || at[0] == '#' || strstr(path, ".gz"));
        if (!header && size > 0) {
            enum nn_status status = add_line(bpe, at, size, path, number, error);
            if (status != NN_OK) {
                return status;
            }
            n++;
        }
        at = newline ? newline + 1 : end;
    }
    return NN_OK;
}

static enum nn_status load_pair(struct bpe *bpe, const char *vocab, const char *merges,
                                struct nn_error *error)
{
    struct text text = { 0 }, lines = { 0 };
    struct json *json = NULL;
    enum nn_status status = read_file(vocab, &text, error);
    if (status == NN_OK) {
        status = json_parse(&json, text.data, text.size, vocab, error);
    }
    if (status == NN_OK) {
        status = add_vocabulary(bpe, json, 0, vocab, error);
    }
    if (status == NN_OK) {
        status = read_file(merges, &lines, error);
    }
    if (status == NN_OK) {
        status = add_merges(bpe, &lines, OPENAI_MERGES, merges, error);
    }
    json_destroy(&json);
    free(text.data);
    free(lines.data);
    return status;
}

/* A merge in tokenizer.json is "a b" or ["a", "b"]. */
static enum nn_status add_json_merges(struct bpe *bpe, const struct json *json,
                                      uint32_t array, const char *path,
                                      struct nn_error *error)
{
    unsigned number = 1;
    if (json_type_of(json, array) != JSON_ARRAY) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: there are no merges in it", path);
    }
    for (uint32_t i = json_first(json, array); i != JSON_NONE;
         i = json_next(json, array, i), number++) {
        size_t size = 0, right_size = 0;
        enum nn_status status;
        if (json_type_of(json, i) == JSON_ARRAY && json_count(json, i) == 2) {
            uint32_t first = json_first(json, i);
            char *left = json_string(json, first, &size);
            char *right = json_string(json, json_next(json, i, first), &right_size);
            const char *wrong = left && right
                                    ? bpe_add_merge(bpe, left, size, right, right_size)
                                    : "a merge is not text";
            free(left);
            free(right);
            status = wrong ? nn_fail(error, NN_ERROR_INVALID, "%s: merge %u: %s", path,
                                     number, wrong) : NN_OK;
        } else {
            char *line = json_string(json, i, &size);
            status = line ? add_line(bpe, line, size, path, number, error)
                          : nn_fail(error, NN_ERROR_INVALID, "%s: merge %u is not text",
                                    path, number);
            free(line);
        }
        if (status != NN_OK) {
            return status;
        }
    }
    return NN_OK;
}

static enum nn_status load_tokenizer_json(struct bpe *bpe, const char *path,
                                          struct nn_error *error)
{
    struct text text = { 0 };
    struct json *json = NULL;
    enum nn_status status = read_file(path, &text, error);
    if (status == NN_OK) {
        status = json_parse(&json, text.data, text.size, path, error);
    }
    if (status == NN_OK) {
        uint32_t model = json_get(json, 0, "model");
        status = add_vocabulary(bpe, json, json_get(json, model, "vocab"), path, error);
        if (status == NN_OK) {
            status = add_json_merges(bpe, json, json_get(json, model, "merges"), path,
                                     error);
        }
    }
    json_destroy(&json);
    free(text.data);
    return status;
}

/* --- OpenAI's file ---------------------------------------------------------------------------
 * The vocabulary follows from the merges: the bytes, the bytes at a word's end, one token
 * a merge, start and end. */

static int add_bytes(struct bpe *bpe, int32_t *id)
{
    for (int end = 0; end < 2; end++) {
        for (int pass = 0; pass < 2; pass++) {
            for (int b = 0; b < 256; b++) {
                int printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
                char text[8];
                size_t size = bpe_byte_text((uint8_t)b, text);
                memcpy(text + size, "</w>", 4);
                if (printable == !pass
                    && !bpe_add_token(bpe, text, size + (end ? 4 : 0), (*id)++)) {
                    return 0;
                }
            }
        }
    }
    return 1;
}

static enum nn_status load_openai(struct bpe *bpe, const char *path, struct nn_error *error)
{
    struct text text = { 0 };
    int32_t id = 0;
    enum nn_status status = read_file(path, &text, error);
    if (status == NN_OK && !add_bytes(bpe, &id)) {
        status = nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    }
    const char *at = status == NN_OK ? text.data : NULL;
    for (int n = 0; at && n <= OPENAI_MERGES && status == NN_OK; n++) {
        const char *end = strchr(at, '\n');
        size_t size = end ? (size_t)(end - at) : strlen(at);
        const char *space = memchr(at, ' ', size);
        char token[512];
        if (n > 0 && (!space || size > sizeof token)) {
            status = nn_fail(error, NN_ERROR_INVALID, "%s: line %d: not a merge", path,
                             n + 1);
        } else if (n > 0) {
            size_t left = (size_t)(space - at);
            memcpy(token, at, left);
            memcpy(token + left, space + 1, size - left - 1);
            if (!bpe_add_token(bpe, token, size - 1, id++)) {
                status = nn_fail(error, NN_ERROR_INVALID,
                                 "%s: line %d: a merge is there twice", path, n + 1);
            }
        }
        at = end && end[1] ? end + 1 : NULL;
    }
    if (status == NN_OK) {
        status = add_merges(bpe, &text, OPENAI_MERGES, path, error);
    }
    static const char start[] = "<|startoftext|>", end_text[] = "<|endoftext|>";
    if (status == NN_OK && (!bpe_add_token(bpe, start, sizeof start - 1, id)
                            || !bpe_add_token(bpe, end_text, sizeof end_text - 1, id + 1))) {
        status = nn_fail(error, NN_ERROR_INVALID, "%s: no room for the special tokens",
                         path);
    }
    free(text.data);
    return status;
}

/* --- Choice ------------------------------------------------------------------------------------ */

static enum nn_status load_folder(struct bpe *bpe, const char *dir, struct nn_error *error)
{
    char *vocab = join(dir, "vocab.json"), *merges = join(dir, "merges.txt");
    char *whole = join(dir, "tokenizer.json");
    char *openai = join(dir, "bpe_simple_vocab_16e6.txt.gz");
    enum nn_status status;
    if (!vocab || !merges || !whole || !openai) {
        status = nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", dir);
    } else if (access(vocab, F_OK) == 0 && access(merges, F_OK) == 0) {
        status = load_pair(bpe, vocab, merges, error);
    } else if (access(whole, F_OK) == 0) {
        status = load_tokenizer_json(bpe, whole, error);
    } else if (access(openai, F_OK) == 0) {
        status = load_openai(bpe, openai, error);
    } else {
        status = nn_fail(error, NN_ERROR_IO,
                         "%s: there is no tokenizer in it (vocab.json with merges.txt, "
                         "tokenizer.json or bpe_simple_vocab_16e6.txt.gz)", dir);
    }
    free(vocab);
    free(merges);
    free(whole);
    free(openai);
    return status;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static enum nn_status load_path(struct bpe *bpe, const char *path, struct nn_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return nn_fail(error, NN_ERROR_IO, "%s: %s", path, strerror(errno));
    }
    if (S_ISDIR(info.st_mode)) {
        return load_folder(bpe, path, error);
    }
    if (ends_with(path, "vocab.json") || ends_with(path, "merges.txt")) {
        const char *slash = strrchr(path, '/');
        size_t size = slash ? (size_t)(slash - path) : 1;
        char *dir = malloc(size + 1);
        if (!dir) {
            return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
        }
        memcpy(dir, slash ? path : ".", size);
        dir[size] = '\0';
        enum nn_status status = load_folder(bpe, dir, error);
        free(dir);
        return status;
    }
    return ends_with(path, ".json") ? load_tokenizer_json(bpe, path, error)
                                    : load_openai(bpe, path, error);
}

static void find_special(struct tokenizer *t)
{
    static const char *const names[][2] = { { "<|startoftext|>", "<|endoftext|>" },
                                            { "<start_of_text>", "<end_of_text>" } };
    t->start = bpe_vocabulary_size(t->bpe) - 2;
    t->end = t->start + 1;
    t->start_text = names[0][0];
    t->end_text = names[0][1];
    for (int i = 0; i < 2; i++) {
        int32_t start = bpe_find(t->bpe, names[i][0], strlen(names[i][0]));
        int32_t end = bpe_find(t->bpe, names[i][1], strlen(names[i][1]));
        if (start >= 0 && end >= 0) {
            t->start = start;
            t->end = end;
            t->start_text = names[i][0];
            t->end_text = names[i][1];
            return;
        }
    }
}

enum nn_status tokenizer_load(struct tokenizer **out, const char *path,
                              struct nn_error *error)
{
    struct tokenizer *t = calloc(1, sizeof *t);
    if (!t || !(t->bpe = bpe_create())) {
        free(t);
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    }
    enum nn_status status = load_path(t->bpe, path, error);
    const char *wrong = status == NN_OK ? bpe_finish(t->bpe) : NULL;
    if (wrong) {
        status = nn_fail(error, NN_ERROR_INVALID, "%s: %s", path, wrong);
    }
    if (status != NN_OK) {
        tokenizer_destroy(&t);
        return status;
    }
    find_special(t);
    *out = t;
    return NN_OK;
}
