/* `taglight model import | list | info | forward`. */
#include "app/commands/command_model.h"

#include "app/commands/commands.h"
#include "app/engine/bundles.h"
#include "app/json/json_out.h"
#include "compute/text/tokenizer.h"
#include "compute/weights/weights.h"

#include <string.h>

enum nn_status command_read_settings(struct model_settings *out, char **set,
                                     struct nn_error *error)
{
    model_settings_init(out);
    for (; set && *set; set++) {
        enum nn_status status = model_settings_set(out, *set, error);
        if (status != NN_OK) {
            return status;
        }
    }
    return NN_OK;
}

enum nn_status command_open_model(struct model **out, char **names, size_t n,
                                  const struct model_settings *settings,
                                  struct nn_error *error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < n; i++) {
        g_ptr_array_add(paths, command_find_model(names[i]));
    }
    return model_open(out, (const char *const *)paths->pdata, n, settings, error);
}

static const char *kind_text(enum model_kind kind)
{
    switch (kind) {
    case MODEL_CLIP_DECODER: return "clip-decoder";
    case MODEL_ML_DECODER: return "ml-decoder";
    case MODEL_CLIP: return "clip";
    case MODEL_PARTS: break;
    }
    return "parts";
}

/* --- import ---------------------------------------------------------------------------- */

static gboolean is_model_name(const char *name)
{
    return *name && *name != '.' && strlen(name) < 100
           && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789._-") == strlen(name);
}

/* The first folder among the sources, or beside them, that holds a tokenizer. */
static char *find_tokenizer_dir(char **sources, size_t n)
{
    static const char *const names[] = { "vocab.json", "tokenizer.json",
                                         "bpe_simple_vocab_16e6.txt.gz" };
    for (size_t i = 0; i < n; i++) {
        g_autofree char *dir = g_file_test(sources[i], G_FILE_TEST_IS_DIR)
                                   ? g_strdup(sources[i]) : g_path_get_dirname(sources[i]);
        for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
            g_autofree char *file = g_build_filename(dir, names[j], NULL);
            if (g_file_test(file, G_FILE_TEST_EXISTS)) {
                return g_steal_pointer(&dir);
            }
        }
    }
    return NULL;
}

static int save_import(const struct model *model, const char *name, const char *to,
                       const char *tokenizer)
{
    struct nn_error error = { 0 };
    g_autofree char *parent = to ? g_strdup(to) : command_models_dir();
    g_autofree char *dir = g_build_filename(parent, name, NULL);
    if (g_mkdir_with_parents(parent, 0755) != 0) {
        return command_fail(COMMAND_FAILED, "%s: %s", parent, g_strerror(errno));
    }
    if (model_save(model, dir, name, tokenizer, &error) != NN_OK) {
        return command_fail(COMMAND_FAILED, "%s", error.text);
    }
    g_print("%s: %s model\n", dir, kind_text(model_info(model)->kind));
    if (model_info(model)->open_vocabulary && !tokenizer) {
        command_fail(COMMAND_DONE, "no tokenizer was found beside the sources; copy "
                     "vocab.json and merges.txt into %s to type labels", dir);
    }
    return COMMAND_DONE;
}

static int model_import(int argc, char **argv)
{
    g_autofree char *name = NULL, *image = NULL, *text = NULL, *head = NULL, *kind = NULL;
    g_autofree char *to = NULL, *tokenizer = NULL;
    g_auto(GStrv) set = NULL;
    const GOptionEntry entries[] = {
        { "name", 0, 0, G_OPTION_ARG_STRING, &name, "Name of the new model", "NAME" },
        { "image", 0, 0, G_OPTION_ARG_FILENAME, &image, "Image encoder", "FILE|DIR" },
        { "text", 0, 0, G_OPTION_ARG_FILENAME, &text, "Text encoder", "FILE|DIR" },
        { "head", 0, 0, G_OPTION_ARG_FILENAME, &head, "Decoder head", "FILE" },
        { "tokenizer", 0, 0, G_OPTION_ARG_FILENAME, &tokenizer,
          "Folder with the tokenizer (default: beside the sources)", "DIR" },
        { "kind", 0, 0, G_OPTION_ARG_STRING, &kind, "clip-decoder, ml-decoder or clip",
          "KIND" },
        { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set,
          "What the checkpoint does not store, such as text.heads=4", "KEY=VALUE" },
        { "to", 0, 0, G_OPTION_ARG_FILENAME, &to, "Folder of models", "DIR" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "SOURCE… - make a model from checkpoints",
                       "A source is a checkpoint file, or a folder as downloaded.")) {
        return COMMAND_MISUSED;
    }
    g_autoptr(GPtrArray) sources = g_ptr_array_new();
    for (int i = 1; i < argc; i++) {
        g_ptr_array_add(sources, argv[i]);
    }
    char *options[] = { image, text, head };
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i]) {
            g_ptr_array_add(sources, options[i]);
        }
    }
    if (!name || sources->len == 0 || !is_model_name(name)) {
        return command_fail(COMMAND_MISUSED, "import needs a source and --name of letters, "
                            "digits, '.', '_' and '-'");
    }
    struct model *model = NULL;
    struct model_settings settings;
    struct nn_error error = { 0 };
    if (command_read_settings(&settings, set, &error) != NN_OK
        || model_open(&model, (const char *const *)sources->pdata, sources->len,
                      set ? &settings : NULL, &error) != NN_OK) {
        return command_fail(COMMAND_FAILED, "%s", error.text);
    }
    int status;
    if (kind && strcmp(kind, kind_text(model_info(model)->kind)) != 0) {
        status = command_fail(COMMAND_FAILED, "the sources make a %s model, not %s",
                              kind_text(model_info(model)->kind), kind);
    } else {
        g_autofree char *found =
            tokenizer ? g_strdup(tokenizer)
                      : find_tokenizer_dir((char **)sources->pdata, sources->len);
        status = save_import(model, name, to, found);
    }
    model_destroy(&model);
    return status;
}

/* --- list ------------------------------------------------------------------------------- */

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int model_list(int argc, char **argv)
{
    const GOptionEntry entries[] = { { 0 } };
    if (!command_parse(&argc, &argv, entries, "- list installed models", NULL)) {
        return COMMAND_MISUSED;
    }
    g_autofree char *dir = command_models_dir();
    g_autoptr(GDir) folder = g_dir_open(dir, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *n = folder ? g_dir_read_name(folder) : NULL; n;
         n = g_dir_read_name(folder)) {
        if (is_model_name(n)) {
            g_ptr_array_add(names, g_strdup(n));
        }
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        struct model *model = NULL;
        struct nn_error error = { 0 };
        g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);
        if (model_open(&model, (const char *const[]){ path }, 1, NULL, &error) == NN_OK) {
            const struct model_info *info = model_info(model);
            g_print("%s\t%s\t%s\n", (char *)names->pdata[i], kind_text(info->kind),
                    info->image.summary);
        } else {
            g_print("%s\tbroken\t%s\n", (char *)names->pdata[i], error.text);
        }
        model_destroy(&model);
    }
    if (names->len == 0) {
        g_printerr("No model is installed. `taglight model import` makes one.\n");
    }
    return COMMAND_DONE;
}

static int model_remove(int argc, char **argv)
{
    const GOptionEntry entries[] = { { 0 } };
    if (!command_parse(&argc, &argv, entries, "NAME - remove an installed model",
                       "Removes the folder of the model; what it said and learnt of images\n"
                       "stays in databases.")) {
        return COMMAND_MISUSED;
    }
    if (argc != 2) {
        return command_fail(COMMAND_MISUSED, "model remove needs the name of one model");
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = command_models_dir();
    return bundles_remove(dir, argv[1], &error)
               ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}

/* --- info ------------------------------------------------------------------------------- */

static void print_part(const char *title, const struct model_part *part)
{
    if (part->kind != MODEL_PART_NONE) {
        g_print("%-14s %s, %.2f M parameters\n", title, part->summary,
                part->parameters / 1e6);
    }
}

static void print_info(const struct model *model)
{
    const struct model_info *info = model_info(model);
    const struct model_preprocess *p = &info->preprocess;
    size_t n = 0;
    const struct weights_label *labels = model_labels(model, &n);
    g_print("%-14s %s\n%-14s %s\n", "name", info->name, "kind", kind_text(info->kind));
    print_part("image", &info->image);
    print_part("text", &info->text);
    print_part("head", &info->head);
    if (info->image.kind != MODEL_PART_NONE) {
        g_print("%-14s %u x %u, %s, %s, mean %.4g %.4g %.4g, std %.4g %.4g %.4g\n",
                "preprocessing", p->size, p->size,
                p->fit == MODEL_FIT_CROP ? "shorter side and crop" : "squash",
                p->filter == MODEL_BICUBIC ? "bicubic" : "bilinear", p->mean[0], p->mean[1],
                p->mean[2], p->std[0], p->std[1], p->std[2]);
    }
    if (info->open_vocabulary) {
        g_print("%-14s any, prompt \"%s\"%s\n", "labels", info->prompt,
                model_tokenizer(model) ? "" : " (the tokenizer is missing)");
    } else if (n > 0) {
        g_print("%-14s %zu:", "labels", n);
        for (size_t i = 0; i < n && i < 12; i++) {
            g_print("%s %s", i ? "," : "", labels[i].name);
        }
        g_print(n > 12 ? ", …\n" : "\n");
    }
    if (*info->about) {
        g_print("%-14s %s\n", "about", info->about);
    }
    g_print("%-14s %s\n%-14s %s\n", "licence", *info->licence ? info->licence : "unknown",
            "fingerprint", info->fingerprint);
}

static void json_part(JsonBuilder *b, const char *name, const struct model_part *part)
{
    if (part->kind != MODEL_PART_NONE) {
        json_out_begin_object(b, name);
        json_out_text(b, "summary", part->summary);
        json_out_count(b, "parameters", (gint64)part->parameters);
        json_builder_end_object(b);
    }
}

static void json_preprocess(JsonBuilder *b, const struct model_preprocess *p)
{
    const float *triples[2] = { p->mean, p->std };
    const char *names[2] = { "mean", "std" };
    json_out_begin_object(b, "preprocess");
    json_out_count(b, "size", p->size);
    json_out_count(b, "resize_size", p->resize_size);
    json_out_text(b, "fit", p->fit == MODEL_FIT_CROP ? "crop" : "squash");
    json_out_text(b, "filter", p->filter == MODEL_BICUBIC ? "bicubic" : "bilinear");
    for (int i = 0; i < 2; i++) {
        json_out_begin_array(b, names[i]);
        for (int c = 0; c < 3; c++) {
            json_builder_add_double_value(b, triples[i][c]);
        }
        json_builder_end_array(b);
    }
    json_builder_end_object(b);
}

static void print_info_json(const struct model *model)
{
    const struct model_info *info = model_info(model);
    g_autoptr(JsonBuilder) b = json_builder_new();
    size_t n = 0;
    const struct weights_label *labels = model_labels(model, &n);
    json_builder_begin_object(b);
    json_out_text(b, "name", info->name);
    json_out_text(b, "kind", kind_text(info->kind));
    json_out_text(b, "licence", info->licence);
    json_out_text(b, "about", info->about);
    json_out_text(b, "prompt", info->prompt);
    json_out_text(b, "fingerprint", info->fingerprint);
    json_part(b, "image", &info->image);
    json_part(b, "text", &info->text);
    json_part(b, "head", &info->head);
    if (info->image.kind != MODEL_PART_NONE) {
        json_preprocess(b, &info->preprocess);
    }
    json_out_begin_array(b, "labels");
    for (size_t i = 0; i < n; i++) {
        json_builder_add_string_value(b, labels[i].name);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    g_autofree char *text = json_out_string(b);
    g_print("%s\n", text);
}

/* A checkpoint of no known network still has facts worth telling. */
static int print_container(const char *path, gboolean json)
{
    struct weights *w = NULL;
    struct nn_error error = { 0 };
    if (weights_open(&w, path, &error) != NN_OK) {
        return command_fail(COMMAND_FAILED, "%s", error.text);
    }
    guint64 values = 0;
    for (size_t i = 0; i < weights_count(w); i++) {
        values += weights_at(w, i)->count;
    }
    size_t n_labels = 0;
    weights_labels(w, &n_labels);
    if (json) {
        g_autoptr(JsonBuilder) b = json_builder_new();
        json_builder_begin_object(b);
        json_out_text(b, "container", weights_container(w));
        json_out_count(b, "tensors", (gint64)weights_count(w));
        json_out_count(b, "values", (gint64)values);
        json_out_count(b, "labels", (gint64)n_labels);
        json_builder_end_object(b);
        g_autofree char *text = json_out_string(b);
        g_print("%s\n", text);
    } else {
        g_print("%-14s %s\n%-14s %zu, %" G_GUINT64_FORMAT " values\n%-14s none that "
                "Taglight knows\n", "container", weights_container(w), "tensors",
                weights_count(w), values, "network");
    }
    weights_destroy(&w);
    return COMMAND_DONE;
}

static int model_info_command(int argc, char **argv)
{
    gboolean json = FALSE;
    g_auto(GStrv) set = NULL;
    const GOptionEntry entries[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
        { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set,
          "What the checkpoint does not store", "KEY=VALUE" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "NAME|DIR|FILE - describe a model", NULL)) {
        return COMMAND_MISUSED;
    }
    if (argc < 2) {
        return command_fail(COMMAND_MISUSED, "info needs a model");
    }
    struct model *model = NULL;
    struct model_settings settings;
    struct nn_error error = { 0 };
    enum nn_status status = command_read_settings(&settings, set, &error);
    if (status == NN_OK) {
        status = command_open_model(&model, argv + 1, (size_t)argc - 1,
                                    set ? &settings : NULL, &error);
    }
    if (status == NN_ERROR_UNSUPPORTED && argc == 2
        && g_file_test(argv[1], G_FILE_TEST_IS_REGULAR)) {
        return print_container(argv[1], json);
    }
    if (status != NN_OK) {
        return command_fail(COMMAND_FAILED, "%s", error.text);
    }
    if (json) {
        print_info_json(model);
    } else {
        print_info(model);
    }
    model_destroy(&model);
    return COMMAND_DONE;
}

int command_model(int argc, char **argv)
{
    static const struct { const char *name; int (*run)(int, char **); } table[] = {
        { "import", model_import }, { "list", model_list },
        { "remove", model_remove },
        { "info", model_info_command }, { "forward", command_forward } };
    for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(table); i++) {
        if (strcmp(argv[1], table[i].name) == 0) {
            g_autofree char *name = g_strconcat("taglight model ", argv[1], NULL);
            g_set_prgname(name);
            return table[i].run(argc - 1, argv + 1);
        }
    }
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        g_print("Usage:\n  taglight model import|list|info|forward|remove [OPTION…] …\n\n"
                "`taglight model COMMAND --help` tells more.\n");
        return COMMAND_DONE;
    }
    return command_fail(COMMAND_MISUSED, "model needs one of: import, list, info, "
                                         "forward, remove");
}
