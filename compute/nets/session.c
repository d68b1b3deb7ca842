/* Running a model: plans by kind and batch, and what happens when the device fails. */
#include "compute/nets/model_private.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To be counted up when a change of the kernels changes low bits, or one of the tokenizer
 * or the preprocessing anything: what was cached before is then not used any more. */
#define REVISION 2
#define MAX_PLANS 24
#define CLIP_MIDDLE 0.25f
/* Up to so many labels are scored over unprojected tokens. Both ways cost the same at about
 * 60 labels on a software device (measured; operations alone say 50), and at fewer where
 * matrix products are faster than the rest. */
#define ABSORB_LABELS 32
/* Images scored at once: enough to keep the device busy, and together with the labels few
 * enough that the arena stays small. */
#define SCORE_IMAGES 64
#define SCORE_ROWS 1024

struct cached_plan {
    enum session_task kind;
    uint32_t batch, n; /* n: tokens of a prompt, or labels */
    struct nn_plan *plan;
    uint64_t used;
};

struct session {
    const struct model *model;
    struct session_params params;
    char *select, *cache_dir;
    struct gpu_device *device;
    struct nn_store *store;
    struct cached_plan plans[MAX_PLANS];
    uint64_t clock;
    uint32_t max_batch, score_batch, token_count;
    float clip_scale;
    bool table_in_file; /* a prompt's rows of the token table are read from the file: the
                         * table is the largest tensor, and few of its rows are used */
    struct session_keys keys;
};

/* --- Life ----------------------------------------------------------------------------- */

static void drop_plans(struct session *s)
{
    for (int i = 0; i < MAX_PLANS; i++) {
        nn_plan_destroy(&s->plans[i].plan);
    }
}

static void close_device(struct session *s)
{
    drop_plans(s);
    nn_store_destroy(&s->store);
    gpu_device_destroy(&s->device);
}

static enum nn_status open_device(struct session *s, struct nn_error *error)
{
    struct nn_params params = model_params(s->model);
    enum nn_status status = gpu_device_create(&s->device, &s->params.device, error);
    return status == NN_OK ? nn_store_create(&s->store, s->device, &params, error) : status;
}

static uint32_t count_tokens(const struct model *m)
{
    if (m->info.kind == MODEL_CLIP || m->info.head.kind == MODEL_PART_FC
        || m->info.image.kind != MODEL_PART_TRESNET) {
        return 1;
    }
    uint32_t side = m->info.preprocess.size / 4;
    for (int stage = 1; stage < 4; stage++) {
        side = (side + 1) / 2;
    }
    return side * side;
}

static char *copy_text(const char *text)
{
    char *copy = text ? malloc(strlen(text) + 1) : NULL;
    return copy ? strcpy(copy, text) : NULL;
}

static enum nn_status check_rows(const struct model *m, const struct session_params *params,
                                 struct nn_error *error)
{
    enum model_part_kind head = m->info.head.kind;
    bool good = m->info.image.kind == MODEL_PART_TRESNET
                && (head == MODEL_PART_HEAD_ZSL || head == MODEL_PART_HEAD_GROUP);
    return good || !params->rows
               ? NN_OK : nn_fail(error, NN_ERROR_UNSUPPORTED,
                                 "only a TResNet with an ML-Decoder head has rows");
}

enum nn_status session_create(struct session **out, const struct model *model,
                              const struct session_params *params,
                              struct nn_error *error)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a session");
    }
    s->model = model;
    if (params) {
        s->params = *params;
    } else {
        s->params.device.family = -1;
    }
    /* The device may have to be made again when the caller's strings are gone. */
    s->params.device.select = s->select = copy_text(s->params.device.select);
    s->params.device.cache_dir = s->cache_dir = copy_text(s->params.device.cache_dir);
    enum nn_status status = check_rows(model, &s->params, error);
    if (status == NN_OK) {
        status = open_device(s, error);
    }
    /* Injected faults are for the first device only. */
    s->params.device.fail_submit_after = s->params.device.fail_alloc_after = 0;
    const struct state_entry *scale = state_find(model->state, "logit_scale");
    s->clip_scale = 100;
    if (status == NN_OK && scale && scale->count == 1) {
        status = state_read(model->state, scale, &s->clip_scale, error);
        s->clip_scale = expf(s->clip_scale);
    }
    if (status != NN_OK) {
        session_destroy(&s);
        return status;
    }
    bool software = gpu_device_caps(s->device)->type == GPU_SOFTWARE;
    s->max_batch = s->params.max_batch ? s->params.max_batch : software ? 4 : 16;
    s->score_batch = SCORE_IMAGES;
    s->token_count = count_tokens(model);
    const struct state_entry *table = state_find(model->state, "token_embedding.weight");
    s->table_in_file = table && state_has_rows(model->state, table);
    bool half = gpu_device_caps(s->device)->choice.precision == GPU_PRECISION_F16;
    const char *precision = half ? "-f16" : "";
    snprintf(s->keys.image, sizeof s->keys.image, "%s%s-%d%s", s->params.rows ? "rows-" : "",
             s->params.rows ? model->info.rows_fingerprint : model->info.image_fingerprint,
             REVISION, precision);
    snprintf(s->keys.text, sizeof s->keys.text, "%s-%d%s", model->info.text_fingerprint,
             REVISION, precision);
    *out = s;
    return NN_OK;
}

void session_destroy(struct session **session)
{
    if (!session || !*session) {
        return;
    }
    close_device(*session);
    free((*session)->select);
    free((*session)->cache_dir);
    free(*session);
    *session = NULL;
}

struct gpu_device *session_device(struct session *session)
{
    return session->device;
}

uint32_t session_max_batch(const struct session *session)
{
    return session->max_batch;
}

uint32_t session_score_batch(const struct session *session)
{
    return session->score_batch;
}

const struct session_keys *session_keys(const struct session *session)
{
    return &session->keys;
}

uint32_t session_token_count(const struct session *session)
{
    return session->token_count;
}

uint32_t session_token_width(const struct session *session)
{
    return session->params.rows ? session->model->head.features
                                : session->model->info.token_width;
}

/* --- Graphs -------------------------------------------------------------------------------- */

/* image -> "tokens": what is cached for an image. */
static void build_image(struct nn_graph *g, const struct session *s, uint32_t batch)
{
    const struct model *m = s->model;
    uint32_t side = m->info.preprocess.size;
    nn_id x = nn_input(g, "image", NN_F32, NN_SHAPE4(batch, 3, side, side));
    x = model_build_image(g, m, x);
    if (m->info.kind == MODEL_CLIP) {
        x = nn_l2_normalize(g, x);
    } else if (s->params.rows) {
        x = nn_map_to_rows(g, x);
    } else if (m->info.head.kind == MODEL_PART_FC) {
        x = nn_mean_map(g, x);
    } else {
        x = mldecoder_tokens(g, m->state, &m->head, nn_map_to_rows(g, x));
    }
    nn_output(g, x, "session.out");
}

static void build_text(struct nn_graph *g, const struct session *s, uint32_t n, uint32_t t)
{
    const struct model *m = s->model;
    nn_id eot = nn_input(g, "text.eot", NN_I32, NN_SHAPE1(n));
    if (s->table_in_file) {
        uint32_t width = m->text.transformer.width;
        nn_id rows = nn_input(g, "tokens", NN_F32, NN_SHAPE3(n, t, width));
        clip_text_encode(g, m->state, &m->text, "text", rows, eot);
    } else {
        nn_id ids = nn_input(g, "tokens", NN_I32, NN_SHAPE2(n, t));
        clip_text_build(g, m->state, &m->text, "text", ids, eot);
    }
}

/* tokens, labels -> logits, or cosines for CLIP. */
static void build_score(struct nn_graph *g, const struct session *s, uint32_t batch,
                        uint32_t n)
{
    const struct model *m = s->model;
    uint32_t width = m->info.token_width;
    if (m->info.kind == MODEL_CLIP) {
        nn_id image = nn_input(g, "tokens", NN_F32, NN_SHAPE2(batch, width));
        nn_id labels = nn_input(g, "labels", NN_F32, NN_SHAPE2(n, width));
        nn_output(g, nn_matmul_nt(g, image, nn_l2_normalize(g, labels)), "session.out");
        return;
    }
    if (m->info.head.kind == MODEL_PART_FC) {
        nn_id pooled = nn_input(g, "tokens", NN_F32, NN_SHAPE2(batch, width));
        nn_id w = state_param(g, m->state, NN_SHAPE2(n, width), "head.fc.weight");
        nn_id b = state_param(g, m->state, NN_SHAPE1(n), "head.fc.bias");
        nn_output(g, nn_linear(g, pooled, w, b), "session.out");
        return;
    }
    nn_id tokens = nn_input(g, "tokens", NN_F32, NN_SHAPE3(batch, s->token_count, width));
    nn_id labels = m->head.zero_shot
                       ? nn_input(g, "labels", NN_F32, NN_SHAPE2(n, m->head.embedding))
                       : NN_NONE;
    if (n <= ABSORB_LABELS && !s->params.no_absorb && mldecoder_can_absorb(&m->head)) {
        mldecoder_logits_absorbed(g, m->state, &m->head, tokens, labels);
    } else {
        mldecoder_logits(g, m->state, &m->head, tokens, labels);
    }
}

/* tokens of one image, labels -> attention probabilities [1,heads,queries,T]. */
static void build_attention(struct nn_graph *g, const struct session *s)
{
    const struct model *m = s->model;
    nn_id tokens = nn_input(g, "tokens", NN_F32,
                            NN_SHAPE3(1, s->token_count, m->info.token_width));
    nn_id labels = m->head.zero_shot
                       ? nn_input(g, "labels", NN_F32, NN_SHAPE2(1, m->head.embedding))
                       : NN_NONE;
    mldecoder_logits(g, m->state, &m->head, tokens, labels);
}

static const char *output_name(const struct session *s, enum session_task kind)
{
    if (kind == SESSION_TEXT) {
        return "text.features";
    }
    if (kind == SESSION_ATTENTION) {
        return "head.attn_probs";
    }
    bool decoder = s->model->info.kind != MODEL_CLIP
                   && s->model->info.head.kind != MODEL_PART_FC;
    return kind == SESSION_SCORE && decoder ? "head.logits" : "session.out";
}

/* Packing weights leaves large holes in the heap, which the C library would keep. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static enum nn_status make_plan(struct session *s, struct cached_plan *slot,
                                enum session_task kind, uint32_t batch, uint32_t n,
                                struct nn_error *error)
{
    struct nn_graph *graph = nn_graph_create();
    if (!graph) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a graph");
    }
    switch (kind) {
    case SESSION_IMAGE: build_image(graph, s, batch); break;
    case SESSION_TEXT: build_text(graph, s, batch, n); break;
    case SESSION_SCORE: build_score(graph, s, batch, n); break;
    case SESSION_ATTENTION: build_attention(graph, s); break;
    }
    const char *wanted = output_name(s, kind);
    struct nn_plan_params params = { .no_fuse = s->params.no_fuse, .wanted = &wanted,
                                     .n_wanted = 1 };
    enum nn_status status = nn_plan_create(&slot->plan, graph, s->store, &params, error);
    nn_graph_destroy(&graph);
    state_release(s->model->state);
    give_back_memory();
    *slot = (struct cached_plan){ kind, batch, n, slot->plan, s->clock };
    return status;
}

/* The plan of that kind and size, made now when it is new; the least used one goes. */
static enum nn_status get_plan(struct session *s, enum session_task kind, uint32_t batch,
                               uint32_t n, struct nn_plan **out, struct nn_error *error)
{
    struct cached_plan *oldest = &s->plans[0];
    s->clock++;
    for (int i = 0; i < MAX_PLANS; i++) {
        struct cached_plan *p = &s->plans[i];
        if (p->plan && p->kind == kind && p->batch == batch && p->n == n) {
            p->used = s->clock;
            *out = p->plan;
            return NN_OK;
        }
        if (oldest->plan && (!p->plan || p->used < oldest->used)) {
            oldest = p;
        }
    }
    nn_plan_destroy(&oldest->plan);
    enum nn_status status = make_plan(s, oldest, kind, batch, n, error);
    *out = oldest->plan;
    return status;
}

/* --- Running with recovery -------------------------------------------------------------------- */

struct work {
    enum session_task kind;
    uint32_t batch, n;
    struct nn_binding inputs[2];
    size_t n_inputs;
    float *out;
    uint64_t out_count;
};

static enum nn_status run_once(struct session *s, const struct work *w,
                               const struct nn_run_params *run, struct nn_error *error)
{
    struct nn_plan *plan = NULL;
    enum nn_status status = s->device ? get_plan(s, w->kind, w->batch, w->n, &plan, error)
                                      : NN_ERROR_DEVICE_LOST;
    if (status != NN_OK) {
        return status;
    }
    struct nn_binding output = { output_name(s, w->kind), w->out, w->out_count };
    return nn_plan_run(plan, w->inputs, w->n_inputs, &output, 1, run, error);
}

/* A lost device is made again once; out of memory, unused plans go and it is tried
 * again. What is left is the caller's: a smaller batch, or the message. */
static enum nn_status run_work(struct session *s, const struct work *w,
                               const struct nn_run_params *run, struct nn_error *error)
{
    enum nn_status status = run_once(s, w, run, error);
    if (status == NN_ERROR_DEVICE_LOST) {
        close_device(s);
        enum nn_status opened = open_device(s, error);
        if (opened != NN_OK) {
            close_device(s);
            return nn_prefix(error, NN_ERROR_DEVICE_LOST,
                             "the device was lost and did not come back");
        }
        status = run_once(s, w, run, error);
    } else if (status == NN_ERROR_DEVICE_MEMORY) {
        drop_plans(s);
        status = run_once(s, w, run, error);
    }
    return status;
}

/* The largest power of `base` that is no more than `left` and `most`: few sizes, for each
 * has a plan of its own. */
static uint32_t bucket(uint32_t base, uint32_t left, uint32_t most)
{
    uint32_t size = 1;
    while (size * base <= left && size * base <= most) {
        size *= base;
    }
    return size;
}

/* Smaller batches when memory is out; false when there is nothing smaller. */
static bool halve(uint32_t *batch, enum nn_status status)
{
    if (status != NN_ERROR_DEVICE_MEMORY || *batch <= 1) {
        return false;
    }
    *batch /= 2;
    return true;
}

enum nn_status session_encode_image(struct session *session, const float *pixels,
                                    uint32_t batch, float *tokens,
                                    const struct nn_run_params *run,
                                    struct nn_error *error)
{
    struct session *s = session;
    uint64_t in = 3ull * s->model->info.preprocess.size * s->model->info.preprocess.size;
    uint64_t out = (uint64_t)s->token_count * session_token_width(s);
    for (uint32_t done = 0; done < batch;) {
        uint32_t n = bucket(2, batch - done, s->max_batch);
        struct work w = { .kind = SESSION_IMAGE, .batch = n, .n_inputs = 1,
                          .out = tokens + done * out, .out_count = n * out };
        w.inputs[0] = (struct nn_binding){ "image", (float *)pixels + done * in, n * in };
        enum nn_status status = run_work(s, &w, run, error);
        if (status == NN_OK) {
            done += n;
        } else if (!halve(&s->max_batch, status)) {
            return status;
        }
    }
    return NN_OK;
}

/* Lengths in steps of 8 keep the number of plans small. */
static uint32_t padded_length(const struct session *s, uint32_t tokens)
{
    uint32_t padded = (tokens + 7) / 8 * 8, most = s->model->text.context;
    return padded < most ? padded : most;
}

/* The first position of the largest id (spec 4.2). */
static int32_t find_eot(const int64_t *ids, uint32_t t)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < t; i++) {
        best = ids[i] > ids[best] ? i : best;
    }
    return (int32_t)best;
}

/* Room for the table's rows of a batch of prompts; NULL when the device looks them up. */
static enum nn_status prepare_rows(const struct session *s, uint32_t padded, float **out,
                                   struct nn_error *error)
{
    *out = NULL;
    if (!s->table_in_file) {
        return NN_OK;
    }
    *out = malloc((size_t)s->max_batch * padded * s->model->text.transformer.width
                  * sizeof **out);
    return *out ? NN_OK : nn_fail(error, NN_ERROR_MEMORY, "out of memory for tokens");
}

static enum nn_status read_rows(const struct session *s, const int32_t *ids, uint32_t n,
                                float *rows, struct nn_binding *out,
                                struct nn_error *error)
{
    const struct state *state = s->model->state;
    const struct state_entry *table = state_find(state, "token_embedding.weight");
    *out = (struct nn_binding){ "tokens", rows,
                                (uint64_t)n * s->model->text.transformer.width };
    return state_read_rows(state, table, ids, n, rows, error);
}

enum nn_status session_encode_text(struct session *session, const int64_t *ids, uint32_t n,
                                   uint32_t t, float *embeddings,
                                   const struct nn_run_params *run, struct nn_error *error)
{
    struct session *s = session;
    const struct clip_text *text = &s->model->text;
    uint32_t padded = padded_length(s, t);
    if (s->model->info.text.kind == MODEL_PART_NONE || t == 0 || t > text->context) {
        return nn_fail(error, NN_ERROR_INVALID, "%u tokens do not fit the text encoder", t);
    }
    float *rows = NULL;
    int32_t *values = calloc((size_t)s->max_batch * (padded + 1), sizeof *values);
    if (!values) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for tokens");
    }
    enum nn_status status = prepare_rows(s, padded, &rows, error);
    for (uint32_t done = 0; done < n && status == NN_OK;) {
        uint32_t count = bucket(2, n - done, s->max_batch);
        int32_t *eot = values + (size_t)count * padded;
        memset(values, 0, (size_t)count * padded * sizeof *values);
        for (uint32_t i = 0; i < count; i++) {
            const int64_t *row = ids + (uint64_t)(done + i) * t;
            for (uint32_t j = 0; j < t; j++) {
                values[i * padded + j] = (int32_t)row[j];
            }
            eot[i] = find_eot(row, t);
        }
        struct work w = { .kind = SESSION_TEXT, .batch = count, .n = padded, .n_inputs = 2,
                          .out = embeddings + (uint64_t)done * text->embedding,
                          .out_count = (uint64_t)count * text->embedding };
        w.inputs[0] = (struct nn_binding){ "tokens", values, (uint64_t)count * padded };
        w.inputs[1] = (struct nn_binding){ "text.eot", eot, count };
        if (rows) {
            status = read_rows(s, values, count * padded, rows, &w.inputs[0], error);
        }
        status = status == NN_OK ? run_work(s, &w, run, error) : status;
        if (status == NN_OK) {
            done += count;
        } else if (halve(&s->max_batch, status)) {
            status = NN_OK;
        }
    }
    free(values);
    free(rows);
    return status;
}

static void to_confidence(const struct session *s, float *values, uint64_t count)
{
    bool clip = s->model->info.kind == MODEL_CLIP;
    for (uint64_t i = 0; i < count; i++) {
        float logit = clip ? s->clip_scale * (values[i] - CLIP_MIDDLE) : values[i];
        values[i] = 1 / (1 + expf(-logit));
    }
}

enum nn_status session_score(struct session *session, const float *tokens, uint32_t batch,
                             const float *embeddings, uint32_t n, float *confidence,
                             const struct nn_run_params *run, struct nn_error *error)
{
    struct session *s = session;
    const struct model_info *info = &s->model->info;
    uint64_t in = (uint64_t)s->token_count * info->token_width;
    if (s->params.rows) {
        return nn_fail(error, NN_ERROR_INVALID, "a session of rows cannot score");
    }
    if (n == 0) {
        return NN_OK;
    }
    for (uint32_t done = 0; done < batch;) {
        uint32_t rows = SCORE_ROWS / n;
        uint32_t most = rows < s->score_batch ? rows : s->score_batch;
        uint32_t count = bucket(4, batch - done, most);
        struct work w = { .kind = SESSION_SCORE, .batch = count, .n = n, .n_inputs = 1,
                          .out = confidence + (uint64_t)done * n,
                          .out_count = (uint64_t)count * n };
        w.inputs[0] = (struct nn_binding){ "tokens", (float *)tokens + done * in,
                                           count * in };
        if (info->open_vocabulary) {
            w.inputs[1] = (struct nn_binding){ "labels", (float *)embeddings,
                                               (uint64_t)n * info->embedding };
            w.n_inputs = 2;
        }
        enum nn_status status = run_work(s, &w, run, error);
        if (status == NN_OK) {
            to_confidence(s, w.out, w.out_count);
            done += count;
        } else if (!halve(&s->score_batch, status)) {
            return status;
        }
    }
    return NN_OK;
}

enum nn_status session_attention(struct session *session, const float *tokens,
                                 const float *embedding, uint32_t label, float *out,
                                 const struct nn_run_params *run, struct nn_error *error)
{
    struct session *s = session;
    const struct model_info *info = &s->model->info;
    const struct mldecoder *head = &s->model->head;
    if (info->kind == MODEL_CLIP || info->head.kind == MODEL_PART_FC || s->params.rows) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "%s: its head does not look at parts of an image", info->name);
    }
    uint32_t queries = head->zero_shot ? 1 : head->queries, t = s->token_count;
    uint32_t query = head->zero_shot ? 0 : label / head->group;
    uint64_t count = (uint64_t)head->heads * queries * t;
    float *probs = query < queries ? malloc(count * sizeof *probs) : NULL;
    if (!probs) {
        return query < queries ? nn_fail(error, NN_ERROR_MEMORY, "out of memory")
                               : nn_fail(error, NN_ERROR_INVALID, "there is no label %u",
                                         label);
    }
    struct work w = { .kind = SESSION_ATTENTION, .batch = 1, .n = queries, .n_inputs = 1,
                      .out = probs, .out_count = count };
    w.inputs[0] = (struct nn_binding){ "tokens", (float *)tokens,
                                       (uint64_t)t * info->token_width };
    if (head->zero_shot) {
        w.inputs[w.n_inputs++] =
            (struct nn_binding){ "labels", (float *)embedding, info->embedding };
    }
    enum nn_status status = run_work(s, &w, run, error);
    for (uint32_t i = 0; i < t && status == NN_OK; i++) {
        double sum = 0;
        for (uint32_t h = 0; h < head->heads; h++) {
            sum += probs[((uint64_t)h * queries + query) * t + i];
        }
        out[i] = (float)(sum / head->heads);
    }
    free(probs);
    return status;
}

enum nn_status session_plan(struct session *session, enum session_task task,
                            uint32_t batch, uint32_t n, struct nn_plan **out,
                            struct nn_error *error)
{
    n = task == SESSION_TEXT ? padded_length(session, n) : n;
    return get_plan(session, task, batch, n, out, error);
}

uint64_t session_weight_bytes(const struct session *session)
{
    return nn_store_bytes(session->store);
}

enum nn_status session_run(struct session *session, const struct nn_graph *graph,
                           const struct nn_binding *inputs, size_t n_inputs,
                           const struct nn_binding *outputs, size_t n_outputs,
                           const struct nn_run_params *run, struct nn_error *error)
{
    struct nn_plan *plan = NULL;
    const char **wanted = calloc(n_outputs + 1, sizeof *wanted);
    if (!wanted) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n_outputs; i++) {
        wanted[i] = outputs[i].name;
    }
    struct nn_plan_params params = { .no_fuse = session->params.no_fuse, .wanted = wanted,
                                     .n_wanted = n_outputs };
    enum nn_status status = nn_plan_create(&plan, graph, session->store, &params, error);
    if (status == NN_OK) {
        status = nn_plan_run(plan, inputs, n_inputs, outputs, n_outputs, run, error);
    }
    nn_plan_destroy(&plan);
    free(wanted);
    return status;
}
