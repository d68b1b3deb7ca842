/* Bundles: a folder with model.json, model.safetensors and the tokenizer's files. */
#include "compute/half.h"
#include "compute/json.h"
#include "compute/nets/model_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path) {
        snprintf(path, size, "%s/%s", dir, name);
    }
    return path;
}

/* --- Reading --------------------------------------------------------------------------- */

static void copy_member(const struct json *json, uint32_t object, const char *key,
                        char *out, size_t size)
{
    char *text = json_string(json, json_get(json, object, key), NULL);
    if (text) {
        snprintf(out, size, "%s", text);
    }
    free(text);
}

static uint32_t number_member(const struct json *json, uint32_t object, const char *key,
                              uint32_t most)
{
    uint64_t value = 0;
    return json_u64(json, json_get(json, object, key), &value) && value <= most
               ? (uint32_t)value : 0;
}

static void read_triple(const struct json *json, uint32_t array, float out[3])
{
    uint32_t i = json_type_of(json, array) == JSON_ARRAY ? json_first(json, array)
                                                         : JSON_NONE;
    for (int c = 0; c < 3 && i != JSON_NONE; c++, i = json_next(json, array, i)) {
        double value = 0;
        json_double(json, i, &value);
        out[c] = (float)value;
    }
}

static enum nn_status read_preprocess(struct model_preprocess *p, const struct json *json,
                                      const char *path, struct nn_error *error)
{
    uint32_t object = json_get(json, 0, "preprocess");
    if (object == JSON_NONE) {
        return NN_OK; /* a bundle without an image encoder */
    }
    p->size = number_member(json, object, "size", 4096);
    p->resize_size = number_member(json, object, "resize_size", 8192);
    p->fit = json_string_is(json, json_get(json, object, "fit"), "crop") ? MODEL_FIT_CROP
                                                                         : MODEL_FIT_SQUASH;
    p->filter = json_string_is(json, json_get(json, object, "filter"), "bicubic")
                    ? MODEL_BICUBIC : MODEL_BILINEAR;
    p->std[0] = p->std[1] = p->std[2] = 1;
    read_triple(json, json_get(json, object, "mean"), p->mean);
    read_triple(json, json_get(json, object, "std"), p->std);
    bool good = p->size >= 4 && p->resize_size >= p->size && p->std[0] > 0 && p->std[1] > 0
                && p->std[2] > 0;
    return good ? NN_OK : nn_fail(error, NN_ERROR_INVALID,
                                  "%s: \"preprocess\" is not usable", path);
}

static enum nn_status read_settings(struct model_settings *s, const struct json *json,
                                    const char *path, struct nn_error *error)
{
    uint32_t object = json_get(json, 0, "settings");
    uint32_t key = object == JSON_NONE ? JSON_NONE : json_first(json, object);
    while (key != JSON_NONE) {
        uint32_t value = json_next(json, object, key);
        char *name = json_string(json, key, NULL), *text = json_string(json, value, NULL);
        char line[128];
        snprintf(line, sizeof line, "%s=%s", name ? name : "", text ? text : "");
        enum nn_status status = model_settings_set(s, line, error);
        free(name);
        free(text);
        if (status != NN_OK) {
            return nn_prefix(error, status, path);
        }
        key = json_next(json, object, value);
    }
    return NN_OK;
}

static enum nn_status read_labels(struct model *m, const struct json *json,
                                  struct nn_error *error)
{
    uint32_t array = json_get(json, 0, "labels");
    if (json_type_of(json, array) != JSON_ARRAY) {
        return NN_OK;
    }
    m->labels = calloc(json_count(json, array) + 1, sizeof *m->labels);
    if (!m->labels) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for labels");
    }
    for (uint32_t i = json_first(json, array); i != JSON_NONE;
         i = json_next(json, array, i)) {
        char *name = json_string(json, i, NULL);
        if (!name) {
            return nn_fail(error, NN_ERROR_INVALID, "model.json: a label is not a string");
        }
        m->labels[m->n_labels] = (struct weights_label){ (int64_t)m->n_labels, name };
        m->n_labels++;
    }
    return NN_OK;
}

static enum nn_status read_document(struct model *m, const struct json *json,
                                    const char *path, struct nn_error *error)
{
    uint64_t format = 0;
    if (!json_u64(json, json_get(json, 0, "format"), &format) || format != FORMAT) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "%s: format %llu is not one that this version reads", path,
                       (unsigned long long)format);
    }
    copy_member(json, 0, "name", m->info.name, sizeof m->info.name);
    copy_member(json, 0, "licence", m->info.licence, sizeof m->info.licence);
    copy_member(json, 0, "origin", m->info.origin, sizeof m->info.origin);
    copy_member(json, 0, "about", m->info.about, sizeof m->info.about);
    copy_member(json, 0, "prompt", m->info.prompt, sizeof m->info.prompt);
    enum nn_status status = read_preprocess(&m->info.preprocess, json, path, error);
    if (status == NN_OK) {
        status = read_settings(&m->settings, json, path, error);
    }
    return status == NN_OK ? read_labels(m, json, error) : status;
}

enum nn_status bundle_read(struct model *model, struct bundle *bundle, const char *dir,
                           struct nn_error *error)
{
    char *path = join(dir, "model.json");
    char *text = NULL;
    struct json *json = NULL;
    enum nn_status status = path ? json_load(&json, &text, path, error)
                                 : nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", dir);
    if (status == NN_OK) {
        status = read_document(model, json, path, error);
    }
    if (status == NN_OK) {
        bundle->weights_path = join(dir, "model.safetensors");
        bool tokenizer = json_type_of(json, json_get(json, 0, "tokenizer")) == JSON_TRUE;
        bundle->tokenizer_path = tokenizer ? join(dir, ".") : NULL;
    }
    json_destroy(&json);
    free(text);
    free(path);
    return status;
}

void bundle_clear(struct bundle *bundle)
{
    free(bundle->weights_path);
    free(bundle->tokenizer_path);
}

/* --- Writing ------------------------------------------------------------------------------ */

static void put_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            fprintf(file, "\\%c", *c);
        } else if (*c < 0x20) {
            fprintf(file, "\\u%04x", *c);
        } else {
            fputc(*c, file);
        }
    }
    fputc('"', file);
}

static void put_setting(FILE *file, bool *first, const char *name, const char *format,
                        double value)
{
    fprintf(file, "%s\n    \"%s\": \"", *first ? "" : ",", name);
    fprintf(file, format, value);
    fputc('"', file);
    *first = false;
}

static void put_settings(FILE *file, const struct model *m)
{
    bool first = true;
    fputs("  \"settings\": {", file);
    if (m->info.text.kind) {
        put_setting(file, &first, "text.heads", "%.0f", m->text.transformer.heads);
        put_setting(file, &first, "text.activation",
                    m->text.transformer.act == NN_ACT_GELU ? "gelu" : "quick_gelu", 0);
    }
    if (m->info.image.kind == MODEL_PART_VIT) {
        put_setting(file, &first, "image.heads", "%.0f", m->vit.transformer.heads);
        put_setting(file, &first, "image.activation",
                    m->vit.transformer.act == NN_ACT_GELU ? "gelu" : "quick_gelu", 0);
    } else if (m->info.image.kind == MODEL_PART_RESNET) {
        put_setting(file, &first, "image.heads", "%.0f", m->resnet.heads);
    } else if (m->info.image.kind == MODEL_PART_TRESNET && m->settings.image_slope >= 0) {
        put_setting(file, &first, "image.slope", "%.9g", m->settings.image_slope);
    }
    if (m->head.heads) {
        put_setting(file, &first, "head.heads", "%.0f", m->head.heads);
    }
    fputs("\n  },\n", file);
}

static void put_document(FILE *file, const struct model *m,
                         const struct model_write_params *params)
{
    const struct model_preprocess *p = &m->info.preprocess;
    size_t n_labels = 0;
    const struct weights_label *labels = model_labels(m, &n_labels);
    fprintf(file, "{\n  \"format\": %d,\n  \"name\": ", FORMAT);
    put_quoted(file, params->name ? params->name : m->info.name);
    fputs(",\n  \"licence\": ", file);
    put_quoted(file, params->licence ? params->licence : m->info.licence);
    fputs(",\n  \"origin\": ", file);
    put_quoted(file, params->origin ? params->origin : m->info.origin);
    if (params->about ? *params->about : *m->info.about) {
        fputs(",\n  \"about\": ", file);
        put_quoted(file, params->about ? params->about : m->info.about);
    }
    fputs(",\n  \"prompt\": ", file);
    put_quoted(file, params->prompt ? params->prompt : m->info.prompt);
    fputs(",\n", file);
    if (m->info.image.kind != MODEL_PART_NONE) {
        fprintf(file, "  \"preprocess\": {\n    \"size\": %u,\n    \"resize_size\": %u,\n"
                "    \"fit\": \"%s\",\n    \"filter\": \"%s\",\n"
                "    \"mean\": [%.9g, %.9g, %.9g],\n    \"std\": [%.9g, %.9g, %.9g]\n  },\n",
                p->size, p->resize_size, p->fit == MODEL_FIT_CROP ? "crop" : "squash",
                p->filter == MODEL_BICUBIC ? "bicubic" : "bilinear", p->mean[0], p->mean[1],
                p->mean[2], p->std[0], p->std[1], p->std[2]);
    }
    put_settings(file, m);
    if (n_labels > 0) {
        fputs("  \"labels\": [", file);
        for (size_t i = 0; i < n_labels; i++) {
            fputs(i ? ", " : "", file);
            put_quoted(file, labels[i].name);
        }
        fputs("],\n", file);
    }
    fprintf(file, "  \"tokenizer\": %s\n}\n", params->tokenizer ? "true" : "false");
}

struct save_entry {
    const struct state *state;
    const struct state_entry *entry;
    const struct model_write_params *params;
    enum weights_type type; /* as written */
    bool raw;               /* the bytes of the file */
};

static enum nn_status read_values(const struct save_entry *s, float *out,
                                  struct nn_error *error)
{
    return s->params->read ? s->params->read(s->params->user, s->entry, out, error)
                           : state_read(s->state, s->entry, out, error);
}

static enum nn_status read_entry(void *user, void *out, struct nn_error *error)
{
    const struct save_entry *s = user;
    if (s->raw) {
        return weights_read_raw(state_file(s->state, s->entry->file), s->entry->source[0],
                                out, error);
    }
    if (s->type == WEIGHTS_F32) {
        return read_values(s, out, error);
    }
    float *values = malloc(s->entry->count * sizeof *values + 1);
    uint16_t *half = out;
    enum nn_status status = values ? read_values(s, values, error)
                                   : nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    for (uint64_t i = 0; i < s->entry->count && status == NN_OK; i++) {
        half[i] = nn_half_from_float(values[i]);
    }
    free(values);
    return status;
}

/* Vectors are few, and those of norms need their precision. */
static struct save_entry save_entry(const struct model *m, const struct state_entry *e,
                                    const struct model_write_params *params)
{
    struct save_entry s = { m->state, e, params, WEIGHTS_F32, false };
    s.raw = !params->read && e->n_sources == 1 && !e->transpose && !e->absolute && e->half;
    if (s.raw) {
        s.type = e->source[0]->type;
    } else if (params->half && e->rank > 1) {
        s.type = WEIGHTS_F16;
    }
    return s;
}

/* A classifier that helps while an image encoder is trained. */
static bool is_scaffold(const struct state_entry *e)
{
    return strncmp(e->name, "auxiliary.", 10) == 0;
}

static enum nn_status save_weights(const struct model *m, const char *path,
                                   const struct model_write_params *params,
                                   struct nn_error *error)
{
    size_t n = state_count(m->state), used = 0;
    struct weights_output *outputs = calloc(n + 1, sizeof *outputs);
    struct save_entry *entries = calloc(n + 1, sizeof *entries);
    enum nn_status status = NN_OK;
    if (!outputs || !entries) {
        status = nn_fail(error, NN_ERROR_MEMORY, "out of memory for a bundle");
    }
    for (size_t i = 0; i < n && status == NN_OK; i++) {
        const struct state_entry *e = state_at(m->state, i);
        if (is_scaffold(e)) {
            continue;
        }
        entries[used] = save_entry(m, e, params);
        outputs[used] = (struct weights_output){ .name = e->name, .rank = e->rank,
                                                 .type = entries[used].type,
                                                 .read = read_entry,
                                                 .user = &entries[used] };
        memcpy(outputs[used++].shape, e->shape, sizeof e->shape);
    }
    if (status == NN_OK) {
        status = weights_save(path, outputs, used, NULL, 0, error);
    }
    free(outputs);
    free(entries);
    return status;
}

static enum nn_status copy_file(const char *from, const char *to, struct nn_error *error)
{
    char buffer[65536];
    size_t got;
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
    bool good = out != NULL;
    while (good && (got = fread(buffer, 1, sizeof buffer, in)) > 0) {
        good = fwrite(buffer, 1, got, out) == got;
    }
    good = good && !ferror(in);
    good = (!out || fclose(out) == 0) && good;
    if (in) {
        fclose(in);
    }
    return good ? NN_OK : nn_fail(error, NN_ERROR_IO, "copying %s to %s: %s", from, to,
                                  strerror(errno));
}

enum nn_status model_copy_tokenizer(const char *from, const char *to, bool *found,
                                    struct nn_error *error)
{
    static const char *const names[] = { "tokenizer.json", "vocab.json", "merges.txt",
                                         "bpe_simple_vocab_16e6.txt.gz" };
    enum nn_status status = NN_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == NN_OK; i++) {
        char *source = join(from, names[i]), *target = join(to, names[i]);
        if (source && target && access(source, R_OK) == 0) {
            status = copy_file(source, target, error);
            *found = true;
        }
        free(source);
        free(target);
    }
    return status;
}

static void remove_partial(const char *dir)
{
    static const char *const names[] = { "model.json", "model.safetensors",
                                         "tokenizer.json", "vocab.json", "merges.txt",
                                         "bpe_simple_vocab_16e6.txt.gz" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = join(dir, names[i]);
        if (path) {
            unlink(path);
        }
        free(path);
    }
    rmdir(dir);
}

static enum nn_status write_document(const struct model *m, const char *path,
                                     const struct model_write_params *params,
                                     struct nn_error *error)
{
    enum nn_status status = NN_OK;
    FILE *file = fopen(path, "wb");
    if (file) {
        put_document(file, m, params);
    }
    if (!file || fflush(file) != 0 || fsync(fileno(file)) != 0) {
        status = nn_fail(error, NN_ERROR_IO, "%s: %s", path, strerror(errno));
    }
    if (file) {
        fclose(file);
    }
    return status;
}

enum nn_status model_write(const struct model *model, const char *dir,
                           const struct model_write_params *params,
                           struct nn_error *error)
{
    char *weights = join(dir, "model.safetensors"), *document = join(dir, "model.json");
    enum nn_status status = weights && document
                                ? save_weights(model, weights, params, error)
                                : nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    if (status == NN_OK) {
        status = write_document(model, document, params, error);
    }
    free(weights);
    free(document);
    return status;
}

static enum nn_status fill_folder(const struct model *m, const char *dir, const char *name,
                                  const char *tokenizer_dir, struct nn_error *error)
{
    struct model_write_params params = { .name = name };
    enum nn_status status =
        tokenizer_dir ? model_copy_tokenizer(tokenizer_dir, dir, &params.tokenizer, error)
                      : NN_OK;
    return status == NN_OK ? model_write(m, dir, &params, error) : status;
}

enum nn_status model_save(const struct model *model, const char *dir, const char *name,
                          const char *tokenizer_dir, struct nn_error *error)
{
    size_t size = strlen(dir) + 32;
    char *temporary = malloc(size);
    if (!temporary) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    }
    snprintf(temporary, size, "%s.part-%ld", dir, (long)getpid());
    enum nn_status status = NN_OK;
    if (access(dir, F_OK) == 0) {
        status = nn_fail(error, NN_ERROR_IO, "%s: there is something of that name already",
                         dir);
    } else if (mkdir(temporary, 0755) != 0) {
        status = nn_fail(error, NN_ERROR_IO, "%s: %s", temporary, strerror(errno));
    }
    if (status == NN_OK) {
        status = fill_folder(model, temporary, name, tokenizer_dir, error);
        if (status == NN_OK && rename(temporary, dir) != 0) {
            status = nn_fail(error, NN_ERROR_IO, "%s: %s", dir, strerror(errno));
        }
        if (status != NN_OK) {
            remove_partial(temporary);
        }
    }
    free(temporary);
    return status;
}
