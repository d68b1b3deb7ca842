/* `taglight export`: decisions for other tools. */
#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/dataset/dataset.h"
#include "app/formats/export.h"

#include <string.h>

static const char help[] =
    "A file or folder appears when it is whole; sidecars are written one by one,\n"
    "beside the images without --out. `taglight export --list` prints the formats,\n"
    "and docs/formats.md says what each of them keeps.";

struct export_arguments {
    char *db, *format, *out, *root, *states, *source, *labels, *labels_file;
    char *since, *until, *under, *split, *images, *subset, *prefix, *xmp_name;
    char *machine_root;
    double min_score;
    gint64 seed;
    gboolean absolute, boxes, bom, list;
};

/* --- The table of formats --------------------------------------------------------- */

static int print_formats(void)
{
    static const char *const kinds[] = { "file", "folder", "sidecars" };
    g_print("%-13s %-9s %-9s %-7s %s\n", "format", "is a", "rejected", "scores", "");
    for (const ExportFormat *const *f = export_formats(); *f; f++) {
        g_print("%-13s %-9s %-9s %-7s %s\n", (*f)->id, kinds[(*f)->kind],
                (*f)->marks & EXPORT_REJECTED ? "kept" : "left out",
                (*f)->scores ? "kept" : "no", (*f)->summary);
    }
    return COMMAND_DONE;
}

/* --- Options ---------------------------------------------------------------------- */

struct word { const char *name; guint bit; };

/* Words with commas between to bits. */
static gboolean read_words(const char *text, const struct word *words, guint *out)
{
    g_auto(GStrv) parts = g_strsplit(text ? text : "", ",", -1);
    for (char **p = parts; text && *p; p++) {
        const struct word *word = words;
        while (word->name && strcmp(g_strstrip(*p), word->name) != 0) {
            word++;
        }
        if (!word->name) {
            command_fail(COMMAND_MISUSED, "\"%s\" is not known here", *p);
            return FALSE;
        }
        *out |= word->bit;
    }
    return TRUE;
}

static gboolean read_choices(const struct export_arguments *a, ExportOptions *o)
{
    static const struct word states[] = { { "accepted", EXPORT_ACCEPTED },
                                          { "rejected", EXPORT_REJECTED },
                                          { "undecided", EXPORT_UNDECIDED }, { 0 } };
    static const struct word sources[] = { { "human", EXPORT_BY_HUMAN },
                                           { "model", EXPORT_BY_MODEL },
                                           { "any", EXPORT_BY_HUMAN | EXPORT_BY_MODEL },
                                           { 0 } };
    static const struct word images[] = { { "leave", EXPORT_LEAVE },
                                          { "copy", EXPORT_COPY },
                                          { "link", EXPORT_LINK },
                                          { 0 } };
    static const struct word names[] = { { "full", FALSE }, { "stem", TRUE }, { 0 } };
    guint choice = 0, stem = 0;
    gboolean good = read_words(a->states, states, &o->states)
                    && read_words(a->source, sources, &o->sources)
                    && read_words(a->images, images, &choice)
                    && read_words(a->xmp_name, names, &stem);
    o->images = (enum export_images)choice;
    o->stem_names = (gboolean)stem;
    return good;
}

/* A day is all of it: its first moment for --since, its last for --until. */
static gboolean read_time(const char *text, const char *rest, char **out)
{
    gboolean day = text && strlen(text) == 10;
    g_autofree char *moment = g_strconcat(text ? text : "", day ? rest : "", NULL);
    *out = text ? store_time(moment) : NULL;
    if (text && !*out) {
        command_fail(COMMAND_MISUSED, "\"%s\" is no date such as 2026-11-24 or "
                     "2026-11-24T10:02:11Z", text);
    }
    return !text || *out;
}

/* NULL after a message. */
static GPtrArray *read_labels(const struct export_arguments *a)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = NULL;
    if (a->labels_file) {
        names = dataset_read_lines(a->labels_file, &error);
    } else {
        g_auto(GStrv) parts = g_strsplit(a->labels, ",", -1);
        names = g_ptr_array_new_with_free_func(g_free);
        for (char **p = parts; *p; p++) {
            g_ptr_array_add(names, g_strdup(g_strstrip(*p)));
        }
    }
    if (!names) {
        command_fail(COMMAND_FAILED, "%s", error->message);
        return NULL;
    }
    g_ptr_array_add(names, NULL);
    return g_steal_pointer(&names);
}

/* What the format and the options say of each other. */
static const char *find_misuse(const ExportFormat *f, const ExportOptions *o)
{
    gboolean whole = f->kind == EXPORT_FILE;
    if (o->states & EXPORT_REJECTED && !(f->marks & EXPORT_REJECTED)) {
        return "this format has no place for rejected labels";
    }
    if (o->states & EXPORT_UNDECIDED && !(f->marks & EXPORT_UNDECIDED)
        && o->min_score <= 0) {
        return "undecided labels become positives in this format; --min-score says "
               "from which score on";
    }
    if (o->images != EXPORT_LEAVE && !f->spreads) {
        return "this format has no place for images";
    }
    if (o->images == EXPORT_LEAVE && f->places) {
        return "this format is nothing but images in folders; --images copy or link";
    }
    if (o->byte_order_mark && !f->csv) {
        return "--bom is for CSV";
    }
    if (o->prefix && !whole) {
        return "--prefix is for formats of one file";
    }
    if (f->kind == EXPORT_SIDECARS && (o->split[0] + o->split[1] + o->split[2] > 0
                                       || o->subset)) {
        return "sidecars have no splits";
    }
    return o->subset && (strchr(o->subset, '/') || !*o->subset || *o->subset == '.')
               ? "--subset is a plain name" : NULL;
}

/* --- Running ---------------------------------------------------------------------- */

/* A file's name must not drive the terminal. */
static void warn(const char *text)
{
    g_autofree char *plain = g_strdup(text);
    for (char *c = plain; *c; c++) {
        *c = g_ascii_iscntrl(*c) ? '?' : *c;
    }
    command_fail(COMMAND_DONE, "%s", plain);
}

static void show(guint done, guint total, gpointer data)
{
    struct progress *p = data;
    p->total = total;
    progress_show(p, done);
}

static gboolean run_with(store *s, const struct export_arguments *a,
                         const ExportFormat *f, ExportOptions *o, GError **error)
{
    g_autofree char *folder = NULL;
    if (a->root) {
        folder = g_canonicalize_filename(a->root, NULL);
    } else if (!a->absolute) {
        folder = export_common_root(s, error);
        if (*error) {
            return FALSE;
        }
    }
    struct progress progress = progress_start(0);
    o->root = folder;
    o->warn = warn;
    o->progress = show;
    o->data = &progress;
    gboolean good = export_run(s, f, o, a->out, error);
    progress_hide(&progress);
    return good;
}

/* A second connection may write what exports remember; it is opened when the first one
 * has found that the database is there and ours. */
static int run(const struct export_arguments *a, const ExportFormat *f,
               ExportOptions *o)
{
    g_autoptr(GError) error = NULL;
    store *s = store_open(a->db, STORE_READ_ONLY, &error);
    gboolean splits = o->split[0] + o->split[1] + o->split[2] > 0;
    gboolean remembers = splits || f->kind == EXPORT_SIDECARS;
    o->memory = s && remembers ? store_open(a->db, STORE_CREATE, &error) : NULL;
    gboolean good = s && (o->memory || !remembers) && run_with(s, a, f, o, &error);
    store_close(&o->memory);
    store_close(&s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}

static int check_and_run(const struct export_arguments *a, int argc)
{
    ExportOptions o = { .prefix = a->prefix, .min_score = a->min_score,
                        .split_seed = (guint64)a->seed, .subset = a->subset,
                        .boxes = a->boxes, .byte_order_mark = a->bom,
                        .machine_root = a->machine_root };
    g_autofree char *since = NULL, *until = NULL, *under = NULL;
    g_autoptr(GPtrArray) labels = NULL;
    const ExportFormat *f = a->format ? export_find(a->format) : NULL;
    if (argc > 1 || !a->db || !f || (!a->out && f->kind != EXPORT_SIDECARS)
        || (a->root && a->absolute) || (a->labels && a->labels_file)
        || (a->split && a->subset)) {
        return command_fail(
            COMMAND_MISUSED,
            "export needs --db, --format (see --list), and --out; --root and "
            "--absolute exclude each other, and --labels and --labels-file, and "
            "--split and --subset");
    }
    if (a->split && !command_parse_split(a->split, o.split)) {
        return command_fail(COMMAND_MISUSED,
                            "--split is like train=0.8,val=0.1,test=0.1 with a sum "
                            "of 1");
    }
    if (!read_choices(a, &o) || !read_time(a->since, "T00:00:00.000Z", &since)
        || !read_time(a->until, "T23:59:59.999Z", &until)) {
        return COMMAND_MISUSED;
    }
    const char *misuse = find_misuse(f, &o);
    if (misuse) {
        return command_fail(COMMAND_MISUSED, "%s: %s", f->id, misuse);
    }
    if (a->labels || a->labels_file) {
        labels = read_labels(a);
        if (!labels) {
            return COMMAND_FAILED;
        }
        o.labels = (const char *const *)labels->pdata;
    }
    under = a->under ? g_canonicalize_filename(a->under, NULL) : NULL;
    o.under = under;
    o.since = since;
    o.until = until;
    return run(a, f, &o);
}

static void clear(struct export_arguments *a)
{
    char *texts[] = { a->db, a->format, a->out, a->root, a->states, a->source,
                      a->labels, a->labels_file, a->since, a->until, a->under,
                      a->split, a->images, a->subset, a->prefix, a->xmp_name,
                      a->machine_root };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
}

int command_export(int argc, char **argv)
{
    struct export_arguments a = { 0 };
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &a.db, "Database of decisions", "FILE" },
        { "format", 'f', 0, G_OPTION_ARG_STRING, &a.format, "One of --list", "FORMAT" },
        { "list", 0, 0, G_OPTION_ARG_NONE, &a.list, "Print the formats", NULL },
        { "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out,
          "Where to write: a file, - for standard output, or a new folder", "PATH" },
        { "root", 0, 0, G_OPTION_ARG_FILENAME, &a.root,
          "Write paths relative to this folder (the deepest one that holds every "
          "image)", "DIR" },
        { "absolute", 0, 0, G_OPTION_ARG_NONE, &a.absolute, "Write whole paths", NULL },
        { "prefix", 0, 0, G_OPTION_ARG_STRING, &a.prefix,
          "Text before each path, such as gs://bucket/", "TEXT" },
        { "states", 0, 0, G_OPTION_ARG_STRING, &a.states,
          "accepted, rejected, undecided (what was decided, as far as the format can "
          "say it)", "STATES" },
        { "source", 0, 0, G_OPTION_ARG_STRING, &a.source, "human, model or any (any)",
          "SOURCE" },
        { "labels", 'l', 0, G_OPTION_ARG_STRING, &a.labels, "Only these labels",
          "A, B" },
        { "labels-file", 0, 0, G_OPTION_ARG_FILENAME, &a.labels_file,
          "Only these labels, one a line", "FILE" },
        { "min-score", 0, 0, G_OPTION_ARG_DOUBLE, &a.min_score,
          "Leave out what a model said with a lower score", "X" },
        { "since", 0, 0, G_OPTION_ARG_STRING, &a.since,
          "Only what was said from then on", "DATE" },
        { "until", 0, 0, G_OPTION_ARG_STRING, &a.until,
          "Only what was said until then, a day included", "DATE" },
        { "under", 0, 0, G_OPTION_ARG_FILENAME, &a.under,
          "Only images below this folder", "DIR" },
        { "split", 0, 0, G_OPTION_ARG_STRING, &a.split,
          "Parts of the images, as in train=0.8,val=0.1,test=0.1; an image stays in "
          "its part", "PARTS" },
        { "split-seed", 0, 0, G_OPTION_ARG_INT64, &a.seed,
          "Other seeds, other parts (0)", "N" },
        { "subset", 0, 0, G_OPTION_ARG_STRING, &a.subset,
          "Name of the one part without --split", "NAME" },
        { "images", 0, 0, G_OPTION_ARG_STRING, &a.images,
          "leave, copy or link the images into a folder's places (leave)", "HOW" },
        { "bbox", 0, 0, G_OPTION_ARG_NONE, &a.boxes,
          "COCO: a box of the whole image with each label; nobody drew it", NULL },
        { "bom", 0, 0, G_OPTION_ARG_NONE, &a.bom,
          "CSV: begin with a byte order mark, for spreadsheets", NULL },
        { "xmp-name", 0, 0, G_OPTION_ARG_STRING, &a.xmp_name,
          "XMP: full for quay.jpg.xmp, stem for quay.xmp (full)", "NAME" },
        { "machine-root", 0, 0, G_OPTION_ARG_STRING, &a.machine_root,
          "XMP: put what a model accepted below this keyword in hierarchies", "WORD" },
        { 0 }
    };
    if (!command_parse(&argc, &argv, entries, "- write decisions for other tools",
                       help)) {
        return COMMAND_MISUSED;
    }
    int status = a.list && argc == 1 ? print_formats() : check_and_run(&a, argc);
    clear(&a);
    return status;
}
