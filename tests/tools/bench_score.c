/* How long a typed label takes: bench_score MODEL [IMAGES [RUNS]]. Fills a cache file with
 * tokens of made-up images, then encodes labels and scores all images for 1, 10 and 80 of
 * them, the tokens read from the file. A program for people; no test runs it. */
#include "app/engine/prompts.h"
#include "app/engine/token_cache.h"
#include "compute/nets/model.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 64

struct bench {
    struct model *model;
    struct session *session;
    token_cache *cache;
    gsize n_tokens;
    guint images;
};

static void fail(const char *text)
{
    fprintf(stderr, "bench_score: %s\n", text);
    exit(1);
}

/* Tokens follow a ReLU: about half are zero. */
static void fill(struct bench *b)
{
    g_autofree float *tokens = g_new(float, b->n_tokens);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (guint i = 0; i < b->images; i++) {
        for (gsize k = 0; k < b->n_tokens; k++) {
            tokens[k] = (float)MAX(g_rand_double_range(random, -2, 2), 0);
        }
        g_autofree char *hash = g_strdup_printf("%u", i);
        token_cache_put(b->cache, hash, tokens);
    }
}

static float *encode(struct bench *b, guint n, double *seconds)
{
    const struct model_info *info = model_info(b->model);
    struct nn_error error = { 0 };
    enum nn_status status;
    float *out = g_new(float, (gsize)n * info->embedding);
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(prompts, g_strdup_printf("a photo of thing %u", i));
    }
    gint64 begin = g_get_monotonic_time();
    if (!prompts_encode(b->session, b->model, (const char *const *)prompts->pdata, n, out,
                        NULL, &status, &error)) {
        fail(error.text);
    }
    *seconds = (double)(g_get_monotonic_time() - begin) / 1e6;
    return out;
}

/* Reads and scores every image; *reading is the part of the seconds spent on the file. */
static double score(struct bench *b, const float *embeddings, guint n, double *reading)
{
    g_autofree float *tokens = g_new(float, CHUNK * b->n_tokens);
    g_autofree float *confidence = g_new(float, (gsize)CHUNK * n);
    struct nn_error error = { 0 };
    gint64 begin = g_get_monotonic_time(), read = 0;
    for (guint first = 0; first < b->images; first += CHUNK) {
        guint count = MIN(CHUNK, b->images - first);
        gint64 start = g_get_monotonic_time();
        for (guint i = 0; i < count; i++) {
            g_autofree char *hash = g_strdup_printf("%u", first + i);
            if (!token_cache_get(b->cache, hash, tokens + i * b->n_tokens)) {
                fail("tokens are missing in the cache");
            }
        }
        read += g_get_monotonic_time() - start;
        if (session_score(b->session, tokens, count, embeddings, n, confidence, NULL,
                          &error) != NN_OK) {
            fail(error.text);
        }
    }
    *reading = (double)read / 1e6;
    return (double)(g_get_monotonic_time() - begin) / 1e6;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void run(struct bench *b, guint n, guint runs)
{
    double *total = g_new(double, runs), first = 0, encoding = 0, reading = 0;
    for (guint i = 0; i < runs; i++) {
        g_autofree float *embeddings = encode(b, n, &encoding);
        total[i] = score(b, embeddings, n, &reading);
        first = i == 0 ? total[0] : first;
    }
    qsort(total, runs, sizeof *total, by_value);
    printf("%u images, %2u labels: %.3f s (first run %.3f), of it reading %.3f; encoding "
           "the labels %.3f\n", b->images, n, total[runs / 2], first, reading, encoding);
    fflush(stdout);
    g_free(total);
}

int main(int argc, char **argv)
{
    struct bench b = { .images = argc > 2 ? (guint)atoi(argv[2]) : 1000 };
    guint runs = argc > 3 ? (guint)atoi(argv[3]) : 3;
    struct nn_error error = { 0 };
    if (argc < 2 || b.images == 0 || runs == 0) {
        fail("usage: bench_score MODEL [IMAGES [RUNS]]");
    }
    g_autofree char *dir = g_build_filename(g_get_user_cache_dir(), "taglight", NULL);
    struct session_params params = { .device = { .cache_dir = dir, .family = -1 } };
    if (model_open(&b.model, (const char *const[]){ argv[1] }, 1, NULL, &error) != NN_OK
        || session_create(&b.session, b.model, &params, &error) != NN_OK) {
        fail(error.text);
    }
    const struct model_info *info = model_info(b.model);
    g_autofree char *work = g_dir_make_tmp("taglight-score-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(work, "tokens.db", NULL);
    b.n_tokens = (gsize)session_token_count(b.session) * info->token_width;
    struct token_cache_key key = { info->image_fingerprint, info->text_fingerprint,
                                   b.n_tokens, info->embedding };
    b.cache = token_cache_open(path, &key);
    fill(&b);
    run(&b, 1, runs);
    run(&b, 10, runs);
    run(&b, 80, runs);
    token_cache_close(&b.cache);
    session_destroy(&b.session);
    model_destroy(&b.model);
    g_unlink(path);
    g_rmdir(work);
    return 0;
}
