#include "app/trainer/record.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* What is known of a picture; of most pairs nothing special is. */
static void add_targets(GChecksum *sum, const float *targets, guint32 n)
{
    for (guint32 k = 0; k < n; k++) {
        if (targets[k] != 0) {
            g_checksum_update(sum, (const guchar *)&k, sizeof k);
            g_checksum_update(sum, (const guchar *)&targets[k], sizeof *targets);
        }
    }
}

/* Of the names of the pictures and labels, and of every target. */
static char *checksum(const struct training_set *set)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint n = set->labels->len;
    g_autofree float *targets = g_new(float, n);
    for (guint k = 0; k < n; k++) {
        const char *label = set->labels->pdata[k];
        g_checksum_update(sum, (const guchar *)label, (gssize)strlen(label) + 1);
    }
    for (guint i = 0; i < set->images->len; i++) {
        const char *name =
            dataset_image_name(set->data, g_array_index(set->images, guint, i));
        training_set_targets(set, i, targets);
        g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name) + 1);
        add_targets(sum, targets, n);
    }
    return g_strndup(g_checksum_get_string(sum), 16);
}

static void add(GArray *pairs, const char *name, char *value)
{
    struct checkpoint_option pair = { name, value };
    g_array_append_val(pairs, pair);
}

static void add_number(GArray *pairs, const char *name, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    add(pairs, name, g_strdup(g_ascii_dtostr(text, sizeof text, value)));
}

struct checkpoint_option *record_options(const struct trainer_options *o,
                                         const struct training_set *set,
                                         const char *fingerprint)
{
    static const char *const scopes[] = { "all", "head", "head+text", "decoder" };
    static const char *const reductions[] = { "sum", "image", "mean" };
    GArray *pairs = g_array_new(TRUE, TRUE, sizeof(struct checkpoint_option));
    add(pairs, "model", g_strdup(fingerprint));
    add(pairs, "data", checksum(set));
    add(pairs, "prompt", g_strdup(o->prompt));
    add(pairs, "word-vectors", g_strdup(o->word_vectors ? o->word_vectors : ""));
    add(pairs, "scope", g_strdup(scopes[o->scope]));
    add(pairs, "reduction", g_strdup(reductions[o->reduction]));
    add(pairs, "optimizer", g_strdup(o->optimizer == TRAINER_ADAM ? "adam" : "adamw"));
    add(pairs, "seed", g_strdup_printf("%" G_GUINT64_FORMAT, o->seed));
    add(pairs, "precision", g_strdup(o->mixed ? "f16" : "f32"));
    const struct { const char *name; double value; } numbers[] = {
        { "alpha", o->alpha }, { "beta", o->beta }, { "auxiliary", o->auxiliary },
        { "gamma-negative", o->gamma_negative }, { "gamma-positive", o->gamma_positive },
        { "clip", o->clip }, { "dropout", o->dropout },
        { "labels-per-step", o->labels_per_step }, { "keep", o->keep },
        { "caption-labels", o->caption_labels }, { "lr", o->lr }, { "decay", o->decay },
        { "warmup", o->warmup }, { "ema", o->ema }, { "max-norm", o->max_norm },
        { "batch", o->batch }, { "steps", (double)o->steps },
        { "augment", o->augment.kinds }, { "operations", o->augment.operations },
        { "magnitude", o->augment.magnitude } };
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        add_number(pairs, numbers[i].name, numbers[i].value);
    }
    return (struct checkpoint_option *)(gpointer)g_array_free(pairs, FALSE);
}

void record_free(struct checkpoint_option *options)
{
    for (struct checkpoint_option *o = options; o && o->name; o++) {
        g_free(o->value);
    }
    g_free(options);
}

static void put_options(JsonBuilder *b, const struct checkpoint_option *pairs)
{
    json_builder_set_member_name(b, "options");
    json_builder_begin_object(b);
    for (; pairs->name; pairs++) {
        json_builder_set_member_name(b, pairs->name);
        json_builder_add_string_value(b, pairs->value);
    }
    json_builder_end_object(b);
}

static void put_labels(JsonBuilder *b, const struct training_set *set)
{
    json_builder_set_member_name(b, "labels");
    json_builder_begin_array(b);
    for (guint i = 0; i < set->labels->len; i++) {
        json_builder_add_string_value(b, set->labels->pdata[i]);
    }
    json_builder_end_array(b);
}

static void put_end(JsonBuilder *b, const struct trainer_progress *last)
{
    json_builder_set_member_name(b, "steps");
    json_builder_add_int_value(b, (gint64)last->step);
    json_builder_set_member_name(b, "loss");
    json_builder_add_double_value(b, last->loss);
}

char *record_base(const char *bundle)
{
    g_autofree char *path = g_build_filename(bundle, "training.json", NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = json_parser_load_from_file(parser, path, NULL)
                         ? json_parser_get_root(parser) : NULL;
    JsonNode *base = root && JSON_NODE_HOLDS_OBJECT(root)
                         ? json_object_get_member(json_node_get_object(root), "base") : NULL;
    return base && json_node_get_value_type(base) == G_TYPE_STRING ? json_node_dup_string(base)
                                                                   : NULL;
}

gboolean record_write(const char *path, const struct trainer_options *options,
                      const struct checkpoint_option *pairs,
                      const struct training_set *set, const struct trainer_progress *last,
                      GError **error)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "command");
    json_builder_add_string_value(b, options->command ? options->command : "");
    if (options->model) {
        g_autofree char *base = g_canonicalize_filename(options->model, NULL);
        json_builder_set_member_name(b, "base");
        json_builder_add_string_value(b, base);
    }
    json_builder_set_member_name(b, "pictures");
    json_builder_add_int_value(b, set->images->len);
    put_end(b, last);
    put_options(b, pairs);
    put_labels(b, set);
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    return json_generator_to_file(generator, path, error);
}
