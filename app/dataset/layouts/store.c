/* The program's own decisions: accepted is positive, rejected is a verified negative, and
 * what nobody decided is unknown. Only a person's decisions are the truth: what a model
 * proposed would measure the model by itself. */
#include "app/dataset/dataset_private.h"

#include <string.h>

static gboolean matches(const struct dataset_file *file)
{
    return strcmp(file->head, "SQLite format 3") == 0;
}

static gboolean add_image(const char *path, const char *hash, gint64 bytes,
                          gpointer user_data)
{
    dataset_set_content(user_data, dataset_add_image(user_data, path, NULL), hash, bytes);
    return TRUE;
}

static gboolean add_label(const StoreRow *row, gpointer user_data)
{
    dataset_add_label(user_data, row->name, DATASET_NO_GROUP);
    return TRUE;
}

static gboolean add_decision(const char *path, const char *label, const StoreEvent *event,
                             gpointer user_data)
{
    struct dataset *d = user_data;
    if (event->source.by_model && !d->scans) {
        return TRUE;
    }
    dataset_add_event(d, dataset_add_image(d, path, NULL),
                      dataset_add_label(d, label, DATASET_NO_GROUP), event);
    return !d->failure;
}

static gboolean read_store(struct dataset *d, const char *path, GError **error)
{
    store *s = store_open(path, STORE_READ_ONLY, error);
    gboolean good = s && store_each_file(s, add_image, d, error)
                    && store_each_label(s, add_label, d, error)
                    && store_each_event(s, add_decision, d, error);
    store_close(&s);
    d->summary = g_strdup("decisions of a person");
    d->unlisted = TRUTH_UNKNOWN;
    return good;
}

const struct dataset_reader dataset_store = {
    "decisions", "a database of decisions, this program's own", matches, read_store };
