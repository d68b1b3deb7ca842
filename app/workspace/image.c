/* An image of a workspace, as lists show it. */
#include "app/workspace/workspace_private.h"

G_DEFINE_FINAL_TYPE(TlImage, tl_image, G_TYPE_OBJECT)

static void tl_image_finalize(GObject *object)
{
    TlImage *self = TL_IMAGE(object);
    g_free(self->path);
    g_free(self->name);
    g_free(self->error);
    g_free(self->hash);
    g_clear_pointer(&self->tokens, g_bytes_unref);
    g_array_unref(self->confidence);
    g_array_unref(self->verdict);
    G_OBJECT_CLASS(tl_image_parent_class)->finalize(object);
}

static void tl_image_class_init(TlImageClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_image_finalize;
}

static void tl_image_init(TlImage *self)
{
    self->confidence = g_array_new(FALSE, TRUE, sizeof(float));
    self->verdict = g_array_new(FALSE, TRUE, sizeof(StoreVerdict));
}

TlImage *image_new(const char *path)
{
    TlImage *self = g_object_new(TL_TYPE_IMAGE, NULL);
    g_autofree char *base = g_path_get_basename(path);
    self->path = g_strdup(path);
    self->name = g_filename_display_name(base);
    return self;
}

const char *tl_image_path(TlImage *self) { return self->path; }
const char *tl_image_name(TlImage *self) { return self->name; }
const char *tl_image_error(TlImage *self) { return self->error; }

double tl_image_confidence(TlImage *self, guint index)
{
    return index < self->confidence->len ? g_array_index(self->confidence, float, index)
                                         : -1;
}

StoreVerdict tl_image_verdict(TlImage *self, guint index)
{
    return index < self->verdict->len ? g_array_index(self->verdict, StoreVerdict, index)
                                      : STORE_CLEARED;
}

void image_set_confidence(TlImage *self, guint index, float value)
{
    while (self->confidence->len <= index) {
        float unknown = -1;
        g_array_append_val(self->confidence, unknown);
    }
    g_array_index(self->confidence, float, index) = value;
}

void image_set_verdict(TlImage *self, guint index, StoreVerdict verdict)
{
    if (self->verdict->len <= index) {
        g_array_set_size(self->verdict, index + 1);
    }
    g_array_index(self->verdict, StoreVerdict, index) = verdict;
}

void image_forget(TlImage *self)
{
    g_clear_pointer(&self->tokens, g_bytes_unref);
    g_clear_pointer(&self->error, g_free);
    self->cached = FALSE;
    g_array_set_size(self->confidence, 0);
}

GPtrArray *image_array(void)
{
    return g_ptr_array_new_with_free_func(g_object_unref);
}
