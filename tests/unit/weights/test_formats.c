/* Runs the verdicts of a manifest over a folder of honest and hostile checkpoints.
 *
 * Each file is opened in a child process, so that a crash, a hang or a large allocation
 * is a failure of that file and not of the test. */
#include "compute/json.h"
#include "compute/weights/weights.h"
#include "tests/check.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*size + 1);
    REQUIRE(fread(data, 1, *size, file) == *size);
    fclose(file);
    return data;
}

/* Rows by themselves are those of the whole; rows that there are not are zero. */
static int compare_rows(const struct weights *w, const struct weights_tensor *t,
                        const float *whole)
{
    uint64_t width = t->shape[1];
    int32_t last = (int32_t)t->shape[0] - 1, rows[4] = { last, -1, 0, last + 1 };
    float *got = calloc(4 * width + 1, sizeof *got);
    int failed = 0;
    if (weights_read_rows_f32(w, t, rows, 4, got)) {
        for (uint64_t i = 0; i < width; i++) {
            failed |= memcmp(&got[i], &whole[last * width + i], 4) || got[width + i] != 0
                      || memcmp(&got[2 * width + i], &whole[i], 4)
                      || got[3 * width + i] != 0;
        }
    }
    free(got);
    return failed;
}

/* Whether every tensor of `want` is in `got` with the same values, widened to F32 where
 * the expected file is wider. */
static int compare(const struct weights *got, const struct weights *want)
{
    struct nn_error error = { 0 };
    int failed = 0;
    for (size_t i = 0; i < weights_count(want); i++) {
        const struct weights_tensor *w = weights_at(want, i);
        const struct weights_tensor *g = weights_find(got, w->name);
        if (!g || g->rank != w->rank || g->count != w->count
            || memcmp(g->shape, w->shape, (size_t)w->rank * sizeof w->shape[0]) != 0) {
            fprintf(stderr, "  tensor %s is missing or has another shape\n", w->name);
            failed = 1;
            continue;
        }
        size_t bytes = w->count * weights_type_size(w->type);
        void *a = calloc(1, bytes + 8), *b = calloc(1, bytes + 8);
        REQUIRE_OK(weights_read_raw(want, w, b, &error));
        if (g->type == w->type) {
            REQUIRE_OK(weights_read_raw(got, g, a, &error));
        } else {
            REQUIRE_INT(w->type, WEIGHTS_F32);
            REQUIRE_OK(weights_read_f32(got, g, a, &error));
        }
        if (g->rank == 2 && g->type == WEIGHTS_F32 && g->count > 0) {
            failed |= compare_rows(got, g, a);
        }
        if (memcmp(a, b, bytes) != 0) {
            fprintf(stderr, "  tensor %s has other values\n", w->name);
            failed = 1;
        }
        free(a);
        free(b);
    }
    return failed;
}

/* 0: as expected. */
static int check_file(const char *folder, const char *file, const char *verdict,
                      const char *expect)
{
    char path[1024], expected[1024];
    struct nn_error error = { 0 };
    struct weights *got = NULL, *want = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    enum nn_status status = weights_open(&got, path, &error);
    if (status != NN_OK) {
        const char *name = strrchr(file, '/') + 1;
        bool clear = strstr(error.text, folder) && strlen(error.text) > strlen(name) + 8;
        return strcmp(verdict, "load") == 0 || !clear
                   ? fprintf(stderr, "  refused: %s\n", error.text), 1 : 0;
    }
    if (strcmp(verdict, "reject") == 0) {
        fprintf(stderr, "  was loaded\n");
        return 1;
    }
    int failed = 0;
    if (expect) {
        snprintf(expected, sizeof expected, "%s/valid/%s", folder, expect);
        REQUIRE_OK(weights_open(&want, expected, &error));
        failed = compare(got, want);
    }
    weights_destroy(&want);
    weights_destroy(&got);
    return failed;
}

static int check_in_child(const char *folder, const char *file, const char *verdict,
                          const char *expect)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(5);
#if !defined(__SANITIZE_ADDRESS__)
        struct rlimit limit = { 400u << 20, 400u << 20 };
        setrlimit(RLIMIT_DATA, &limit);
#endif
        _exit(check_file(folder, file, verdict, expect));
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "%s: not the verdict \"%s\"%s\n", file, verdict,
                WIFEXITED(status) ? "" : " (it crashed or hung)");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char path[1024];
    size_t size = 0;
    struct nn_error error = { 0 };
    struct json *json = NULL;
    REQUIRE(argc == 2);
    snprintf(path, sizeof path, "%s/manifest.json", argv[1]);
    char *text = read_all(path, &size);
    if (!text) {
        return CHECK_SKIP;
    }
    REQUIRE_OK(json_parse(&json, text, size, path, &error));
    int failed = 0, n = 0;
    uint32_t list = json_type_of(json, 0) == JSON_ARRAY ? 0 : json_get(json, 0, "files");
    for (uint32_t row = json_first(json, list); row != JSON_NONE;
         row = json_next(json, list, row), n++) {
        char *file = json_string(json, json_get(json, row, "file"), NULL);
        char *verdict = json_string(json, json_get(json, row, "verdict"), NULL);
        char *expect = json_string(json, json_get(json, row, "expect"), NULL);
        failed += check_in_child(argv[1], file, verdict, expect);
        free(file);
        free(verdict);
        free(expect);
    }
    REQUIRE(access("/tmp/PWNED_BY_PICKLE", F_OK) != 0);
    json_destroy(&json);
    free(text);
    printf("%d files, %d failed\n", n, failed);
    return failed ? 1 : 0;
}
