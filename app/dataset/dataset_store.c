/* The program's own decisions: accepted is positive, rejected is a verified negative, and
 * what nobody decided is unknown. Only a person's decisions are the truth: what a model
 * proposed would measure the model by itself. */
#include "app/dataset/dataset_private.h"
#include "app/store/store.h"

#include <string.h>

static gboolean matches(const char *path, const char *head)
{
    return strcmp(head, "SQLite format 3") == 0;
}

static gboolean add_image(const StoreRow *row, gpointer user_data)
{
    dataset_add_image(user_data, row->path, NULL);
    return TRUE;
}

static gboolean add_label(const StoreRow *row, gpointer user_data)
{
    dataset_add_label(user_data, row->name, DATASET_NO_GROUP);
    return TRUE;
}

static gboolean add_decision(const StoreRow *row, gpointer user_data)
{
    struct dataset *d = user_data;
    if (!row->by_model) {
        dataset_add(d, dataset_add_image(d, row->path, NULL),
                    dataset_add_label(d, row->name, DATASET_NO_GROUP),
                    row->verdict == STORE_ACCEPTED ? TRUTH_POSITIVE : TRUTH_NEGATIVE);
    }
    return TRUE;
}

static gboolean read_store(struct dataset *d, const char *path, GError **error)
{
    store *s = store_open(path, STORE_READ_ONLY, error);
    gboolean good = s && store_each_image(s, add_image, d, error)
                    && store_each_label(s, add_label, d, error)
                    && store_each_decision(s, add_decision, d, error);
    store_close(&s);
    d->summary = g_strdup("decisions of a person");
    d->unlisted = TRUTH_UNKNOWN;
    return good;
}

const struct dataset_reader dataset_store = { "decisions", matches, read_store };
