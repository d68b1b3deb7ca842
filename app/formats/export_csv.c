/* Long CSV: a row for each decision (formats.md 3.2). RFC 4180, UTF-8, LF. */
#include "app/formats/export.h"

#include <string.h>

static void put_field(FILE *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    if (!strpbrk(valid, ",\"\r\n") && valid[0] != ' ') {
        fputs(valid, out);
        return;
    }
    fputc('"', out);
    for (const char *c = valid; *c; c++) {
        if (*c == '"') {
            fputc('"', out);
        }
        fputc(*c, out);
    }
    fputc('"', out);
}

static void put_number(FILE *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    fputs(value < 0 ? "" : g_ascii_formatd(text, sizeof text, "%.6g", value), out);
}

struct csv { FILE *out; const ExportOptions *options; };

static gboolean put_row(const StoreRow *row, gpointer user_data)
{
    const struct csv *csv = user_data;
    FILE *out = csv->out;
    g_autofree char *path = export_path(row, csv->options);
    put_field(out, path);
    fputc(',', out);
    put_field(out, row->name);
    fprintf(out, ",%s,%s,", row->verdict == STORE_ACCEPTED ? "accepted" : "rejected",
            row->by_model ? "model" : "human");
    put_number(out, row->confidence);
    fputc(',', out);
    put_number(out, row->threshold);
    fputc(',', out);
    put_field(out, row->model);
    fputc(',', out);
    put_field(out, row->prompt);
    fputc(',', out);
    put_field(out, row->time);
    fputc('\n', out);
    return !ferror(out);
}

static gboolean write_csv(store *s, const ExportOptions *options, FILE *out,
                          GError **error)
{
    struct csv csv = { out, options };
    fputs("image,label,state,source,score,threshold,model,prompt,decided_at\n", out);
    return store_each_decision(s, put_row, &csv, error);
}

const ExportFormat export_csv = { "csv", "a row for each decision", write_csv };
