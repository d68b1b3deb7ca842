/* `taglight find`: images of a database by a filter line. */
#include "app/commands/commands.h"
#include "app/commands/find_similar.h"
#include "app/json/json_out.h"
#include "app/query/catalogue.h"
#include "app/store/browse.h"
#include "app/store/thresholds.h"

#include <errno.h>
#include <stdio.h>

static const char help[] =
    "QUERY is a filter line, such as\n"
    "  'boat>0.6 and not harbour accepted:person folder:day1 sort:-date'\n"
    "with labels, confidences (boat>0.6), states (accepted: rejected: undecided: decided:),\n"
    "by:, name:, folder:, date>, size>, width>, height>, pixels>, and, or, not, ( ) and\n"
    "sort:. Without one every image is found. --similar orders what is found by likeness to\n"
    "a picture, by what the model sees in them; images that it has not seen are left out.";

struct find {
    char *db, *model, *similar, *saved, *save, *device;
    int limit;
    gboolean json, zero;
    store *s;
    struct query *query;
    struct catalogue *catalogue;
    GArray *found;     /* guint: images */
    GArray *likeness;  /* float by image found; NULL unless asked for */
};

/* --- Printing ------------------------------------------------------------------------- */

/* What the query asked of the model comes with each image. */
static void json_confidences(const struct find *f, JsonBuilder *b, guint image)
{
    const struct query_source *source = catalogue_source(f->catalogue);
    const char *const *labels = query_labels(f->query);
    json_out_begin_object(b, "confidence");
    for (guint i = 0; labels[i]; i++) {
        double value = source->confidence(image, i, source->data);
        if (value >= 0) {
            json_out_number(b, labels[i], value);
        }
    }
    json_builder_end_object(b);
}

static void print_json(const struct find *f)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_array(b);
    for (guint i = 0; i < f->found->len; i++) {
        guint image = g_array_index(f->found, guint, i);
        g_autofree char *path =
            g_utf8_make_valid(catalogue_path(f->catalogue, image), -1);
        json_builder_begin_object(b);
        json_out_text(b, "path", path);
        json_out_text(b, "hash", catalogue_hash(f->catalogue, image));
        json_confidences(f, b, image);
        if (f->likeness) {
            json_out_number(b, "likeness", g_array_index(f->likeness, float, i));
        }
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    g_autofree char *text = json_out_string(b);
    g_print("%s\n", text);
}

/* Paths as the file system has them, byte by byte. */
static gboolean print_paths(const struct find *f)
{
    for (guint i = 0; i < f->found->len; i++) {
        guint image = g_array_index(f->found, guint, i);
        if (f->likeness) {
            printf("%.4f\t", g_array_index(f->likeness, float, i));
        }
        fputs(catalogue_path(f->catalogue, image), stdout);
        putchar(f->zero ? '\0' : '\n');
    }
    return fflush(stdout) == 0 && !ferror(stdout);
}

/* --- Finding --------------------------------------------------------------------------- */

static gboolean needs_model(const struct query *q)
{
    const char *const *labels = query_labels(q);
    for (guint i = 0; labels[i]; i++) {
        if (query_needs_confidence(q, i)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The filter line: given, saved, or empty. To be freed. */
static char *filter_line(struct find *f, char **words, GError **error)
{
    if (!f->saved) {
        return g_strjoinv(" ", words);
    }
    char *line = store_filter(f->s, f->saved);
    if (!line) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_REFUSED, "there is no filter \"%s\"",
                    f->saved);
    }
    return line;
}

static gboolean load(struct find *f, const char *line, GError **error)
{
    f->query = query_parse(line, NULL, error);
    if (!f->query || (f->save && !store_save_filter(f->s, f->save, line, error))) {
        return FALSE;
    }
    g_autofree char *mark = NULL;
    if (f->model && needs_model(f->query)) {
        mark = store_find_model(f->s, f->model, error);
        if (!mark) {
            return FALSE;
        }
    }
    f->catalogue = catalogue_load(f->s, mark, f->query, error);
    f->found = f->catalogue ? query_run(f->query, catalogue_source(f->catalogue), NULL, error)
                            : NULL;
    return f->found != NULL;
}

static gboolean rank(struct find *f, GError **error)
{
    g_autofree char *path = command_find_model(f->model);
    struct find_similar_params params = { f->catalogue, f->found, f->similar, path,
                                          f->device };
    GArray *found = NULL;
    guint unseen = 0;
    if (!find_similar(&params, &found, &f->likeness, &unseen, error)) {
        return FALSE;
    }
    g_array_unref(f->found);
    f->found = found;
    if (unseen > 0) {
        command_fail(COMMAND_DONE, "%u images are left out: the model has not seen them; "
                     "`taglight tag` shows them to it", unseen);
    }
    return TRUE;
}

static gboolean run(struct find *f, char **words, GError **error)
{
    f->s = store_open(f->db, f->save ? STORE_CREATE : STORE_READ_ONLY, error);
    g_autofree char *line = f->s ? filter_line(f, words, error) : NULL;
    if (!line || !load(f, line, error) || (f->similar && !rank(f, error))) {
        return FALSE;
    }
    if (f->limit > 0 && f->found->len > (guint)f->limit) {
        g_array_set_size(f->found, (guint)f->limit);
    }
    if (f->json) {
        print_json(f);
        return TRUE;
    }
    if (!print_paths(f)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "standard output: %s",
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

/* --- The command -------------------------------------------------------------------------- */

static void find_clear(struct find *f)
{
    query_free(&f->query);
    catalogue_free(&f->catalogue);
    store_close(&f->s);
    g_clear_pointer(&f->found, g_array_unref);
    g_clear_pointer(&f->likeness, g_array_unref);
    g_free(f->db);
    g_free(f->model);
    g_free(f->similar);
    g_free(f->saved);
    g_free(f->save);
    g_free(f->device);
}

static int check_and_run(struct find *f, char **words, int n)
{
    g_autoptr(GError) error = NULL;
    if (!f->db || (f->similar && !f->model) || (f->saved && n > 0) || f->limit < 0) {
        return command_fail(COMMAND_MISUSED, "find needs --db; --similar needs --model, and "
                            "--saved takes the place of a query");
    }
    return run(f, words, &error) ? COMMAND_DONE
                                 : command_fail(COMMAND_FAILED, "%s", error->message);
}

int command_find(int argc, char **argv)
{
    struct find f = { 0 };
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &f.db, "Database of decisions", "FILE" },
        { "model", 'm', 0, G_OPTION_ARG_FILENAME, &f.model, "Model whose confidences count",
          "MODEL" },
        { "similar", 0, 0, G_OPTION_ARG_FILENAME, &f.similar, "Order by likeness to this "
          "picture", "FILE" },
        { "saved", 0, 0, G_OPTION_ARG_STRING, &f.saved, "Use a filter that was saved",
          "NAME" },
        { "save", 0, 0, G_OPTION_ARG_STRING, &f.save, "Save the filter", "NAME" },
        { "limit", 'n', 0, G_OPTION_ARG_INT, &f.limit, "At most so many images", "N" },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &f.device, "Device by number or name",
          "N|NAME" },
        { "print0", '0', 0, G_OPTION_ARG_NONE, &f.zero, "End each path with a zero byte",
          NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &f.json, "Print JSON", NULL },
        { 0 } };
    int status = command_parse(&argc, &argv, entries, "[QUERY] - images by a filter line",
                               help)
                     ? check_and_run(&f, argv + 1, argc - 1) : COMMAND_MISUSED;
    find_clear(&f);
    return status;
}
