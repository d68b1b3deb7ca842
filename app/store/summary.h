/* What a database holds, summed up: for pictures and reports. Each call reads whole tables,
 * which takes seconds where there are millions of decisions; call it on a thread that may
 * wait. Like the rest of a store for one thread at a time. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

/* Images by what holds of a label. The four exclude one another, and what is left of
 * store_count_images() is open. */
typedef struct {
    gint64 label;
    char *name;
    guint accepted, rejected; /* by people */
    guint by_model;           /* accepted in a model's name, and nobody decided */
    guint above;              /* nothing was decided, and the model's confidence reaches the
                               * label's threshold */
} StoreLabelCount;

/* Every label that is listed or was decided about, in the order in which they were added
 * (of StoreLabelCount). model: whose confidences count, as decisions name it; NULL: none.
 * threshold: of labels without their own. NULL on failure. */
GPtrArray *store_count_labels(store *s, const char *model, double threshold,
                              GError **error);
guint store_count_images(store *s);
/* The model that scored an image last, as decisions name it; NULL where none did, and with
 * an error set on failure. To be freed. */
char *store_newest_model(store *s, GError **error);

/* What somebody decided in a span of time. */
typedef struct {
    const char *time;   /* UTC: "2026-11-24", or with hours "2026-11-24T10" */
    const char *author; /* a person's name, "" for the person at this machine; a model's
                         * mark, "" where it is not known */
    gboolean by_model;
    guint decisions;
} StoreActivity;

typedef gboolean (*StoreActivityFunc)(const StoreActivity *activity, gpointer user_data);

/* By time, people before models, then by author. Counts what was decided itself: neither
 * what followed from it nor what undo and redo append. `func` ends it early by returning
 * FALSE. */
gboolean store_each_activity(store *s, gboolean by_hour, StoreActivityFunc func,
                             gpointer user_data, GError **error);

G_END_DECLS
