#include "compute/train/init.h"

#include "compute/json.h"
#include "compute/nets/formula.h"
#include "compute/nets/tensor_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Configuration ----------------------------------------------------------------------- */

struct member {
    const char *name;
    uint32_t *value;
    uint32_t least, most; /* a missing member counts as 0 */
};

#define N_MEMBERS 10

static void list_members(struct network_config *c, struct member out[N_MEMBERS])
{
    const struct member members[N_MEMBERS] = {
        { "decoder_width", &c->decoder_width, 8, 8192 },
        { "decoder_hidden", &c->decoder_hidden, 0, 65536 },
        { "label_width", &c->label_width, 1, 8192 },
        { "text_context", &c->text_context, 2, 4096 },
        { "text_width", &c->text_width, 1, 8192 },
        { "text_layers", &c->text_layers, 1, 64 },
        { "text_heads", &c->text_heads, 1, 256 },
        { "vocabulary", &c->vocabulary, 1, 1000000 },
        { "align_width", &c->align_width, 0, 8192 },
        { "image_size", &c->image_size, 32, 4096 },
    };
    memcpy(out, members, sizeof members);
}

static enum nn_status read_layers(struct network_config *out, const struct json *json,
                                  const char *path, struct nn_error *error)
{
    uint32_t array = json_get(json, 0, "layers"), at = JSON_NONE;
    bool good = array != JSON_NONE && json_type_of(json, array) == JSON_ARRAY
                && json_count(json, array) == 4;
    for (int i = 0; i < 4 && good; i++) {
        uint64_t value = 0;
        at = i ? json_next(json, array, at) : json_first(json, array);
        good = json_u64(json, at, &value) && value >= 1 && value <= 64;
        out->layers[i] = (uint32_t)value;
    }
    return good ? NN_OK : nn_fail(error, NN_ERROR_INVALID,
                                  "%s: \"layers\" must be four numbers of 1 to 64", path);
}

static enum nn_status read_member(const struct member *m, const struct json *json,
                                  const char *path, struct nn_error *error)
{
    uint32_t at = json_get(json, 0, m->name);
    uint64_t value = 0;
    if ((at != JSON_NONE && !json_u64(json, at, &value)) || value < m->least
        || value > m->most) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: \"%s\" must be a number of %u to %u",
                       path, m->name, m->least, m->most);
    }
    *m->value = (uint32_t)value;
    return NN_OK;
}

/* Members that nothing reads are mistakes in writing. */
static enum nn_status check_names(const struct json *json, const struct member *members,
                                  const char *path, struct nn_error *error)
{
    static const char *const others[] = { "layers", "width_factor", "v2", "temperature" };
    for (uint32_t key = json_first(json, 0); key != JSON_NONE;) {
        bool known = false;
        for (int i = 0; i < N_MEMBERS; i++) {
            known |= json_string_is(json, key, members[i].name);
        }
        for (int i = 0; i < 4; i++) {
            known |= json_string_is(json, key, others[i]);
        }
        if (!known) {
            char *name = json_string(json, key, NULL);
            nn_fail(error, NN_ERROR_INVALID, "%s: there is no setting \"%.100s\"", path,
                    name ? name : "");
            free(name);
            return NN_ERROR_INVALID;
        }
        key = json_next(json, 0, json_next(json, 0, key));
    }
    return NN_OK;
}

static enum nn_status check_config(const struct network_config *c, const char *path,
                                   struct nn_error *error)
{
    const char *wrong =
        !(c->width_factor >= 1.0 / 16 && c->width_factor <= 4)
            ? "\"width_factor\" must be 0.0625 to 4"
        : c->decoder_width % 8 != 0 ? "\"decoder_width\" must be a multiple of 8"
        : c->text_width % c->text_heads != 0 ? "\"text_heads\" must divide \"text_width\""
        : c->image_size % 4 != 0 ? "\"image_size\" must be a multiple of 4" : NULL;
    return wrong ? nn_fail(error, NN_ERROR_INVALID, "%s: %s", path, wrong) : NN_OK;
}

static enum nn_status read_config(struct network_config *out, const struct json *json,
                                  const char *path, struct nn_error *error)
{
    struct member members[N_MEMBERS];
    uint32_t v2 = json_get(json, 0, "v2");
    enum json_type flag = v2 == JSON_NONE ? JSON_FALSE : json_type_of(json, v2);
    list_members(out, members);
    if (json_type_of(json, 0) != JSON_OBJECT) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: this is no JSON object", path);
    }
    if (flag != JSON_FALSE && flag != JSON_TRUE) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: \"v2\" must be true or false", path);
    }
    out->v2 = flag == JSON_TRUE;
    enum nn_status status = check_names(json, members, path, error);
    if (status == NN_OK) {
        status = read_layers(out, json, path, error);
    }
    if (status == NN_OK
        && !json_double(json, json_get(json, 0, "width_factor"), &out->width_factor)) {
        status = nn_fail(error, NN_ERROR_INVALID,
                         "%s: \"width_factor\" is missing or no number", path);
    }
    uint32_t temperature = json_get(json, 0, "temperature");
    out->temperature = NETWORK_TEMPERATURE;
    if (status == NN_OK && temperature != JSON_NONE
        && !(json_double(json, temperature, &out->temperature)
             && fabs(out->temperature) <= 10)) {
        status = nn_fail(error, NN_ERROR_INVALID,
                         "%s: \"temperature\" must be a number of -10 to 10", path);
    }
    for (int i = 0; i < N_MEMBERS && status == NN_OK; i++) {
        status = read_member(&members[i], json, path, error);
    }
    return status == NN_OK ? check_config(out, path, error) : status;
}

enum nn_status network_config_read(struct network_config *out, const char *path,
                                   struct nn_error *error)
{
    struct network_config config = { 0 };
    struct json *json = NULL;
    char *text = NULL;
    enum nn_status status = json_load(&json, &text, path, error);
    if (status == NN_OK) {
        status = read_config(&config, json, path, error);
    }
    if (status == NN_OK) {
        *out = config;
    }
    json_destroy(&json);
    free(text);
    return status;
}

/* --- Random weights ------------------------------------------------------------------------ */

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* What the values depend on besides the tensor itself. */
struct source { uint64_t seed; bool v2; uint32_t text_layers; double temperature; };

/* How the values of a tensor are spread around `centre`: normal with deviation `normal`,
 * or evenly within +-`even`. */
struct spread { double centre, normal, even; };

/* The last norm of a block, whose zero weight makes the block a mere shortcut at first. */
static bool is_last_norm(const char *name, bool v2)
{
    bool basic = !v2 && (begins(name, "body.layer1.") || begins(name, "body.layer2."));
    return ends(name, basic ? "conv2.bn.weight" : "conv3.bn.weight");
}

static struct spread image_spread(const struct weights_tensor *t, bool v2)
{
    if (t->rank == 4) {
        double outs = (double)t->shape[0] * (double)t->shape[2] * (double)t->shape[3];
        return (struct spread){ .normal = sqrt(2 / outs) };
    }
    bool one = ends(t->name, ".running_var") || ends(t->name, ".bn.weight");
    return (struct spread){ .centre = one && !is_last_norm(t->name, v2) };
}

static double rows_of(const struct weights_tensor *t)
{
    return t->rank > 0 ? (double)t->shape[0] : 1;
}

static double columns_of(const struct weights_tensor *t)
{
    return t->rank > 1 ? (double)t->shape[1] : 1;
}

/* PyTorch's own choices for linear layers and attention, which the published code keeps;
 * but biases begin at zero. */
/* Layers keep the size of what they get. With PyTorch's defaults, as published, what a
 * query gets to see of an image is a tenth of the query itself, and what needs both, such
 * as the shape of a drawn thing, is learnt later. */
static struct spread head_spread(const struct weights_tensor *t)
{
    double both = rows_of(t) + columns_of(t);
    if (t->rank < 2) {
        return (struct spread){ .centre = strstr(t->name, ".norm")
                                          && ends(t->name, ".weight") };
    }
    if (ends(t->name, "in_proj_weight") || ends(t->name, "out_proj.weight")) {
        return (struct spread){ .normal = 1 / sqrt(columns_of(t)) };
    }
    if (ends(t->name, "duplicate_pooling")) {
        return (struct spread){ .normal = sqrt(2 / both) };
    }
    return (struct spread){ .normal = sqrt(2 / columns_of(t)) };
}

/* OpenAI's: the last layers of a block are the smaller, the more blocks there are. */
static struct spread text_spread(const struct weights_tensor *t, uint32_t layers)
{
    const char *name = t->name;
    double last = 1 / sqrt(2.0 * layers);
    if (t->rank < 2) {
        bool one = strstr(name, "ln_") && ends(name, ".weight");
        bool scale = strcmp(name, "logit_scale") == 0;
        return (struct spread){ .centre = scale ? log(1 / 0.07) : one };
    }
    double deviation = begins(name, "token_embedding") ? 0.02
                       : begins(name, "positional_embedding") ? 0.01
                       : begins(name, "text_projection") ? 1 / sqrt(rows_of(t))
                       : ends(name, "c_fc.weight") ? 1 / sqrt(2 * columns_of(t))
                       : ends(name, "c_proj.weight") ? last / sqrt(rows_of(t))
                       : ends(name, "out_proj.weight") ? last / sqrt(columns_of(t))
                                                       : 1 / sqrt(columns_of(t));
    return (struct spread){ .normal = deviation };
}

static struct spread spread_of(const struct weights_tensor *t, const struct source *source)
{
    if (strcmp(t->name, "align.temperature") == 0) {
        return (struct spread){ .centre = source->temperature };
    }
    if (begins(t->name, "align.")) {
        return (struct spread){ .normal = 1 / sqrt(rows_of(t)) };
    }
    if (begins(t->name, "auxiliary.")) {
        return (struct spread){ .normal = t->rank > 1 ? 1 / sqrt(3 * columns_of(t)) : 0 };
    }
    return begins(t->name, "body.") ? image_spread(t, source->v2)
           : begins(t->name, "head.") ? head_spread(t)
                                      : text_spread(t, source->text_layers);
}

static void fill(const void *user, const struct weights_tensor *t, float *out)
{
    const struct source *source = user;
    struct spread s = spread_of(t, source);
    uint64_t key = formula_hash(t->name) ^ (source->seed * 0x9e3779b97f4a7c15u);
    for (uint64_t i = 0; i < t->count; i++) {
        double u = formula_uniform(key, 2 * i), v = formula_uniform(key, 2 * i + 1);
        /* Box and Muller; (u + 1) / 2 is below 1, so the logarithm's argument is not 0. */
        double normal = sqrt(-2 * log(1 - (u + 1) / 2)) * cos(M_PI * v);
        out[i] = (float)(s.centre + s.even * u + s.normal * normal);
    }
}

static void list_tensors(struct tensor_list *list, const struct network_config *c)
{
    uint32_t width = (uint32_t)(64 * c->width_factor);
    uint32_t hidden = c->decoder_hidden ? c->decoder_hidden : 2048;
    uint32_t channels = tensor_list_tresnet(list, width, c->layers, c->v2);
    tensor_list_head(list, channels, c->decoder_width, hidden, c->label_width);
    tensor_list_text(list, c->text_width, c->text_layers, c->text_context, c->vocabulary,
                     c->label_width);
    if (c->align_width > 0) {
        tensor_put(list, "align.W_i", 2, c->decoder_width, c->align_width);
        tensor_put(list, "align.W_j", 2, c->label_width, c->align_width);
        tensor_put(list, "align.temperature", 0);
    }
    if (c->auxiliary > 0) {
        tensor_linear(list, "auxiliary", channels, c->auxiliary);
    }
}

enum nn_status state_create_random(struct state **out, const struct network_config *config,
                                   uint64_t seed, struct nn_error *error)
{
    const char *name = "a new network";
    const struct source source = { seed, config->v2, config->text_layers,
                                   config->temperature };
    struct tensor_list list = { 0 };
    struct weights *weights = NULL;
    enum nn_status status = check_config(config, name, error);
    if (status == NN_OK) {
        list_tensors(&list, config);
        status = list.failed ? nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", name)
                             : weights_make(&weights, name, list.tensors, list.n, fill,
                                            &source, sizeof source, error);
    }
    tensor_list_clear(&list);
    return status == NN_OK ? state_create(out, &weights, 1, error) : status;
}
