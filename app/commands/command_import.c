/* `taglight import`: decisions of other programs and machines, into a database. */
#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/imports/import.h"

#include <string.h>

struct import_options {
    char *db, *images, *layout, *match, *as, *labels, *labels_file, *author, *decided_at;
    gboolean dry_run, json, list, zeros;
};

static int list_layouts(void)
{
    for (guint i = 0; dataset_layout_id(i); i++) {
        g_print("%-14s %s\n", dataset_layout_id(i), dataset_layout_summary(i));
    }
    return COMMAND_DONE;
}

/* 0 when a word is none of them. */
static int read_match(const char *text)
{
    static const struct { const char *word; int how; } words[] = {
        { "path", PLACES_BY_PATH }, { "name", PLACES_BY_NAME },
        { "content", PLACES_BY_CONTENT } };
    g_auto(GStrv) given = g_strsplit(text ? text : "path,name,content", ",", -1);
    int how = 0;
    for (gsize i = 0; given[i]; i++) {
        int one = 0;
        for (gsize j = 0; j < G_N_ELEMENTS(words); j++) {
            one |= strcmp(g_strstrip(given[i]), words[j].word) == 0 ? words[j].how : 0;
        }
        if (!one) {
            return 0;
        }
        how |= one;
    }
    return how;
}

/* *out: NULL when all are wanted. */
static gboolean read_labels(const struct import_options *o, GStrv *out, GError **error)
{
    *out = NULL;
    if (o->labels) {
        *out = g_strsplit(o->labels, ",", -1);
        for (gsize i = 0; (*out)[i]; i++) {
            g_strstrip((*out)[i]);
        }
    } else if (o->labels_file) {
        GPtrArray *lines = dataset_read_lines(o->labels_file, error);
        if (!lines) {
            return FALSE;
        }
        g_ptr_array_add(lines, NULL);
        *out = (GStrv)g_ptr_array_free(lines, FALSE);
    }
    return TRUE;
}

static void show_progress(guint done, guint total, gpointer user_data)
{
    struct progress *progress = user_data;
    if (progress->total == 0) {
        *progress = progress_start(total);
    }
    progress_show(progress, done);
}

static int fail_with(GError *error)
{
    int status = command_fail(COMMAND_FAILED, "%s", error->message);
    g_error_free(error);
    return status;
}

static struct import_report *import_into_db(const struct import_options *o,
                                            const char *path,
                                            struct import_params *params, GError **error)
{
    struct progress progress = { 0 };
    g_autofree char *file = g_path_get_basename(path);
    g_autofree char *author = g_filename_display_name(o->author ? o->author : file);
    g_autofree char *images = o->images ? g_canonicalize_filename(o->images, NULL) : NULL;
    params->author = author;
    params->data.images = images;
    params->progress = show_progress;
    params->user_data = &progress;
    struct import_report *r = import_run(o->db, path, params, error);
    progress_hide(&progress);
    return r;
}

static int run(const struct import_options *o, const char *path)
{
    GError *error = NULL;
    g_autofree char *time = o->decided_at ? store_time(o->decided_at) : NULL;
    struct import_params params = {
        .data = { .layout = o->layout, .zeros = o->zeros },
        .how = read_match(o->match),
        .dry_run = o->dry_run, .time = time,
        .as_proposals = g_strcmp0(o->as, "proposals") == 0 };
    if (o->decided_at && !time) {
        return command_fail(COMMAND_MISUSED, "--decided-at: \"%s\" is no date with a time, "
                            "such as 2026-11-24T10:00:00Z", o->decided_at);
    }
    if (!read_labels(o, &params.labels, &error)) {
        return fail_with(error);
    }
    struct import_report *r = import_into_db(o, path, &params, &error);
    g_strfreev(params.labels);
    if (!r) {
        return fail_with(error);
    }
    if (o->json) {
        g_autofree char *text = import_report_to_json(r, o->dry_run);
        g_print("%s\n", text);
    } else {
        import_report_print(r, o->dry_run);
    }
    import_report_free(&r);
    return COMMAND_DONE;
}

static gboolean is_layout(const char *id)
{
    guint i = 0;
    while (dataset_layout_id(i) && strcmp(dataset_layout_id(i), id) != 0) {
        i++;
    }
    return dataset_layout_id(i) != NULL;
}

static gboolean is_misused(const struct import_options *o, int n_arguments)
{
    return n_arguments != 1 || !o->db || !read_match(o->match)
           || (o->layout && !is_layout(o->layout)) || (o->labels && o->labels_file)
           || (o->as && strcmp(o->as, "decisions") != 0 && strcmp(o->as, "proposals") != 0);
}

static void clear(struct import_options *o)
{
    char *texts[] = { o->db, o->images, o->layout, o->match, o->as, o->labels,
                      o->labels_file, o->author, o->decided_at };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
}

int command_import(int argc, char **argv)
{
    struct import_options o = { 0 };
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &o.db, "Database of decisions to write into",
          "FILE" },
        { "images", 0, 0, G_OPTION_ARG_FILENAME, &o.images, "Folder of the images (that of "
          "PATH)", "DIR" },
        { "format", 'f', 0, G_OPTION_ARG_STRING, &o.layout, "What PATH is, when it is not "
          "found out; --list names them", "ID" },
        { "match", 0, 0, G_OPTION_ARG_STRING, &o.match, "How images are found again "
          "(path,name,content)", "WAYS" },
        { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &o.dry_run, "Say what would change and "
          "change nothing", NULL },
        { "as", 0, 0, G_OPTION_ARG_STRING, &o.as, "decisions, or proposals of a model",
          "WHAT" },
        { "labels", 0, 0, G_OPTION_ARG_STRING, &o.labels, "Only these", "A,B,…" },
        { "labels-file", 0, 0, G_OPTION_ARG_FILENAME, &o.labels_file, "Only these, a line "
          "each", "FILE" },
        { "author", 0, 0, G_OPTION_ARG_STRING, &o.author, "Who decided, where PATH does not "
          "say (its name)", "NAME" },
        { "decided-at", 0, 0, G_OPTION_ARG_STRING, &o.decided_at, "When that was decided "
          "for which PATH has no time; without it, such decisions overrule none", "TIME" },
        { "zeros", 0, 0, G_OPTION_ARG_NONE, &o.zeros, "Take the 0 of one-hot CSV, the -1 of "
          "VOC and the false of labelme for rejected", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print what changed as JSON", NULL },
        { "list", 0, 0, G_OPTION_ARG_NONE, &o.list, "List what can be read", NULL },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "PATH - take decisions of other tools",
                       "What is decided here later, or here by a person and there by a "
                       "model, stays. All or nothing; twice is once. See "
                       "docs/import.md.")) {
        return COMMAND_MISUSED;
    }
    int status = o.list ? list_layouts()
                 : is_misused(&o, argc - 1)
                     ? command_fail(COMMAND_MISUSED,
                                    "import needs PATH and --db; --match is some of path, "
                                    "name and content, --as decisions or proposals, "
                                    "--format one of --list; --labels and --labels-file "
                                    "exclude each other")
                     : run(&o, argv[1]);
    clear(&o);
    return status;
}
