/* The card for programs. */
#include "app/card/card.h"
#include "app/json/json_out.h"
#include "config.h"

/* Nothing of nothing is no share. */
static void put_share(JsonBuilder *b, const char *name, const CardShare *share)
{
    json_builder_set_member_name(b, name);
    if (share->n == 0) {
        json_builder_add_null_value(b);
        return;
    }
    json_builder_begin_object(b);
    json_out_number(b, "value", (double)share->k / share->n);
    json_out_number(b, "low", share->low);
    json_out_number(b, "high", share->high);
    json_out_count(b, "of", share->n);
    json_builder_end_object(b);
}

static void put_labels(JsonBuilder *b, const Card *card)
{
    json_out_begin_array(b, "labels");
    for (guint i = 0; i < card->labels->len; i++) {
        const CardLabel *label = card->labels->pdata[i];
        json_builder_begin_object(b);
        json_out_text(b, "name", label->name);
        json_out_begin_array(b, "prompts");
        for (guint p = 0; p < label->prompts->len; p++) {
            json_builder_add_string_value(b, label->prompts->pdata[p]);
        }
        json_builder_end_array(b);
        json_out_count(b, "accepted", label->accepted);
        json_out_count(b, "rejected", label->rejected);
        json_out_count(b, "by_model", label->by_model);
        json_out_count(b, "undecided", label->undecided);
        put_share(b, "precision", &label->precision);
        put_share(b, "recall", &label->recall);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void put_authors(JsonBuilder *b, const Card *card)
{
    json_out_begin_array(b, "authors");
    for (guint i = 0; i < card->authors->len; i++) {
        const CardAuthor *author = card->authors->pdata[i];
        json_builder_begin_object(b);
        json_out_text(b, "name", author->name);
        json_out_text(b, "kind", author->by_model ? "model" : "person");
        json_out_count(b, "decisions", author->decisions);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void put_splits(JsonBuilder *b, const Card *card)
{
    json_out_begin_object(b, "splits");
    for (guint i = 0; i < card->splits->len; i++) {
        const CardSplit *split = card->splits->pdata[i];
        json_out_count(b, split->name, split->files);
    }
    json_builder_end_object(b);
}

char *card_to_json(const Card *card)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_out_text(b, "name", card->name);
    json_out_text(b, "program", "taglight " VERSION);
    json_out_count(b, "images", card->images);
    json_out_count(b, "files", card->files);
    json_out_count(b, "accepted", card->accepted);
    json_out_count(b, "rejected", card->rejected);
    json_out_count(b, "by_model", card->by_model);
    json_out_text(b, "first_decision", card->first);
    json_out_text(b, "last_decision", card->last);
    json_out_text(b, "model", card->model);
    json_out_number(b, "threshold", card->threshold);
    put_labels(b, card);
    put_authors(b, card);
    put_splits(b, card);
    json_out_begin_object(b, "duplicates");
    json_out_count(b, "groups_of_same_content", card->copies);
    json_out_count(b, "groups_of_near_looks", card->near);
    json_out_count(b, "files_looked_at", card->looked_at);
    json_builder_end_object(b);
    json_out_text(b, "manifest_sha256", card->manifest);
    json_out_text(b, "command", card->command);
    json_builder_end_object(b);
    g_autofree char *text = json_out_string(b);
    return g_strconcat(text, "\n", NULL);
}
