#include "app/trainer/train_log.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char header[] =
    "step,epoch,loss,loss_clip,loss_labels,lr,gradient_norm,images_per_second,val_mAP\n";

struct train_log {
    char *path;
    FILE *file;
    GArray *rows; /* struct train_log_row */
};

static gboolean fail(const struct train_log *log, GError **error)
{
    int code = errno;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", log->path,
                g_strerror(code));
    return FALSE;
}

/* Numbers in the C locale, whatever the person's is. */
static void format_row(GString *out, const struct train_log_row *r)
{
    const struct { const char *format; double value; } cells[] = {
        { "%.4f", r->epoch }, { "%.7g", r->loss }, { "%.7g", r->clip },
        { "%.7g", r->labels }, { "%.7g", r->lr }, { "%.7g", r->norm },
        { "%.1f", r->images_per_second }, { "%.2f", r->validation } };
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, r->step);
    for (gsize i = 0; i < G_N_ELEMENTS(cells); i++) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append_c(out, ',');
        if (!isnan(cells[i].value)) {
            g_string_append(out, g_ascii_formatd(text, sizeof text, cells[i].format,
                                                 cells[i].value));
        }
    }
    g_string_append_c(out, '\n');
}

static gboolean parse_row(const char *line, struct train_log_row *r)
{
    double *cells[] = { &r->epoch, &r->loss, &r->clip, &r->labels, &r->lr, &r->norm,
                        &r->images_per_second, &r->validation };
    char *at;
    r->step = g_ascii_strtoull(line, &at, 10);
    for (gsize i = 0; i < G_N_ELEMENTS(cells); i++) {
        if (*at != ',') {
            return FALSE;
        }
        const char *from = at + 1;
        *cells[i] = g_ascii_strtod(from, &at);
        *cells[i] = at == from ? NAN : *cells[i];
    }
    return *at == '\0' && r->step > 0;
}

/* Rows of an earlier run; the last line may have been cut short by a kill. */
static void read_rows(struct train_log *log, guint64 done)
{
    g_autofree char *text = NULL;
    if (done == 0 || !g_file_get_contents(log->path, &text, NULL, NULL)) {
        return;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        struct train_log_row row;
        if (parse_row(*line, &row) && row.step <= done) {
            g_array_append_val(log->rows, row);
        }
    }
}

struct train_log *train_log_open(const char *path, guint64 done, GError **error)
{
    struct train_log *log = g_new0(struct train_log, 1);
    log->path = g_strdup(path);
    log->rows = g_array_new(FALSE, FALSE, sizeof(struct train_log_row));
    read_rows(log, done);
    g_autoptr(GString) text = g_string_new(header);
    for (guint i = 0; i < log->rows->len; i++) {
        format_row(text, &g_array_index(log->rows, struct train_log_row, i));
    }
    if (!g_file_set_contents(path, text->str, (gssize)text->len, error)) {
        train_log_close(&log);
        return NULL;
    }
    log->file = g_fopen(path, "ab");
    if (!log->file) {
        fail(log, error);
        train_log_close(&log);
    }
    return log;
}

gboolean train_log_add(struct train_log *log, const struct train_log_row *row,
                       GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    format_row(text, row);
    g_array_append_val(log->rows, *row);
    return fwrite(text->str, 1, text->len, log->file) == text->len || fail(log, error);
}

gboolean train_log_flush(struct train_log *log, const char *svg, GError **error)
{
    if (fflush(log->file) != 0) {
        return fail(log, error);
    }
    g_autofree char *picture =
        train_log_draw((const struct train_log_row *)(gpointer)log->rows->data,
                       log->rows->len);
    return g_file_set_contents(svg, picture, -1, error);
}

void train_log_close(struct train_log **log)
{
    if (!*log) {
        return;
    }
    if ((*log)->file) {
        fclose((*log)->file);
    }
    g_array_unref((*log)->rows);
    g_free((*log)->path);
    g_clear_pointer(log, g_free);
}
