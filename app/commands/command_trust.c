/* `taglight trust`: how far a model's confidences hold, by what a person decided. */
#include "app/commands/commands.h"
#include "app/json/json_out.h"
#include "app/commands/trust_wordings.h"
#include "app/store/browse.h"
#include "app/store/thresholds.h"
#include "app/trust/judged.h"

#include <math.h>
#include <string.h>

static const char help[] =
    "For each label that was decided on: how many images a person accepted and rejected of\n"
    "those that the model saw; how well its confidence tells them apart (the area under the\n"
    "ROC curve, 0.5 is chance); the lowest confidence from which on the wished precision\n"
    "holds, with its interval, or how many more decisions that takes. Wordings that a label\n"
    "was asked in before are compared with the latest. Intervals hold 95 %. --set keeps the\n"
    "thresholds that hold for the model; --at shows the counts at a confidence.\n\n"
    "--compare, given twice, asks the model two wordings of --label about every image that\n"
    "was accepted or rejected, and says which tells them apart better. Nothing is stored.";

struct options {
    char *db, *model, *device, **labels, **compare;
    double precision, at;
    gboolean set, json;
};

struct report {
    const struct options *options;
    store *s;
    char *model;          /* as decisions name it */
    JsonBuilder *builder; /* NULL for a table */
    guint labels;
};

/* What is told of one label. */
struct figures {
    const char *name;
    gint64 label;
    double threshold;     /* that is kept; below 0: none */
    struct trust_fit fit;
    struct trust_separation separation;
    struct trust_threshold found;
    struct trust_counts counts; /* at --at */
};

/* --- JSON ------------------------------------------------------------------------------ */

static void json_interval(JsonBuilder *b, const char *name, struct trust_interval interval)
{
    json_out_begin_array(b, name);
    json_builder_add_double_value(b, interval.low);
    json_builder_add_double_value(b, interval.high);
    json_builder_end_array(b);
}

static void json_found(JsonBuilder *b, const struct trust_threshold *found)
{
    json_out_begin_object(b, "wished");
    json_out_flag(b, "holds", found->holds);
    json_out_number(b, "threshold", found->threshold);
    json_out_count(b, "decided", found->decided);
    json_out_count(b, "accepted", found->accepted);
    json_interval(b, "precision", found->precision);
    json_builder_set_member_name(b, "more_decisions");
    if (found->more < 0) {
        json_builder_add_null_value(b);
    } else {
        json_builder_add_int_value(b, found->more);
    }
    json_builder_end_object(b);
}

static void json_figures(JsonBuilder *b, const struct figures *f, const char *prompt,
                         double at)
{
    json_out_text(b, "label", f->name);
    json_out_text(b, "prompt", prompt);
    json_out_count(b, "accepted", f->fit.accepted);
    json_out_count(b, "rejected", f->fit.rejected);
    json_out_number(b, "area", f->separation.area);
    json_interval(b, "area_interval", f->separation.interval);
    json_out_number(b, "slope", f->fit.slope);
    json_out_number(b, "offset", f->fit.offset);
    json_out_number(b, "threshold", f->threshold < 0 ? NAN : f->threshold);
    json_found(b, &f->found);
    if (at >= 0) {
        struct trust_interval i = trust_probability_interval(&f->fit, at);
        json_out_begin_object(b, "at");
        json_out_number(b, "confidence", at);
        json_out_number(b, "probability", trust_probability(&f->fit, at));
        json_interval(b, "probability_interval", i);
        json_out_count(b, "accepted", f->counts.accepted);
        json_out_count(b, "rejected", f->counts.rejected);
        json_out_count(b, "undecided", f->counts.undecided);
        json_builder_end_object(b);
    }
}

static void json_comparison(JsonBuilder *b, const char *prompt,
                            const struct trust_comparison *c)
{
    json_builder_begin_object(b);
    json_out_text(b, "prompt", prompt);
    json_out_number(b, "area", c->b.area);
    json_interval(b, "area_interval", c->b.interval);
    json_out_number(b, "latest_is_better_by", c->difference);
    json_interval(b, "difference_interval", c->interval);
    json_builder_end_object(b);
}

/* --- Table ------------------------------------------------------------------------------- */

static void print_found(const struct trust_threshold *found, double precision)
{
    double percent = 100 * precision;
    if (found->decided == 0) {
        return;
    }
    if (found->holds) {
        g_print("  from %.4f on %.4g %% hold (%u of %u, %.1f to %.1f %%)\n",
                found->threshold, percent, found->accepted, found->decided,
                100 * found->precision.low, 100 * found->precision.high);
    } else if (found->more > 0) {
        g_print("  %.4g %% takes %d more decisions from %.4f on (now %u of %u)\n", percent,
                found->more, found->threshold, found->accepted, found->decided);
    } else {
        g_print("  %.4g %% is out of reach: from %.4f on it is %u of %u\n", percent,
                found->threshold, found->accepted, found->decided);
    }
}

static void print_figures(const struct figures *f, const struct options *o)
{
    g_print("%s: %u accepted, %u rejected", f->name, f->fit.accepted, f->fit.rejected);
    if (!isnan(f->separation.area)) {
        g_print("; told apart %.3f (%.3f to %.3f)", f->separation.area,
                f->separation.interval.low, f->separation.interval.high);
    }
    if (f->threshold >= 0) {
        g_print("; threshold %.4f", f->threshold);
    }
    g_print("\n");
    if (o->at >= 0) {
        struct trust_interval i = trust_probability_interval(&f->fit, o->at);
        g_print("  at %.4g: probability %.3f (%.3f to %.3f); %u accepted, %u rejected, %u "
                "undecided from there on\n", o->at, trust_probability(&f->fit, o->at),
                i.low, i.high, f->counts.accepted, f->counts.rejected,
                f->counts.undecided);
    }
    print_found(&f->found, o->precision);
}

static void print_comparison(const char *latest, const char *prompt,
                             const struct trust_comparison *c)
{
    if (isnan(c->difference)) {
        g_print("  \"%s\" and \"%s\": too few decisions to compare\n", latest, prompt);
        return;
    }
    const char *word = c->interval.low > 0 ? "better than"
                       : c->interval.high < 0 ? "worse than" : "as good as";
    g_print("  \"%s\" (%.3f) is %s \"%s\" (%.3f): %+.3f (%+.3f to %+.3f)\n", latest,
            c->a.area, word, prompt, c->b.area, c->difference, c->interval.low,
            c->interval.high);
}

/* --- Labels --------------------------------------------------------------------------------- */

static void compare(struct report *r, const struct trust_wording *latest,
                    const struct trust_wording *other)
{
    struct trust_comparison c;
    g_autoptr(GArray) a = g_array_new(FALSE, FALSE, sizeof(struct trust_pair));
    g_autoptr(GArray) b = g_array_new(FALSE, FALSE, sizeof(struct trust_pair));
    trust_match(latest, other, a, b);
    trust_compare((const struct trust_pair *)(gpointer)a->data,
                  (const struct trust_pair *)(gpointer)b->data, a->len, &c);
    if (r->builder) {
        json_comparison(r->builder, other->prompt, &c);
    } else {
        print_comparison(latest->prompt, other->prompt, &c);
    }
}

static void tell(struct report *r, const struct figures *f, const GPtrArray *wordings)
{
    const struct trust_wording *latest = wordings->pdata[0];
    r->labels++;
    if (r->builder) {
        json_builder_begin_object(r->builder);
        json_figures(r->builder, f, latest->prompt, r->options->at);
        json_out_begin_array(r->builder, "other_wordings");
    } else {
        print_figures(f, r->options);
    }
    for (guint i = 1; i < wordings->len; i++) {
        compare(r, latest, wordings->pdata[i]);
    }
    if (r->builder) {
        json_builder_end_array(r->builder);
        json_builder_end_object(r->builder);
    }
}

static gboolean report_label(struct report *r, const char *name, gint64 label,
                             GError **error)
{
    struct figures f = { .name = name, .label = label };
    g_autoptr(GPtrArray) wordings = trust_load(r->s, r->model, label, error);
    if (!wordings || wordings->len == 0) {
        return wordings != NULL;
    }
    const struct trust_wording *latest = wordings->pdata[0];
    const struct trust_pair *pairs = (const struct trust_pair *)(gpointer)latest->pairs->data;
    guint n = latest->pairs->len;
    trust_fit(pairs, n, &f.fit);
    trust_separation(pairs, n, &f.separation);
    trust_find_threshold(pairs, n, r->options->precision, &f.found);
    f.counts = trust_count(pairs, n, r->options->at);
    if (r->options->set && f.found.holds
        && !store_set_threshold(r->s, r->model, label, f.found.threshold, error)) {
        return FALSE;
    }
    f.threshold = store_threshold(r->s, r->model, label);
    if (f.found.decided > 0 || r->options->labels) {
        tell(r, &f, wordings);
    }
    return TRUE;
}

static gboolean collect_label(const StoreRow *row, gpointer user_data)
{
    g_ptr_array_add(user_data, g_strdup(row->name));
    return TRUE;
}

static gboolean report_all(struct report *r, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (char **l = r->options->labels; l && *l; l++) {
        if (!store_find_label(r->s, *l)) {
            g_set_error(error, STORE_ERROR, STORE_ERROR_REFUSED, "there is no label \"%s\"",
                        *l);
            return FALSE;
        }
        g_ptr_array_add(names, g_strdup(*l));
    }
    if (!r->options->labels && !store_each_label(r->s, collect_label, names, error)) {
        return FALSE;
    }
    for (guint i = 0; i < names->len; i++) {
        gint64 label = store_find_label(r->s, names->pdata[i]);
        if (!report_label(r, names->pdata[i], label, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- The command ------------------------------------------------------------------------------ */

static gboolean run(struct report *r, GError **error)
{
    const struct options *o = r->options;
    r->s = store_open(o->db, o->set ? STORE_CREATE : STORE_READ_ONLY, error);
    r->model = r->s ? store_find_model(r->s, o->model, error) : NULL;
    if (!r->model) {
        return FALSE;
    }
    if (r->builder) {
        json_builder_begin_object(r->builder);
        json_out_text(r->builder, "model", r->model);
        json_out_number(r->builder, "wished_precision", o->precision);
        json_out_begin_array(r->builder, "labels");
    }
    if (!report_all(r, error)) {
        return FALSE;
    }
    if (r->builder) {
        json_builder_end_array(r->builder);
        json_builder_end_object(r->builder);
        g_autofree char *text = json_out_string(r->builder);
        g_print("%s\n", text);
    } else if (r->labels == 0) {
        g_print("nothing was decided yet about what %s saw\n", r->model);
    }
    return TRUE;
}

static int compare_two(const struct options *o, int argc)
{
    if (argc > 1 || !o->db || !o->model || g_strv_length(o->compare) != 2 || !o->labels
        || o->labels[1] || o->set || o->at >= 0) {
        return command_fail(COMMAND_MISUSED, "--compare is given twice and needs --db, "
                            "--model and one --label");
    }
    g_autoptr(GError) error = NULL;
    struct trust_wordings_params params = { o->db, o->model, o->device, o->labels[0],
                                            { o->compare[0], o->compare[1] } };
    struct trust_contest contest;
    guint missing = 0;
    if (!trust_wordings(&params, &contest, &missing, &error)) {
        return command_fail(COMMAND_FAILED, "%s", error->message);
    }
    if (missing > 0) {
        command_fail(COMMAND_DONE, "%u decided images could not be read", missing);
    }
    (o->json ? trust_wordings_print_json : trust_wordings_print)(&params, &contest);
    return COMMAND_DONE;
}

static int check_and_run(struct options *o, int argc)
{
    if (o->compare) {
        return compare_two(o, argc);
    }
    if (argc > 1 || !o->db || !o->model || !(o->precision > 0 && o->precision < 1)
        || o->at > 1) {
        return command_fail(COMMAND_MISUSED, "trust needs --db and --model; --precision is "
                            "between 0 and 1, and --at too");
    }
    g_autoptr(GError) error = NULL;
    struct report r = { .options = o, .builder = o->json ? json_builder_new() : NULL };
    gboolean good = run(&r, &error);
    g_clear_object(&r.builder);
    g_free(r.model);
    store_close(&r.s);
    return good ? COMMAND_DONE : command_fail(COMMAND_FAILED, "%s", error->message);
}

int command_trust(int argc, char **argv)
{
    struct options o = { .precision = 0.95, .at = -1 };
    const GOptionEntry entries[] = {
        { "db", 0, 0, G_OPTION_ARG_FILENAME, &o.db, "Database of decisions", "FILE" },
        { "model", 'm', 0, G_OPTION_ARG_STRING, &o.model, "Model, as it was called when it "
          "tagged", "MODEL" },
        { "label", 'l', 0, G_OPTION_ARG_STRING_ARRAY, &o.labels, "Only this label; may be "
          "given several times", "LABEL" },
        { "precision", 'p', 0, G_OPTION_ARG_DOUBLE, &o.precision, "Wished precision (0.95)",
          "X" },
        { "at", 0, 0, G_OPTION_ARG_DOUBLE, &o.at, "Probability and counts at a confidence",
          "X" },
        { "set", 0, 0, G_OPTION_ARG_NONE, &o.set, "Keep the thresholds that hold", NULL },
        { "compare", 'c', 0, G_OPTION_ARG_STRING_ARRAY, &o.compare,
          "A wording of the label to ask now; given twice", "TEXT" },
        { "device", 'd', 0, G_OPTION_ARG_STRING, &o.device, "Device by number or name, for "
          "--compare", "N|NAME" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "Print JSON", NULL },
        { 0 } };
    int status = command_parse(&argc, &argv, entries, "- how far confidences hold", help)
                     ? check_and_run(&o, argc) : COMMAND_MISUSED;
    g_free(o.db);
    g_free(o.model);
    g_free(o.device);
    g_strfreev(o.labels);
    g_strfreev(o.compare);
    return status;
}
