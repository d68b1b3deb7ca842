/* Taking decisions that were made elsewhere: by another program, on another machine. What
 * is decided here and was decided later stays; what is here already is not written again,
 * so taking the same events twice changes nothing. */
#pragma once

#include "app/store/store.h"

G_BEGIN_DECLS

/* A decision as it was made elsewhere. */
typedef struct {
    StoreVerdict verdict;
    StoreSource source; /* time NULL: not known */
    const char *event;  /* its name there; NULL: it has none and gets a new one */
} StoreEvent;

typedef enum {
    STORE_TAKE_FAILED,
    STORE_TAKEN,       /* the pair was undecided */
    STORE_TAKEN_OVER,  /* written; it is newer than what held, or a person's and that a
                        * model's */
    STORE_TAKE_SAME,   /* holds already */
    STORE_TAKE_KEPT,   /* contradicts what holds, which is newer, or a person's and this a
                        * model's, or this does not say when it was decided */
} StoreTake;

/* Keeps its statements ready for millions of events. */
typedef struct store_intake store_intake;

store_intake *store_intake_new(store *s, GError **error);
void store_intake_free(store_intake **intake);
/* What is decided of the pair becomes what the event says where that is newer. Call it
 * between store_begin and store_commit. */
StoreTake store_take(store_intake *intake, gint64 image, gint64 label,
                     const StoreEvent *event, GError **error);
/* The same for a prediction: SAME with the confidence that is there. */
StoreTake store_take_prediction(store_intake *intake, gint64 image, gint64 label,
                                const StoreSource *source, GError **error);

/* The current decisions that are not cleared, by path and label, with their names; and the
 * images by path. Texts are borrowed; `func` ends it early by returning FALSE. */
typedef gboolean (*StoreEventFunc)(const char *path, const char *label,
                                   const StoreEvent *event, gpointer user_data);
typedef gboolean (*StoreFileFunc)(const char *path, const char *hash, gint64 bytes,
                                  gpointer user_data);
gboolean store_each_event(store *s, StoreEventFunc func, gpointer user_data,
                          GError **error);
gboolean store_each_file(store *s, StoreFileFunc func, gpointer user_data, GError **error);

/* The image last seen at `path`, whatever became of the file, or 0. */
gint64 store_image_at(store *s, const char *path);

G_END_DECLS
