/* The card for programs. */
#include "app/card/card.h"
#include "config.h"

#include <json-glib/json-glib.h>

static void put_text(JsonBuilder *b, const char *name, const char *text)
{
    json_builder_set_member_name(b, name);
    if (text) {
        json_builder_add_string_value(b, text);
    } else {
        json_builder_add_null_value(b);
    }
}

static void put_count(JsonBuilder *b, const char *name, guint count)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, count);
}

static void put_number(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_double_value(b, value);
}

/* Nothing of nothing is no share. */
static void put_share(JsonBuilder *b, const char *name, const CardShare *share)
{
    json_builder_set_member_name(b, name);
    if (share->n == 0) {
        json_builder_add_null_value(b);
        return;
    }
    json_builder_begin_object(b);
    put_number(b, "value", (double)share->k / share->n);
    put_number(b, "low", share->low);
    put_number(b, "high", share->high);
    put_count(b, "of", share->n);
    json_builder_end_object(b);
}

static void put_labels(JsonBuilder *b, const Card *card)
{
    json_builder_set_member_name(b, "labels");
    json_builder_begin_array(b);
    for (guint i = 0; i < card->labels->len; i++) {
        const CardLabel *label = card->labels->pdata[i];
        json_builder_begin_object(b);
        put_text(b, "name", label->name);
        json_builder_set_member_name(b, "prompts");
        json_builder_begin_array(b);
        for (guint p = 0; p < label->prompts->len; p++) {
            json_builder_add_string_value(b, label->prompts->pdata[p]);
        }
        json_builder_end_array(b);
        put_count(b, "accepted", label->accepted);
        put_count(b, "rejected", label->rejected);
        put_count(b, "by_model", label->by_model);
        put_count(b, "undecided", label->undecided);
        put_share(b, "precision", &label->precision);
        put_share(b, "recall", &label->recall);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void put_authors(JsonBuilder *b, const Card *card)
{
    json_builder_set_member_name(b, "authors");
    json_builder_begin_array(b);
    for (guint i = 0; i < card->authors->len; i++) {
        const CardAuthor *author = card->authors->pdata[i];
        json_builder_begin_object(b);
        put_text(b, "name", author->name);
        put_text(b, "kind", author->by_model ? "model" : "person");
        put_count(b, "decisions", author->decisions);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void put_splits(JsonBuilder *b, const Card *card)
{
    json_builder_set_member_name(b, "splits");
    json_builder_begin_object(b);
    for (guint i = 0; i < card->splits->len; i++) {
        const CardSplit *split = card->splits->pdata[i];
        put_count(b, split->name, split->files);
    }
    json_builder_end_object(b);
}

char *card_to_json(const Card *card)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    put_text(b, "name", card->name);
    put_text(b, "program", "taglight " VERSION);
    put_count(b, "images", card->images);
    put_count(b, "files", card->files);
    put_count(b, "accepted", card->accepted);
    put_count(b, "rejected", card->rejected);
    put_count(b, "by_model", card->by_model);
    put_text(b, "first_decision", card->first);
    put_text(b, "last_decision", card->last);
    put_text(b, "model", card->model);
    put_number(b, "threshold", card->threshold);
    put_labels(b, card);
    put_authors(b, card);
    put_splits(b, card);
    json_builder_set_member_name(b, "duplicates");
    json_builder_begin_object(b);
    put_count(b, "groups_of_same_content", card->copies);
    put_count(b, "groups_of_near_looks", card->near);
    put_count(b, "files_looked_at", card->looked_at);
    json_builder_end_object(b);
    put_text(b, "manifest_sha256", card->manifest);
    put_text(b, "command", card->command);
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}
