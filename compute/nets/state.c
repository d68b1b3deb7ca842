#include "compute/nets/state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 512

struct state {
    struct weights **files;
    size_t n_files;
    struct state_entry *entries;
    size_t n, room;
    bool hugging_face;
};

/* --- Names --------------------------------------------------------------------------- */

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* Replaces the first `from` in name by `to`; false when it is not there. */
static bool replace(char *name, const char *from, const char *to)
{
    char *at = strstr(name, from);
    if (!at || strlen(name) + strlen(to) >= MAX_NAME) {
        return false;
    }
    char tail[MAX_NAME];
    snprintf(tail, sizeof tail, "%s", at + strlen(from));
    snprintf(at, MAX_NAME - (size_t)(at - name), "%s%s", to, tail);
    return true;
}

/* Tensors that carry no weights. */
static bool is_ignored(const char *name)
{
    static const char *const suffixes[] = { "num_batches_tracked", ".filt", "attn_mask",
                                            "position_ids" };
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (ends(name, suffixes[i])) {
            return true;
        }
    }
    return strcmp(name, "input_resolution") == 0 || strcmp(name, "context_length") == 0
           || strcmp(name, "vocab_size") == 0 || strcmp(name, "logit_bias") == 0;
}

/* Alibaba's TResNet names: an index 0 or 1 for convolution and norm, one level deeper
 * before a blur layer. True when the name was of that kind. */
static bool from_alibaba(char *name)
{
    if (!begins(name, "body.") || strstr(name, ".se.") || strstr(name, ".conv.")
        || strstr(name, ".bn.")) {
        return false;
    }
    static const char *const units[] = { "conv1", "conv2", "conv3" };
    for (int i = 0; i < 3; i++) {
        char from[32], to[32];
        for (int deep = 1; deep >= 0; deep--) {
            for (int part = 0; part < 2; part++) {
                snprintf(from, sizeof from, "%s.%s%d.", units[i], deep ? "0." : "", part);
                snprintf(to, sizeof to, "%s.%s.", units[i], part ? "bn" : "conv");
                if (replace(name, from, to)) {
                    return true;
                }
            }
        }
    }
    return replace(name, "downsample.1.0.", "downsample.1.conv.")
           || replace(name, "downsample.1.1.", "downsample.1.bn.")
           || replace(name, "downsample.0.0.", "downsample.0.conv.")
           || replace(name, "downsample.0.1.", "downsample.0.bn.");
}

/* Hugging Face's CLIP. *joined is 1 to 3 for the q, k and v parts of one tensor. */
static bool from_hugging_face(char *name, bool *transpose, int *joined)
{
    static const char *const table[][2] = {
        { "text_model.embeddings.token_embedding.weight", "token_embedding.weight" },
        { "text_model.embeddings.position_embedding.weight", "positional_embedding" },
        { "text_model.final_layer_norm.", "ln_final." },
        { "text_model.encoder.layers.", "transformer.resblocks." },
        { "vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight" },
        { "vision_model.embeddings.class_embedding", "visual.class_embedding" },
        { "vision_model.embeddings.position_embedding.weight",
          "visual.positional_embedding" },
        { "vision_model.pre_layrnorm.", "visual.ln_pre." },
        { "vision_model.post_layernorm.", "visual.ln_post." },
        { "vision_model.encoder.layers.", "visual.transformer.resblocks." },
    };
    static const char *const inner[][2] = {
        { ".layer_norm1.", ".ln_1." }, { ".layer_norm2.", ".ln_2." },
        { ".mlp.fc1.", ".mlp.c_fc." }, { ".mlp.fc2.", ".mlp.c_proj." },
        { ".self_attn.out_proj.", ".attn.out_proj." } };
    static const char *const parts[] = { ".self_attn.q_proj.", ".self_attn.k_proj.",
                                         ".self_attn.v_proj." };
    if (strcmp(name, "text_projection.weight") == 0) {
        strcpy(name, "text_projection");
        *transpose = true;
        return true;
    }
    if (strcmp(name, "visual_projection.weight") == 0) {
        strcpy(name, "visual.proj");
        *transpose = true;
        return true;
    }
    if (!begins(name, "text_model.") && !begins(name, "vision_model.")) {
        return false;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (begins(name, table[i][0])) {
            replace(name, table[i][0], table[i][1]);
            break;
        }
    }
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        replace(name, inner[i][0], inner[i][1]);
    }
    for (int i = 0; i < 3; i++) {
        if (strstr(name, parts[i])) {
            replace(name, parts[i], ".attn.in_proj_");
            *joined = i + 1;
        }
    }
    return true;
}

/* open_clip's custom-text class nests the text tower; some heads hang on `fc.`. */
static void from_nested(char *name)
{
    if (begins(name, "text.") && (begins(name, "text.transformer.")
        || begins(name, "text.token_embedding.") || begins(name, "text.ln_final.")
        || strcmp(name, "text.positional_embedding") == 0
        || strcmp(name, "text.text_projection") == 0)) {
        memmove(name, name + 5, strlen(name + 5) + 1);
    } else if (begins(name, "fc.decoder.") || begins(name, "fc.wordvec_proj.")) {
        replace(name, "fc.", "head.");
    } else if (begins(name, "decoder.") || begins(name, "wordvec_proj.")) {
        char copy[MAX_NAME];
        snprintf(copy, sizeof copy, "head.%s", name);
        strcpy(name, copy);
    }
}

/* --- Entries -------------------------------------------------------------------------- */

static struct state_entry *find(struct state *s, const char *name)
{
    for (size_t i = s->n; i-- > 0;) { /* what is joined was added lately */
        if (strcmp(s->entries[i].name, name) == 0) {
            return &s->entries[i];
        }
    }
    return NULL;
}

static struct state_entry *append(struct state *s, const char *name)
{
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 512;
        void *grown = realloc(s->entries, room * sizeof *s->entries);
        if (!grown) {
            return NULL;
        }
        s->entries = grown;
        s->room = room;
    }
    struct state_entry *e = &s->entries[s->n];
    memset(e, 0, sizeof *e);
    e->name = malloc(strlen(name) + 1);
    if (!e->name) {
        return NULL;
    }
    strcpy(e->name, name);
    s->n++;
    return e;
}

static enum nn_status add(struct state *s, uint32_t file, const char *name,
                          const struct weights_tensor *t, bool transpose, bool absolute,
                          int joined, struct nn_error *error)
{
    const char *path = weights_path(s->files[file]);
    struct state_entry *e = joined ? find(s, name) : NULL;
    bool fresh = !e;
    if (fresh && !(e = append(s, name))) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    }
    int slot = joined ? joined - 1 : 0;
    if (e->source[slot] || (transpose && t->rank != 2)) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: tensor \"%.200s\" is there twice or "
                       "has a wrong shape", path, t->name);
    }
    if (!fresh && (t->rank != e->rank
                   || (t->rank == 2 && t->shape[1] != e->shape[1]))) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: \"%.200s\" does not fit its siblings",
                       path, t->name);
    }
    e->file = file;
    e->source[slot] = t;
    e->n_sources++;
    e->transpose = transpose;
    e->absolute = absolute;
    e->half = t->type == WEIGHTS_F16 || t->type == WEIGHTS_BF16;
    e->count += t->count;
    uint64_t rows = fresh ? 0 : e->shape[0];
    e->rank = t->rank;
    memcpy(e->shape, t->shape, sizeof e->shape);
    if (t->rank > 0) {
        e->shape[0] += rows;
    }
    if (transpose) {
        e->shape[0] = t->shape[1];
        e->shape[1] = t->shape[0];
    }
    return NN_OK;
}

/* Whether this file's TResNet body has the original layout, whose batch-norm weights
 * are those of in-place ABN. */
static bool is_original(const struct weights *w)
{
    return weights_find(w, "body.conv1.0.weight") != NULL;
}

static enum nn_status add_file(struct state *s, uint32_t file, struct nn_error *error)
{
    const struct weights *w = s->files[file];
    bool original = is_original(w);
    for (size_t i = 0; i < weights_count(w); i++) {
        const struct weights_tensor *t = weights_at(w, i);
        char name[MAX_NAME];
        bool transpose = false;
        int joined = 0;
        if (is_ignored(t->name) || strlen(t->name) >= MAX_NAME - 64
            || t->type == WEIGHTS_OPAQUE) {
            continue;
        }
        strcpy(name, t->name);
        bool norm = original && from_alibaba(name) && ends(name, ".bn.weight");
        if (from_hugging_face(name, &transpose, &joined)) {
            s->hugging_face = true;
        } else {
            from_nested(name);
        }
        enum nn_status status = add(s, file, name, t, transpose, norm, joined, error);
        if (status != NN_OK) {
            return status;
        }
    }
    return NN_OK;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct state_entry *)left)->name,
                  ((const struct state_entry *)right)->name);
}

static enum nn_status check(const struct state *s, struct nn_error *error)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct state_entry *e = &s->entries[i];
        const char *path = weights_path(s->files[e->file]);
        if (i > 0 && strcmp(e->name, s->entries[i - 1].name) == 0) {
            return nn_fail(error, NN_ERROR_INVALID,
                           "%s: \"%.200s\" is in two of the given files", path, e->name);
        }
        if (e->n_sources == 2 || (e->n_sources == 1 && !e->source[0])) {
            return nn_fail(error, NN_ERROR_INVALID,
                           "%s: one of the q, k and v parts of \"%.200s\" is missing", path,
                           e->name);
        }
    }
    return NN_OK;
}

enum nn_status state_create(struct state **out, struct weights **files, size_t n_files,
                            struct nn_error *error)
{
    struct state *s = calloc(1, sizeof *s);
    struct weights **copy = calloc(n_files + 1, sizeof *copy);
    if (!s || !copy) {
        for (size_t i = 0; i < n_files; i++) {
            weights_destroy(&files[i]);
        }
        free(s);
        free(copy);
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a model");
    }
    memcpy(copy, files, n_files * sizeof *copy);
    s->files = copy;
    s->n_files = n_files;
    enum nn_status status = NN_OK;
    for (uint32_t i = 0; i < n_files && status == NN_OK; i++) {
        status = add_file(s, i, error);
    }
    if (status == NN_OK && s->n > 0) {
        qsort(s->entries, s->n, sizeof *s->entries, by_name);
        status = check(s, error);
    }
    if (status != NN_OK) {
        state_destroy(&s);
        return status;
    }
    *out = s;
    return NN_OK;
}

void state_destroy(struct state **state)
{
    if (!state || !*state) {
        return;
    }
    for (size_t i = 0; i < (*state)->n_files; i++) {
        weights_destroy(&(*state)->files[i]);
    }
    for (size_t i = 0; i < (*state)->n; i++) {
        free((*state)->entries[i].name);
    }
    free((*state)->files);
    free((*state)->entries);
    free(*state);
    *state = NULL;
}

size_t state_count(const struct state *state)
{
    return state->n;
}

const struct state_entry *state_at(const struct state *state, size_t index)
{
    return &state->entries[index];
}

const struct state_entry *state_find(const struct state *state, const char *name)
{
    struct state_entry key = { .name = (char *)name };
    return state->n ? bsearch(&key, state->entries, state->n, sizeof *state->entries,
                              by_name) : NULL;
}

const struct state_entry *state_findf(const struct state *state, const char *format, ...)
{
    char name[MAX_NAME];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return state_find(state, name);
}

void state_release(const struct state *state)
{
    for (size_t i = 0; i < state->n_files; i++) {
        weights_release(state->files[i]);
    }
}

size_t state_file_count(const struct state *state)
{
    return state->n_files;
}

const struct weights *state_file(const struct state *state, size_t index)
{
    return state->files[index];
}

bool state_is_hugging_face(const struct state *state)
{
    return state->hugging_face;
}

const char *state_file_name(const struct state_entry *entry)
{
    return entry->n_sources == 1 && !entry->transpose && !entry->absolute
               ? entry->source[0]->name : NULL;
}

/* --- Values --------------------------------------------------------------------------- */

static enum nn_status transpose(float *values, uint64_t rows, uint64_t columns,
                                struct nn_error *error)
{
    float *copy = malloc((rows * columns + 1) * sizeof *copy);
    if (!copy) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for weights");
    }
    memcpy(copy, values, rows * columns * sizeof *copy);
    for (uint64_t r = 0; r < rows; r++) {
        for (uint64_t c = 0; c < columns; c++) {
            values[c * rows + r] = copy[r * columns + c];
        }
    }
    free(copy);
    return NN_OK;
}

static enum nn_status check_finite(const struct state *state,
                                   const struct state_entry *entry, const float *values,
                                   uint64_t count, struct nn_error *error)
{
    for (uint64_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            return nn_fail(error, NN_ERROR_INVALID,
                           "%s: tensor \"%.200s\" holds a value that is not finite",
                           weights_path(state->files[entry->file]), entry->name);
        }
    }
    return NN_OK;
}

bool state_has_rows(const struct state *state, const struct state_entry *entry)
{
    return state_file_name(entry) && entry->rank == 2
           && weights_read_rows_f32(state->files[entry->file], entry->source[0], NULL, 0,
                                    NULL);
}

enum nn_status state_read_rows(const struct state *state, const struct state_entry *entry,
                               const int32_t *rows, uint32_t n, float *out,
                               struct nn_error *error)
{
    if (!state_has_rows(state, entry)) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED, "tensor \"%.200s\" has no rows",
                       entry->name);
    }
    weights_read_rows_f32(state->files[entry->file], entry->source[0], rows, n, out);
    return check_finite(state, entry, out, n * entry->shape[1], error);
}

enum nn_status state_read(const struct state *state, const struct state_entry *entry,
                          float *out, struct nn_error *error)
{
    const struct weights *w = state->files[entry->file];
    float *at = out;
    for (uint32_t i = 0; i < entry->n_sources; i++) {
        enum nn_status status = weights_read_f32(w, entry->source[i], at, error);
        if (status != NN_OK) {
            return status;
        }
        at += entry->source[i]->count;
    }
    enum nn_status status = check_finite(state, entry, out, entry->count, error);
    if (status != NN_OK) {
        return status;
    }
    for (uint64_t i = 0; i < entry->count && entry->absolute; i++) {
        out[i] = fabsf(out[i]) + 1e-5f;
    }
    return entry->transpose ? transpose(out, entry->shape[1], entry->shape[0], error)
                            : NN_OK;
}

nn_id state_param(struct nn_graph *graph, const struct state *state,
                  struct nn_shape shape, const char *format, ...)
{
    char name[MAX_NAME], got[64], want[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const struct state_entry *e = state_find(state, name);
    if (!e) {
        return nn_graph_fail(graph, "%s: tensor \"%s\" is missing",
                             weights_path(state->files[0]), name);
    }
    struct nn_shape have = { .rank = e->rank <= NN_MAX_RANK ? e->rank : 0 };
    for (int i = 0; i < have.rank; i++) {
        have.dim[i] = e->shape[i] < UINT32_MAX ? (uint32_t)e->shape[i] : 0;
    }
    if (e->rank != shape.rank || !nn_shape_equal(have, shape)) {
        return nn_graph_fail(graph, "%s: tensor \"%s\" has the shape %s, not %s",
                             weights_path(state->files[e->file]), name,
                             nn_shape_text(have, got, sizeof got),
                             nn_shape_text(shape, want, sizeof want));
    }
    return nn_param(graph, name, shape);
}
