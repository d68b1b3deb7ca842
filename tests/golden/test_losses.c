/* Losses, their gradients, optimisers and schedules against numbers of the public
 * implementations (golden d): test_losses FOLDER. Everything runs on the device. */
#include "compute/gpu/gpu.h"
#include "compute/graph/grad.h"
#include "compute/json.h"
#include "compute/train/schedule.h"
#include "compute/weights/weights.h"
#include "tests/check.h"

#define LOSS_TOLERANCE 1e-5     /* relative */
#define GRADIENT_TOLERANCE 1e-5 /* times max(1, largest of that gradient) */
#define MAX_VALUES 8

struct folder {
    struct weights *losses, *optim;
    struct json *losses_json, *optim_json;
    char *text[2];
    struct gpu_device *device;
};

/* A small graph, what goes in and what comes out. */
struct loss_run {
    const struct folder *folder;
    const char *name;       /* of the case */
    struct nn_graph *graph;
    struct nn_binding inputs[MAX_VALUES];
    nn_id wanted[MAX_VALUES];
    const char *gradient[MAX_VALUES]; /* suffix of the golden gradient's name */
    size_t n_inputs, n_wanted;
};

static float *read_floats(const struct weights *w, const char *name, uint64_t *count)
{
    struct nn_error error = { 0 };
    const struct weights_tensor *t = weights_find(w, name);
    if (!t) {
        return NULL;
    }
    float *values = malloc(t->count * sizeof *values);
    REQUIRE_OK(weights_read_f32(w, t, values, &error));
    *count = t->count;
    return values;
}

static double *read_doubles(const struct weights *w, const char *name, uint64_t *count)
{
    struct nn_error error = { 0 };
    const struct weights_tensor *t = weights_find(w, name);
    REQUIRE(t && t->type == WEIGHTS_F64);
    double *values = malloc(t->count * sizeof *values);
    REQUIRE_OK(weights_read_raw(w, t, values, &error));
    *count = t->count;
    return values;
}

static double number(const struct json *json, const char *name, const char *key,
                     double otherwise)
{
    double value = otherwise;
    json_double(json, json_get(json, json_get(json, 0, name), key), &value);
    return value;
}

/* An input with the golden's values, to be differentiated when `gradient` is given. */
static nn_id give(struct loss_run *r, const char *input, const char *suffix,
                  const char *gradient)
{
    char name[128];
    uint64_t count;
    size_t stem = strcspn(r->name, ".");
    snprintf(name, sizeof name, "%.*s.%s", (int)stem, r->name, suffix);
    float *values = read_floats(r->folder->losses, name, &count);
    if (!values) {
        return NN_NONE;
    }
    const struct weights_tensor *t = weights_find(r->folder->losses, name);
    struct nn_shape shape = { .rank = t->rank };
    for (int i = 0; i < t->rank; i++) {
        shape.dim[i] = (uint32_t)t->shape[i];
    }
    enum nn_type type = t->type == WEIGHTS_I64 ? NN_I32 : NN_F32;
    for (uint64_t i = 0; i < count && type == NN_I32; i++) {
        ((int32_t *)values)[i] = (int32_t)values[i];
    }
    r->inputs[r->n_inputs++] = (struct nn_binding){ input, values, count };
    nn_id id = nn_input(r->graph, input, type, shape);
    if (gradient) {
        r->gradient[r->n_wanted] = gradient;
        r->wanted[r->n_wanted++] = id;
    }
    return id;
}

/* "asl1.gp0.detach1.clip0.05" says it all. */
static nn_id asymmetric(struct loss_run *r, bool named)
{
    struct nn_asymmetric a = { .gamma_negative = 4, .clip = 0.05f, .eps = 1e-8f,
                               .detached = true };
    if (named) {
        const char *clip = strstr(r->name, ".clip");
        a.gamma_positive = strstr(r->name, ".gp1") ? 1 : 0;
        a.detached = strstr(r->name, ".detach1") != NULL;
        a.clip = (float)atof(clip + 5);
    }
    nn_id logits = give(r, "logits", "logits", named ? "grad" : "grad_logits");
    nn_id each = nn_asymmetric_loss(r->graph, logits, give(r, "targets", "targets", NULL), a);
    return nn_sum_to(r->graph, each, NN_NONE, (struct nn_shape){ 0 });
}

static nn_id single(struct loss_run *r)
{
    struct nn_label_loss l = { 4, 0, 0.1f };
    nn_id x = give(r, "logits", "logits", "grad");
    nn_id rows = nn_label_loss(r->graph, x, give(r, "target", "target", NULL), l);
    float share = 1.0f / (float)nn_graph_node(r->graph, rows)->shape.dim[0];
    return nn_scale(r->graph, nn_sum_to(r->graph, rows, NN_NONE, (struct nn_shape){ 0 }),
                    share);
}

static nn_id contrastive(struct loss_run *r)
{
    nn_id u = give(r, "zi", "zi", "grad_zi"), v = give(r, "zj", "zj", "grad_zj");
    nn_id wi = give(r, "Wi", "Wi", "grad_Wi"), wj = give(r, "Wj", "Wj", "grad_Wj");
    return nn_contrastive_loss(r->graph, u, v, wi, wj, give(r, "t", "t", "grad_t"));
}

static nn_id combined(struct loss_run *r)
{
    const struct json *json = r->folder->losses_json;
    nn_id clip = contrastive(r), labels = asymmetric(r, false);
    clip = nn_scale(r->graph, clip, (float)number(json, r->name, "alpha", 1));
    return nn_add(r->graph, clip, nn_scale(r->graph, labels,
                                           (float)number(json, r->name, "beta", 1)));
}

static int compare_gradient(const struct loss_run *r, const struct nn_binding *got,
                            const char *suffix)
{
    char name[128];
    uint64_t count;
    snprintf(name, sizeof name, "%s.%s", r->name, suffix);
    float *want = read_floats(r->folder->losses, name, &count);
    REQUIRE(want && count == got->count);
    double worst = 0, most = 1;
    for (uint64_t i = 0; i < count; i++) {
        double err = fabs((double)((float *)got->values)[i] - want[i]);
        worst = err > worst || isnan(err) ? err : worst;
        most = fabs(want[i]) > most ? fabs(want[i]) : most;
    }
    free(want);
    if (!(worst <= GRADIENT_TOLERANCE * most)) {
        fprintf(stderr, "%s: off by %g of %g\n", name, worst, most);
        return 1;
    }
    return 0;
}

static int run_loss(struct loss_run *r, nn_id loss)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, NULL };
    struct nn_plan_params plan_params = { .no_fuse = true };
    struct nn_store *store = NULL;
    struct nn_plan *plan = NULL;
    nn_id grads[MAX_VALUES];
    float value = NAN;
    struct nn_binding outputs[MAX_VALUES + 1] = { { "loss", &value, 1 } };
    const struct json *json = r->folder->losses_json;
    double want = number(json, r->name, "loss", number(json, r->name, "total", NAN));
    nn_graph_grad(r->graph, loss, r->wanted, r->n_wanted, NULL, 0, grads);
    nn_output(r->graph, loss, "loss");
    REQUIRE_OK(nn_graph_check(r->graph, &error));
    for (size_t i = 0; i < r->n_wanted; i++) {
        uint64_t count = nn_shape_count(nn_graph_node(r->graph, r->wanted[i])->shape);
        nn_output(r->graph, nn_scale(r->graph, grads[i], 1), r->gradient[i]);
        outputs[i + 1] = (struct nn_binding){ r->gradient[i], malloc(count * 4), count };
    }
    REQUIRE_OK(nn_store_create(&store, r->folder->device, &params, &error));
    REQUIRE_OK(nn_plan_create(&plan, r->graph, store, &plan_params, &error));
    REQUIRE_OK(nn_plan_run(plan, r->inputs, r->n_inputs, outputs, r->n_wanted + 1, NULL,
                           &error));
    int failed = !(fabs(value - want) <= LOSS_TOLERANCE * fabs(want));
    if (failed) {
        fprintf(stderr, "%s: the loss is %.9g, not %.9g\n", r->name, value, want);
    }
    for (size_t i = 0; i < r->n_wanted; i++) {
        failed += compare_gradient(r, &outputs[i + 1], r->gradient[i]);
        free(outputs[i + 1].values);
    }
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    return failed;
}

static int check_losses(const struct folder *f)
{
    int failed = 0, ran = 0;
    uint32_t key = json_first(f->losses_json, 0);
    while (key != JSON_NONE) {
        char *name = json_string(f->losses_json, key, NULL);
        struct loss_run r = { .folder = f, .name = name, .graph = nn_graph_create() };
        nn_id loss = strncmp(name, "asl_", 4) == 0       ? single(&r)
                     : strncmp(name, "asl", 3) == 0      ? asymmetric(&r, true)
                     : strncmp(name, "infonce", 7) == 0  ? contrastive(&r)
                     : strncmp(name, "combined", 8) == 0 ? combined(&r) : NN_NONE;
        REQUIRE(loss != NN_NONE);
        failed += run_loss(&r, loss);
        ran++;
        for (size_t i = 0; i < r.n_inputs; i++) {
            free(r.inputs[i].values);
        }
        nn_graph_destroy(&r.graph);
        free(name);
        key = json_next(f->losses_json, 0, json_next(f->losses_json, 0, key));
    }
    REQUIRE(ran >= 29);
    return failed;
}

/* --- Optimisers ------------------------------------------------------------------------------ */

struct recipe { const char *name; enum nn_decay decay; };

static const struct recipe recipes[] = {
    { "adam", NN_DECAY_NONE }, { "adam_l2", NN_DECAY_L2 }, { "adamw", NN_DECAY_DECOUPLED },
    { "adamw_b", NN_DECAY_DECOUPLED }, { "adam_onecycle", NN_DECAY_L2 },
    { "adamw_onecycle", NN_DECAY_DECOUPLED } };

static int compare_row(const char *name, const char *what, int step, const float *got,
                       const double *want, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (!(fabs(got[i] - want[i]) <= 2e-6 + 1e-5 * fabs(want[i]))) {
            fprintf(stderr, "%s: %s of step %d is %.9g, not %.9g\n", name, what, step, got[i],
                    want[i]);
            return 1;
        }
    }
    return 0;
}

/* Rates of every step, checked against the golden's. */
static struct train_rates rates_of(const struct folder *f, const char *name, int step,
                                   int *failed)
{
    char lr_name[64], beta_name[64];
    uint64_t count;
    struct train_rates r = { number(f->optim_json, name, "lr", 0), 0.9 };
    snprintf(lr_name, sizeof lr_name, "%s.lr", name);
    snprintf(beta_name, sizeof beta_name, "%s.beta1", name);
    double *lr = read_doubles(f->optim, lr_name, &count);
    double *beta = read_doubles(f->optim, beta_name, &count);
    double top = number(f->optim_json, name, "max_lr", 0);
    if (top > 0) {
        struct train_cycle cycle = {
            .max_lr = top, .rise = number(f->optim_json, name, "pct_start", 0),
            .steps = (uint64_t)number(f->optim_json, name, "total_steps", 0) };
        r = train_cycle_at(&cycle, (uint64_t)step);
    }
    if (fabs(r.lr - lr[step]) > 1e-6 * lr[step]
        || fabs(r.beta1 - beta[step]) > 1e-6 * beta[step]) {
        fprintf(stderr, "%s: step %d has rates %.9g %.9g, not %.9g %.9g\n", name, step, r.lr,
                r.beta1, lr[step], beta[step]);
        ++*failed;
    }
    free(lr);
    free(beta);
    return r;
}

/* Variables p, first, second and average over the golden's gradients. */
static struct nn_plan *optimiser_plan(const struct folder *f, const struct recipe *recipe,
                                      struct nn_graph **graph, struct nn_store **store,
                                      uint32_t n)
{
    struct nn_error error = { 0 };
    struct nn_params params = { NULL, NULL };
    struct nn_plan_params plan_params = { .no_fuse = true };
    struct nn_plan *plan = NULL;
    struct nn_shape shape = NN_SHAPE1(n);
    nn_id v[4];
    const char *names[4] = { "p", "exp_avg", "exp_avg_sq", "ema" };
    double keep = number(f->optim_json, recipe->name, "ema", 0.5);
    *graph = nn_graph_create();
    for (int i = 0; i < 4; i++) {
        v[i] = nn_variable(*graph, names[i], shape);
    }
    nn_adam_update(*graph, v[0], v[1], v[2], nn_input(*graph, "gradient", NN_F32, shape),
                   nn_input(*graph, "numbers", NN_F32, NN_SHAPE1(NN_ADAM_NUMBERS)),
                   NN_NONE, recipe->decay);
    nn_blend(*graph, v[3], v[0], (float)keep, (float)(1 - keep));
    REQUIRE_OK(nn_store_create(store, f->device, &params, &error));
    REQUIRE_OK(nn_plan_create(&plan, *graph, *store, &plan_params, &error));
    return plan;
}

static int check_state(const struct folder *f, struct nn_plan *plan, const char *name,
                       int step, uint64_t n)
{
    struct nn_error error = { 0 };
    static const char *const parts[] = { "p", "exp_avg", "exp_avg_sq", "ema" };
    int failed = 0;
    float got[32];
    REQUIRE(n <= 32);
    for (int i = 0; i < 4; i++) {
        char key[64];
        uint64_t count;
        snprintf(key, sizeof key, "%s.%s", name, parts[i]);
        if (!weights_find(f->optim, key)) {
            continue; /* not every recipe has an average */
        }
        double *want = read_doubles(f->optim, key, &count);
        struct nn_binding bind = { parts[i], got, n };
        REQUIRE_OK(nn_plan_read(plan, &bind, &error));
        failed += compare_row(name, parts[i], step, got, want + (size_t)step * n, n);
        free(want);
    }
    return failed;
}

static int check_optimiser(const struct folder *f, const struct recipe *recipe)
{
    struct nn_error error = { 0 };
    struct nn_graph *graph = NULL;
    struct nn_store *store = NULL;
    uint64_t n, all;
    float *start = read_floats(f->optim, "p0", &n), numbers[NN_ADAM_NUMBERS];
    float *gradients = read_floats(f->optim, "grads", &all);
    struct nn_plan *plan = optimiser_plan(f, recipe, &graph, &store, (uint32_t)n);
    struct nn_binding p = { "p", start, n }, average = { "ema", start, n };
    int failed = 0;
    REQUIRE_OK(nn_plan_write(plan, &p, &error));
    REQUIRE_OK(nn_plan_write(plan, &average, &error));
    bool second = strcmp(recipe->name, "adamw_b") == 0; /* the one with betas of its own */
    for (int step = 0; step < (int)(all / n); step++) {
        struct train_rates rates = rates_of(f, recipe->name, step, &failed);
        struct nn_adam adam = {
            .lr = rates.lr, .beta1 = rates.beta1, .beta2 = second ? 0.98 : 0.999,
            .eps = number(f->optim_json, recipe->name, "eps", 1e-8),
            .decay = number(f->optim_json, recipe->name, "weight_decay", 0),
            .gradient_factor = 1, .step = (uint64_t)step + 1 };
        nn_adam_numbers(&adam, numbers);
        struct nn_binding inputs[2] = { { "gradient", gradients + (size_t)step * n, n },
                                        { "numbers", numbers, NN_ADAM_NUMBERS } };
        REQUIRE_OK(nn_plan_run(plan, inputs, 2, NULL, 0, NULL, &error));
        failed += check_state(f, plan, recipe->name, step, n);
    }
    nn_plan_destroy(&plan);
    nn_store_destroy(&store);
    nn_graph_destroy(&graph);
    free(start);
    free(gradients);
    return failed;
}

static int check_schedules(const struct folder *f)
{
    int failed = 0;
    static const char *const names[] = { "oc0", "oc1", "oc2" };
    for (int i = 0; i < 3; i++) {
        int steps = (int)number(f->optim_json, names[i], "total_steps", 0);
        REQUIRE(steps > 0);
        for (int step = 0; step < steps; step++) {
            rates_of(f, names[i], step, &failed);
        }
    }
    return failed;
}

/* --- Opening ------------------------------------------------------------------------------------ */

static void open_part(const char *folder, const char *name, struct weights **weights,
                      struct json **json, char **text)
{
    struct nn_error error = { 0 };
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    REQUIRE_OK(weights_open(weights, path, &error));
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    FILE *file = fopen(path, "rb");
    REQUIRE(file);
    *text = malloc(1 << 20);
    size_t size = fread(*text, 1, 1 << 20, file);
    fclose(file);
    REQUIRE_OK(json_parse(json, *text, size, path, &error));
}

int main(int argc, char **argv)
{
    struct nn_error error = { 0 };
    struct folder f = { 0 };
    struct gpu_device_params params = { .family = -1,
                                        .choice.precision = GPU_PRECISION_F32 };
    REQUIRE(argc == 2);
    if (gpu_device_create(&f.device, &params, &error) != NN_OK) {
        fprintf(stderr, "skipped: %s\n", error.text);
        return CHECK_SKIP;
    }
    open_part(argv[1], "losses", &f.losses, &f.losses_json, &f.text[0]);
    open_part(argv[1], "optim", &f.optim, &f.optim_json, &f.text[1]);
    int failed = check_losses(&f) + check_schedules(&f);
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        failed += check_optimiser(&f, &recipes[i]);
    }
    REQUIRE_INT(gpu_device_validation_count(f.device), 0);
    json_destroy(&f.losses_json);
    json_destroy(&f.optim_json);
    weights_destroy(&f.losses);
    weights_destroy(&f.optim);
    free(f.text[0]);
    free(f.text[1]);
    gpu_device_destroy(&f.device);
    printf("%d failed\n", failed);
    return failed ? 1 : 0;
}
