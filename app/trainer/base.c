#include "app/trainer/base.h"

#include "app/engine/prompt_text.h"
#include "compute/text/bpe_learn.h"
#include "compute/train/init.h"

static void *fail(const struct nn_error *failure, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure->text);
    return NULL;
}

/* Prompts of single labels, and captions, with all the words that they are made of. */
static GPtrArray *list_texts(const struct training_set *set, const char *prompt)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < set->labels->len; i++) {
        g_ptr_array_add(texts, prompts_fill(prompt, set->labels->pdata[i]));
    }
    g_ptr_array_add(texts, g_strdup(", and"));
    return texts;
}

static enum nn_status learn_tokenizer(const struct trainer_options *o,
                                      const struct training_set *set, const char *folder,
                                      struct network_config *config,
                                      struct nn_error *failure)
{
    g_autoptr(GPtrArray) texts = list_texts(set, o->prompt);
    return bpe_learn((const char *const *)texts->pdata, texts->len, config->vocabulary,
                     folder, &config->vocabulary, failure);
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
    if (network_config_read(&config, o->config, &failure) != NN_OK
        || learn_tokenizer(o, set, folder, &config, &failure) != NN_OK
        || state_create_random(&state, &config, o->seed, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    model_settings_init(&settings);
    settings.text_heads = config.text_heads;
    struct model_facts facts = { .name = "new", .prompt = o->prompt,
                                 .side = config.image_size, .settings = &settings,
                                 .tokenizer = folder };
    return model_create(&model, state, &facts, &failure) == NN_OK ? model
                                                                 : fail(&failure, error);
}

static struct model *open_model(const struct trainer_options *o, const char *folder,
                                GError **error)
{
    struct nn_error failure = { 0 };
    struct model *model = NULL;
    if (model_open(&model, &o->model, 1, NULL, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    bool found = false;
    const char *wrong =
        model_info(model)->kind != MODEL_CLIP_DECODER
            ? "only a CLIP-Decoder can be trained: a TResNet, a CLIP text encoder and a "
              "zero-shot head"
        : model_info(model)->preprocess.fit != MODEL_FIT_SQUASH
            ? "training squashes pictures, and this model crops them"
        : !model_tokenizer(model) ? "the model has no tokenizer" : NULL;
    if (wrong) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "%s: %s", o->model, wrong);
    } else if (model_copy_tokenizer(o->model, folder, &found, &failure) != NN_OK) {
        fail(&failure, error);
    } else {
        return model;
    }
    model_destroy(&model);
    return NULL;
}

struct model *base_open(const struct trainer_options *options,
                        const struct training_set *set, const char *folder, GError **error)
{
    return options->config ? make_model(options, set, folder, error)
                           : open_model(options, folder, error);
}
