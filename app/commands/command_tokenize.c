#include "app/commands/commands.h"
#include "compute/text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 77

static gboolean print_line(const struct tokenizer *t, const char *text, gsize size,
                           gboolean pad)
{
    struct nn_error error = { 0 };
    if (pad) {
        int64_t ids[CONTEXT];
        size_t used, full;
        if (tokenizer_prompt(t, text, size, ids, CONTEXT, &used, &full, &error) != NN_OK) {
            command_fail(COMMAND_FAILED, "%s", error.text);
            return FALSE;
        }
        for (size_t i = 0; i < CONTEXT; i++) {
            printf(i ? " %lld" : "%lld", (long long)ids[i]);
        }
    } else {
        int32_t *ids = NULL;
        size_t n = 0;
        if (tokenizer_encode(t, text, size, &ids, &n, &error) != NN_OK) {
            command_fail(COMMAND_FAILED, "%s", error.text);
            return FALSE;
        }
        printf("%d", tokenizer_start_id(t));
        for (size_t i = 0; i < n; i++) {
            printf(" %d", ids[i]);
        }
        printf(" %d", tokenizer_end_id(t));
        free(ids);
    }
    putchar('\n');
    return TRUE;
}

/* Lines end at a newline alone: a carriage return or a NUL is part of the text. */
static int print_all(const struct tokenizer *t, FILE *in, gboolean pad)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int status = COMMAND_DONE;
    while (status == COMMAND_DONE && (size = getline(&line, &room, in)) >= 0) {
        size -= size > 0 && line[size - 1] == '\n';
        status = print_line(t, line, (gsize)size, pad) ? COMMAND_DONE : COMMAND_FAILED;
    }
    free(line);
    return status;
}

int command_tokenize(int argc, char **argv)
{
    gboolean pad = FALSE;
    g_autofree char *model = NULL;
    const GOptionEntry entries[] = {
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model,
          "Model or folder with the tokenizer", "MODEL|DIR" },
        { "pad", 0, 0, G_OPTION_ARG_NONE, &pad, "Pad or cut each line to 77 ids", NULL },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "[FILE] - print token ids",
                       "Reads lines from FILE or standard input and prints the ids of "
                       "each, with start and end.")) {
        return COMMAND_MISUSED;
    }
    if (!model || argc > 2) {
        return command_fail(COMMAND_MISUSED, "tokenize needs --model and at most one file");
    }
    g_autofree char *path = command_find_model(model);
    struct tokenizer *tokenizer = NULL;
    struct nn_error error = { 0 };
    if (tokenizer_load(&tokenizer, path, &error) != NN_OK) {
        return command_fail(COMMAND_FAILED, "%s", error.text);
    }
    FILE *in = argc == 2 && strcmp(argv[1], "-") != 0 ? fopen(argv[1], "rb") : stdin;
    int status = in ? print_all(tokenizer, in, pad)
                    : command_fail(COMMAND_FAILED, "%s: cannot be read", argv[1]);
    if (in && in != stdin) {
        fclose(in);
    }
    tokenizer_destroy(&tokenizer);
    return status;
}
