#include "app/tagger/watch.h"

#include "app/library/library.h"

#include <glib/gstdio.h>
#include <string.h>

#define SETTLE_US 1000000
#define LOOK_MS 200 /* how often the sizes of files that grow are looked at */
/* What another machine does in a network folder comes as no event, so folders are listed
 * again: after a minute at the soonest, and for at most a fiftieth of the time. */
#define LIST_US 60000000
#define LIST_SHARE 50

struct watch {
    char *folder;
    gboolean recursive;
    gint64 next_list;     /* µs */
    GHashTable *monitors; /* path of a folder -> GFileMonitor */
    GHashTable *arrivals; /* path of an image -> struct arrival */
    GHashTable *told;     /* the same, as it was when it was told */
};

/* A file that is coming. */
struct arrival {
    gboolean closed;
    gint64 bytes, mtime;
    gint64 since; /* µs, of the last change that was seen */
};

static void note(struct watch *w, const char *path, gboolean closed)
{
    g_autofree char *name = g_path_get_basename(path);
    if (name[0] == '.' || !library_is_image_name(name)) {
        return;
    }
    struct arrival *a = g_hash_table_lookup(w->arrivals, path);
    if (!a) {
        a = g_new0(struct arrival, 1);
        g_hash_table_insert(w->arrivals, g_strdup(path), a);
    }
    a->closed = closed;
    a->since = g_get_monotonic_time();
}

/* --- Folders ---------------------------------------------------------------------- */

static gboolean add_folder(struct watch *w, const char *path, GError **error);

/* A folder that came may hold files already. */
static void add_new_folder(struct watch *w, const char *path)
{
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    if (!add_folder(w, path, &error) || !library_scan(path, TRUE, NULL, images, &error)) {
        g_warning("%s", error->message); /* it may be gone again */
        return;
    }
    for (guint i = 0; i < images->len; i++) {
        note(w, images->pdata[i], FALSE);
    }
}

static void forget(struct watch *w, const char *path)
{
    g_hash_table_remove(w->arrivals, path);
    g_hash_table_remove(w->told, path);
    g_hash_table_remove(w->monitors, path);
}

static gboolean is_folder(const char *path)
{
    GStatBuf info;
    return g_lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void arrived(struct watch *w, const char *path, gboolean closed)
{
    if (!is_folder(path)) {
        note(w, path, closed);
    } else if (w->recursive && !g_hash_table_contains(w->monitors, path)) {
        add_new_folder(w, path);
    }
}

static void on_event(GFileMonitor *monitor, GFile *file, GFile *other,
                     GFileMonitorEvent event, gpointer data)
{
    struct watch *w = data;
    g_autofree char *path = g_file_get_path(file);
    g_autofree char *target = other ? g_file_get_path(other) : NULL;
    switch (event) {
    case G_FILE_MONITOR_EVENT_CREATED:
    case G_FILE_MONITOR_EVENT_CHANGED:
        arrived(w, path, FALSE);
        break;
    case G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT:
    case G_FILE_MONITOR_EVENT_MOVED_IN:
        arrived(w, path, TRUE);
        break;
    case G_FILE_MONITOR_EVENT_RENAMED:
        forget(w, path);
        arrived(w, target, TRUE);
        break;
    case G_FILE_MONITOR_EVENT_DELETED:
    case G_FILE_MONITOR_EVENT_MOVED_OUT:
        forget(w, path);
        break;
    default:
        break;
    }
}

static void monitor_free(gpointer data)
{
    g_file_monitor_cancel(data);
    g_object_unref(data);
}

static gboolean add_folders_below(struct watch *w, const char *path, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        g_autoptr(GError) inner = NULL;
        if (name[0] != '.' && is_folder(child) && !add_folder(w, child, &inner)) {
            g_warning("%s", inner->message); /* one closed folder is not the end */
        }
    }
    return dir != NULL;
}

static gboolean add_folder(struct watch *w, const char *path, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    GFileMonitor *monitor =
        g_file_monitor_directory(file, G_FILE_MONITOR_WATCH_MOVES, NULL, error);
    if (!monitor) {
        return FALSE;
    }
    g_file_monitor_set_rate_limit(monitor, 200);
    g_signal_connect(monitor, "changed", G_CALLBACK(on_event), w);
    g_hash_table_replace(w->monitors, g_strdup(path), monitor);
    return !w->recursive || add_folders_below(w, path, error);
}

/* --- Files ------------------------------------------------------------------------ */

static gboolean is_told(struct watch *w, const char *path)
{
    const struct arrival *a = g_hash_table_lookup(w->told, path);
    GStatBuf info;
    return a && g_stat(path, &info) == 0 && info.st_size == a->bytes
           && info.st_mtime == a->mtime;
}

/* Finds what no event told of. */
static void list_again(struct watch *w)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    if (!library_scan(w->folder, w->recursive, NULL, images, &error)) {
        g_warning("%s", error->message); /* a network folder may come back */
    }
    for (guint i = 0; i < images->len; i++) {
        if (!is_told(w, images->pdata[i])
            && !g_hash_table_contains(w->arrivals, images->pdata[i])) {
            note(w, images->pdata[i], FALSE);
        }
    }
    gint64 end = g_get_monotonic_time();
    w->next_list = end + MAX(LIST_US, LIST_SHARE * (end - start));
}

/* An empty file has only begun. */
static gboolean is_whole(struct arrival *a, const char *path, gint64 now)
{
    GStatBuf info;
    if (g_stat(path, &info) != 0 || info.st_size == 0) {
        return FALSE;
    }
    if (info.st_size != a->bytes || info.st_mtime != a->mtime) {
        a->bytes = info.st_size;
        a->mtime = info.st_mtime;
        a->since = now;
    }
    return a->closed || now - a->since >= SETTLE_US;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void take_whole(struct watch *w, GPtrArray *out)
{
    GHashTableIter iter;
    gpointer path, arrival;
    gint64 now = g_get_monotonic_time();
    if (now >= w->next_list) {
        list_again(w);
    }
    g_hash_table_iter_init(&iter, w->arrivals);
    while (g_hash_table_iter_next(&iter, &path, &arrival)) {
        if (is_whole(arrival, path, now)) {
            g_ptr_array_add(out, g_strdup(path));
            g_hash_table_replace(w->told, path, arrival);
            g_hash_table_iter_steal(&iter);
        }
    }
    g_ptr_array_sort(out, by_name);
}

static gboolean wake(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

GPtrArray *watch_take(struct watch *w, guint wait_ms)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
    GMainContext *context = g_main_context_get_thread_default();
    g_autoptr(GSource) timer = g_timeout_source_new(MIN(wait_ms, LOOK_MS));
    gint64 end = g_get_monotonic_time() + (gint64)wait_ms * 1000;
    g_source_set_callback(timer, wake, NULL, NULL);
    g_source_attach(timer, context);
    while (g_main_context_iteration(context, FALSE)) {
    }
    take_whole(w, out);
    while (out->len == 0 && g_get_monotonic_time() < end) {
        g_main_context_iteration(context, TRUE);
        take_whole(w, out);
    }
    g_source_destroy(timer);
    return out;
}

struct watch *watch_new(const char *folder, gboolean recursive, GError **error)
{
    struct watch *w = g_new0(struct watch, 1);
    w->folder = g_strdup(folder);
    w->recursive = recursive;
    w->monitors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, monitor_free);
    w->arrivals = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    w->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!add_folder(w, folder, error)) {
        watch_free(w);
        return NULL;
    }
    return w;
}

void watch_free(struct watch *w)
{
    if (w) {
        g_hash_table_unref(w->monitors);
        g_hash_table_unref(w->arrivals);
        g_hash_table_unref(w->told);
        g_free(w->folder);
        g_free(w);
    }
}
