/* A model: the parts that a set of checkpoints or a bundle holds, and its run on a
 * device. The door through which app/ uses compute/.
 *
 * A struct model is immutable after opening and may be shared; a struct session belongs
 * to one thread at a time (the engine thread). */
#ifndef TAGLIGHT_COMPUTE_MODEL_H
#define TAGLIGHT_COMPUTE_MODEL_H

#include "compute/gpu/gpu.h"
#include "compute/graph/plan.h"

struct tokenizer;
struct weights_label;

enum model_kind {
    MODEL_PARTS,        /* some parts only: `model forward` runs what there is */
    MODEL_CLIP_DECODER, /* TResNet, CLIP text, zero-shot ML-Decoder */
    MODEL_ML_DECODER,   /* TResNet and a fixed-label ML-Decoder (or fc) head */
    MODEL_CLIP,         /* CLIP image and text towers, cosine similarity */
};

enum model_fit { MODEL_FIT_SQUASH, MODEL_FIT_CROP };
enum model_filter { MODEL_BILINEAR, MODEL_BICUBIC };

struct model_preprocess {
    uint32_t size;        /* side of the square that the network sees, pixels */
    uint32_t resize_size; /* shorter side before the crop; = size for squash */
    enum model_fit fit;
    enum model_filter filter;
    float mean[3], std[3]; /* of values in 0..1 */
};

/* What a checkpoint does not store. Zero (or negative for slopes) means the default. */
struct model_settings {
    uint32_t text_heads, image_heads;
    float image_slope, image_stem_slope; /* < 0: 0.001 and 0.01; image.slope sets both */
    enum nn_act text_activation;         /* NN_ACT_NONE: by naming */
    enum nn_act image_activation;        /* the same for ViT blocks */
    uint32_t head_heads;                 /* ML-Decoder: 0 for 8 */
};

void model_settings_init(struct model_settings *settings);
/* Parses one "text.heads=4". Names: text.heads, text.activation (quick_gelu|gelu),
 * image.heads, image.slope, image.activation, head.heads. */
enum nn_status model_settings_set(struct model_settings *settings, const char *text,
                                  struct nn_error *error);

enum model_part_kind {
    MODEL_PART_NONE, MODEL_PART_TRESNET, MODEL_PART_VIT, MODEL_PART_RESNET,
    MODEL_PART_TEXT, MODEL_PART_HEAD_ZSL, MODEL_PART_HEAD_GROUP, MODEL_PART_FC,
};

struct model_part {
    enum model_part_kind kind;
    char summary[160];      /* "TResNet-M, 64 planes, blocks 3,4,11,3" */
    uint64_t parameters;
};

struct model_info {
    enum model_kind kind;
    char name[128], licence[64], origin[512];
    char about[512];        /* what it knows and what not, for a person; often empty */
    char prompt[128];       /* template with one %s, such as "a photo of %s" */
    struct model_part image, text, head;
    struct model_preprocess preprocess;
    uint32_t token_width;   /* values of one image token as cached */
    uint32_t embedding;     /* width of a label embedding that the head takes */
    uint32_t context;       /* most text tokens of a prompt */
    uint32_t vocabulary;
    bool open_vocabulary;   /* labels are free text */
    /* Hex; equal for equal weights, settings and preprocessing: of the whole, of what makes
     * an image's tokens, of that without the head's projection, of what makes a label's
     * embedding. */
    char fingerprint[33], image_fingerprint[33], rows_fingerprint[33], text_fingerprint[33];
};

struct model;

/* Writes a bundle folder `dir`, which must not exist: model.json, the weights under
 * canonical names (16-bit tensors stay so) and the tokenizer's files copied from
 * `tokenizer_dir` (NULL for none). Made under a temporary name and renamed at the end. */
enum nn_status model_save(const struct model *model, const char *dir, const char *name,
                          const char *tokenizer_dir, struct nn_error *error);

struct state;
struct state_entry;

struct model_write_params {
    const char *name, *origin, *prompt, *about, *licence; /* NULL: the model's own */
    bool tokenizer;            /* its files are in the folder */
    bool half;                 /* store matrices and kernels with 16 bits */
    /* The values to write for an entry of the model's state, out[entry->count]; NULL for
     * the model's own. */
    enum nn_status (*read)(void *user, const struct state_entry *entry, float *out,
                           struct nn_error *error);
    void *user;
};
/* Writes the weights and then model.json into the folder `dir`, which is a bundle from
 * then on. For a model that is made in place, such as a trained one. */
enum nn_status model_write(const struct model *model, const char *dir,
                           const struct model_write_params *params,
                           struct nn_error *error);

/* Copies the tokenizer's files that the folder `from` has; *found says whether there were
 * any. */
enum nn_status model_copy_tokenizer(const char *from, const char *to, bool *found,
                                    struct nn_error *error);

/* Opens a bundle (a folder with model.json) or one or several checkpoint files or
 * folders which together give the parts. Fails when they hold no part at all, or two of
 * the same. `settings` may be NULL. */
enum nn_status model_open(struct model **out, const char *const *paths, size_t n_paths,
                          const struct model_settings *settings, struct nn_error *error);
/* What a model is besides its weights. NULL: as model_open would have it. */
struct model_facts {
    const char *name, *licence, *prompt;
    const struct model_preprocess *preprocess;
    const struct model_settings *settings;
    const char *tokenizer;                 /* for tokenizer_load(); NULL for none */
};
/* A model of a state, which it takes over, also on failure. */
enum nn_status model_create(struct model **out, struct state *state,
                            const struct model_facts *facts, struct nn_error *error);
/* A model without files, with the weights of that kind of synthetic.h. `side` is the
 * size of its images in pixels, 0 for what model_open would take. */
enum nn_status model_open_synthetic(struct model **out, const char *kind, uint32_t side,
                                    struct nn_error *error);
void model_destroy(struct model **model);
const struct model_info *model_info(const struct model *model);
/* NULL when the model came without one. */
const struct tokenizer *model_tokenizer(const struct model *model);
/* Names of a fixed-label head, in class order; empty for open vocabulary. */
const struct weights_label *model_labels(const struct model *model, size_t *count);
/* Values of the canonical parameters (timm names for TResNet, OpenAI names for CLIP,
 * `head.` for the decoder). Valid while the model lives. */
struct nn_params model_params(const struct model *model);
/* What the model is run with that its checkpoint does not store. */
const struct model_settings *model_settings(const struct model *model);

/* The canonical parameters themselves, for tools that list or rewrite them. */
const struct state *model_state(const struct model *model);

/* Inputs of a forward graph; zero dims mean that the input is absent. */
struct model_inputs {
    struct nn_shape image;            /* [B,3,H,W] */
    struct nn_shape tokens;           /* [N,T] I32 */
    struct nn_shape features;         /* [B,C,h,w], given to the head */
    struct nn_shape tokens2d;         /* [B,T,C], given to the head */
    struct nn_shape label_embeddings; /* [N,E] */
};

/* Builds the graph of everything that the inputs allow, with every intermediate as a
 * named output (the names of `taglight model forward`). Graph inputs are called
 * `image`, `tokens`, `text.eot` (I32 [N], the row to take), `features`, `tokens2d`,
 * `label_embeddings`. */
enum nn_status model_forward_graph(struct nn_graph **out, const struct model *model,
                                   const struct model_inputs *inputs,
                                   struct nn_error *error);

/* --- Running ------------------------------------------------------------------ */

struct session;

/* What a session does, for tools that measure it. */
enum session_task { SESSION_IMAGE, SESSION_TEXT, SESSION_SCORE, SESSION_ATTENTION };

struct session_params {
    struct gpu_device_params device;
    uint32_t max_batch;   /* images at once; 0: chosen by device */
    bool no_fuse;
    bool no_absorb;       /* score few labels in the way of many (for bisecting) */
    bool rows;            /* an image is encoded to the rows that the head projects to tokens,
                           * to train that projection; nothing can be scored then. TResNet
                           * with an ML-Decoder only */
};

enum nn_status session_create(struct session **out, const struct model *model,
                              const struct session_params *params,
                              struct nn_error *error);
void session_destroy(struct session **session);
struct gpu_device *session_device(struct session *session);
uint32_t session_max_batch(const struct session *session);
/* Images that session_score takes to the device at once when labels are few. */
uint32_t session_score_batch(const struct session *session);

/* Tokens per image of the image encoder for this model's input size. */
uint32_t session_token_count(const struct session *session);
/* Values of one of them: the model's token_width, or with `rows` the encoder's channels. */
uint32_t session_token_width(const struct session *session);
/* Equal for sessions whose tokens, or embeddings, may stand for each other: the part's
 * fingerprint, the engine's revision, and the precision where it is not f32. */
struct session_keys { char image[64], text[64]; };
const struct session_keys *session_keys(const struct session *session);

/* pixels [batch,3,S,S] as img_to_tensor makes them -> tokens [batch,T,session_token_width]
 * (clip: the normalised image feature, T = 1). Any batch: it is cut to max_batch, and
 * halved when device memory runs out; a lost device is made again once. */
enum nn_status session_encode_image(struct session *session, const float *pixels,
                                    uint32_t batch, float *tokens,
                                    const struct nn_run_params *run,
                                    struct nn_error *error);
/* ids [n,T] (zero padded after the end token) -> embeddings [n,embedding]. */
enum nn_status session_encode_text(struct session *session, const int64_t *ids,
                                   uint32_t n, uint32_t t, float *embeddings,
                                   const struct nn_run_params *run,
                                   struct nn_error *error);
/* tokens [batch,T,token_width], embeddings [n,embedding] (NULL for fixed labels, n = the
 * number of labels) -> confidence [batch,n] in 0..1: the sigmoid of the head's logit. A
 * CLIP pair has no logit for one label alone; its confidence is sigmoid(s (cos - 0.25)),
 * s = exp(logit_scale), for cosines of fitting captions lie around 0.25 to 0.35. An
 * image's confidence does not depend on the batch it is scored in. */
enum nn_status session_score(struct session *session, const float *tokens,
                             uint32_t batch, const float *embeddings, uint32_t n,
                             float *confidence, const struct nn_run_params *run,
                             struct nn_error *error);
/* Where the head looks: tokens [T,token_width] of an image, the embedding [embedding] of a
 * label (NULL for fixed labels, of which `label` is the index) -> out[T], the attention of
 * the label's query to each token, the mean over the heads; it sums to 1. Tokens go row by
 * row over the image. UNSUPPORTED for a head without attention: CLIP's cosine, and fc. */
enum nn_status session_attention(struct session *session, const float *tokens,
                                 const float *embedding, uint32_t label, float *out,
                                 const struct nn_run_params *run, struct nn_error *error);
/* The plan that the session runs for one batch of a task: n counts the tokens of a prompt
 * (SESSION_TEXT) or the labels (SESSION_SCORE). The session owns it, until its next
 * call. */
enum nn_status session_plan(struct session *session, enum session_task task,
                            uint32_t batch, uint32_t n, struct nn_plan **out,
                            struct nn_error *error);
/* Bytes of device memory that hold weights. */
uint64_t session_weight_bytes(const struct session *session);
/* Runs a graph of model_forward_graph and gives chosen outputs; used by tools. */
enum nn_status session_run(struct session *session, const struct nn_graph *graph,
                           const struct nn_binding *inputs, size_t n_inputs,
                           const struct nn_binding *outputs, size_t n_outputs,
                           const struct nn_run_params *run, struct nn_error *error);

#endif
