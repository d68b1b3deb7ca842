/* The vocabulary as a file: what is written is read back as it was, and what is broken is
 * refused as a whole. Embeddings of several labels at once. */
#include "app/words/prompt_batch.h"
#include "app/words/vocabulary_file.h"
#include "tests/temp_dir.h"

static char *dir;

static store *open_new(const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    store *s = store_open(path, STORE_CREATE, NULL);
    REQUIRE(s);
    return s;
}

static char *write_all(store *s)
{
    char *text = vocabulary_file_write(s, NULL);
    REQUIRE(text);
    return text;
}

static void fill(store *s)
{
    gint64 boat = vocabulary_add(s, "boat", NULL), ship = vocabulary_add(s, "ship", NULL);
    gint64 odd = vocabulary_add(s, "\"a\" \\ , ü\xf0\x9f\x9a\xa2 \xd7\xa9", NULL);
    gint64 labels[2] = { ship, odd };
    REQUIRE(boat && ship && odd && vocabulary_add(s, "gone", NULL));
    REQUIRE(store_hide_label(s, "gone", NULL));
    REQUIRE(vocabulary_rename(s, ship, "sailing ship", NULL));
    REQUIRE(vocabulary_add_synonym(s, boat, "vessel", NULL));
    REQUIRE(vocabulary_add_parent(s, ship, boat, NULL));
    REQUIRE(vocabulary_add_to_group(s, odd, "kind", NULL));
    REQUIRE(vocabulary_add_to_group(s, boat, "kind", NULL));
    REQUIRE(vocabulary_set(s, boat, VOCABULARY_PROMPT, "a photo of {} | {}", NULL));
    REQUIRE(vocabulary_set(s, boat, VOCABULARY_COLOUR, "#0000ff", NULL));
    REQUIRE(vocabulary_set(s, odd, VOCABULARY_KEY, "ü", NULL));
    REQUIRE(vocabulary_set(s, odd, VOCABULARY_NOTE, "two\nlines", NULL));
    REQUIRE(vocabulary_set_favourite(s, ship, TRUE, NULL));
    REQUIRE(vocabulary_set_folder(s, "/photos/a b", labels, 2, NULL));
    REQUIRE(vocabulary_set_folder(s, "/photos/\xff", labels + 1, 1, NULL));
}

static void test_round_trip(void)
{
    store *from = open_new("from.db"), *to = open_new("to.db");
    guint n = 0;
    fill(from);
    g_autofree char *text = write_all(from);
    REQUIRE(vocabulary_file_read(to, text, "x.json", &n, NULL));
    REQUIRE_INT(n, 4);
    g_autofree char *again = write_all(to);
    REQUIRE_STR(again, text);
    REQUIRE(vocabulary_file_read(to, text, "x.json", &n, NULL)); /* changes nothing */
    g_autofree char *twice = write_all(to);
    REQUIRE_STR(twice, text);
    g_autofree char *list = vocabulary_file_list(to, NULL);
    REQUIRE(g_str_has_prefix(list, "boat\nsailing ship\n\"a\""));
    store_close(&from);
    store_close(&to);
}

static void test_list(void)
{
    store *s = open_new("list.db");
    guint n = 0;
    REQUIRE(vocabulary_file_read(s, "\xef\xbb\xbf" "boat\r\n\r\n  a red bus \nboat", "l.txt",
                                 &n, NULL));
    REQUIRE_INT(n, 3);
    g_autofree char *list = vocabulary_file_list(s, NULL);
    REQUIRE_STR(list, "boat\na red bus\n");
    store_close(&s);
}

/* Refused, and nothing of it was taken. */
static void require_refused(const char *text, const char *part)
{
    g_autoptr(GError) error = NULL;
    store *s = open_new("refused.db");
    REQUIRE(!vocabulary_file_read(s, text, "file", NULL, &error));
    if (!strstr(error->message, part)) {
        fprintf(stderr, "%s: %s\n", text, error->message);
        exit(1);
    }
    g_auto(GStrv) names = store_labels(s, NULL);
    REQUIRE(!names[0]);
    store_close(&s);
}

#define HEAD "{\"format\": \"taglight-vocabulary\", \"version\": 1, "

static void test_broken(void)
{
    require_refused("{", "file: ");
    require_refused("{}", "no vocabulary");
    require_refused("{\"format\": 3}", "no vocabulary");
    require_refused("{\"format\": \"taglight-vocabulary\", \"version\": 9}", "later version");
    require_refused(HEAD "\"labels\": 3}", "no list");
    require_refused(HEAD "\"labels\": [3]}", "no object");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\"}, {}]}", "no \"name\"");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\", \"key\": \"ab\"}]}", "label \"a\"");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\", \"note\": 3}]}", "no text");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\", \"favourite\": 1}]}", "neither");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\", \"parents\": [\"b\"]},"
                         " {\"name\": \"b\", \"parents\": [\"a\"]}]}", "above and below");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\", \"parents\": [1]}]}", "no text");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\", \"synonyms\": [\"b\"]},"
                         " {\"name\": \"b\"}]}", "merge them");
    require_refused(HEAD "\"labels\": [{\"name\": \"a\"}], \"folders\": [{\"labels\": []}]}",
                    "whole path");
    require_refused("a\n\xff", "UTF-8");
    require_refused("a\nb\x01\n", "line 2");
}

static void free_expression(gpointer data) { prompt_expression_free(data); }

static void test_batch(void)
{
    static const char *const texts[] = { "a", "a + b", "b", "b + a", NULL };
    struct token_cache_key key = { "image", "text", 2, 2 };
    g_autofree char *path = g_build_filename(dir, "cache.db", NULL);
    token_cache *cache = token_cache_open(path, &key);
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_expression);
    const float encoded[4] = { 1, 0, 0, 3 };
    float out[8], again[8];
    for (int i = 0; texts[i]; i++) {
        g_ptr_array_add(all, prompt_expression_new(texts[i], NULL, "the %s", NULL));
    }
    struct prompt_batch *b = prompt_batch_new(all, 2, cache);
    const char *const *missing = prompt_batch_missing(b);
    REQUIRE_STR(missing[0], "the a"); /* each prompt once */
    REQUIRE_STR(missing[1], "the b");
    REQUIRE(!missing[2]);
    REQUIRE(prompt_batch_finish(b, encoded, out, NULL));
    REQUIRE(out[0] == 1 && out[1] == 0 && out[4] == 0 && out[5] == 3);
    REQUIRE(fabs(out[2] - sqrt(2)) < 1e-6 && memcmp(out + 2, out + 6, 2 * sizeof *out) == 0);
    prompt_batch_keep(b, encoded, out, cache);
    prompt_batch_free(b);
    b = prompt_batch_new(all, 2, cache);
    REQUIRE(!prompt_batch_missing(b)[0]);
    REQUIRE(prompt_batch_finish(b, NULL, again, NULL));
    REQUIRE(memcmp(out, again, sizeof out) == 0);
    prompt_batch_free(b);
    const float tokens[2] = { 3, 5 };
    float mean;
    REQUIRE(!token_cache_get_mean(cache, "h", 1, &mean));
    token_cache_put(cache, "h", tokens);
    REQUIRE(token_cache_get_mean(cache, "h", 1, &mean) && mean == 4);
    REQUIRE(token_cache_get_mean(cache, "h", 1, &mean) && mean == 4);
    token_cache_close(&cache);
}

int main(void)
{
    dir = temp_dir_make("words");
    test_round_trip();
    test_list();
    test_broken();
    test_batch();
    temp_dir_remove(dir);
    return 0;
}
