#include "ui/thumbnails.h"

#include "app/image/thumbnail_cache.h"

#define KEEP 600
#define PATH_KEY "taglight-path"

struct _TlThumbnails {
    GObject parent;
    int side;
    GHashTable *textures; /* path -> GdkTexture */
    GQueue order;         /* of paths, oldest first */
    GQueue wishes;        /* of GtkPicture, newest first */
    gboolean busy;
};

G_DEFINE_FINAL_TYPE(TlThumbnails, tl_thumbnails, G_TYPE_OBJECT)

static void make_next(TlThumbnails *self);

static void keep(TlThumbnails *self, const char *path, GdkTexture *texture)
{
    g_hash_table_insert(self->textures, g_strdup(path), g_object_ref(texture));
    g_queue_push_tail(&self->order, g_strdup(path));
    while (self->order.length > KEEP) {
        g_autofree char *oldest = g_queue_pop_head(&self->order);
        g_hash_table_remove(self->textures, oldest);
    }
}

static void thumbnail_thread(GTask *task, gpointer source, gpointer data,
                             GCancellable *cancellable)
{
    GError *error = NULL;
    int side = TL_THUMBNAILS(source)->side; /* constant */
    g_autoptr(GdkPixbuf) pixbuf = thumbnail_cache_get(data, side, cancellable, &error);
    if (pixbuf) {
        g_task_return_pointer(task, gdk_texture_new_for_pixbuf(pixbuf), g_object_unref);
    } else {
        g_task_return_error(task, error);
    }
}

static void on_made(GObject *source, GAsyncResult *result, gpointer data)
{
    TlThumbnails *self = TL_THUMBNAILS(source);
    g_autoptr(GtkPicture) picture = data;
    const char *path = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    g_autoptr(GdkTexture) texture = g_task_propagate_pointer(G_TASK(result), &error);
    const char *wanted = g_object_get_data(G_OBJECT(picture), PATH_KEY);
    if (texture) {
        keep(self, path, texture);
    }
    if (wanted && g_str_equal(wanted, path)) {
        gtk_picture_set_paintable(picture, texture ? GDK_PAINTABLE(texture) : NULL);
        gtk_widget_set_tooltip_text(GTK_WIDGET(picture), error ? error->message : NULL);
    }
    self->busy = FALSE;
    make_next(self);
}

static void make_next(TlThumbnails *self)
{
    while (!self->busy && !g_queue_is_empty(&self->wishes)) {
        g_autoptr(GtkPicture) picture = g_queue_pop_head(&self->wishes);
        const char *path = g_object_get_data(G_OBJECT(picture), PATH_KEY);
        if (!path) {
            continue;
        }
        self->busy = TRUE;
        g_autoptr(GTask) task = g_task_new(self, NULL, on_made, g_object_ref(picture));
        g_task_set_task_data(task, g_strdup(path), g_free);
        g_task_run_in_thread(task, thumbnail_thread);
    }
}

void tl_thumbnails_show(TlThumbnails *self, GtkPicture *picture, const char *path)
{
    GdkTexture *known = g_hash_table_lookup(self->textures, path);
    g_object_set_data_full(G_OBJECT(picture), PATH_KEY, g_strdup(path), g_free);
    gtk_picture_set_paintable(picture, known ? GDK_PAINTABLE(known) : NULL);
    if (!known) {
        g_queue_push_head(&self->wishes, g_object_ref(picture));
        make_next(self);
    }
}

GdkTexture *tl_thumbnails_find(TlThumbnails *self, const char *path)
{
    return g_hash_table_lookup(self->textures, path);
}

void tl_thumbnails_forget(TlThumbnails *self, GtkPicture *picture)
{
    g_object_set_data(G_OBJECT(picture), PATH_KEY, NULL);
    gtk_picture_set_paintable(picture, NULL);
    if (g_queue_remove(&self->wishes, picture)) {
        g_object_unref(picture);
    }
}

static void tl_thumbnails_finalize(GObject *object)
{
    TlThumbnails *self = TL_THUMBNAILS(object);
    g_hash_table_unref(self->textures);
    g_queue_clear_full(&self->order, g_free);
    g_queue_clear_full(&self->wishes, g_object_unref);
    G_OBJECT_CLASS(tl_thumbnails_parent_class)->finalize(object);
}

static void tl_thumbnails_class_init(TlThumbnailsClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_thumbnails_finalize;
}

static void tl_thumbnails_init(TlThumbnails *self)
{
    self->textures =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    g_queue_init(&self->order);
    g_queue_init(&self->wishes);
}

TlThumbnails *tl_thumbnails_new(int side)
{
    TlThumbnails *self = g_object_new(TL_TYPE_THUMBNAILS, NULL);
    self->side = side;
    return self;
}
