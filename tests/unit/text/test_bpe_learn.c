/* Tokenizers learnt from words: files that the loader takes, whole words as tokens, the
 * bytes for everything else. test_bpe_learn FOLDER (made anew) */
#include "compute/text/bpe_learn.h"
#include "compute/text/tokenizer.h"
#include "tests/check.h"

#include <sys/stat.h>

static struct nn_error error;
static const char *dir;

static struct tokenizer *learn(const char *const *texts, size_t n, uint32_t most,
                               uint32_t *size)
{
    struct tokenizer *t = NULL;
    REQUIRE_OK(bpe_learn(texts, n, most, dir, size, &error));
    REQUIRE_OK(tokenizer_load(&t, dir, &error));
    REQUIRE_INT(tokenizer_vocabulary_size(t), *size);
    REQUIRE_INT(tokenizer_start_id(t), *size - 2);
    REQUIRE_INT(tokenizer_end_id(t), *size - 1);
    return t;
}

static size_t count_ids(const struct tokenizer *t, const char *text)
{
    int32_t *ids = NULL;
    size_t n = 0;
    REQUIRE_OK(tokenizer_encode(t, text, strlen(text), &ids, &n, &error));
    for (size_t i = 0; i < n; i++) {
        REQUIRE(ids[i] >= 0 && ids[i] < tokenizer_vocabulary_size(t) - 2);
    }
    free(ids);
    return n;
}

static void test_words_become_tokens(void)
{
    const char *texts[] = { "a photo of red circle", "a photo of Two red CIRCLES", "ring",
                            "\"caf\xc3\xa9\"", "aXbc abc bcabc" };
    uint32_t size = 0;
    struct tokenizer *t = learn(texts, 5, 4096, &size);
    REQUIRE_INT(count_ids(t, "a photo of red circle"), 5);
    REQUIRE_INT(count_ids(t, "two circles, ring"), 4); /* a comma is a byte */
    REQUIRE_INT(count_ids(t, "CAF\xc3\x89"), 1);
    REQUIRE_INT(count_ids(t, "axbc bcabc"), 2);
    REQUIRE_INT(count_ids(t, "zq"), 2);
    REQUIRE_INT(count_ids(t, "\xf0\x9f\xa6\x93"), 4);
    tokenizer_destroy(&t);
}

static void test_limit(void)
{
    const char *texts[] = { "ab ab ab", "xy" };
    uint32_t size = 0;
    struct tokenizer *t = learn(texts, 2, BPE_LEARN_LEAST + 1, &size);
    REQUIRE_INT(size, BPE_LEARN_LEAST + 1);
    REQUIRE_INT(count_ids(t, "ab"), 1); /* the pair that stands in most words */
    REQUIRE_INT(count_ids(t, "xy"), 2);
    tokenizer_destroy(&t);
    REQUIRE(bpe_learn(texts, 2, BPE_LEARN_LEAST - 1, dir, &size, &error)
            == NN_ERROR_INVALID);
    REQUIRE(bpe_learn(texts, 2, 600, "/nowhere/at/all", &size, &error) == NN_ERROR_IO);
    REQUIRE(strstr(error.text, "/nowhere/at/all/vocab.json"));
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    dir = argv[1];
    mkdir(dir, 0777);
    test_words_become_tokens();
    test_limit();
    return 0;
}
