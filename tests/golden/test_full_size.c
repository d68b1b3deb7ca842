/* Full-size networks from end to end through the program:
 *   test_full_size TAGLIGHT FORMULA_CHECKPOINT GOLDEN_DIR TOKENIZER_DIR WORK_DIR [CASE]
 *
 * Checkpoints and inputs are made by the formula; the program imports and runs them, and
 * what it writes is compared with numbers of the public implementations (of large tensors
 * the first values and an even sample). */
#include "compute/gpu/gpu.h"
#include "compute/nets/formula.h"
#include "compute/weights/weights.h"
#include "tests/check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

#define MOST_ERROR 2e-4
#define MOST_REL_L2 2e-5
#define MOST_REL_L2_HALF 1e-2

struct full_size {
    const char *golden;
    const char *kinds[3];      /* of checkpoints, for formula_checkpoint */
    const char *image;         /* NULL, or the name that the image's formula takes */
    uint64_t side;
    bool clip_image;           /* twice the values, not moved to 0..1 */
    const char *labels;        /* NULL, or the name that the embeddings' formula takes */
    uint64_t n_labels, label_width;
    bool tokens;               /* from the golden file */
    const char *output_prefix; /* of the program's names; the golden file omits it */
    bool imported;             /* run as a bundle made by `model import` */
};

static const struct full_size cases[] = {
    { "tresnet_m_224", { "tresnet_m" }, "tresnet_m_224", 224, false, NULL, 0, 0, false,
      "image.", true },
    { "tresnet_l_448", { "tresnet_l" }, "tresnet_l_448", 448, false, NULL, 0, 0, false,
      "image.", false },
    { "tresnet_l_448_mldecoder_zsl", { "tresnet_l", "mldecoder_zsl_l" }, "tresnet_l_448",
      448, false, "input.label_embeddings.clip.81", 81, 512, false, "head.", true },
    { "tresnet_v2_l_224", { "tresnet_v2_l" }, "tresnet_v2_l_224", 224, false, NULL, 0, 0,
      false, "image.", true },
    { "tresnet_v2_l_224_mldecoder_zsl", { "tresnet_v2_l", "mldecoder_zsl300" },
      "tresnet_v2_l_224", 224, false, "input.label_embeddings.wordvec.81", 81, 300, false,
      "head.", false },
    { "clip_vitb32_text", { "clip_vitb32_text" }, NULL, 0, false, NULL, 0, 0, true, "text.",
      true },
    { "clip_vitb32_image", { "clip_vitb32_image" }, "clip_vitb32_image", 224, true, NULL, 0,
      0, false, "image.", false },
    { "clip_rn50_image", { "clip_rn50_image" }, "clip_rn50_image", 224, true, NULL, 0, 0,
      false, "image.", true },
    { "e2e", { "tresnet_m", "clip_vitb32_text", "mldecoder_zsl" }, "tresnet_m_224", 224,
      false, NULL, 0, 0, true, "head.", true },
};

static const char *taglight, *checkpoint_tool, *golden_dir, *tokenizer_dir, *work_dir;

/* Paths made of two or three parts; a ring of them, so that a few live at once. */
static const char *path_of(const char *dir, const char *name, const char *suffix)
{
    static char ring[8][2048];
    static int next;
    char *out = ring[next++ % 8];
    REQUIRE(snprintf(out, sizeof ring[0], "%s/%s%s", dir, name, suffix)
            < (int)sizeof ring[0]);
    return out;
}

static void run(const char *format, ...)
{
    char command[16384];
    va_list args;
    va_start(args, format);
    REQUIRE(vsnprintf(command, sizeof command, format, args) < (int)sizeof command);
    va_end(args);
    if (system(command) != 0) {
        fprintf(stderr, "failed: %s\n", command);
        exit(1);
    }
}

/* --- Inputs ------------------------------------------------------------------------- */

/* A smooth part of 32x32 cells and a noise, so that deep layers see structure. */
static float *make_image(const struct full_size *c)
{
    char name[128], low[140];
    uint64_t side = c->side, cells = (side + 31) / 32;
    snprintf(name, sizeof name, "input.%s", c->image);
    snprintf(low, sizeof low, "%s.lo", name);
    uint64_t fine = formula_hash(name), coarse = formula_hash(low);
    float *out = malloc(3 * side * side * sizeof *out);
    for (uint64_t i = 0; i < 3 * side * side; i++) {
        uint64_t x = i % side, y = i / side % side, channel = i / side / side;
        double v = 0.375 * formula_uniform(fine, i)
                   + 0.625 * formula_uniform(coarse, (channel * cells + y / 32) * cells
                                                         + x / 32);
        out[i] = (float)(c->clip_image ? 2.0 * v : 0.5 + 0.5 * v);
    }
    return out;
}

static void write_inputs(const struct full_size *c, const char *path)
{
    struct nn_error error = { 0 };
    struct weights_output inputs[3];
    void *values[3] = { NULL };
    size_t n = 0;
    if (c->image) {
        values[n] = make_image(c);
        inputs[n] = (struct weights_output){ .name = "image", .type = WEIGHTS_F32, .rank = 4,
                                             .shape = { 1, 3, c->side, c->side },
                                             .values = values[n] };
        n++;
    }
    if (c->labels) {
        uint64_t count = c->n_labels * c->label_width, hash = formula_hash(c->labels);
        float *labels = malloc(count * sizeof *labels);
        for (uint64_t i = 0; i < count; i++) {
            labels[i] = (float)formula_uniform(hash, i);
        }
        values[n] = labels;
        inputs[n] = (struct weights_output){ .name = "label_embeddings", .type = WEIGHTS_F32,
                                             .rank = 2,
                                             .shape = { c->n_labels, c->label_width },
                                             .values = labels };
        n++;
    }
    if (c->tokens) {
        struct weights *golden = NULL;
        REQUIRE_OK(weights_open(&golden, path_of(golden_dir, c->golden, ".safetensors"),
                                &error));
        const struct weights_tensor *t = weights_find(golden, "tokens");
        REQUIRE(t && t->rank == 2);
        int64_t *ids = malloc(t->count * sizeof *ids);
        REQUIRE_OK(weights_read_i64(golden, t, ids, &error));
        values[n] = ids;
        inputs[n] = (struct weights_output){ .name = "tokens", .type = WEIGHTS_I64,
                                             .rank = 2,
                                             .shape = { t->shape[0], t->shape[1] },
                                             .values = ids };
        n++;
        weights_destroy(&golden);
    }
    REQUIRE_OK(weights_save(path, inputs, n, NULL, 0, &error));
    for (size_t i = 0; i < n; i++) {
        free(values[i]);
    }
}

/* --- Comparison ---------------------------------------------------------------------- */

static float *read_floats(const struct weights *w, const struct weights_tensor *t)
{
    struct nn_error error = { 0 };
    float *values = malloc(t->count * sizeof *values);
    REQUIRE_OK(weights_read_f32(w, t, values, &error));
    return values;
}

/* The program's tensor for golden tensor `name` (without ".first64" and the like). */
static const struct weights_tensor *find_output(const struct full_size *c,
                                                const struct weights *out, const char *name)
{
    static const struct { const char *golden, *ours; } others[] = {
        { "feature_map", "image.layer4" }, { "text_features", "text.features" } };
    char full[160];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(name, others[i].golden) == 0) {
            return weights_find(out, others[i].ours);
        }
    }
    snprintf(full, sizeof full, "%s%s", c->output_prefix, name);
    return weights_find(out, full);
}

/* 1 when it fits, 0 when the program has no such output, -1 when it differs. */
static int compare(const struct full_size *c, const struct weights *golden,
                   const struct weights_tensor *want_t, const struct weights *out,
                   bool half)
{
    char name[128];
    snprintf(name, sizeof name, "%s", want_t->name);
    char *sample = strstr(name, ".first64");
    sample = sample ? sample : strstr(name, ".strided256");
    bool strided = sample && strcmp(sample, ".strided256") == 0;
    if (sample) {
        *sample = '\0';
    }
    const struct weights_tensor *got_t = find_output(c, out, name);
    if (!got_t) {
        return 0;
    }
    uint64_t stride = strided && got_t->count >= 256 ? got_t->count / 256 : 1;
    REQUIRE(sample || got_t->count == want_t->count);
    REQUIRE((want_t->count - 1) * stride < got_t->count);
    float *want = read_floats(golden, want_t), *got = read_floats(out, got_t);
    double worst = 0, square = 0, norm = 0;
    for (uint64_t i = 0; i < want_t->count; i++) {
        double difference = (double)got[i * stride] - want[i];
        double relative = fabs(difference) / (1 + fabs((double)want[i]));
        worst = relative > worst || isnan(relative) ? relative : worst;
        square += difference * difference;
        norm += (double)want[i] * want[i];
    }
    free(want);
    free(got);
    double rel_l2 = sqrt(square / norm);
    bool good = half ? rel_l2 <= MOST_REL_L2_HALF
                     : worst <= MOST_ERROR && rel_l2 <= MOST_REL_L2;
    if (!good) {
        fprintf(stderr, "%s: %s%s: error %.2g, relative L2 %.2g\n", c->golden,
                want_t->name, half ? " in f16" : "", worst, rel_l2);
        return -1;
    }
    if (!sample) {
        printf("%-32s %-18s %s error %.1e, relative L2 %.1e\n", c->golden, name,
               half ? "f16" : "f32", worst, rel_l2);
    }
    return 1;
}

/* The number of tensors that differ. */
static int forward(const struct full_size *c, const char *models, bool half)
{
    struct nn_error error = { 0 };
    struct weights *golden = NULL, *out = NULL;
    const char *in_path = path_of(work_dir, "in", ".safetensors");
    const char *out_path = path_of(work_dir, "out", ".safetensors");
    write_inputs(c, in_path);
    run("'%s' model forward%s --in '%s' --out '%s' --precision %s", taglight, models,
        in_path, out_path, half ? "f16" : "f32");
    REQUIRE_OK(weights_open(&golden, path_of(golden_dir, c->golden, ".safetensors"),
                            &error));
    REQUIRE_OK(weights_open(&out, out_path, &error));
    int compared = 0, failed = 0;
    for (size_t i = 0; i < weights_count(golden); i++) {
        if (weights_at(golden, i)->type != WEIGHTS_F32) {
            continue; /* token ids, which are an input */
        }
        int result = compare(c, golden, weights_at(golden, i), out, half);
        compared += result != 0;
        failed += result < 0;
    }
    weights_destroy(&golden);
    weights_destroy(&out);
    REQUIRE(compared >= 4);
    return failed;
}

/* Whether the device that `model forward` takes has 16-bit storage. */
static bool can_half(void)
{
    struct gpu_list_entry *list = NULL;
    size_t n = 0;
    bool can = gpu_list(&list, &n, NULL) == NN_OK && n > 0 && list[0].caps.storage_16bit;
    free(list);
    return can;
}

static int run_case(const struct full_size *c)
{
    char sources[8192] = "", models[8192];
    const char *golden_path = path_of(golden_dir, c->golden, ".safetensors");
    if (access(golden_path, R_OK) != 0) {
        return 0;
    }
    for (int i = 0; i < 3 && c->kinds[i]; i++) {
        const char *path = path_of(work_dir, c->kinds[i], ".safetensors");
        if (access(path, R_OK) != 0) {
            run("'%s' %s '%s'", checkpoint_tool, c->kinds[i], path);
        }
        size_t used = strlen(sources);
        snprintf(sources + used, sizeof sources - used, " '%s'", path);
    }
    snprintf(models, sizeof models, "%s", sources);
    if (c->imported) {
        const char *bundle = path_of(work_dir, "bundle", "");
        run("rm -rf '%s' && '%s' model import%s --name bundle --tokenizer '%s' --to '%s'"
            " >/dev/null", bundle, taglight, sources, tokenizer_dir, work_dir);
        snprintf(models, sizeof models, " '%s'", bundle);
    }
    int failed = forward(c, models, false);
    failed += can_half() ? forward(c, models, true) : 0;
    return failed ? -1 : 1;
}

int main(int argc, char **argv)
{
    int ran = 0, failed = 0;
    REQUIRE(argc >= 6);
    taglight = argv[1];
    checkpoint_tool = argv[2];
    golden_dir = argv[3];
    tokenizer_dir = argv[4];
    work_dir = argv[5];
    run("rm -rf '%s' && mkdir -p '%s'", work_dir, work_dir);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (argc > 6 && strcmp(argv[6], cases[i].golden) != 0) {
            continue;
        }
        int result = run_case(&cases[i]);
        ran += result != 0;
        failed += result < 0;
    }
    run("rm -rf '%s'", work_dir);
    printf("%d networks, %d failed\n", ran, failed);
    return failed ? 1 : ran ? 0 : CHECK_SKIP;
}
