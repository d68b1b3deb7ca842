#include "app/trainer/base.h"

#include "app/engine/prompt_text.h"
#include "compute/text/bpe_learn.h"
#include "compute/train/init.h"

#include <string.h>

/* Of a head and an alignment that are added: the published ones. */
#define DECODER_WIDTH 768
#define ALIGN_WIDTH 512

static void *fail(const struct nn_error *failure, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure->text);
    return NULL;
}

/* Prompts of the labels, which hold all words that captions are made of but their
 * separators, and the lines of a file. */
static GPtrArray *list_texts(const struct trainer_options *o, const struct training_set *set,
                             GError **error)
{
    g_autoptr(GPtrArray) lines = o->words ? dataset_read_lines(o->words, error) : NULL;
    if (o->words && !lines) {
        return NULL;
    }
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < set->labels->len; i++) {
        g_ptr_array_add(texts, prompts_fill(o->prompt, set->labels->pdata[i]));
    }
    for (guint i = 0; lines && i < lines->len; i++) {
        g_ptr_array_add(texts, g_strdup(lines->pdata[i]));
    }
    g_ptr_array_add(texts, g_strdup(", and"));
    return texts;
}

struct fresh { const struct state *state; const struct state_entry *entry; };

static enum nn_status read_fresh(void *user, void *out, struct nn_error *error)
{
    const struct fresh *f = user;
    return state_read(f->state, f->entry, out, error);
}

static struct weights_output fresh_output(struct fresh *f)
{
    struct weights_output out = { .name = f->entry->name, .type = WEIGHTS_F32,
                                  .rank = f->entry->rank, .read = read_fresh, .user = f };
    memcpy(out.shape, f->entry->shape, sizeof out.shape);
    return out;
}

/* What a new model may begin with of another: tensors by the start of their names. */
struct part { const char *what; const char *prefixes[6]; };

static const struct part image_encoder = { "image encoder", { "body." } };
static const struct part text_encoder = {
    "text encoder", { "token_embedding.", "positional_embedding", "transformer.",
                      "ln_final.", "text_projection" } };

static bool belongs(const struct part *part, const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(part->prefixes) && part->prefixes[i]; i++) {
        if (g_str_has_prefix(name, part->prefixes[i])) {
            return true;
        }
    }
    return false;
}

/* Writes the new `state` with the part of `other`, called `name`, in place of its own. */
static enum nn_status write_joined(const struct state *state, const struct model *other,
                                   const struct part *part, const char *name,
                                   const char *path, struct nn_error *failure)
{
    size_t n = state_count(state);
    g_autofree struct fresh *fresh = g_new(struct fresh, n);
    g_autofree struct weights_output *outputs = g_new0(struct weights_output, n);
    for (size_t i = 0; i < n; i++) {
        fresh[i] = (struct fresh){ state, state_at(state, i) };
        if (belongs(part, fresh[i].entry->name)) {
            const struct state_entry *e = fresh[i].entry;
            fresh[i].state = model_state(other);
            fresh[i].entry = state_find(fresh[i].state, e->name);
            if (!fresh[i].entry || fresh[i].entry->rank != e->rank
                || memcmp(fresh[i].entry->shape, e->shape, sizeof e->shape) != 0) {
                return nn_fail(failure, NN_ERROR_INVALID, "%s: its %s is not of the sizes "
                               "of the configuration: \"%s\" is missing or does not fit",
                               name, part->what, e->name);
            }
        }
        outputs[i] = fresh_output(&fresh[i]);
    }
    return weights_save(path, outputs, n, NULL, 0, failure);
}

/* Gives *state the part of the bundle `from`; nothing where that is NULL. */
static enum nn_status take_part(struct state **state, const struct part *part,
                                const char *from, const char *folder,
                                struct nn_error *failure)
{
    struct model *other = NULL;
    struct weights *file = NULL;
    struct state *whole = NULL;
    g_autofree char *path = g_build_filename(folder, BASE_ADDED, NULL);
    if (!from) {
        return NN_OK;
    }
    enum nn_status status = model_open(&other, &from, 1, NULL, failure);
    if (status == NN_OK) {
        status = write_joined(*state, other, part, from, path, failure);
    }
    model_destroy(&other);
    if (status == NN_OK) {
        status = weights_open(&file, path, failure);
    }
    if (status == NN_OK) {
        status = state_create(&whole, &file, 1, failure);
    }
    if (status == NN_OK) {
        state_destroy(state);
        *state = whole;
    }
    return status;
}

/* The tokenizer of a new model, into `folder`: a text encoder that was made before keeps
 * its own, else it is learnt from `texts`. Sets the number of its tokens. */
static enum nn_status make_tokenizer(const struct trainer_options *o, const GPtrArray *texts,
                                     const char *folder, uint32_t *vocabulary,
                                     struct nn_error *failure)
{
    struct model *model = NULL;
    bool found = false;
    if (!o->text_encoder) {
        return bpe_learn((const char *const *)texts->pdata, texts->len, *vocabulary, folder,
                         vocabulary, failure);
    }
    enum nn_status status = model_open(&model, &o->text_encoder, 1, NULL, failure);
    const struct state_entry *tokens =
        status == NN_OK ? state_find(model_state(model), "token_embedding.weight") : NULL;
    if (tokens) {
        *vocabulary = (uint32_t)tokens->shape[0];
        status = model_copy_tokenizer(o->text_encoder, folder, &found, failure);
    }
    if (status == NN_OK && !found) {
        status = nn_fail(failure, NN_ERROR_INVALID, "%s has no text encoder with a tokenizer",
                         o->text_encoder);
    }
    model_destroy(&model);
    return status;
}

static struct model *make_model(const struct trainer_options *o,
                                const struct training_set *set, const char *folder,
                                GError **error)
{
    struct nn_error failure = { 0 };
    struct network_config config;
    struct state *state = NULL;
    struct model *model = NULL;
    struct model_settings settings;
    g_autoptr(GPtrArray) texts = list_texts(o, set, error);
    if (!texts) {
        return NULL;
    }
    if (network_config_read(&config, o->config, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    config.auxiliary = o->auxiliary > 0 ? set->labels->len : 0;
    if (make_tokenizer(o, texts, folder, &config.vocabulary, &failure) != NN_OK
        || state_create_random(&state, &config, o->seed, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    if (take_part(&state, &image_encoder, o->encoder, folder, &failure) != NN_OK
        || take_part(&state, &text_encoder, o->text_encoder, folder, &failure) != NN_OK) {
        state_destroy(&state);
        return fail(&failure, error);
    }
    model_settings_init(&settings);
    settings.text_heads = config.text_heads;
    struct model_preprocess preprocess = {
        config.image_size, config.image_size, MODEL_FIT_SQUASH, MODEL_BILINEAR,
        { 0, 0, 0 }, { 1, 1, 1 } };
    struct model_facts facts = { .name = "new", .prompt = o->prompt,
                                 .preprocess = &preprocess, .settings = &settings,
                                 .tokenizer = folder };
    return model_create(&model, state, &facts, &failure) == NN_OK ? model
                                                                 : fail(&failure, error);
}

/* --- A model to go on from ----------------------------------------------------------- */

static gboolean lacks_head(const struct model *m)
{
    return model_info(m)->head.kind != MODEL_PART_HEAD_ZSL;
}

static gboolean lacks_alignment(const struct model *m)
{
    return !state_find(model_state(m), "align.W_i");
}

/* The sizes of a network whose head and alignment fit the parts of `m`. */
static struct network_config fitting_config(const struct model *m)
{
    const struct state *state = model_state(m);
    const struct state_entry *last = state_find(state, "body.layer4.0.conv3.conv.weight");
    const struct state_entry *text = state_find(state, "text_projection");
    return (struct network_config){
        .layers = { 1, 1, 1, 1 }, .width_factor = (double)(last->shape[0] / 32) / 64,
        .decoder_width = lacks_head(m) ? DECODER_WIDTH : model_info(m)->token_width,
        .label_width = (uint32_t)text->shape[1], .text_context = 2, .text_width = 8,
        .text_layers = 1, .text_heads = 1, .vocabulary = 1, .align_width = ALIGN_WIDTH,
        .temperature = NETWORK_TEMPERATURE, .image_size = 32 };
}

/* Writes the head and the alignment that `m` lacks, with random values, to `path`. */
static enum nn_status write_missing(const struct model *m, guint64 seed, const char *path,
                                    struct nn_error *failure)
{
    struct network_config config = fitting_config(m);
    struct state *state = NULL;
    enum nn_status status = state_create_random(&state, &config, seed, failure);
    if (status != NN_OK) {
        return status;
    }
    size_t n = 0;
    g_autofree struct fresh *fresh = g_new(struct fresh, state_count(state));
    g_autofree struct weights_output *outputs =
        g_new0(struct weights_output, state_count(state));
    for (size_t i = 0; i < state_count(state); i++) {
        const struct state_entry *e = state_at(state, i);
        if (!(g_str_has_prefix(e->name, "head.") && lacks_head(m))
            && !(g_str_has_prefix(e->name, "align.") && lacks_alignment(m))) {
            continue;
        }
        fresh[n] = (struct fresh){ state, e };
        outputs[n] = fresh_output(&fresh[n]);
        n++;
    }
    status = weights_save(path, outputs, n, NULL, 0, failure);
    state_destroy(&state);
    return status;
}

/* Replaces *model, read from `path`, by one with a head and an alignment. */
static enum nn_status complete(struct model **model, const char *path, guint64 seed,
                               const char *folder, struct nn_error *failure)
{
    struct weights *files[2] = { NULL };
    struct state *state = NULL;
    struct model *whole = NULL;
    g_autofree char *added = g_build_filename(folder, BASE_ADDED, NULL);
    const struct model_info *info = model_info(*model);
    struct model_facts facts = { .name = info->name, .licence = info->licence,
                                 .prompt = info->prompt,
                                 .preprocess = &info->preprocess,
                                 .settings = model_settings(*model), .tokenizer = folder };
    enum nn_status status = write_missing(*model, seed, added, failure);
    for (int i = 0; i < 2 && status == NN_OK; i++) {
        status = weights_open(&files[i], i ? added : path, failure);
    }
    if (status != NN_OK) {
        weights_destroy(&files[0]);
        return status;
    }
    status = state_create(&state, files, 2, failure);
    if (status == NN_OK) {
        status = model_create(&whole, state, &facts, failure);
    }
    if (status == NN_OK) {
        model_destroy(model);
        *model = whole;
    }
    return status;
}

/* What is wrong with the model, or NULL. */
static const char *find_fault(const struct model *m)
{
    const struct model_info *info = model_info(m);
    enum model_part_kind head = info->head.kind;
    if (info->image.kind != MODEL_PART_TRESNET || info->text.kind == MODEL_PART_NONE
        || head == MODEL_PART_HEAD_GROUP) {
        return "training needs a TResNet and a CLIP text encoder; a head that is not for "
               "free labels cannot be trained";
    }
    return info->preprocess.fit != MODEL_FIT_SQUASH
               ? "training squashes pictures, and this model crops them"
           : !model_tokenizer(m) ? "the model has no tokenizer" : NULL;
}

static struct model *open_model(const struct trainer_options *o, const char *folder,
                                GError **error)
{
    struct nn_error failure = { 0 };
    struct model *model = NULL;
    bool found = false;
    if (model_open(&model, &o->model, 1, NULL, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    const char *wrong = find_fault(model);
    enum nn_status status = wrong ? nn_fail(&failure, NN_ERROR_UNSUPPORTED, "%s: %s",
                                            o->model, wrong)
                                  : model_copy_tokenizer(o->model, folder, &found, &failure);
    bool aligned = o->alpha > 0 && o->scope != TRAINER_DECODER;
    if (status == NN_OK && (lacks_head(model) || (lacks_alignment(model) && aligned))) {
        status = complete(&model, o->model, o->seed, folder, &failure);
    }
    if (status != NN_OK) {
        model_destroy(&model);
        return fail(&failure, error);
    }
    return model;
}

struct model *base_open(const struct trainer_options *options,
                        const struct training_set *set, const char *folder, GError **error)
{
    return options->config ? make_model(options, set, folder, error)
                           : open_model(options, folder, error);
}
