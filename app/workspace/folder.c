/* The open folder: its images are found on a thread, and again whenever something in it
 * changes. An image that is still there stays what it was, with all that is known of it. */
#include "app/library/library.h"
#include "app/workspace/vocabulary.h"
#include "app/workspace/workspace_private.h"

#include <glib/gi18n.h>

/* Folders that are watched; systems allow some thousands for all programs together. */
#define MAX_WATCHED 1000
#define SETTLE_MS 500

typedef struct {
    char *path;
    gboolean again;
    GPtrArray *images, *folders; /* paths that were found */
} Scan;

static GPtrArray *paths_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static void scan_free(gpointer data)
{
    Scan *scan = data;
    g_free(scan->path);
    g_ptr_array_unref(scan->images);
    g_ptr_array_unref(scan->folders);
    g_free(scan);
}

static void scan_folder(TlWorkspace *self, gboolean again);

/* --- Watching --------------------------------------------------------------------------------- */

static gboolean on_settled(gpointer data)
{
    TlWorkspace *self = data;
    self->settle_timeout = 0;
    scan_folder(self, TRUE);
    return G_SOURCE_REMOVE;
}

/* Files come and go in numbers; what counts is that it has been quiet for a moment. */
static void on_event(GFileMonitor *monitor, GFile *file, GFile *other,
                     GFileMonitorEvent event, gpointer data)
{
    TlWorkspace *self = data;
    if (event == G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED
        || event == G_FILE_MONITOR_EVENT_CHANGED) {
        return; /* G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT follows */
    }
    if (event == G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT) {
        g_hash_table_add(self->changed, g_file_get_path(file));
    }
    g_clear_handle_id(&self->settle_timeout, g_source_remove);
    self->settle_timeout = g_timeout_add(SETTLE_MS, on_settled, self);
}

static void watch(TlWorkspace *self, const char *path)
{
    if (g_hash_table_size(self->watched) >= MAX_WATCHED
        || g_hash_table_contains(self->watched, path)) {
        return;
    }
    g_autoptr(GFile) file = g_file_new_for_path(path);
    GFileMonitor *monitor =
        g_file_monitor_directory(file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
    if (monitor) {
        g_signal_connect(monitor, "changed", G_CALLBACK(on_event), self);
        g_hash_table_insert(self->watched, g_strdup(path), monitor);
    }
}

void folder_forget(TlWorkspace *self)
{
    g_clear_handle_id(&self->settle_timeout, g_source_remove);
    g_hash_table_remove_all(self->watched);
    g_hash_table_remove_all(self->changed);
}

static void monitor_free(gpointer monitor)
{
    g_file_monitor_cancel(monitor);
    g_object_unref(monitor);
}

void folder_init(TlWorkspace *self)
{
    self->watched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, monitor_free);
    self->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* --- Images -------------------------------------------------------------------------------------- */

/* Takes over the array. */
static void show_images(TlWorkspace *self, GPtrArray *images)
{
    self->done = 0;
    for (guint i = 0; i < images->len; i++) {
        TlImage *image = images->pdata[i];
        self->done += image->cached || image->tokens || image->error;
    }
    image_list_take(self->images, images);
    self->score_from = 0;
    order_apply(self);
    workspace_set_status(self);
}

/* Those of before that are still there, and new ones for paths that are new or changed. */
static GPtrArray *images_of(TlWorkspace *self, const GPtrArray *paths)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *images = g_ptr_array_new_full(paths->len, g_object_unref);
    for (guint i = 0; i < self->images->items->len; i++) {
        TlImage *image = self->images->items->pdata[i];
        image->gone = TRUE;
        if (!g_hash_table_contains(self->changed, image->path)) {
            g_hash_table_insert(known, image->path, image);
        }
    }
    for (guint i = 0; i < paths->len; i++) {
        TlImage *image = g_hash_table_lookup(known, paths->pdata[i]);
        image = image ? g_object_ref(image) : image_new(paths->pdata[i]);
        image->gone = FALSE;
        g_ptr_array_add(images, image);
    }
    g_hash_table_remove_all(self->changed);
    return images;
}

/* --- Scanning -------------------------------------------------------------------------------------- */

static void scan_thread(GTask *task, gpointer source, gpointer data,
                        GCancellable *cancellable)
{
    Scan *scan = data;
    GError *error = NULL;
    if (library_scan_tree(scan->path, cancellable, scan->images, scan->folders, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

/* What was seen of a folder that went stays in view. */
static void on_scanned(GObject *source, GAsyncResult *result, gpointer data)
{
    TlWorkspace *self = TL_WORKSPACE(source);
    const Scan *scan = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    gboolean found = g_task_propagate_boolean(G_TASK(result), &error);
    if (!found && scan->again && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        workspace_report(self, _("The folder is gone: it was moved or removed"));
    } else if (!found) {
        workspace_report_error(self, error);
    }
    if (!found) {
        return;
    }
    show_images(self, images_of(self, scan->images));
    for (guint i = 0; i < scan->folders->len; i++) {
        watch(self, scan->folders->pdata[i]);
    }
    database_find_new(self);
    if (scan->images->len == 0 && !scan->again) {
        workspace_report(self, _("There are no images in this folder"));
    }
}

static void scan_folder(TlWorkspace *self, gboolean again)
{
    Scan *scan = g_new0(Scan, 1);
    scan->path = g_strdup(self->folder);
    scan->again = again;
    scan->images = paths_new();
    scan->folders = paths_new();
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, on_scanned, NULL);
    g_task_set_task_data(task, scan, scan_free);
    g_task_run_in_thread(task, scan_thread);
}

void tl_workspace_open_folder(TlWorkspace *self, const char *path)
{
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    self->cancellable = g_cancellable_new();
    self->busy = NULL;
    encoding_drop(self);
    scoring_cancel(self);
    folder_forget(self);
    g_free(self->folder);
    self->folder = g_canonicalize_filename(path, NULL);
    show_images(self, image_array());
    tl_workspace_read_vocabulary(self);
    scan_folder(self, FALSE);
}
