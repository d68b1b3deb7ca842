/* Items made ahead by several threads and given out in the order of their numbers.
 *
 * At most `capacity` items are being made or wait to be taken, so memory is bounded. One
 * thread takes. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

struct ahead_params {
    const char *name;        /* of the threads */
    guint64 first, end;      /* numbers of the items */
    guint jobs, capacity;    /* at least 1 */
    /* Makes an item, owned by whoever takes it. Called from the threads, in no order but
     * with numbers that are at most `capacity` apart. Never NULL: an item says itself
     * what is wrong with it. */
    gpointer (*make)(guint64 number, GCancellable *cancellable, gpointer data);
    GDestroyNotify free;     /* of items that nobody took */
    gpointer data;           /* must outlive the threads */
};

struct ahead;

struct ahead *ahead_new(const struct ahead_params *params);
/* The next item: waits for it, or with `wait` FALSE gives NULL when it is not ready. NULL
 * at the end. */
gpointer ahead_take(struct ahead *a, gboolean wait);
/* Seconds that the threads have spent making items, all together. Any thread. */
double ahead_seconds(struct ahead *a);
/* Cancels what is being made and waits for the threads. */
void ahead_free(struct ahead *a);

G_END_DECLS
