#include "app/jobs/ahead.h"

struct ahead {
    struct ahead_params params;
    GCancellable *cancellable;
    GPtrArray *threads;
    GMutex lock;             /* guards what follows */
    GCond room, ready;
    gpointer *slots;         /* item i is in slot i % capacity; NULL until it is made */
    guint64 claimed, taken;  /* numbers of the next item to begin, and to give out */
    gint64 busy_us;
};

/* The next item to make; FALSE at the end. */
static gboolean claim(struct ahead *a, guint64 *number)
{
    const struct ahead_params *p = &a->params;
    gboolean more = FALSE;
    g_mutex_lock(&a->lock);
    while (!g_cancellable_is_cancelled(a->cancellable) && a->claimed < p->end
           && a->claimed - a->taken >= p->capacity) {
        g_cond_wait(&a->room, &a->lock);
    }
    if (!g_cancellable_is_cancelled(a->cancellable) && a->claimed < p->end) {
        *number = a->claimed++;
        more = TRUE;
    }
    g_mutex_unlock(&a->lock);
    return more;
}

static gpointer run(gpointer data)
{
    struct ahead *a = data;
    guint64 number;
    while (claim(a, &number)) {
        gint64 start = g_get_monotonic_time();
        gpointer item = a->params.make(number, a->cancellable, a->params.data);
        gint64 end = g_get_monotonic_time();
        g_mutex_lock(&a->lock);
        a->slots[number % a->params.capacity] = item;
        a->busy_us += end - start;
        g_cond_signal(&a->ready);
        g_mutex_unlock(&a->lock);
    }
    return NULL;
}

struct ahead *ahead_new(const struct ahead_params *params)
{
    struct ahead *a = g_new0(struct ahead, 1);
    a->params = *params;
    a->cancellable = g_cancellable_new();
    a->threads = g_ptr_array_new();
    a->slots = g_new0(gpointer, params->capacity);
    a->claimed = a->taken = params->first;
    g_mutex_init(&a->lock);
    g_cond_init(&a->room);
    g_cond_init(&a->ready);
    guint64 items = params->end > params->first ? params->end - params->first : 0;
    for (guint i = 0; i < MIN(params->jobs, items); i++) {
        g_ptr_array_add(a->threads, g_thread_new(params->name, run, a));
    }
    return a;
}

gpointer ahead_take(struct ahead *a, gboolean wait)
{
    gpointer item = NULL;
    g_mutex_lock(&a->lock);
    if (a->taken < a->params.end) {
        gpointer *slot = &a->slots[a->taken % a->params.capacity];
        while (wait && !*slot) {
            g_cond_wait(&a->ready, &a->lock);
        }
        item = g_steal_pointer(slot);
    }
    if (item) {
        a->taken++;
        g_cond_broadcast(&a->room);
    }
    g_mutex_unlock(&a->lock);
    return item;
}

double ahead_seconds(struct ahead *a)
{
    g_mutex_lock(&a->lock);
    gint64 us = a->busy_us;
    g_mutex_unlock(&a->lock);
    return 1e-6 * (double)us;
}

void ahead_free(struct ahead *a)
{
    if (!a) {
        return;
    }
    g_mutex_lock(&a->lock);
    g_cancellable_cancel(a->cancellable);
    g_cond_broadcast(&a->room);
    g_mutex_unlock(&a->lock);
    for (guint i = 0; i < a->threads->len; i++) {
        g_thread_join(a->threads->pdata[i]);
    }
    for (guint i = 0; i < a->params.capacity; i++) {
        if (a->slots[i]) {
            a->params.free(a->slots[i]);
        }
    }
    g_ptr_array_unref(a->threads);
    g_object_unref(a->cancellable);
    g_mutex_clear(&a->lock);
    g_cond_clear(&a->room);
    g_cond_clear(&a->ready);
    g_free(a->slots);
    g_free(a);
}
