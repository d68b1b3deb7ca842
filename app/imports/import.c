#include "app/imports/import.h"

#include <string.h>

/* The file is read twice: first for its names, to find the images, which takes long and
 * needs no lock; then for its pairs, into one transaction. */
struct import {
    store *s;
    const struct import_params *params;
    struct import_report *report;
    struct dataset *names; /* of the first reading */
    GArray *places;
    gint64 *images, *labels; /* rows by index; 0: not found, not wanted */
    store_intake *intake;
};

static void add_name(struct import_names *list, char *name)
{
    if (list->count++ < IMPORT_NAMED) {
        g_ptr_array_add(list->names, name);
    } else {
        g_free(name);
    }
}

/* --- Images and labels ---------------------------------------------------------------- */

static void count_places(struct import *m)
{
    struct import_report *r = m->report;
    r->images = m->places->len;
    for (guint i = 0; i < m->places->len; i++) {
        const struct place *place = &g_array_index(m->places, struct place, i);
        const char *name = dataset_image_name(m->names, i);
        r->by_path += place->how == PLACES_BY_PATH;
        r->by_name += place->how == PLACES_BY_NAME;
        r->by_content += place->how == PLACES_BY_CONTENT;
        if (!place->how) {
            add_name(&r->missing, place->why ? g_strdup_printf("%s (%s)", name, place->why)
                                             : g_strdup(name));
        }
    }
}

static int by_number(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const struct dataset *d = user_data;
    guint l = *(const guint *)a, r = *(const guint *)b;
    gint64 left = dataset_image_number(d, l), right = dataset_image_number(d, r);
    return left != right ? (left < right ? -1 : 1) : l < r ? -1 : l > r;
}

static gboolean put_image(struct import *m, guint image, GError **error)
{
    const struct place *place = &g_array_index(m->places, struct place, image);
    if (!place->how) {
        return TRUE;
    }
    const struct identity *known = &place->known;
    m->report->new_images += !known->row && !store_find_content(m->s, known->hash);
    m->images[image] = identity_put(m->s, place->path, known, error);
    return m->images[image] != 0;
}

/* In the order of the numbers that the files give them, so that a whole export that comes
 * back to an empty database gets the numbers that it had. */
static gboolean put_images(struct import *m, GError **error)
{
    guint n = m->places->len;
    g_autofree guint *order = g_new(guint, n + 1);
    gboolean good = TRUE;
    for (guint i = 0; i < n; i++) {
        order[i] = i;
    }
    g_qsort_with_data(order, (gint)n, sizeof *order, by_number, m->names);
    m->images = g_new0(gint64, n + 1);
    for (guint i = 0; good && i < n; i++) {
        good = put_image(m, order[i], error);
    }
    return good;
}

static gboolean put_labels(struct import *m, GError **error)
{
    guint n = dataset_n_labels(m->names);
    m->labels = g_new0(gint64, n + 1);
    for (guint i = 0; i < n; i++) {
        const char *name = dataset_label(m->names, i);
        if (m->params->labels
            && !g_strv_contains((const char *const *)m->params->labels, name)) {
            continue;
        }
        if (!store_find_label(m->s, name)) {
            add_name(&m->report->new_labels, g_strdup(name));
        }
        m->labels[i] = store_put_label(m->s, name, NULL, error);
        if (!m->labels[i]) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- Pairs ---------------------------------------------------------------------------- */

static gboolean take_proposal(struct import *m, gint64 image, gint64 label,
                              const StoreEvent *event, GError **error)
{
    StoreSource source = event->source;
    if (source.confidence < 0) {
        if (event->verdict == STORE_CLEARED) {
            return TRUE; /* nothing is said */
        }
        source.confidence = event->verdict == STORE_ACCEPTED;
    }
    source.model = source.model ? source.model : source.author;
    StoreTake take = store_take_prediction(m->intake, image, label, &source, error);
    m->report->predictions[take]++;
    return take != STORE_TAKE_FAILED;
}

static gboolean take_pair(const struct dataset *d, guint image, guint label,
                          const StoreEvent *given, gpointer user_data, GError **error)
{
    struct import *m = user_data;
    StoreEvent event = *given;
    if (image >= m->places->len || label >= dataset_n_labels(m->names)
        || strcmp(dataset_image_name(d, image), dataset_image_name(m->names, image)) != 0
        || strcmp(dataset_label(d, label), dataset_label(m->names, label)) != 0) {
        g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                    "the files changed while they were read");
        return FALSE;
    }
    if (!m->labels[label]) {
        return TRUE;
    }
    if (!m->images[image]) {
        m->report->without_image++;
        return TRUE;
    }
    event.source.author = event.source.author ? event.source.author : m->params->author;
    event.source.time = event.source.time ? event.source.time : m->params->time;
    if (m->params->as_proposals || event.verdict == STORE_CLEARED) {
        return take_proposal(m, m->images[image], m->labels[label], &event, error);
    }
    StoreTake take = store_take(m->intake, m->images[image], m->labels[label], &event,
                                error);
    m->report->decisions[take]++;
    if (take == STORE_TAKE_KEPT) {
        add_name(&m->report->kept, g_strdup_printf("%s: %s", dataset_image_name(d, image),
                                                   dataset_label(d, label)));
    }
    return take != STORE_TAKE_FAILED;
}

/* --- The whole ------------------------------------------------------------------------ */

static void show_place(guint done, gpointer user_data)
{
    struct import *m = user_data;
    m->params->progress(done, dataset_n_images(m->names), m->params->user_data);
}

static gboolean find_images(struct import *m, const char *path, GError **error)
{
    g_autofree char *beside = g_file_test(path, G_FILE_TEST_IS_DIR)
                                  ? g_strdup(path) : g_path_get_dirname(path);
    struct places_params params = {
        .how = m->params->how,
        .folder = m->params->data.images ? m->params->data.images : beside,
        .progress = m->params->progress ? show_place : NULL, .user_data = m };
    m->places = places_find(m->s, m->names, &params, error);
    return m->places != NULL;
}

static gboolean write_all(struct import *m, const char *path, GError **error)
{
    if (!put_images(m, error) || !put_labels(m, error)) {
        return FALSE;
    }
    m->intake = store_intake_new(m->s, error);
    struct dataset *d = m->intake ? dataset_scan(path, &m->params->data, take_pair, m, error)
                                  : NULL;
    gboolean good = d != NULL;
    dataset_close(&d);
    store_intake_free(&m->intake);
    return good;
}

static gboolean run(struct import *m, const char *path, GError **error)
{
    if (!find_images(m, path, error)) {
        return FALSE;
    }
    count_places(m);
    if (!store_begin(m->s, error)) {
        return FALSE;
    }
    if (!write_all(m, path, error)) {
        store_rollback(m->s);
        return FALSE;
    }
    if (m->params->dry_run) {
        store_rollback(m->s);
        return TRUE;
    }
    return store_commit(m->s, error);
}

static struct import_report *new_report(const struct dataset *d)
{
    struct import_report *r = g_new0(struct import_report, 1);
    struct import_names *lists[] = { &r->missing, &r->new_labels, &r->kept };
    r->layout = g_strdup(dataset_layout(d));
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        lists[i]->names = g_ptr_array_new_with_free_func(g_free);
    }
    return r;
}

/* What cannot be read makes no database, and a dry run leaves none where there was none. */
struct import_report *import_run(const char *db, const char *path,
                                 const struct import_params *params, GError **error)
{
    struct import m = { .params = params };
    gboolean there = g_file_test(db, G_FILE_TEST_EXISTS);
    m.names = dataset_scan(path, &params->data, NULL, NULL, error);
    m.s = m.names ? store_open(params->dry_run && !there ? ":memory:" : db, STORE_CREATE,
                               error) : NULL;
    if (m.s) {
        m.report = new_report(m.names);
    }
    if (m.s && !run(&m, path, error)) {
        import_report_free(&m.report);
    }
    store_close(&m.s);
    dataset_close(&m.names);
    places_free(&m.places);
    g_free(m.images);
    g_free(m.labels);
    return m.report;
}

void import_report_free(struct import_report **report)
{
    struct import_report *r = *report;
    *report = NULL;
    if (r) {
        g_ptr_array_unref(r->missing.names);
        g_ptr_array_unref(r->new_labels.names);
        g_ptr_array_unref(r->kept.names);
        g_free(r->layout);
        g_free(r);
    }
}
