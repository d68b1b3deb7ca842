/* What an evaluation says: text for people, JSON for programs. */
#include "app/json/json_out.h"
#include "app/metrics/evaluation.h"

#include <math.h>

/* Names of the mean over all labels, by enum metrics_ties. */
static const char *const map_names[EVALUATION_N_TIES] = {
    "mAP", "mAP_ties_high_index_first", "mAP_ties_positives_first",
    "mAP_ties_positives_last", "mAP_sklearn_all_labels" };

/* --- Text --------------------------------------------------------------------------- */

static void print_missing(const struct evaluation_missing *missing, const char *what)
{
    if (missing->count == 0) {
        return;
    }
    g_print("  left out: %u %s:", missing->count, what);
    for (guint i = 0; i < missing->names->len; i++) {
        g_print("%s %s", i ? "," : "", (const char *)missing->names->pdata[i]);
    }
    g_print("%s\n", missing->count > missing->names->len ? ", …" : "");
}

/* Width 7; "-" for what is undefined. */
static const char *percent(double fraction, char text[16])
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_snprintf(text, 16, "%7s", isnan(fraction) ? "-"
               : g_ascii_formatd(number, sizeof number, "%.2f", 100 * fraction));
    return text;
}

static void print_row(const char *name, double p, double r, double f1)
{
    char text[3][16];
    g_print("  %-22s %s %s %s\n", name, percent(p, text[0]), percent(r, text[1]),
            percent(f1, text[2]));
}

static void print_classes(const struct evaluation_part *p)
{
    char text[16];
    g_print("\n       AP  positives  label\n");
    for (guint i = 0; i < p->n_labels; i++) {
        g_print("  %s  %9u  %s\n", percent(p->ap[i], text), p->n_positive[i], p->labels[i]);
    }
}

static void print_part(const struct evaluation_part *p, double threshold)
{
    char text[16], name[64], number[G_ASCII_DTOSTR_BUF_SIZE];
    const struct metrics_map *map = &p->map[METRICS_TIES_LOW_INDEX];
    g_print("\n%s: %u labels, %" G_GUINT64_FORMAT " positive pairs, %" G_GUINT64_FORMAT
            " negative, %" G_GUINT64_FORMAT " unknown\n", p->name, p->n_labels,
            p->positives, p->negatives, p->unknown);
    g_print("  mAP                    %s  (labels without a positive count 0)\n",
            percent(map->all, text));
    g_print("  mAP of labels present  %s  (%zu labels)\n", percent(map->present, text),
            map->n_present);
    g_print("  %-22s %7s %7s %7s\n", "", "P", "R", "F1");
    print_row("best 3 of an image", p->at3.precision, p->at3.recall, p->at3.f1);
    print_row("best 5 of an image", p->at5.precision, p->at5.recall, p->at5.f1);
    g_ascii_formatd(number, sizeof number, "%g", threshold);
    g_snprintf(name, sizeof name, "above %s, per label", number);
    print_row(name, p->at.cp, p->at.cr, p->at.cf1);
    g_snprintf(name, sizeof name, "above %s, overall", number);
    print_row(name, p->at.op, p->at.or, p->at.of1);
    g_print("  CF1 as 2 CP CR / (CP + CR): %s\n", percent(p->at.cf1_harmonic, text));
}

void evaluation_print(const struct evaluation *e, gboolean per_class)
{
    g_print("%u images; truth: %s\n", e->n_images, e->truth);
    if (e->by_file_name) {
        g_print("  %u images were matched by the last part of their path only\n",
                e->by_file_name);
    }
    if (e->without_score) {
        g_print("  %" G_GUINT64_FORMAT " pairs have no score and rank last\n",
                e->without_score);
    }
    print_missing(&e->only_scored, "images with scores but no truth");
    print_missing(&e->only_true, "images with truth but no scores");
    print_missing(&e->labels_only_scored, "labels with scores but no truth");
    print_missing(&e->labels_only_true, "labels with truth but no scores");
    for (guint i = 0; i < e->n_parts; i++) {
        print_part(&e->parts[i], e->threshold);
        if (per_class) {
            print_classes(&e->parts[i]);
        }
    }
}

/* --- JSON --------------------------------------------------------------------------- */

static void put_missing(JsonBuilder *b, const char *name,
                        const struct evaluation_missing *missing)
{
    json_out_begin_object(b, name);
    json_out_count(b, "count", missing->count);
    json_out_begin_array(b, "first");
    for (guint i = 0; i < missing->names->len; i++) {
        json_builder_add_string_value(b, missing->names->pdata[i]);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void put_at_k(JsonBuilder *b, const char *name, const struct metrics_at_k *m)
{
    json_out_begin_object(b, name);
    json_out_number(b, "P", 100 * m->precision);
    json_out_number(b, "R", 100 * m->recall);
    json_out_number(b, "F1", 100 * m->f1);
    json_out_count(b, "TP", m->hits);
    json_out_count(b, "marked", m->marked);
    json_out_count(b, "positives", m->positives);
    json_builder_end_object(b);
}

static void put_at_threshold(JsonBuilder *b, const struct metrics_at_threshold *m,
                             double threshold)
{
    json_out_begin_object(b, "threshold");
    json_out_number(b, "value", threshold);
    json_out_number(b, "CP", 100 * m->cp);
    json_out_number(b, "CR", 100 * m->cr);
    json_out_number(b, "CF1", 100 * m->cf1);
    json_out_number(b, "CF1_harmonic", 100 * m->cf1_harmonic);
    json_out_number(b, "OP", 100 * m->op);
    json_out_number(b, "OR", 100 * m->or);
    json_out_number(b, "OF1", 100 * m->of1);
    json_builder_end_object(b);
}

static void put_classes(JsonBuilder *b, const struct evaluation_part *p)
{
    json_out_begin_array(b, "per_class");
    for (guint i = 0; i < p->n_labels; i++) {
        json_builder_begin_object(b);
        json_out_text(b, "label", p->labels[i]);
        json_out_number(b, "AP", p->ap[i]);
        json_out_count(b, "positives", p->n_positive[i]);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void put_part(JsonBuilder *b, const struct evaluation_part *p, double threshold)
{
    json_builder_begin_object(b);
    json_out_text(b, "name", p->name);
    json_out_count(b, "labels", p->n_labels);
    json_out_count(b, "labels_with_positives", p->map[METRICS_TIES_LOW_INDEX].n_present);
    json_out_count(b, "positives", p->positives);
    json_out_count(b, "negatives", p->negatives);
    json_out_count(b, "unknown", p->unknown);
    for (int i = 0; i < EVALUATION_N_TIES; i++) {
        json_out_number(b, map_names[i], 100 * p->map[i].all);
    }
    json_out_number(b, "mAP_labels_present", 100 * p->map[METRICS_TIES_LOW_INDEX].present);
    json_out_number(b, "mAP_sklearn_labels_present",
                    100 * p->map[METRICS_TIES_TOGETHER].present);
    put_at_k(b, "top3", &p->at3);
    put_at_k(b, "top5", &p->at5);
    put_at_threshold(b, &p->at, threshold);
    put_classes(b, p);
    json_builder_end_object(b);
}

char *evaluation_to_json(const struct evaluation *e)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_out_count(b, "images", e->n_images);
    json_out_text(b, "truth", e->truth);
    json_out_count(b, "images_matched_by_file_name", e->by_file_name);
    json_out_count(b, "pairs_without_score", e->without_score);
    put_missing(b, "images_without_truth", &e->only_scored);
    put_missing(b, "images_without_scores", &e->only_true);
    put_missing(b, "labels_without_truth", &e->labels_only_scored);
    put_missing(b, "labels_without_scores", &e->labels_only_true);
    json_out_begin_array(b, "results");
    for (guint i = 0; i < e->n_parts; i++) {
        put_part(b, &e->parts[i], e->threshold);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    return json_out_string(b);
}
