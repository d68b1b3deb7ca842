#include "app/scenes/dataset_private.h"
#include "app/scenes/paint.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

const char *const dataset_split_names[3] = { "train", "val", "test" };

/* Shared by the threads that draw. Each picture and its scene belong to the one thread
 * that took its number; the lock guards `error`, the counters are atomic. */
struct drawing {
    const struct dataset_options *options;
    const char *folder;
    struct scene *scenes;  /* [options->count] */
    gint next, done, failed;
    GMutex lock;
    GError *error;
};

gboolean dataset_io_error(const char *path, GError **error)
{
    int code = errno;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", path,
                g_strerror(code));
    return FALSE;
}

/* --- Splits ----------------------------------------------------------------------- */

int dataset_split_start(const struct dataset_options *options, int split)
{
    double before = 0;
    for (int s = 0; s < split; s++) {
        before += options->split[s];
    }
    return split == 3 ? options->count : (int)lround(before * options->count);
}

int dataset_split_of(const struct dataset_options *options, int picture)
{
    if (options->split[0] + options->split[1] + options->split[2] == 0) {
        return -1;
    }
    int split = 0;
    while (split < 2 && picture >= dataset_split_start(options, split + 1)) {
        split++;
    }
    return split;
}

/* --- One picture ------------------------------------------------------------------ */

static gboolean plan(struct drawing *d, int picture, GError **error)
{
    const struct dataset_options *o = d->options;
    int split = dataset_split_of(o, picture);
    int position = picture - (split < 0 ? 0 : dataset_split_start(o, split));
    gboolean any = split < 0 ? !o->held_out : split == 2;
    if (!scene_plan(&d->scenes[picture], o->seed, (guint64)picture, (guint64)position,
                    any ? SCENE_ANY : SCENE_SEEN_ONLY, &o->style)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no arrangement was found "
                    "for picture %d of seed %" G_GUINT64_FORMAT, picture + 1, o->seed);
        return FALSE;
    }
    return TRUE;
}

static gboolean draw(struct drawing *d, int picture, guint8 *rgb, GError **error)
{
    int side = d->options->side;
    g_autofree char *path =
        g_strdup_printf("%s/images/%06d.jpg", d->folder, picture + 1);
    g_autofree char *bytes = NULL;
    gsize size;
    if (!plan(d, picture, error)
        || !paint_scene(&d->scenes[picture], side, rgb, error)) {
        return FALSE;
    }
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new_from_data(
        rgb, GDK_COLORSPACE_RGB, FALSE, 8, side, side, 3 * side, NULL, NULL);
    return gdk_pixbuf_save_to_buffer(pixbuf, &bytes, &size, "jpeg", error, "quality",
                                     "94", NULL)
           && g_file_set_contents_full(path, bytes, (gssize)size,
                                       G_FILE_SET_CONTENTS_NONE, 0666, error);
}

/* --- All pictures ----------------------------------------------------------------- */

static void show_progress(struct drawing *d, gint64 start_us, gboolean last)
{
    int done = g_atomic_int_get(&d->done), count = d->options->count;
    double seconds = (double)(g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
    double rate = done / MAX(seconds, 1e-3);
    g_printerr("\r%d of %d pictures, %.0f a second, %.0f s left \033[K%s", done, count,
               rate, rate > 0 ? (count - done) / rate : 0, last ? "\n" : "");
}

/* Takes numbers until none is left or something failed. `start_us` is of the thread
 * that shows the progress, 0 in the others. */
static void draw_some(struct drawing *d, gint64 start_us)
{
    int side = d->options->side;
    g_autofree guint8 *rgb = g_malloc(3 * (gsize)side * (gsize)side);
    gint64 shown_us = start_us;
    while (!g_atomic_int_get(&d->failed)) {
        GError *error = NULL;
        int picture = g_atomic_int_add(&d->next, 1);
        if (picture >= d->options->count) {
            break;
        }
        if (!draw(d, picture, rgb, &error)) {
            g_mutex_lock(&d->lock);
            if (!d->error) {
                d->error = g_steal_pointer(&error);
            }
            g_mutex_unlock(&d->lock);
            g_clear_error(&error);
            g_atomic_int_set(&d->failed, 1);
            break;
        }
        g_atomic_int_inc(&d->done);
        if (start_us && g_get_monotonic_time() - shown_us > G_USEC_PER_SEC / 5) {
            shown_us = g_get_monotonic_time();
            show_progress(d, start_us, FALSE);
        }
    }
}

static gpointer draw_beside(gpointer data)
{
    draw_some(data, 0);
    return NULL;
}

static gboolean draw_all(struct drawing *d, GError **error)
{
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    gint64 start_us = g_get_monotonic_time();
    g_mutex_init(&d->lock);
    words_vocabulary();
    for (int i = 1; i < MIN(d->options->jobs, d->options->count); i++) {
        g_ptr_array_add(threads, g_thread_new("draw", draw_beside, d));
    }
    draw_some(d, d->options->progress ? start_us : 0);
    for (guint i = 0; i < threads->len; i++) {
        g_thread_join(threads->pdata[i]);
    }
    if (d->options->progress) {
        show_progress(d, start_us, TRUE);
    }
    g_mutex_clear(&d->lock);
    if (d->error) {
        g_propagate_error(error, g_steal_pointer(&d->error));
        return FALSE;
    }
    return TRUE;
}

/* --- The folder ------------------------------------------------------------------- */

static gboolean is_empty_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    return dir && !g_dir_read_name(dir);
}

/* Only for the folder that this run made: it holds files and one folder of files. */
static void remove_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_unlink(child) != 0) {
            remove_folder(child);
        }
    }
    g_rmdir(path);
}

static gboolean fill_folder(const struct dataset_options *options, const char *folder,
                            GError **error)
{
    g_autofree char *images = g_build_filename(folder, "images", NULL);
    struct drawing d = { .options = options, .folder = folder };
    if (g_mkdir(images, 0777) != 0) {
        return dataset_io_error(images, error);
    }
    d.scenes = g_try_new0(struct scene, options->count);
    if (!d.scenes) {
        errno = ENOMEM;
        return dataset_io_error(folder, error);
    }
    gboolean good = draw_all(&d, error)
                    && dataset_write_labels(folder, options, d.scenes, error);
    g_free(d.scenes);
    return good;
}

gboolean dataset_write(const struct dataset_options *options, GError **error)
{
    g_autofree char *out = g_canonicalize_filename(options->out, NULL);
    g_autofree char *folder = g_strdup_printf("%s.%ld.part", out, (long)getpid());
    if (g_file_test(out, G_FILE_TEST_EXISTS) && !is_empty_folder(out)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_EMPTY, "%s: this is not an empty "
                    "folder; pictures are drawn into a new one", out);
        return FALSE;
    }
    if (g_mkdir(folder, 0777) != 0) {
        return dataset_io_error(folder, error);
    }
    gboolean good = fill_folder(options, folder, error);
    if (good && g_rename(folder, out) != 0) {
        good = dataset_io_error(out, error);
    }
    if (!good) {
        remove_folder(folder);
    }
    return good;
}
