/* Decisions over time, by whom. */
#include "app/look/look_private.h"

#include "app/store/summary.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#define MOST_AUTHORS 6
#define HOURS_UP_TO 3 /* days; longer spans are told by the day */

struct author {
    char *name;
    gboolean by_model;
    guint decisions;
    guint column; /* G_MAXUINT: among the others */
};

struct span { char *time; GHashTable *of_author; };

struct activity {
    const Look *look;
    GPtrArray *spans;    /* of struct span, in order */
    GPtrArray *authors;  /* of struct author */
};

static void author_free(gpointer data)
{
    struct author *a = data;
    g_free(a->name);
    g_free(a);
}

static void span_free(gpointer data)
{
    struct span *s = data;
    g_free(s->time);
    g_hash_table_unref(s->of_author);
    g_free(s);
}

static struct author *find_author(struct activity *a, const char *name, gboolean by_model)
{
    for (guint i = 0; i < a->authors->len; i++) {
        struct author *author = a->authors->pdata[i];
        if (author->by_model == by_model && strcmp(author->name, name) == 0) {
            return author;
        }
    }
    struct author *author = g_new0(struct author, 1);
    author->name = g_strdup(name);
    author->by_model = by_model;
    g_ptr_array_add(a->authors, author);
    return author;
}

static gboolean add_activity(const StoreActivity *activity, gpointer user_data)
{
    struct activity *a = user_data;
    struct span *span = a->spans->len ? a->spans->pdata[a->spans->len - 1] : NULL;
    const char *time = activity->time ? activity->time : "";
    if (!span || strcmp(span->time, time) != 0) {
        span = g_new0(struct span, 1);
        span->time = g_strdup(time);
        span->of_author = g_hash_table_new(NULL, NULL);
        g_ptr_array_add(a->spans, span);
    }
    struct author *author = find_author(a, activity->author, activity->by_model);
    author->decisions += activity->decisions;
    g_hash_table_insert(span->of_author, author, GUINT_TO_POINTER(activity->decisions));
    return look_go_on(a->look, NULL);
}

/* Most decisions first. */
static int by_decisions(gconstpointer left, gconstpointer right)
{
    const struct author *a = *(struct author *const *)left;
    const struct author *b = *(struct author *const *)right;
    if (a->decisions != b->decisions) {
        return a->decisions > b->decisions ? -1 : 1;
    }
    return a->by_model != b->by_model ? a->by_model - b->by_model : strcmp(a->name, b->name);
}

static void add_author_column(LookTable *table, const Look *look, const struct author *a)
{
    if (*a->name && a->by_model) {
        g_autofree char *name = g_strdup_printf(look_say(look, N_("model %s")), a->name);
        g_autofree char *key = g_strconcat("model ", a->name, NULL);
        look_add_named_column(table, key, name, LOOK_NUMBER);
    } else if (*a->name) {
        look_add_named_column(table, a->name, a->name, LOOK_NUMBER);
    } else {
        look_add_column(table, look, NULL, a->by_model ? N_("a model") : N_("here"),
                        LOOK_NUMBER);
    }
}

/* A column for each that decided most, and one for all others. */
static guint add_columns(struct activity *a, LookTable *table)
{
    const Look *look = a->look;
    guint most = look->options->most ? look->options->most : MOST_AUTHORS;
    look_add_column(table, look, "time", N_("time (UTC)"), LOOK_TEXT);
    g_ptr_array_sort(a->authors, by_decisions);
    for (guint i = 0; i < a->authors->len; i++) {
        struct author *author = a->authors->pdata[i];
        author->column = i < most ? i : most;
        if (i < most) {
            add_author_column(table, look, author);
        }
    }
    if (a->authors->len > most) {
        look_add_column(table, look, NULL, N_("others"), LOOK_NUMBER);
    }
    return MIN(a->authors->len, most + 1);
}

static void add_span(const struct span *span, LookTable *table, guint n)
{
    g_autofree double *counts = g_new0(double, MAX(n, 1));
    GHashTableIter each;
    gpointer author, decisions;
    g_hash_table_iter_init(&each, span->of_author);
    while (g_hash_table_iter_next(&each, &author, &decisions)) {
        counts[((struct author *)author)->column] += GPOINTER_TO_UINT(decisions);
    }
    look_add_text(table, span->time);
    for (guint i = 0; i < n; i++) {
        look_add_value(table, counts[i]);
    }
}

static gboolean load(struct activity *a, gboolean by_hour, GError **error)
{
    g_ptr_array_set_size(a->spans, 0);
    g_ptr_array_set_size(a->authors, 0);
    return store_each_activity(a->look->s, by_hour, add_activity, a, error)
           && look_go_on(a->look, error);
}

gboolean look_progress(Look *look, LookTable *table, GError **error)
{
    struct activity a = { look, g_ptr_array_new_with_free_func(span_free),
                          g_ptr_array_new_with_free_func(author_free) };
    guint sum = 0;
    gboolean good = load(&a, FALSE, error);
    gboolean by_hour = good && a.spans->len > 0 && a.spans->len <= HOURS_UP_TO;
    good = good && (!by_hour || load(&a, TRUE, error));
    guint n = good ? add_columns(&a, table) : 0;
    for (guint i = 0; good && i < a.spans->len; i++) {
        add_span(a.spans->pdata[i], table, n);
    }
    for (guint i = 0; i < a.authors->len; i++) {
        sum += ((struct author *)a.authors->pdata[i])->decisions;
    }
    look_set_title(table, look, by_hour ? N_("Decisions by the hour")
                                        : N_("Decisions by the day"));
    look_set_axes(table, look, NULL, N_("decisions"));
    look_set_note(table, look, N_("Decisions: %u, by people and models: %u."), sum,
                  a.authors->len);
    g_ptr_array_unref(a.spans);
    g_ptr_array_unref(a.authors);
    return good;
}
