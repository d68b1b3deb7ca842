#include "compute/nets/synthetic.h"

#include "compute/nets/formula.h"
#include "compute/nets/tensor_list.h"

#include <string.h>

struct tresnet_kind { const char *name; uint32_t width, blocks[4]; bool bottleneck; };

static const struct tresnet_kind tresnets[] = {
    { "m", 64, { 3, 4, 11, 3 }, false },
    { "l", 76, { 4, 5, 18, 3 }, false },
    { "xl", 83, { 4, 5, 24, 3 }, false },
    { "v2_l", 64, { 3, 4, 23, 3 }, true },
    { "v2_xl", 64, { 3, 8, 34, 5 }, true },
    { "demo", 16, { 1, 1, 2, 1 }, false },
};

enum { TEXT = 1, VIT = 2, RN50 = 4 };

static const struct {
    const char *kind;
    int clip;                     /* towers of CLIP */
    uint32_t features, embedding; /* of a zero-shot head; 0 for none */
    const char *tresnet;
    uint32_t classes;             /* of its head.fc; 0 for none */
} kinds[] = {
    { "tresnet_m", 0, 0, 0, "m", 1000 },
    { "tresnet_l", 0, 0, 0, "l", 1000 },
    { "tresnet_xl", 0, 0, 0, "xl", 1000 },
    { "tresnet_v2_l", 0, 0, 0, "v2_l", 1000 },
    { "mldecoder_xl", 0, 0, 0, "v2_xl", 1000 },
    { "tresnet_demo", 0, 0, 0, "demo", 1000 },
    { "mldecoder_zsl", 0, 2048, 512, NULL, 0 },
    { "mldecoder_zsl_l", 0, 2432, 512, NULL, 0 },
    { "mldecoder_zsl300", 0, 2048, 300, NULL, 0 },
    { "clip_vitb32_text", TEXT, 0, 0, NULL, 0 },
    { "clip_vitb32_image", VIT, 0, 0, NULL, 0 },
    { "clip_vitb32", VIT | TEXT, 0, 0, NULL, 0 },
    { "clip_rn50_image", RN50, 0, 0, NULL, 0 },
    { "clip_decoder_m", TEXT, 2048, 512, "m", 0 },
    { "clip_decoder_l", TEXT, 2432, 512, "l", 0 },
};

/* Returns the channels of its last map. */
static uint32_t put_tresnet(struct tensor_list *list, const char *name, uint32_t classes)
{
    const struct tresnet_kind *t = tresnets;
    while (strcmp(t->name, name) != 0) {
        t++;
    }
    uint32_t channels = tensor_list_tresnet(list, t->width, t->blocks, t->bottleneck);
    if (classes > 0) {
        tensor_linear(list, "head.fc", channels, classes);
    }
    return channels;
}

static bool put_kind(struct tensor_list *list, const char *kind)
{
    static const uint32_t rn50[4] = { 3, 4, 6, 3 };
    if (strcmp(kind, "demo") == 0) { /* small in every part */
        tensor_list_head(list, put_tresnet(list, "demo", 0), 128, 256, 64);
        tensor_list_text(list, 64, 2, 32, 1114, 64);
        return true;
    }
    size_t i = 0, n = sizeof kinds / sizeof kinds[0];
    while (i < n && strcmp(kind, kinds[i].kind) != 0) {
        i++;
    }
    if (i == n) {
        return false;
    }
    if (kinds[i].tresnet) {
        put_tresnet(list, kinds[i].tresnet, kinds[i].classes);
    }
    if (kinds[i].features > 0) {
        tensor_list_head(list, kinds[i].features, 768, 2048, kinds[i].embedding);
    }
    if (kinds[i].clip & VIT) {
        tensor_list_vit(list, 768, 12, 32, 50, 512);
    }
    if (kinds[i].clip & RN50) {
        tensor_list_resnet(list, rn50, 64, 50, 1024);
    }
    if (kinds[i].clip & TEXT) {
        tensor_list_text(list, 512, 12, 77, 49408, 512);
    }
    return true;
}

static void fill(const void *user, const struct weights_tensor *tensor, float *out)
{
    (void)user;
    formula_weights(tensor->name, tensor->shape, tensor->rank, out);
}

enum nn_status synthetic_open(struct weights **out, const char *kind,
                              struct nn_error *error)
{
    struct tensor_list list = { 0 };
    enum nn_status status;
    if (!put_kind(&list, kind)) {
        status = nn_fail(error, NN_ERROR_INVALID,
                         "there is no network \"%s\" by formula", kind);
    } else if (list.failed) {
        status = nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", kind);
    } else {
        status = weights_make(out, kind, list.tensors, list.n, fill, NULL, 0,
                              error);
    }
    tensor_list_clear(&list);
    return status;
}
