/* The card for people. */
#include "app/card/card.h"
#include "config.h"

#include <string.h>

/* Text of others must not become markup, nor end a row of a table. */
static void put_plain(GString *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (g_ascii_iscntrl(*c)) {
            g_string_append_c(out, ' ');
            continue;
        }
        if (strchr("\\`*_{}[]<>#|&~!", *c)) {
            g_string_append_c(out, '\\');
        }
        g_string_append_c(out, *c);
    }
}

static void put_percent(GString *out, double share)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(out, g_ascii_formatd(number, sizeof number, "%.1f", 100 * share));
}

static void put_share(GString *out, const CardShare *share)
{
    if (share->n == 0) {
        g_string_append(out, " – |");
        return;
    }
    g_string_append_c(out, ' ');
    put_percent(out, (double)share->k / share->n);
    g_string_append(out, " % (");
    put_percent(out, share->low);
    g_string_append(out, " to ");
    put_percent(out, share->high);
    g_string_append_printf(out, ", of %u) |", share->n);
}

static void put_row(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, "| %s | ", name);
    put_plain(out, value);
    g_string_append(out, " |\n");
}

static void put_count(GString *out, const char *name, guint count)
{
    g_autofree char *text = g_strdup_printf("%u", count);
    put_row(out, name, text);
}

static void put_facts(GString *out, const Card *card)
{
    g_string_append(out, "| | |\n|---|---|\n");
    put_count(out, "Images", card->images);
    put_count(out, "Files", card->files);
    put_count(out, "Labels", card->labels->len);
    put_count(out, "Accepted pairs of image and label", card->accepted);
    put_count(out, "Rejected pairs", card->rejected);
    put_count(out, "Of them decided by a model", card->by_model);
    put_row(out, "First decision", card->first ? card->first : "none");
    put_row(out, "Last decision", card->last ? card->last : "none");
    put_row(out, "SHA-256 of the labels", card->manifest);
    put_row(out, "Made by", "taglight " VERSION);
}

static void put_labels(GString *out, const Card *card)
{
    char threshold[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(threshold, sizeof threshold, "%g", card->threshold);
    g_string_append(out, "\n## Labels\n\n| Label | Prompts | Accepted | Rejected "
                    "| By model | Undecided | Precision | Recall |\n"
                    "|---|---|--:|--:|--:|--:|---|---|\n");
    for (guint i = 0; i < card->labels->len; i++) {
        const CardLabel *label = card->labels->pdata[i];
        g_string_append(out, "| ");
        put_plain(out, label->name);
        g_string_append(out, " | ");
        for (guint p = 0; p < label->prompts->len; p++) {
            g_string_append(out, p ? "; " : "");
            put_plain(out, label->prompts->pdata[p]);
        }
        g_string_append_printf(out, " | %u | %u | %u | %u |", label->accepted,
                               label->rejected, label->by_model, label->undecided);
        put_share(out, &label->precision);
        put_share(out, &label->recall);
        g_string_append_c(out, '\n');
    }
    g_string_append(out, "\nPrecision and recall are those of ");
    if (card->model) {
        put_plain(out, card->model);
    } else {
        g_string_append(out, "the newest confidence of each pair");
    }
    g_string_append_printf(
        out, " at a threshold of %s, against what people decided, with intervals of "
        "95 %% (Wilson). They hold for images like those that were decided about: where "
        "people looked at the likeliest images first, the recall of all is lower.\n",
        threshold);
}

static void put_authors(GString *out, const Card *card)
{
    g_string_append(out, "\n## Who decided\n\n| | | Decisions |\n|---|---|--:|\n");
    for (guint i = 0; i < card->authors->len; i++) {
        const CardAuthor *author = card->authors->pdata[i];
        g_string_append(out, author->by_model ? "| model | " : "| person | ");
        put_plain(out, *author->name ? author->name : "without a name");
        g_string_append_printf(out, " | %u |\n", author->decisions);
    }
}

static void put_splits(GString *out, const Card *card)
{
    if (card->splits->len == 0) {
        return;
    }
    g_string_append(out, "\n## Splits\n\n| Part | Files |\n|---|--:|\n");
    for (guint i = 0; i < card->splits->len; i++) {
        const CardSplit *split = card->splits->pdata[i];
        put_count(out, split->name, split->files);
    }
    g_string_append(out, "\nPictures that look nearly the same are in the same "
                    "part.\n");
}

char *card_to_markdown(const Card *card)
{
    GString *out = g_string_new("# ");
    put_plain(out, card->name);
    g_string_append(out, "\n\nLabels of images that people accepted and rejected, "
                    "some with the help of a model.\n\n");
    put_facts(out, card);
    put_labels(out, card);
    put_authors(out, card);
    put_splits(out, card);
    g_string_append_printf(
        out, "\n## Copies\n\n%u groups of files have the same content, and %u groups of "
        "pictures look nearly the same; the looks of %u of %u files are known.\n",
        card->copies, card->near, card->looked_at, card->files);
    g_string_append_printf(out, "\n## Made again by\n\n```sh\n%s\n```\n",
                           card->command);
    return g_string_free(out, FALSE);
}
