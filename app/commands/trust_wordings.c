#include "app/commands/trust_wordings.h"

#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/tagger/tag_model.h"
#include "app/tagger/tagger.h"

#include <json-glib/json-glib.h>
#include <math.h>

struct run {
    gint64 label;
    GPtrArray *paths;       /* of char *: one for each image */
    GArray *verdicts;       /* gint8, by path */
    GHashTable *images;     /* rows of the images that have a path, or that lack one */
    GHashTable *lost;       /* rows of images none of whose files is there any more */
    guint at, missing;      /* at: the path that the next result is of */
    GArray *a, *b;          /* of struct trust_pair */
    struct progress progress;
};

/* --- What was decided ------------------------------------------------------------------ */

/* An image may lie in several places: the first that is still there serves. */
static gboolean collect(const StoreRow *row, gpointer user_data)
{
    struct run *r = user_data;
    gpointer key = (gpointer)(gintptr)row->image;
    gint8 verdict = (gint8)row->verdict;
    if (row->label != r->label || row->by_model || g_hash_table_contains(r->images, key)) {
        return TRUE;
    }
    if (!g_file_test(row->path, G_FILE_TEST_IS_REGULAR)) {
        g_hash_table_add(r->lost, key);
        return TRUE;
    }
    g_hash_table_add(r->images, key);
    g_hash_table_remove(r->lost, key);
    g_ptr_array_add(r->paths, g_strdup(row->path));
    g_array_append_val(r->verdicts, verdict);
    return TRUE;
}

static gboolean read_decisions(struct run *r, const struct trust_wordings_params *params,
                               GError **error)
{
    store *s = store_open(params->db, STORE_READ_ONLY, error);
    r->label = s ? store_find_label(s, params->label) : 0;
    gboolean good = r->label && store_each_decision(s, collect, r, error);
    if (s && !r->label) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_REFUSED, "there is no label \"%s\"",
                    params->label);
    }
    store_close(&s);
    return good;
}

/* --- What the model says ------------------------------------------------------------------- */

static gboolean put(const struct tagger_item *items, guint n,
                    const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct run *r = data;
    for (guint i = 0; i < n; i++, r->at++) {
        gint8 verdict = g_array_index(r->verdicts, gint8, r->at);
        r->missing += !items[i].confidence;
        if (items[i].confidence) {
            struct trust_pair a = { items[i].confidence[0], verdict };
            struct trust_pair b = { items[i].confidence[1], verdict };
            g_array_append_val(r->a, a);
            g_array_append_val(r->b, b);
        }
    }
    progress_show(&r->progress, r->at);
    return TRUE;
}

static void warn(const char *text)
{
    command_fail(COMMAND_DONE, "%s", text);
}

static gboolean ask(struct run *r, const struct trust_wordings_params *params,
                    struct tag_model *m, GError **error)
{
    g_autoptr(GPtrArray) labels = g_ptr_array_new(), wordings = g_ptr_array_new();
    for (guint i = 0; i < 2; i++) {
        g_ptr_array_add(labels, (gpointer)params->label);
        g_ptr_array_add(wordings, *params->texts[i] ? (gpointer)params->texts[i] : NULL);
    }
    if (!model_info(m->model)->open_vocabulary) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "%s answers for its own labels only, in no words",
                    model_info(m->model)->name);
        return FALSE;
    }
    if (!tag_model_set_labels(m, labels, wordings, warn, error)) {
        return FALSE;
    }
    struct tagger_params run = { .model = m->model, .session = m->session,
                                 .embeddings = m->embeddings, .n_labels = 2,
                                 .cache = m->cache, .put = put, .data = r };
    struct tagger_stats stats;
    r->progress = progress_start(r->paths->len);
    gboolean good = tagger_run(&run, r->paths, &stats, error);
    progress_hide(&r->progress);
    return good;
}

static gboolean ask_model(struct run *r, const struct trust_wordings_params *params,
                          GError **error)
{
    g_autofree char *path = command_find_model(params->model);
    g_autofree char *cache = command_cache_dir();
    struct tag_model_params open = { .path = path, .device = params->device,
                                     .cache_dir = cache };
    struct tag_model m;
    gboolean good = tag_model_open(&m, &open, error) && ask(r, params, &m, error);
    tag_model_clear(&m);
    return good;
}

gboolean trust_wordings(const struct trust_wordings_params *params,
                        struct trust_contest *out, guint *missing, GError **error)
{
    struct run r = { .paths = g_ptr_array_new_with_free_func(g_free),
                     .verdicts = g_array_new(FALSE, FALSE, sizeof(gint8)),
                     .images = g_hash_table_new(NULL, NULL),
                     .lost = g_hash_table_new(NULL, NULL),
                     .a = g_array_new(FALSE, FALSE, sizeof(struct trust_pair)),
                     .b = g_array_new(FALSE, FALSE, sizeof(struct trust_pair)) };
    gboolean good = read_decisions(&r, params, error) && ask_model(&r, params, error);
    if (good) {
        trust_hold_contest((const struct trust_pair *)(gpointer)r.a->data,
                           (const struct trust_pair *)(gpointer)r.b->data, r.a->len, out);
        *missing = r.missing + g_hash_table_size(r.lost);
    }
    g_ptr_array_unref(r.paths);
    g_array_unref(r.verdicts);
    g_hash_table_unref(r.images);
    g_hash_table_unref(r.lost);
    g_array_unref(r.a);
    g_array_unref(r.b);
    return good;
}

/* --- For a person ----------------------------------------------------------------------------- */

static void print_wording(const char *text, const struct trust_separation *s,
                          double precision)
{
    g_print("  \"%s\"", text);
    if (!isnan(s->area)) {
        g_print(": told apart %.3f (%.3f to %.3f)", s->area, s->interval.low,
                s->interval.high);
    }
    if (!isnan(precision)) {
        g_print(", average precision %.3f", precision);
    }
    g_print("\n");
}

void trust_wordings_print(const struct trust_wordings_params *params,
                          const struct trust_contest *contest)
{
    const struct trust_comparison *c = &contest->comparison;
    g_print("%s: %u accepted, %u rejected\n", params->label, c->a.accepted, c->a.rejected);
    print_wording(params->texts[0], &c->a, contest->precision[0]);
    print_wording(params->texts[1], &c->b, contest->precision[1]);
    if (isnan(c->difference)) {
        g_print("  too few decisions to compare: it takes 2 of each kind\n");
    } else if (contest->better) {
        g_print("  \"%s\" is better by %.3f (%.3f to %.3f)\n",
                params->texts[contest->better - 1], fabs(c->difference),
                MIN(fabs(c->interval.low), fabs(c->interval.high)),
                MAX(fabs(c->interval.low), fabs(c->interval.high)));
    } else {
        g_print("  neither is shown to be better: %+.3f (%+.3f to %+.3f)\n", c->difference,
                c->interval.low, c->interval.high);
    }
}

static void add_number(JsonBuilder *b, const char *name, double value)
{
    if (name) {
        json_builder_set_member_name(b, name);
    }
    if (isnan(value)) {
        json_builder_add_null_value(b);
    } else {
        json_builder_add_double_value(b, value);
    }
}

static void add_interval(JsonBuilder *b, const char *name, struct trust_interval interval)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
    add_number(b, NULL, interval.low);
    add_number(b, NULL, interval.high);
    json_builder_end_array(b);
}

static void add_wording(JsonBuilder *b, const char *text, const struct trust_separation *s,
                        double precision)
{
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "wording");
    json_builder_add_string_value(b, text);
    add_number(b, "area", s->area);
    add_interval(b, "area_interval", s->interval);
    add_number(b, "average_precision", precision);
    json_builder_end_object(b);
}

void trust_wordings_print_json(const struct trust_wordings_params *params,
                               const struct trust_contest *contest)
{
    const struct trust_comparison *c = &contest->comparison;
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "label");
    json_builder_add_string_value(b, params->label);
    json_builder_set_member_name(b, "accepted");
    json_builder_add_int_value(b, c->a.accepted);
    json_builder_set_member_name(b, "rejected");
    json_builder_add_int_value(b, c->a.rejected);
    json_builder_set_member_name(b, "wordings");
    json_builder_begin_array(b);
    add_wording(b, params->texts[0], &c->a, contest->precision[0]);
    add_wording(b, params->texts[1], &c->b, contest->precision[1]);
    json_builder_end_array(b);
    add_number(b, "difference", c->difference);
    add_interval(b, "difference_interval", c->interval);
    json_builder_set_member_name(b, "better");
    json_builder_add_int_value(b, contest->better);
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *text = json_to_string(root, TRUE);
    g_print("%s\n", text);
}
