/* `taglight check`: what is wrong with a set of labelled images. */
#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/health/health.h"

#include <string.h>

/* Beside 0, 1 and 2: --strict, and something was found. */
#define COMMAND_FOUND 3
#define SHOWN 5 /* paths of a finding, and reasons, without --all */

static const char help[] =
    "Reads files and folders, a labelled data set (--data), or the images and\n"
    "decisions of a database (--db), and tells what is wrong with them; docs/health.md\n"
    "says what is looked for. The exit status is 0 whatever is found, with --strict 3\n"
    "when there are warnings or errors.";

struct check_arguments {
    char *db, *folder, *data, *scores, *images, *model, *split, *only;
    double shares[EXPORT_SPLITS];
    gint64 seed;
    int jobs;
    gboolean json, strict, all;
    guint checks;
};

/* --- The set ---------------------------------------------------------------------- */

static gboolean add_database(HealthSet *set, const struct check_arguments *a,
                             GError **error)
{
    HealthStoreOptions o = { .model = a->model, .folder = a->folder,
                             .split = a->split ? a->shares : NULL,
                             .split_seed = (guint64)a->seed };
    store *s = store_open(a->db, STORE_READ_ONLY, error);
    o.memory = s && a->split ? store_open(a->db, STORE_CREATE, error) : NULL;
    gboolean good = s && (o.memory || !a->split) && health_add_store(set, s, &o, error);
    store_close(&o.memory);
    store_close(&s);
    return good;
}

static gboolean add_data(HealthSet *set, const struct check_arguments *a,
                         GError **error)
{
    struct dataset_options options = { .images = a->images };
    struct scores *scores = a->scores ? scores_read(a->scores, error) : NULL;
    struct dataset *data =
        scores || !a->scores ? dataset_open(a->data, &options, error) : NULL;
    gboolean good = data && health_add_dataset(set, data, scores, error);
    dataset_close(&data);
    scores_free(&scores);
    return good;
}

static gboolean fill(HealthSet *set, const struct check_arguments *a, char **paths,
                     GError **error)
{
    gboolean good = (!a->db || add_database(set, a, error))
                    && (!a->data || add_data(set, a, error));
    for (char **p = paths; good && *p; p++) {
        good = health_add_path(set, *p, NULL, error);
    }
    return good;
}

/* --- What was found --------------------------------------------------------------- */

/* A file's name must not drive the terminal. */
static void print_plain(const char *text)
{
    g_autofree char *plain = g_utf8_make_valid(text, -1);
    for (char *c = plain; *c; c++) {
        *c = g_ascii_iscntrl(*c) ? '?' : *c;
    }
    g_print("%s", plain);
}

static void print_finding(const HealthFinding *f, gboolean all)
{
    guint shown = all ? f->paths->len : MIN(f->paths->len, SHOWN);
    g_print("  %-8s", health_severity_name(f->severity));
    if (f->paths->len == 1) {
        print_plain(f->paths->pdata[0]);
        g_print(": ");
    }
    if (f->label) {
        g_print("\"");
        print_plain(f->label);
        g_print("\" ");
    }
    print_plain(f->text);
    g_print(" [%s]\n", f->kind);
    for (guint i = 0; f->paths->len > 1 && i < shown; i++) {
        g_print("            ");
        print_plain(f->paths->pdata[i]);
        g_print("\n");
    }
    if (f->paths->len > MAX(shown, 1)) {
        g_print("            and %u more (--all)\n", f->paths->len - shown);
    }
}

static void print_report(const HealthSet *set, const HealthReport *report, gboolean all)
{
    guint check = 0;
    for (guint i = 0; i < report->findings->len; i++) {
        const HealthFinding *f = report->findings->pdata[i];
        if (f->check != check) {
            g_print("%s\n", health_check_name(f->check));
        }
        check = f->check;
        print_finding(f, all);
    }
    guint n = report->passed_over->len, shown = all ? n : MIN(n, SHOWN);
    for (guint i = 0; i < shown; i++) {
        g_print("not checked: ");
        print_plain(report->passed_over->pdata[i]);
        g_print("\n");
    }
    if (n > shown) {
        g_print("not checked: %u more (--all)\n", n - shown);
    }
    g_print("%u images: %u errors, %u warnings, %u notes\n", set->images->len,
            report->counts[HEALTH_ERROR], report->counts[HEALTH_WARNING],
            report->counts[HEALTH_NOTE]);
}

/* --- Running ---------------------------------------------------------------------- */

static void show(const char *what, guint done, guint total, gpointer data)
{
    struct progress *p = data;
    p->total = total;
    progress_show(p, done);
}

static int report_on(HealthSet *set, const struct check_arguments *a, GError **error)
{
    struct progress progress = progress_start(0);
    HealthOptions o = { .checks = a->checks, .jobs = (guint)a->jobs, .progress = show,
                        .data = &progress };
    HealthReport *report = health_run(set, &o, error);
    progress_hide(&progress);
    if (!report) {
        return COMMAND_FAILED;
    }
    if (a->json) {
        g_autofree char *text = health_to_json(set, report);
        g_print("%s\n", text);
    } else {
        print_report(set, report, a->all);
    }
    gboolean found = report->counts[HEALTH_WARNING] + report->counts[HEALTH_ERROR] > 0;
    health_report_free(&report);
    return a->strict && found ? COMMAND_FOUND : COMMAND_DONE;
}

static int run(const struct check_arguments *a, char **paths)
{
    g_autoptr(GError) error = NULL;
    HealthSet *set = health_set_new();
    gboolean good = fill(set, a, paths, &error);
    int status = good ? report_on(set, a, &error) : COMMAND_FAILED;
    health_set_free(&set);
    return status == COMMAND_FAILED
               ? command_fail(COMMAND_FAILED, "%s", error->message) : status;
}

/* --- Options ---------------------------------------------------------------------- */

static gboolean read_checks(struct check_arguments *a)
{
    g_auto(GStrv) names = g_strsplit(a->only ? a->only : "", ",", -1);
    a->checks = a->only ? 0 : HEALTH_ALL;
    for (char **name = names; a->only && *name; name++) {
        guint check = health_check_of(g_strstrip(*name));
        if (!check) {
            command_fail(COMMAND_MISUSED, "there is no check \"%s\"; use files, "
                         "duplicates, leakage, disagreement or balance", *name);
            return FALSE;
        }
        a->checks |= check;
    }
    return TRUE;
}

static int check_and_run(struct check_arguments *a, int argc, char **argv)
{
    if ((argc < 2 && !a->db && !a->data) || (a->db && a->data)
        || ((a->split || a->model || a->folder) && !a->db) || ((a->scores || a->images) && !a->data)
        || a->jobs < 0) {
        return command_fail(COMMAND_MISUSED,
                            "check needs --db, --data or files; --model, --folder and --split "
                            "go with --db, --scores and --images with --data");
    }
    if (a->split && !command_parse_split(a->split, a->shares)) {
        return command_fail(COMMAND_MISUSED,
                            "--split is like train=0.8,val=0.1,test=0.1 with a sum of "
                            "1");
    }
    return read_checks(a) ? run(a, argv + 1) : COMMAND_MISUSED;
}

int command_check(int argc, char **argv)
{
    struct check_arguments a = { 0 };
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &a.db, "Database of decisions", "FILE" },
        { "folder", 0, 0, G_OPTION_ARG_FILENAME, &a.folder, "Only the images of the database "
          "that lie in it and below", "DIR" },
        { "data", 0, 0, G_OPTION_ARG_FILENAME, &a.data, "Labelled data set, as for "
          "`evaluate`", "PATH" },
        { "images", 0, 0, G_OPTION_ARG_FILENAME, &a.images, "Folder of the data set's "
          "images", "DIR" },
        { "scores", 0, 0, G_OPTION_ARG_FILENAME, &a.scores, "Confidences for the data "
          "set, as `evaluate --scores-out` writes them", "FILE" },
        { "model", 'm', 0, G_OPTION_ARG_STRING, &a.model, "Whose confidences in the "
          "database count (the newest)", "NAME" },
        { "split", 0, 0, G_OPTION_ARG_STRING, &a.split, "Check the parts that `export "
          "--split` would make", "PARTS" },
        { "split-seed", 0, 0, G_OPTION_ARG_INT64, &a.seed, "As for `export` (0)", "N" },
        { "only", 0, 0, G_OPTION_ARG_STRING, &a.only, "files, duplicates, leakage, "
          "disagreement, balance (all)", "CHECKS" },
        { "strict", 0, 0, G_OPTION_ARG_NONE, &a.strict, "Exit status 3 when there are "
          "warnings or errors", NULL },
        { "all", 0, 0, G_OPTION_ARG_NONE, &a.all, "Print all paths of a finding",
          NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &a.json, "Print all as JSON", NULL },
        { "jobs", 'j', 0, G_OPTION_ARG_INT, &a.jobs, "Threads that decode (one for "
          "each core)", "N" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries,
                       "[PATH…] - find what is wrong with images and labels", help)) {
        return COMMAND_MISUSED;
    }
    int status = check_and_run(&a, argc, argv);
    char *texts[] = { a.db, a.folder, a.data, a.scores, a.images, a.model, a.split, a.only };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    return status;
}
