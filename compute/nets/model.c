/* What a set of checkpoints holds, and its forward graph. */
#include "compute/nets/model_private.h"
#include "compute/nets/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Settings ----------------------------------------------------------------------- */

void model_settings_init(struct model_settings *settings)
{
    *settings = (struct model_settings){ .image_slope = -1, .image_stem_slope = -1 };
}

static bool parse_act(const char *text, enum nn_act *out)
{
    if (strcmp(text, "quick_gelu") == 0 || strcmp(text, "quickgelu") == 0) {
        *out = NN_ACT_QUICK_GELU;
        return true;
    }
    *out = NN_ACT_GELU;
    return strcmp(text, "gelu") == 0;
}

static bool parse_heads(const char *text, uint32_t *out)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    *out = (uint32_t)value;
    return *text >= '1' && *text <= '9' && *end == '\0' && value <= 4096;
}

enum nn_status model_settings_set(struct model_settings *s, const char *text,
                                  struct nn_error *error)
{
    const char *equals = strchr(text, '=');
    const char *value = equals ? equals + 1 : "";
    size_t length = equals ? (size_t)(equals - text) : 0;
    struct { const char *name; uint32_t *heads; enum nn_act *act; float *slope; } table[] = {
        { "text.heads", &s->text_heads, NULL, NULL },
        { "image.heads", &s->image_heads, NULL, NULL },
        { "head.heads", &s->head_heads, NULL, NULL },
        { "text.activation", NULL, &s->text_activation, NULL },
        { "image.activation", NULL, &s->image_activation, NULL },
        { "image.slope", NULL, NULL, &s->image_slope },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strlen(table[i].name) != length || strncmp(text, table[i].name, length) != 0) {
            continue;
        }
        bool good;
        if (table[i].heads) {
            good = parse_heads(value, table[i].heads);
        } else if (table[i].act) {
            good = parse_act(value, table[i].act);
        } else {
            char *end = NULL;
            float slope = strtof(value, &end);
            good = *value && *end == '\0' && isfinite(slope) && slope >= 0;
            s->image_slope = s->image_stem_slope = slope;
        }
        return good ? NN_OK : nn_fail(error, NN_ERROR_INVALID,
                                      "\"%s\" is not a value for %s", value,
                                      table[i].name);
    }
    return nn_fail(error, NN_ERROR_INVALID,
                   "there is no setting \"%s\" (text.heads, text.activation, image.heads, "
                   "image.slope, image.activation, head.heads)", text);
}

/* --- Parts ---------------------------------------------------------------------------- */

static const char *tresnet_name(const struct tresnet *t)
{
    static const struct { uint32_t width, blocks[4]; bool bottleneck; const char *name; }
    known[] = {
        { 64, { 3, 4, 11, 3 }, false, "TResNet-M" },
        { 76, { 4, 5, 18, 3 }, false, "TResNet-L" },
        { 83, { 4, 5, 24, 3 }, false, "TResNet-XL" },
        { 64, { 3, 4, 23, 3 }, true, "TResNet-v2-L" },
        { 64, { 3, 8, 34, 5 }, true, "TResNet-XL (ML-Decoder)" },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].width == t->width && known[i].bottleneck == t->bottleneck[0]
            && memcmp(known[i].blocks, t->blocks, sizeof t->blocks) == 0) {
            return known[i].name;
        }
    }
    return "TResNet";
}

static uint64_t count_parameters(const struct state *state, const char *const *prefixes)
{
    uint64_t count = 0;
    for (size_t i = 0; i < state_count(state); i++) {
        const struct state_entry *e = state_at(state, i);
        bool buffer = strstr(e->name, ".running_") != NULL;
        for (int p = 0; prefixes[p] && !buffer; p++) {
            if (strncmp(e->name, prefixes[p], strlen(prefixes[p])) == 0) {
                count += e->count;
                break;
            }
        }
    }
    return count;
}

static void detect_image(struct model *m)
{
    struct model_part *part = &m->info.image;
    if (tresnet_detect(&m->tresnet, m->state, &m->settings)) {
        const struct tresnet *t = &m->tresnet;
        part->kind = MODEL_PART_TRESNET;
        part->parameters =
            count_parameters(m->state, (const char *const[]){ "body.", "head.fc.", NULL });
        snprintf(part->summary, sizeof part->summary,
                 "%s, width %u, blocks %u-%u-%u-%u, %u channels", tresnet_name(t), t->width,
                 t->blocks[0], t->blocks[1], t->blocks[2], t->blocks[3], t->channels);
    } else if (clip_vit_detect(&m->vit, m->state, &m->settings)) {
        const struct clip_vit *v = &m->vit;
        part->kind = MODEL_PART_VIT;
        part->parameters =
            count_parameters(m->state, (const char *const[]){ "visual.", NULL });
        snprintf(part->summary, sizeof part->summary,
                 "CLIP ViT, width %u, %u layers, %u heads, patch %u, embedding %u",
                 v->transformer.width, v->transformer.layers, v->transformer.heads, v->patch,
                 v->embedding);
    } else if (clip_resnet_detect(&m->resnet, m->state, &m->settings)) {
        const struct clip_resnet *r = &m->resnet;
        part->kind = MODEL_PART_RESNET;
        part->parameters =
            count_parameters(m->state, (const char *const[]){ "visual.", NULL });
        snprintf(part->summary, sizeof part->summary,
                 "CLIP ResNet, width %u, blocks %u-%u-%u-%u, %u heads, embedding %u",
                 r->width, r->blocks[0], r->blocks[1], r->blocks[2], r->blocks[3], r->heads,
                 r->embedding);
    }
}

static void detect_text(struct model *m)
{
    if (!clip_text_detect(&m->text, m->state, &m->settings)) {
        return;
    }
    struct model_part *part = &m->info.text;
    part->kind = MODEL_PART_TEXT;
    part->parameters = count_parameters(
        m->state, (const char *const[]){ "transformer.", "token_embedding.", "ln_final.",
                                         "positional_embedding", "text_projection", NULL });
    snprintf(part->summary, sizeof part->summary,
             "CLIP text, width %u, %u layers, %u heads, %s, context %u, vocabulary %u, "
             "embedding %u", m->text.transformer.width, m->text.transformer.layers,
             m->text.transformer.heads,
             m->text.transformer.act == NN_ACT_GELU ? "GELU" : "QuickGELU",
             m->text.context, m->text.vocabulary, m->text.embedding);
}

static void detect_head(struct model *m)
{
    struct model_part *part = &m->info.head;
    if (mldecoder_detect(&m->head, m->state, &m->settings)) {
        const struct mldecoder *h = &m->head;
        part->kind = h->zero_shot ? MODEL_PART_HEAD_ZSL : MODEL_PART_HEAD_GROUP;
        part->parameters = count_parameters(
            m->state, (const char *const[]){ "head.decoder.", "head.wordvec_proj.", NULL });
        if (h->zero_shot) {
            snprintf(part->summary, sizeof part->summary,
                     "ML-Decoder, zero-shot, width %u, %u heads, label embedding %u",
                     h->width, h->heads, h->embedding);
        } else {
            snprintf(part->summary, sizeof part->summary,
                     "ML-Decoder, %u labels in %u groups, width %u, %u heads", h->classes,
                     h->queries, h->width, h->heads);
        }
    } else if (m->info.image.kind == MODEL_PART_TRESNET && m->tresnet.classes > 0) {
        part->kind = MODEL_PART_FC;
        snprintf(part->summary, sizeof part->summary, "linear, %u labels",
                 m->tresnet.classes);
    }
}

/* --- The whole ---------------------------------------------------------------------------- */

static void choose_kind(struct model *m)
{
    struct model_info *info = &m->info;
    bool image = info->image.kind != MODEL_PART_NONE;
    bool clip_image =
        info->image.kind == MODEL_PART_VIT || info->image.kind == MODEL_PART_RESNET;
    info->kind = MODEL_PARTS;
    if (info->image.kind == MODEL_PART_TRESNET && info->text.kind != MODEL_PART_NONE
        && info->head.kind == MODEL_PART_HEAD_ZSL) {
        info->kind = MODEL_CLIP_DECODER;
    } else if (image && (info->head.kind == MODEL_PART_HEAD_GROUP
                         || info->head.kind == MODEL_PART_FC)) {
        info->kind = MODEL_ML_DECODER;
    } else if (clip_image && info->text.kind != MODEL_PART_NONE) {
        info->kind = MODEL_CLIP;
    }
    info->open_vocabulary = info->kind == MODEL_CLIP_DECODER || info->kind == MODEL_CLIP;
    info->context = m->text.context;
    info->vocabulary = m->text.vocabulary;
    info->embedding = info->kind == MODEL_CLIP ? m->text.embedding : m->head.embedding;
    info->token_width = info->kind == MODEL_CLIP ? m->text.embedding
                        : info->head.kind == MODEL_PART_FC ? m->tresnet.channels
                                                           : m->head.width;
}

static enum nn_status check_fit(const struct model *m, struct nn_error *error)
{
    uint32_t embedding = m->info.image.kind == MODEL_PART_VIT ? m->vit.embedding
                                                              : m->resnet.embedding;
    if (m->info.kind == MODEL_CLIP_DECODER && m->text.embedding != m->head.embedding) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "the text encoder gives embeddings of %u numbers and the head takes "
                       "%u", m->text.embedding, m->head.embedding);
    }
    if (m->info.kind == MODEL_CLIP && m->text.embedding != embedding) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "the text encoder gives embeddings of %u numbers and the image "
                       "encoder of %u", m->text.embedding, embedding);
    }
    if (m->info.image.kind == MODEL_PART_TRESNET && m->head.width > 0
        && m->tresnet.channels != m->head.features) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "the image encoder gives %u channels and the head takes %u",
                       m->tresnet.channels, m->head.features);
    }
    return NN_OK;
}

/* The side of a CLIP tower's images follows from its number of positions. */
static uint32_t clip_side(const struct model *m)
{
    bool vit = m->info.image.kind == MODEL_PART_VIT;
    uint32_t tokens = (vit ? m->vit.tokens : m->resnet.tokens);
    uint32_t side = tokens > 1 ? (uint32_t)lround(sqrt(tokens - 1.0)) : 0;
    return side * (vit ? m->vit.patch : 32);
}

static void default_preprocess(struct model *m, const char *path)
{
    struct model_preprocess *p = &m->info.preprocess;
    if (m->info.image.kind == MODEL_PART_TRESNET) {
        uint32_t side = strstr(path, "448") ? 448 : 224;
        *p = (struct model_preprocess){ side, side, MODEL_FIT_SQUASH, MODEL_BILINEAR,
                                        { 0, 0, 0 }, { 1, 1, 1 } };
    } else if (m->info.image.kind != MODEL_PART_NONE) {
        uint32_t side = clip_side(m);
        *p = (struct model_preprocess){
            side, side, MODEL_FIT_CROP, MODEL_BICUBIC,
            { 0.48145466f, 0.4578275f, 0.40821073f },
            { 0.26862954f, 0.26130258f, 0.27577711f } };
    }
}

struct hash { uint64_t word[2]; };

static void hash_bytes(struct hash *hash, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        uint8_t b = ((const uint8_t *)data)[i];
        hash->word[0] = (hash->word[0] ^ b) * 0x100000001b3u;
        hash->word[1] = (hash->word[1] + b) * 0x9e3779b97f4a7c15u;
        hash->word[1] ^= hash->word[1] >> 31;
    }
}

static bool begins_with_any(const char *name, const char *const *prefixes)
{
    while (*prefixes && strncmp(name, *prefixes, strlen(*prefixes)) != 0) {
        prefixes++;
    }
    return *prefixes != NULL;
}

/* What makes tokens of an image, rows of it, and embeddings of a text. */
static const char *const image_names[] = { "body.", "visual.",
                                           "head.decoder.embed_standart.", NULL };
static const char *const rows_names[] = { "body.", "visual.", NULL };
static const char *const text_names[] = { "token_embedding.", "positional_embedding",
                                          "transformer.", "ln_final.", "text_projection",
                                          NULL };

/* Adds what differs between any two models to the hashes that `e` is a part of. */
static enum nn_status hash_entry(const struct state *state, const struct state_entry *e,
                                 float *values, size_t most, struct hash *const *hashes,
                                 int n, struct nn_error *error)
{
    bool small = e->count <= most;
    enum nn_status status = small ? state_read(state, e, values, error) : NN_OK;
    for (int i = 0; i < n && status == NN_OK; i++) {
        hash_bytes(hashes[i], e->name, strlen(e->name) + 1);
        hash_bytes(hashes[i], e->shape, sizeof e->shape);
        hash_bytes(hashes[i], values, small ? e->count * sizeof *values : 0);
    }
    return status;
}

static void hash_settings(const struct model *m, struct hash *hash)
{
    uint32_t words[5] = { m->text.transformer.heads, m->vit.transformer.heads,
                          m->resnet.heads, m->head.heads, m->text.transformer.act };
    float slopes[2] = { m->tresnet.slope, m->tresnet.stem_slope };
    hash_bytes(hash, words, sizeof words);
    hash_bytes(hash, &m->info.preprocess, sizeof m->info.preprocess);
    hash_bytes(hash, slopes, sizeof slopes);
}

/* Names, shapes and every value of the small tensors: batch-norm statistics and biases
 * differ between any two trained models, and reading gigabytes is not worth more. */
static enum nn_status fingerprint(struct model *m, struct nn_error *error)
{
    enum { MOST = 65536 };
    const struct hash start = { { 0xcbf29ce484222325u, 0x452821e638d01377u } };
    struct hash whole = start, image = start, rows = start, text = start;
    float *values = malloc(MOST * sizeof *values);
    enum nn_status status = values ? NN_OK : nn_fail(error, NN_ERROR_MEMORY,
                                                     "out of memory for a model");
    for (size_t i = 0; i < state_count(m->state) && status == NN_OK; i++) {
        const struct state_entry *e = state_at(m->state, i);
        struct hash *hashes[4] = { &whole };
        int n = 1;
        if (begins_with_any(e->name, image_names)) {
            hashes[n++] = &image;
        }
        if (begins_with_any(e->name, rows_names)) {
            hashes[n++] = &rows;
        }
        if (begins_with_any(e->name, text_names)) {
            hashes[n++] = &text;
        }
        status = hash_entry(m->state, e, values, MOST, hashes, n, error);
    }
    struct { struct hash *hash; char *out; } results[4] = {
        { &whole, m->info.fingerprint }, { &image, m->info.image_fingerprint },
        { &rows, m->info.rows_fingerprint }, { &text, m->info.text_fingerprint } };
    for (int i = 0; i < 4; i++) {
        hash_settings(m, results[i].hash);
        snprintf(results[i].out, sizeof m->info.fingerprint, "%016llx%016llx",
                 (unsigned long long)results[i].hash->word[0],
                 (unsigned long long)results[i].hash->word[1]);
    }
    free(values);
    return status;
}

/* --- Opening ----------------------------------------------------------------------------------- */

static bool is_bundle(const char *path)
{
    size_t size = strlen(path) + 16;
    char *file = malloc(size);
    bool found = false;
    if (file) {
        snprintf(file, size, "%s/model.json", path);
        found = access(file, F_OK) == 0;
    }
    free(file);
    return found;
}

static enum nn_status open_files(struct model *m, const char *const *paths, size_t n,
                                 struct nn_error *error)
{
    struct weights **files = calloc(n + 1, sizeof *files);
    if (!files) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a model");
    }
    enum nn_status status = NN_OK;
    size_t opened = 0;
    while (opened < n && status == NN_OK) {
        status = weights_open(&files[opened], paths[opened], error);
        opened += status == NN_OK;
    }
    if (status == NN_OK) {
        status = state_create(&m->state, files, n, error);
    } else {
        for (size_t i = 0; i < opened; i++) {
            weights_destroy(&files[i]);
        }
    }
    free(files);
    return status;
}

/* A folder of a published model often has the tokenizer beside the weights. */
static void find_tokenizer(struct model *m, const char *const *paths, size_t n)
{
    struct stat info;
    for (size_t i = 0; i < n && !m->tokenizer; i++) {
        if (stat(paths[i], &info) == 0 && S_ISDIR(info.st_mode)) {
            tokenizer_load(&m->tokenizer, paths[i], NULL);
        }
    }
}

static enum nn_status describe(struct model *m, const char *path, struct nn_error *error)
{
    detect_image(m);
    detect_text(m);
    detect_head(m);
    if (m->info.image.kind == MODEL_PART_NONE && m->info.text.kind == MODEL_PART_NONE
        && m->info.head.kind == MODEL_PART_NONE) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "%s: its tensors are of no network that Taglight knows (TResNet, "
                       "ML-Decoder, CLIP)", path);
    }
    choose_kind(m);
    enum nn_status status = check_fit(m, error);
    if (status != NN_OK) {
        return nn_prefix(error, status, path);
    }
    if (m->info.preprocess.size == 0) {
        default_preprocess(m, path);
    }
    if (!m->info.name[0]) {
        const char *slash = strrchr(path, '/');
        snprintf(m->info.name, sizeof m->info.name, "%s", slash ? slash + 1 : path);
    }
    if (!m->info.prompt[0]) {
        snprintf(m->info.prompt, sizeof m->info.prompt, "a photo of %%s");
    }
    return fingerprint(m, error);
}

static enum nn_status open_bundle(struct model *m, const char *dir, struct nn_error *error)
{
    struct bundle bundle = { 0 };
    enum nn_status status = bundle_read(m, &bundle, dir, error);
    if (status == NN_OK) {
        status = open_files(m, (const char *const[]){ bundle.weights_path }, 1, error);
    }
    if (status == NN_OK && bundle.tokenizer_path) {
        status = tokenizer_load(&m->tokenizer, bundle.tokenizer_path, error);
    }
    bundle_clear(&bundle);
    return status;
}

enum nn_status model_open(struct model **out, const char *const *paths, size_t n_paths,
                          const struct model_settings *settings, struct nn_error *error)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m || n_paths == 0) {
        free(m);
        return nn_fail(error, NN_ERROR_INVALID, "no model was named");
    }
    model_settings_init(&m->settings);
    enum nn_status status;
    if (n_paths == 1 && is_bundle(paths[0])) {
        status = open_bundle(m, paths[0], error);
    } else {
        status = open_files(m, paths, n_paths, error);
        find_tokenizer(m, paths, n_paths);
    }
    if (status == NN_OK && settings) {
        m->settings = *settings;
    }
    if (status == NN_OK) {
        status = describe(m, paths[0], error);
    }
    if (status != NN_OK) {
        model_destroy(&m);
        return status;
    }
    *out = m;
    return NN_OK;
}

enum nn_status model_create(struct model **out, struct state *state,
                            const struct model_facts *facts, struct nn_error *error)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m) {
        state_destroy(&state);
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a model");
    }
    m->state = state;
    model_settings_init(&m->settings);
    m->settings = facts->settings ? *facts->settings : m->settings;
    if (facts->preprocess) {
        m->info.preprocess = *facts->preprocess;
    }
    if (facts->licence) {
        snprintf(m->info.licence, sizeof m->info.licence, "%s", facts->licence);
    }
    if (facts->prompt) {
        snprintf(m->info.prompt, sizeof m->info.prompt, "%s", facts->prompt);
    }
    enum nn_status status = describe(m, facts->name ? facts->name : "model", error);
    if (status == NN_OK && facts->tokenizer) {
        status = tokenizer_load(&m->tokenizer, facts->tokenizer, error);
    }
    if (status != NN_OK) {
        model_destroy(&m);
        return status;
    }
    *out = m;
    return NN_OK;
}

enum nn_status model_open_synthetic(struct model **out, const char *kind, uint32_t side,
                                    struct nn_error *error)
{
    struct weights *weights = NULL;
    struct model *m = calloc(1, sizeof *m);
    if (!m) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a model");
    }
    model_settings_init(&m->settings);
    enum nn_status status = synthetic_open(&weights, kind, error);
    if (status == NN_OK) {
        status = state_create(&m->state, &weights, 1, error);
    }
    if (status == NN_OK) {
        status = describe(m, kind, error);
    }
    if (status != NN_OK) {
        model_destroy(&m);
        return status;
    }
    if (side > 0) {
        m->info.preprocess.size = m->info.preprocess.resize_size = side;
    }
    *out = m;
    return NN_OK;
}

void model_destroy(struct model **model)
{
    if (!model || !*model) {
        return;
    }
    struct model *m = *model;
    state_destroy(&m->state);
    tokenizer_destroy(&m->tokenizer);
    for (size_t i = 0; i < m->n_labels; i++) {
        free((char *)m->labels[i].name);
    }
    free(m->labels);
    free(m);
    *model = NULL;
}

const struct model_info *model_info(const struct model *model)
{
    return &model->info;
}

const struct tokenizer *model_tokenizer(const struct model *model)
{
    return model->tokenizer;
}

const struct weights_label *model_labels(const struct model *model, size_t *count)
{
    if (model->n_labels > 0) {
        *count = model->n_labels;
        return model->labels;
    }
    for (size_t i = 0; i < state_file_count(model->state); i++) {
        const struct weights_label *labels =
            weights_labels(state_file(model->state, i), count);
        if (*count > 0) {
            return labels;
        }
    }
    *count = 0;
    return NULL;
}

static enum nn_status read_param(void *user, const char *name, float *out, uint64_t count,
                                 struct nn_error *error)
{
    const struct state *state = user;
    const struct state_entry *e = state_find(state, name);
    if (!e || e->count != count) {
        return nn_fail(error, NN_ERROR_INVALID, "tensor \"%s\" is missing", name);
    }
    return state_read(state, e, out, error);
}

struct nn_params model_params(const struct model *model)
{
    return (struct nn_params){ model->state, read_param };
}

const struct model_settings *model_settings(const struct model *model)
{
    return &model->settings;
}

const struct state *model_state(const struct model *model)
{
    return model->state;
}

/* --- The forward graph ------------------------------------------------------------------------ */

nn_id model_build_image(struct nn_graph *graph, const struct model *m, nn_id image)
{
    switch (m->info.image.kind) {
    case MODEL_PART_TRESNET: return tresnet_build(graph, m->state, &m->tresnet, image);
    case MODEL_PART_VIT: return clip_vit_build(graph, m->state, &m->vit, image);
    case MODEL_PART_RESNET: return clip_resnet_build(graph, m->state, &m->resnet, image);
    default: break;
    }
    return nn_graph_fail(graph, "there is no image encoder for the input `image`");
}

static nn_id build_text(struct nn_graph *graph, const struct model *m,
                        struct nn_shape shape)
{
    if (m->info.text.kind == MODEL_PART_NONE) {
        return nn_graph_fail(graph, "there is no text encoder for the input `tokens`");
    }
    nn_id ids = nn_input(graph, "tokens", NN_I32, shape);
    nn_id eot = nn_input(graph, "text.eot", NN_I32, NN_SHAPE1(shape.dim[0]));
    return clip_text_build(graph, m->state, &m->text, "text", ids, eot);
}

static void build_head(struct nn_graph *graph, const struct model *m, nn_id rows,
                       nn_id labels)
{
    nn_id tokens = mldecoder_tokens(graph, m->state, &m->head, rows);
    nn_output(graph, tokens, "head.tokens");
    nn_output(graph, nn_mean_rows(graph, tokens), "head.image_embedding");
    if (labels != NN_NONE || !m->head.zero_shot) {
        mldecoder_logits(graph, m->state, &m->head, tokens, labels);
    }
}

enum nn_status model_forward_graph(struct nn_graph **out, const struct model *m,
                                   const struct model_inputs *in, struct nn_error *error)
{
    struct nn_graph *graph = nn_graph_create();
    if (!graph) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a graph");
    }
    bool has_head = m->info.head.kind == MODEL_PART_HEAD_ZSL
                    || m->info.head.kind == MODEL_PART_HEAD_GROUP;
    nn_id rows = NN_NONE, labels = NN_NONE, text = NN_NONE;
    if (in->tokens.rank) {
        text = build_text(graph, m, in->tokens);
    }
    if (in->label_embeddings.rank) {
        labels = nn_input(graph, "label_embeddings", NN_F32, in->label_embeddings);
    } else if (text != NN_NONE && m->info.kind == MODEL_CLIP_DECODER) {
        labels = text;
    }
    if (in->image.rank) {
        nn_id image = nn_input(graph, "image", NN_F32, in->image);
        nn_id last = model_build_image(graph, m, image);
        if (m->info.image.kind == MODEL_PART_TRESNET) {
            tresnet_head(graph, m->state, &m->tresnet, last);
            rows = has_head ? nn_map_to_rows(graph, last) : NN_NONE;
        }
    }
    if (in->features.rank) {
        rows = nn_map_to_rows(graph, nn_input(graph, "features", NN_F32, in->features));
    } else if (in->tokens2d.rank) {
        rows = nn_input(graph, "tokens2d", NN_F32, in->tokens2d);
    }
    if (rows != NN_NONE && !has_head) {
        nn_graph_fail(graph, "there is no ML-Decoder head for the given features");
    } else if (rows != NN_NONE) {
        build_head(graph, m, rows, labels);
    }
    enum nn_status status = nn_graph_check(graph, error);
    if (status != NN_OK) {
        nn_graph_destroy(&graph);
        return status;
    }
    *out = graph;
    return NN_OK;
}
