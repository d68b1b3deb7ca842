/* `taglight card`: a database described for whoever is given its labels. */
#include "app/card/card.h"
#include "app/commands/commands.h"

#include <string.h>

static const char help[] =
    "Counts, prompts, who decided, precision and recall, copies, splits and a checksum\n"
    "of the labels. The same database gives the same bytes; docs/health.md says how the\n"
    "figures are made.";

struct card_arguments {
    char *db, *out, *json, *model, *split;
    double threshold, shares[EXPORT_SPLITS];
    gint64 seed;
};

static gboolean put_card(const struct card_arguments *a, const Card *card,
                         GError **error)
{
    g_autofree char *markdown = card_to_markdown(card);
    g_autofree char *json = card_to_json(card);
    return (!a->out || command_put_file(a->out, markdown, error))
           && (!a->json || command_put_file(a->json, json, error));
}

static int run(const struct card_arguments *a)
{
    g_autoptr(GError) error = NULL;
    store *s = store_open(a->db, STORE_READ_ONLY, &error);
    store *memory = s && a->split ? store_open(a->db, STORE_CREATE, &error) : NULL;
    CardOptions o = { .db = a->db, .model = a->model, .threshold = a->threshold,
                      .split = a->split ? a->shares : NULL, .split_text = a->split,
                      .split_seed = (guint64)a->seed, .memory = memory };
    Card *card = s && (memory || !a->split) ? card_build(s, &o, &error) : NULL;
    gboolean good = card && put_card(a, card, &error);
    card_free(&card);
    store_close(&memory);
    store_close(&s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}

static int check_and_run(struct card_arguments *a, int argc)
{
    if (argc > 1 || !a->db || (!a->out && !a->json)
        || !(a->threshold >= 0 && a->threshold <= 1)) {
        return command_fail(COMMAND_MISUSED, "card needs --db, and --out or --json; "
                            "--threshold is between 0 and 1");
    }
    if (a->split && !command_parse_split(a->split, a->shares)) {
        return command_fail(COMMAND_MISUSED,
                            "--split is like train=0.8,val=0.1,test=0.1 with a sum of "
                            "1");
    }
    return run(a);
}

int command_card(int argc, char **argv)
{
    struct card_arguments a = { .threshold = .5 };
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &a.db, "Database of decisions", "FILE" },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "Write the card as Markdown; - "
          "for standard output", "FILE" },
        { "json", 0, 0, G_OPTION_ARG_FILENAME, &a.json, "Write it as JSON", "FILE" },
        { "model", 'm', 0, G_OPTION_ARG_STRING, &a.model, "Whose confidences in the "
          "database count (the newest)", "NAME" },
        { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &a.threshold, "Confidences from it "
          "on are predictions (0.5)", "X" },
        { "split", 0, 0, G_OPTION_ARG_STRING, &a.split, "Count the parts that `export "
          "--split` makes", "PARTS" },
        { "split-seed", 0, 0, G_OPTION_ARG_INT64, &a.seed, "As for `export` (0)", "N" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "- describe the decisions of a database",
                       help)) {
        return COMMAND_MISUSED;
    }
    int status = check_and_run(&a, argc);
    char *texts[] = { a.db, a.out, a.json, a.model, a.split };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    return status;
}
