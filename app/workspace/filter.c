/* The filter line: which images of the folder are in view. */
#include "app/query/query.h"
#include "app/store/thresholds.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_CANDIDATES 8

/* What the query asks is answered from what is in memory, of the workspace `data`; who
 * decided is not there. */
static TlImage *image_at(gpointer data, guint image)
{
    return ((TlWorkspace *)data)->images->items->pdata[image];
}

static int find_label(const char *name, gpointer data)
{
    return workspace_find_label(data, name);
}

static const char *path(guint image, gpointer data)
{
    return image_at(data, image)->path;
}

static gint64 number(guint image, enum query_number which, gpointer data)
{
    const TlImage *i = image_at(data, image);
    gint64 value = which == QUERY_BYTES   ? i->bytes
                   : which == QUERY_WIDTH ? i->width
                   : which == QUERY_TIME  ? i->mtime
                                          : i->height;
    return value > 0 ? value : -1;
}

static double confidence(guint image, guint label, gpointer data)
{
    return tl_image_confidence(image_at(data, image), label);
}

static double threshold(guint label, gpointer data)
{
    return tl_workspace_threshold(data, label);
}

static int verdict(guint image, guint label, gpointer data)
{
    return tl_image_verdict(image_at(data, image), label);
}

static gboolean any(guint image, int wanted, gpointer data)
{
    guint labels = ((TlWorkspace *)data)->labels->len;
    for (guint l = 0; l < labels; l++) {
        if ((int)tl_image_verdict(image_at(data, image), l) == wanted) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Numbers of the images that the query finds, in its order. */
static GArray *run(TlWorkspace *self, const struct query *query, GError **error)
{
    struct query_source source = { self->images->items->len, self, find_label, path, number,
                                   confidence, threshold, verdict, any, NULL };
    if (query_needs_authors(query)) {
        g_set_error(error, QUERY_ERROR, QUERY_ERROR_SYNTAX,
                    _("“by:” is for `taglight find`"));
        return NULL;
    }
    return query_run(query, &source, NULL, error);
}

GArray *filter_run(TlWorkspace *self)
{
    g_autoptr(GError) error = NULL;
    GArray *found = self->filter ? run(self, self->filter, &error) : NULL;
    if (error) { /* such as a label that was removed meanwhile */
        query_free(&self->filter);
        workspace_report_error(self, error);
    }
    return found;
}

gboolean tl_workspace_set_filter(TlWorkspace *self, const char *text, GError **error)
{
    struct query *query = *text ? query_parse(text, NULL, error) : NULL;
    if (*text && !query) {
        return FALSE;
    }
    g_autoptr(GArray) found = query ? run(self, query, error) : NULL;
    if (query && !found) {
        query_free(&query);
        return FALSE;
    }
    query_free(&self->filter);
    self->filter = query;
    order_show(self, found);
    return TRUE;
}

GPtrArray *tl_workspace_complete_filter(TlWorkspace *self, const char *text, gsize cursor,
                                        gsize *start, gsize *end)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint l = 0; l < self->labels->len; l++) {
        g_ptr_array_add(names, (gpointer)tl_workspace_label(self, l));
    }
    g_ptr_array_add(names, NULL);
    struct query_words words = { (const char *const *)names->pdata, NULL, NULL };
    return query_complete(text, cursor, &words, MAX_CANDIDATES, start, end);
}

/* --- Saved filters ---------------------------------------------------------------------------- */

typedef struct { char *name, *query; GStrv names, queries; } Saved;

static void saved_free(gpointer data)
{
    Saved *saved = data;
    g_free(saved->name);
    g_free(saved->query);
    g_strfreev(saved->names);
    g_strfreev(saved->queries);
    g_free(saved);
}

static void work_filters(store *s, gpointer data, GError **error)
{
    Saved *saved = data;
    if (saved->name && !store_save_filter(s, saved->name, saved->query, error)) {
        return;
    }
    saved->names = store_filters(s, error);
    g_autoptr(GStrvBuilder) queries = g_strv_builder_new();
    for (guint i = 0; saved->names && saved->names[i]; i++) {
        g_autofree char *query = store_filter(s, saved->names[i]);
        g_strv_builder_add(queries, query ? query : "");
    }
    saved->queries = g_strv_builder_end(queries);
}

static void done_filters(TlWorkspace *self, gpointer data, gboolean good)
{
    Saved *saved = data;
    if (good) {
        g_strfreev(self->filter_names);
        g_strfreev(self->filter_queries);
        self->filter_names = g_steal_pointer(&saved->names);
        self->filter_queries = g_steal_pointer(&saved->queries);
        g_signal_emit(self, workspace_signals[FILTERS], 0);
    }
}

static const DatabaseTask filters_task = { work_filters, done_filters, saved_free };

void filter_load_saved(TlWorkspace *self)
{
    database_do(self, &filters_task, g_new0(Saved, 1));
}

void tl_workspace_save_filter(TlWorkspace *self, const char *name, const char *query)
{
    Saved *saved = g_new0(Saved, 1);
    saved->name = g_strdup(name);
    saved->query = g_strdup(query);
    database_do(self, &filters_task, saved);
}

const char *const *tl_workspace_filter_names(TlWorkspace *self)
{
    static const char *const none[] = { NULL };
    return self->filter_names ? (const char *const *)self->filter_names : none;
}

const char *tl_workspace_saved_filter(TlWorkspace *self, const char *name)
{
    for (guint i = 0; self->filter_names && self->filter_names[i]; i++) {
        if (strcmp(self->filter_names[i], name) == 0) {
            return self->filter_queries[i];
        }
    }
    return NULL;
}
