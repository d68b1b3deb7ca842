#include "app/image/thumbnail_cache.h"

#include "app/image/image.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

static const struct { int side; const char *folder; } sizes[] = {
    { 128, "normal" }, { 256, "large" }, { 512, "x-large" }, { 1024, "xx-large" } };

/* What a thumbnail is valid for. */
typedef struct { char *uri, *name, *mtime, *bytes; } Key;

static void key_clear(Key *key)
{
    g_free(key->uri);
    g_free(key->name);
    g_free(key->mtime);
    g_free(key->bytes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Key, key_clear)

static gboolean key_init(Key *key, const char *path)
{
    GStatBuf info;
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    *key = (Key){ 0 };
    if (g_stat(path, &info) != 0) {
        return FALSE;
    }
    key->uri = g_filename_to_uri(whole, NULL, NULL);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, key->uri, -1);
    key->name = g_strconcat(sum, ".png", NULL);
    key->mtime = g_strdup_printf("%" G_GINT64_FORMAT, (gint64)info.st_mtime);
    key->bytes = g_strdup_printf("%" G_GINT64_FORMAT, (gint64)info.st_size);
    return TRUE;
}

static char *folder_path(const char *folder)
{
    return g_build_filename(g_get_user_cache_dir(), "thumbnails", folder, NULL);
}

static gboolean has_option(GdkPixbuf *pixbuf, const char *name, const char *value)
{
    return g_strcmp0(gdk_pixbuf_get_option(pixbuf, name), value) == 0;
}

static GdkPixbuf *read_valid(const char *folder, const Key *key)
{
    g_autofree char *dir = folder_path(folder);
    g_autofree char *file = g_build_filename(dir, key->name, NULL);
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new_from_file(file, NULL);
    return pixbuf && has_option(pixbuf, "tEXt::Thumb::URI", key->uri)
                   && has_option(pixbuf, "tEXt::Thumb::MTime", key->mtime)
               ? g_steal_pointer(&pixbuf) : NULL;
}

/* Under another name first, so that nobody reads half of it. */
static void write_valid(const char *folder, const Key *key, GdkPixbuf *pixbuf)
{
    g_autofree char *dir = folder_path(folder);
    g_autofree char *file = g_build_filename(dir, key->name, NULL);
    g_autofree char *partial = g_strdup_printf("%s.XXXXXX", file);
    if (g_mkdir_with_parents(dir, 0700) != 0) {
        return;
    }
    int fd = g_mkstemp_full(partial, O_RDWR, 0600);
    if (fd < 0) {
        return;
    }
    close(fd);
    gboolean good = gdk_pixbuf_save(
        pixbuf, partial, "png", NULL, "tEXt::Thumb::URI", key->uri, "tEXt::Thumb::MTime",
        key->mtime, "tEXt::Thumb::Size", key->bytes, "tEXt::Software", "Taglight", NULL);
    if (!good || g_rename(partial, file) != 0) {
        g_unlink(partial);
    }
}

/* The cache's own pictures get none, by its rules. */
static gboolean is_of_cache(const char *path)
{
    g_autofree char *dir = folder_path("");
    return g_str_has_prefix(path, dir);
}

static GdkPixbuf *scale_to(GdkPixbuf *pixbuf, int side)
{
    int width = gdk_pixbuf_get_width(pixbuf), height = gdk_pixbuf_get_height(pixbuf);
    if (MAX(width, height) <= side) {
        return g_object_ref(pixbuf);
    }
    double scale = (double)side / MAX(width, height);
    return gdk_pixbuf_scale_simple(pixbuf, MAX(1, (int)(width * scale)),
                                   MAX(1, (int)(height * scale)), GDK_INTERP_BILINEAR);
}

static GdkPixbuf *find(const Key *key, guint from)
{
    GdkPixbuf *pixbuf = NULL;
    for (guint i = from; i < G_N_ELEMENTS(sizes) && !pixbuf; i++) {
        pixbuf = read_valid(sizes[i].folder, key);
    }
    return pixbuf;
}

GdkPixbuf *thumbnail_cache_get(const char *path, int side, GCancellable *cancellable,
                               GError **error)
{
    guint size = 0;
    g_auto(Key) key = { 0 };
    while (size < G_N_ELEMENTS(sizes) && sizes[size].side < side) {
        size++;
    }
    if (size == G_N_ELEMENTS(sizes) || is_of_cache(path) || !key_init(&key, path)) {
        return img_thumbnail(path, side, cancellable, error);
    }
    g_autoptr(GdkPixbuf) known = find(&key, size);
    if (known) {
        return scale_to(known, side);
    }
    g_autoptr(GdkPixbuf) made = img_thumbnail(path, sizes[size].side, cancellable, error);
    if (!made) {
        return NULL;
    }
    write_valid(sizes[size].folder, &key, made);
    return scale_to(made, side);
}
