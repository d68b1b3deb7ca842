/* What was found, as JSON. */
#include "app/health/health_private.h"
#include "app/json/json_out.h"

/* Bytes that are no UTF-8 become U+FFFD. */
static void add_path(JsonBuilder *b, const char *path)
{
    g_autofree char *text = g_utf8_make_valid(path, -1);
    json_builder_add_string_value(b, text);
}

static void put_checks(JsonBuilder *b, guint checks)
{
    json_out_begin_array(b, "checks");
    for (guint check = 1; check <= checks; check <<= 1) {
        if (checks & check) {
            json_builder_add_string_value(b, health_check_name(check));
        }
    }
    json_builder_end_array(b);
}

static void add_finding(JsonBuilder *b, const HealthFinding *finding)
{
    json_builder_begin_object(b);
    json_out_text(b, "check", health_check_name(finding->check));
    json_out_text(b, "kind", finding->kind);
    json_out_text(b, "severity", health_severity_name(finding->severity));
    json_out_text(b, "text", finding->text);
    if (finding->label) {
        json_out_text(b, "label", finding->label);
    }
    if (finding->check == HEALTH_DISAGREEMENT && finding->paths->len > 0) {
        json_out_number(b, "rank", finding->rank);
    }
    json_out_begin_array(b, "paths");
    for (guint i = 0; i < finding->paths->len; i++) {
        add_path(b, finding->paths->pdata[i]);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void put_labels(JsonBuilder *b, const HealthSet *set)
{
    json_out_begin_array(b, "labels");
    for (guint i = 0; i < set->labels->len; i++) {
        const HealthLabel *label = health_label(set, i);
        json_builder_begin_object(b);
        json_out_text(b, "name", label->name);
        json_out_count(b, "accepted", label->accepted);
        json_out_count(b, "rejected", label->rejected);
        json_out_count(b, "by_model", label->by_model);
        json_out_count(b, "undecided", label->undecided);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

char *health_to_json(const HealthSet *set, const HealthReport *report)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_out_count(b, "images", set->images->len);
    put_checks(b, report->checks);
    for (int i = HEALTH_SEVERITIES - 1; i >= 0; i--) {
        g_autofree char *name =
            g_strconcat(health_severity_name((HealthSeverity)i), "s", NULL);
        json_out_count(b, name, report->counts[i]);
    }
    json_out_begin_array(b, "passed_over");
    for (guint i = 0; i < report->passed_over->len; i++) {
        json_builder_add_string_value(b, report->passed_over->pdata[i]);
    }
    json_builder_end_array(b);
    json_out_begin_array(b, "findings");
    for (guint i = 0; i < report->findings->len; i++) {
        add_finding(b, report->findings->pdata[i]);
    }
    json_builder_end_array(b);
    put_labels(b, set);
    json_builder_end_object(b);
    return json_out_string(b);
}
