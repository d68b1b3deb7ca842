#include "app/tagger/results.h"
#include "app/formats/text.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

struct results {
    struct results_params params;
    const struct format *format;
    FILE *out;
    char *part; /* NULL when written straight to its place */
    guint *order;
};

/* `order` lists the labels to write. */
struct format {
    const char *name, *head;
    void (*put)(struct results *r, const char *path, guint n, const float *confidence);
    void (*put_error)(struct results *r, const char *path, const char *message);
};

static void put_number(FILE *out, double value)
{
    text_number(out, "%.6f", value);
}

/* --- Table ------------------------------------------------------------------------ */

/* A file's name must not drive the terminal. */
static void put_plain(FILE *out, const char *text)
{
    for (; *text; text++) {
        fputc(g_ascii_iscntrl(*text) ? '?' : *text, out);
    }
}

static void table_put(struct results *r, const char *path, guint n, const float *confidence)
{
    put_plain(r->out, path);
    fputc('\n', r->out);
    for (guint i = 0; i < n; i++) {
        fprintf(r->out, "  %5.1f %%  ", 100 * confidence[r->order[i]]);
        put_plain(r->out, r->params.labels[r->order[i]]);
        fputc('\n', r->out);
    }
}

static void table_put_error(struct results *r, const char *path, const char *message)
{
    put_plain(r->out, path);
    fputs("\n  error: ", r->out);
    put_plain(r->out, message);
    fputc('\n', r->out);
}

/* --- CSV -------------------------------------------------------------------------- */

static void csv_put(struct results *r, const char *path, guint n, const float *confidence)
{
    for (guint i = 0; i < n; i++) {
        text_csv_field(r->out, path);
        fputc(',', r->out);
        text_csv_field(r->out, r->params.labels[r->order[i]]);
        fputc(',', r->out);
        put_number(r->out, confidence[r->order[i]]);
        fputs(",\n", r->out);
    }
}

static void csv_put_error(struct results *r, const char *path, const char *message)
{
    text_csv_field(r->out, path);
    fputs(",,,", r->out);
    text_csv_field(r->out, message);
    fputc('\n', r->out);
}

/* --- JSON lines ------------------------------------------------------------------- */

static void json_path(FILE *out, const char *path)
{
    fputs("{\"path\":", out);
    text_json_string(out, path);
    if (!g_utf8_validate(path, -1, NULL)) {
        g_autofree char *bytes = g_base64_encode((const guchar *)path, strlen(path));
        fprintf(out, ",\"path_base64\":\"%s\"", bytes);
    }
}

static void jsonl_put(struct results *r, const char *path, guint n, const float *confidence)
{
    json_path(r->out, path);
    fputs(",\"labels\":{", r->out);
    for (guint i = 0; i < n; i++) {
        fputs(i ? "," : "", r->out);
        text_json_string(r->out, r->params.labels[r->order[i]]);
        fputc(':', r->out);
        put_number(r->out, confidence[r->order[i]]);
    }
    fputs("}}\n", r->out);
}

static void jsonl_put_error(struct results *r, const char *path, const char *message)
{
    json_path(r->out, path);
    fputs(",\"error\":", r->out);
    text_json_string(r->out, message);
    fputs("}\n", r->out);
}

/* --- All formats ------------------------------------------------------------------ */

static const struct format formats[] = {
    { "table", "", table_put, table_put_error },
    { "csv", "path,label,confidence,error\n", csv_put, csv_put_error },
    { "jsonl", "", jsonl_put, jsonl_put_error },
};

const char *const *results_formats(void)
{
    static const char *names[G_N_ELEMENTS(formats) + 1];
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        names[i] = formats[i].name;
    }
    return names;
}

static gboolean io_error(const struct results *r, GError **error)
{
    int code = errno;
    g_autofree char *name =
        g_filename_display_name(r->params.out ? r->params.out : "standard output");
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", name,
                g_strerror(code));
    return FALSE;
}

struct results *results_open(const struct results_params *params, GError **error)
{
    struct results *r = g_new0(struct results, 1);
    r->params = *params;
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_str_equal(formats[i].name, params->format)) {
            r->format = &formats[i];
        }
    }
    g_assert(r->format);
    r->order = g_new(guint, params->n_labels);
    /* A device or a pipe cannot be replaced by a finished file. */
    gboolean ordinary = params->out && (!g_file_test(params->out, G_FILE_TEST_EXISTS)
                                        || g_file_test(params->out,
                                                       G_FILE_TEST_IS_REGULAR));
    r->part = ordinary ? g_strconcat(params->out, ".part", NULL) : NULL;
    r->out = params->out ? g_fopen(r->part ? r->part : params->out, "wb") : stdout;
    if (!r->out) {
        io_error(r, error);
        results_close(r, FALSE, NULL);
        return NULL;
    }
    fputs(r->format->head, r->out);
    return r;
}

static int by_confidence(gconstpointer a, gconstpointer b, gpointer data)
{
    const float *confidence = data;
    float left = confidence[*(const guint *)a], right = confidence[*(const guint *)b];
    return left > right ? -1 : left < right;
}

void results_put(struct results *r, const char *path, const float *confidence)
{
    guint n = 0;
    for (guint i = 0; i < r->params.n_labels; i++) {
        if (confidence[i] >= r->params.threshold) {
            r->order[n++] = i;
        }
    }
    g_qsort_with_data(r->order, (int)n, sizeof *r->order, by_confidence,
                      (gpointer)confidence);
    r->format->put(r, path, r->params.top ? MIN(n, r->params.top) : n, confidence);
}

void results_put_error(struct results *r, const char *path, const char *message)
{
    r->format->put_error(r, path, message);
}

gboolean results_flush(struct results *r, GError **error)
{
    /* A failed write leaves its mark on the stream, but its reason only here. */
    return (fflush(r->out) == 0 && !ferror(r->out)) || io_error(r, error);
}

gboolean results_close(struct results *r, gboolean keep, GError **error)
{
    gboolean good = !keep || results_flush(r, error);
    if (r->params.out && r->out && fclose(r->out) != 0 && keep && good) {
        good = io_error(r, error);
    }
    if (r->part && keep && good && g_rename(r->part, r->params.out) != 0) {
        good = io_error(r, error);
    }
    if (r->part && r->out && !(keep && good)) {
        g_unlink(r->part);
    }
    g_free(r->part);
    g_free(r->order);
    g_free(r);
    return good;
}
