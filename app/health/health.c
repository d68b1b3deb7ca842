/* The table of checks, and what they find. */
#include "app/health/health_private.h"

#include <string.h>

static const struct {
    guint check;
    const char *name;
    gboolean (*run)(HealthRun *run, GError **error);
} checks[] = {
    { HEALTH_FILES, "files", health_check_files },
    { HEALTH_DUPLICATES, "duplicates", health_check_duplicates },
    { HEALTH_LEAKAGE, "leakage", health_check_leakage },
    { HEALTH_DISAGREEMENT, "disagreement", health_check_disagreement },
    { HEALTH_BALANCE, "balance", health_check_balance },
};

guint health_check_of(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        if (strcmp(checks[i].name, name) == 0) {
            return checks[i].check;
        }
    }
    return 0;
}

const char *health_check_name(guint check)
{
    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        if (checks[i].check == check) {
            return checks[i].name;
        }
    }
    return NULL;
}

const char *health_severity_name(HealthSeverity severity)
{
    static const char *const names[HEALTH_SEVERITIES] = { "note", "warning", "error" };
    return names[severity];
}

/* --- Finding ---------------------------------------------------------------------- */

static void free_finding(gpointer data)
{
    HealthFinding *finding = data;
    g_ptr_array_unref(finding->paths);
    g_free(finding->text);
    g_free(finding);
}

const char *health_say(const HealthRun *run, const char *text)
{
    return run->options->say ? run->options->say(text) : text;
}

HealthFinding *health_find(HealthRun *run, guint check, const char *kind,
                           HealthSeverity severity, const char *format, ...)
{
    HealthFinding *finding = g_new0(HealthFinding, 1);
    va_list args;
    va_start(args, format);
    finding->text = g_strdup_vprintf(health_say(run, format), args);
    va_end(args);
    finding->check = check;
    finding->kind = kind;
    finding->severity = severity;
    finding->paths = g_ptr_array_new();
    g_ptr_array_add(run->report->findings, finding);
    run->report->counts[severity]++;
    return finding;
}

void health_find_path(HealthFinding *finding, const HealthRun *run, guint image)
{
    g_ptr_array_add(finding->paths, (gpointer)health_image(run->set, image)->path);
}

void health_pass_over(HealthRun *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(run->report->passed_over,
                    g_strdup_vprintf(health_say(run, format), args));
    va_end(args);
}

gboolean health_go_on(const HealthRun *run, const char *what, guint done, guint total,
                      GError **error)
{
    const HealthOptions *o = run->options;
    if (o->progress) {
        o->progress(what, done, total, o->data);
    }
    return !g_cancellable_set_error_if_cancelled(o->cancellable, error);
}

/* --- Running ---------------------------------------------------------------------- */

/* By check, then the worst, then what is most at odds, then by path. */
static int by_weight(gconstpointer left, gconstpointer right)
{
    const HealthFinding *a = *(const HealthFinding *const *)left;
    const HealthFinding *b = *(const HealthFinding *const *)right;
    if (a->check != b->check || a->severity != b->severity) {
        return a->check != b->check ? (int)a->check - (int)b->check
                                    : (int)b->severity - (int)a->severity;
    }
    if (a->rank != b->rank) {
        return a->rank > b->rank ? -1 : 1;
    }
    int order = a->paths->len && b->paths->len
                    ? strcmp(a->paths->pdata[0], b->paths->pdata[0]) : 0;
    return order ? order : strcmp(a->text, b->text);
}

/* Copies are known by their looks, which files give. */
static gboolean is_needed(const HealthRun *run, guint check)
{
    guint wanted = run->options->checks;
    return wanted & check
           || (check == HEALTH_FILES && wanted & (HEALTH_DUPLICATES | HEALTH_LEAKAGE));
}

HealthReport *health_run(HealthSet *set, const HealthOptions *options, GError **error)
{
    HealthReport *report = g_new0(HealthReport, 1);
    HealthRun run = { set, options, report };
    gboolean good = TRUE;
    report->checks = options->checks;
    report->findings = g_ptr_array_new_with_free_func(free_finding);
    report->passed_over = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; good && i < G_N_ELEMENTS(checks); i++) {
        good = !is_needed(&run, checks[i].check) || checks[i].run(&run, error);
    }
    g_ptr_array_sort(report->findings, by_weight);
    if (!good) {
        health_report_free(&report);
    }
    return report;
}

void health_report_free(HealthReport **report)
{
    if (*report) {
        g_ptr_array_unref((*report)->findings);
        g_ptr_array_unref((*report)->passed_over);
        g_clear_pointer(report, g_free);
    }
}
