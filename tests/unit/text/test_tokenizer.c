/* Token ids against a table: test_tokenizer TOKENIZER_DIR STRINGS.tsv. Rows: number,
 * kind, whether text repair matters, text in hex, ids, ids without text repair. */
#include "compute/text/tokenizer.h"
#include "tests/check.h"

static size_t from_hex(const char *hex, size_t size, char *out)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        unsigned value = 0;
        REQUIRE(sscanf(hex + i, "%2x", &value) == 1);
        out[i / 2] = (char)value;
    }
    return size / 2;
}

static int check_row(const struct tokenizer *t, char *line)
{
    char *field[6] = { line };
    struct nn_error error = { 0 };
    for (int i = 1; i < 6; i++) {
        field[i] = strchr(field[i - 1], '\t');
        REQUIRE(field[i]);
        *field[i]++ = '\0';
    }
    size_t hex = strlen(field[3]), n = 0, at = 0;
    char *text = malloc(hex / 2 + 1);
    size_t size = from_hex(field[3], hex, text);
    int32_t *ids = NULL;
    REQUIRE_OK(tokenizer_encode(t, text, size, &ids, &n, &error));
    const char *want = *field[5] ? field[5] : field[4];
    int failed = 0;
    for (char *end; *want && *want != '\n'; want = end, at++) {
        long id = strtol(want, &end, 10);
        if (end == want) {
            break;
        }
        failed |= at >= n || ids[at] != id;
    }
    failed |= at != n;
    if (failed) {
        fprintf(stderr, "row %s (%s): ids differ; got", field[0], field[1]);
        for (size_t i = 0; i < n && i < 20; i++) {
            fprintf(stderr, " %d", ids[i]);
        }
        fprintf(stderr, "\n");
    }
    free(ids);
    free(text);
    return failed;
}

int main(int argc, char **argv)
{
    struct nn_error error = { 0 };
    struct tokenizer *t = NULL;
    REQUIRE(argc == 3);
    FILE *file = fopen(argv[2], "r");
    if (!file) {
        return CHECK_SKIP;
    }
    REQUIRE_OK(tokenizer_load(&t, argv[1], &error));
    static char line[1 << 20];
    int rows = 0, failed = 0;
    while (fgets(line, sizeof line, file)) {
        if (line[0] < '0' || line[0] > '9') {
            continue; /* the header */
        }
        line[strcspn(line, "\n")] = '\0';
        failed += check_row(t, line);
        rows++;
    }
    fclose(file);
    /* A long run of one letter must not take quadratic time. */
    size_t size = 1 << 20, n = 0;
    char *run = malloc(size);
    int32_t *ids = NULL;
    memset(run, 'a', size);
    REQUIRE_OK(tokenizer_encode(t, run, size, &ids, &n, &error));
    REQUIRE(n > 0 && n <= size);
    free(ids);
    free(run);
    tokenizer_destroy(&t);
    REQUIRE(tokenizer_load(&t, "/nonexistent/tokenizer", &error) != NN_OK);
    REQUIRE(strstr(error.text, "/nonexistent/tokenizer"));
    printf("%d rows, %d failed\n", rows, failed);
    return failed || rows == 0 ? 1 : 0;
}
