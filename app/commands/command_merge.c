/* `taglight merge`: several databases become one. */
#include "app/commands/commands.h"
#include "app/json/json_out.h"
#include "app/store/backup.h"
#include "app/store/merge.h"

#include <string.h>

static const char help[] =
    "Joins the databases A.db, B.db, … into C.db, which is made when missing and else keeps\n"
    "what it has. An image is the same by its content, a label by its name, a decision by\n"
    "itself: merging twice changes nothing. Of an image and a label the newest decision\n"
    "holds. Decisions that carry no name yet get NAME of A.db=NAME, or the file's name.\n"
    "Where two people's last words differ, both are kept and listed. What is said of labels\n"
    "(colours, keys, wordings, parents, thresholds, …) is taken where C.db says nothing;\n"
    "where it says otherwise, that stays and the difference is listed. Notes are joined.";

struct merge {
    gboolean json;
    StoreRow last;        /* of the conflict at hand: only its image and label */
    guint conflicts;
    JsonBuilder *builder; /* NULL for a table */
};

/* --- Sources ---------------------------------------------------------------------- */

/* A.db=anna; a file of that whole name goes first. */
static void read_source(char *text, MergeSource *out)
{
    char *equals = strrchr(text, '=');
    *out = (MergeSource){ .path = text };
    if (equals && equals > text && equals[1] && !g_file_test(text, G_FILE_TEST_EXISTS)) {
        *equals = '\0';
        out->author = equals + 1;
    }
}

/* --- Conflicts -------------------------------------------------------------------- */

static const char *verdict_name(StoreVerdict verdict)
{
    return verdict == STORE_ACCEPTED ? "accepted" : "rejected";
}

static void print_row(struct merge *m, const StoreRow *row, gboolean first)
{
    g_autofree char *path = g_filename_display_name(*row->path ? row->path : row->hash);
    if (first) {
        g_print("%s%s: %s\n", m->conflicts == 1 ? "" : "\n", path, row->name);
    }
    g_print("  %s %s  %s\n", verdict_name(row->verdict), row->time,
            *row->author ? row->author : "(no name)");
}

static void end_conflict(struct merge *m)
{
    if (m->builder && m->conflicts > 0) {
        json_builder_end_array(m->builder);
        json_builder_end_object(m->builder);
    }
}

static void build_row(struct merge *m, const StoreRow *row, gboolean first)
{
    JsonBuilder *b = m->builder;
    if (first) {
        json_builder_begin_object(b);
        json_out_text(b, "image", row->path);
        json_out_text(b, "hash", row->hash);
        json_out_text(b, "label", row->name);
        json_out_begin_array(b, "decisions");
    }
    json_builder_begin_object(b);
    json_out_text(b, "author", row->author);
    json_out_text(b, "state", verdict_name(row->verdict));
    json_out_text(b, "time", row->time);
    json_builder_end_object(b);
}

static gboolean show_row(const StoreRow *row, gpointer data)
{
    struct merge *m = data;
    gboolean first = m->conflicts == 0 || row->image != m->last.image
                     || row->label != m->last.label;
    if (first) {
        end_conflict(m);
        m->conflicts++;
        m->last.image = row->image;
        m->last.label = row->label;
    }
    (m->builder ? build_row : print_row)(m, row, first);
    return TRUE;
}

/* One line of a list of labels, a number or a text. */
static char *one_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *joined = g_strjoinv(", ", lines);
    return g_filename_display_name(joined);
}

static void print_difference(const MergeDifference *d)
{
    g_autofree char *subject = one_line(d->subject), *detail = one_line(d->detail);
    g_autofree char *kept = one_line(d->kept), *other = one_line(d->other);
    g_print("%s: %s%s%s %s, not %s (%s)\n", subject, d->what, *detail ? " for " : "", detail,
            kept, other, d->source);
}

static void build_difference(JsonBuilder *b, const MergeDifference *d)
{
    json_builder_begin_object(b);
    json_out_text(b, "what", d->what);
    json_out_text(b, "of", d->subject);
    if (*d->detail) {
        json_out_text(b, "model", d->detail);
    }
    json_out_text(b, "kept", d->kept);
    json_out_text(b, "other", d->other);
    json_out_text(b, "source", d->source);
    json_builder_end_object(b);
}

static void build_differences(JsonBuilder *b, const GPtrArray *differences)
{
    json_out_begin_array(b, "differences");
    for (guint i = 0; i < differences->len; i++) {
        build_difference(b, differences->pdata[i]);
    }
    json_builder_end_array(b);
}

static void print_json(struct merge *m, const MergeCounts *c, const GPtrArray *differences)
{
    const struct { const char *name; gint64 value; } counts[] = {
        { "images", c->images }, { "paths", c->paths }, { "labels", c->labels },
        { "decisions", c->events }, { "predictions", c->predictions },
        { "vocabulary", c->vocabulary } };
    end_conflict(m);
    json_builder_end_array(m->builder);
    build_differences(m->builder, differences);
    json_out_begin_object(m->builder, "added");
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        json_out_count(m->builder, counts[i].name, counts[i].value);
    }
    json_builder_end_object(m->builder);
    json_builder_end_object(m->builder);
    g_autofree char *text = json_out_string(m->builder);
    g_print("%s\n", text);
}

static gboolean report(store *s, struct merge *m, const MergeCounts *c,
                       const GPtrArray *differences, GError **error)
{
    g_autoptr(JsonBuilder) builder = m->json ? json_builder_new() : NULL;
    m->builder = builder;
    if (builder) {
        json_builder_begin_object(builder);
        json_out_begin_array(builder, "conflicts");
    }
    if (!merge_each_conflict(s, show_row, m, error)) {
        return FALSE;
    }
    if (builder) {
        print_json(m, c, differences);
    }
    for (guint i = 0; !builder && i < differences->len; i++) {
        g_print("%s", i == 0 && m->conflicts > 0 ? "\n" : "");
        print_difference(differences->pdata[i]);
    }
    guint n = m->conflicts + differences->len;
    g_printerr("%" G_GINT64_FORMAT " images, %" G_GINT64_FORMAT " paths, %"
               G_GINT64_FORMAT " labels, %" G_GINT64_FORMAT " decisions and %"
               G_GINT64_FORMAT " confidences were new, and %" G_GINT64_FORMAT
               " fact%s about labels; %u conflict%s\n", c->images, c->paths, c->labels,
               c->events, c->predictions, c->vocabulary,
               c->vocabulary == 1 ? "" : "s", n, n == 1 ? "" : "s");
    return TRUE;
}

/* --- The command ------------------------------------------------------------------ */

static gboolean run(struct merge *m, const char *into, const MergeSource *sources, gsize n,
                    GError **error)
{
    MergeCounts counts;
    g_autoptr(GPtrArray) differences = merge_differences_new();
    g_autoptr(GError) warning = NULL;
    store *s = store_open(into, STORE_CREATE, error);
    if (s && !backup_roll(s, NULL, &warning)) {
        command_fail(COMMAND_DONE, "%s", warning->message);
    }
    gboolean good = s && merge_run(s, sources, n, &counts, differences, error)
                    && report(s, m, &counts, differences, error);
    store_close(&s);
    return good;
}

int command_merge(int argc, char **argv)
{
    struct merge m = { 0 };
    g_autofree char *into = NULL;
    const GOptionEntry entries[] = {
        { "into", 0, 0, G_OPTION_ARG_FILENAME, &into, "Database that gets everything",
          "FILE" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &m.json, "Print what conflicts as JSON", NULL },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "A.db[=NAME] B.db[=NAME]… - join databases",
                       help)) {
        return COMMAND_MISUSED;
    }
    if (argc < 2 || !into) {
        return command_fail(COMMAND_MISUSED, "merge needs databases and --into");
    }
    gsize n = (gsize)argc - 1;
    g_autofree MergeSource *sources = g_new0(MergeSource, n);
    for (gsize i = 0; i < n; i++) {
        read_source(argv[i + 1], &sources[i]);
    }
    g_autoptr(GError) error = NULL;
    return run(&m, into, sources, n, &error)
               ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}
