/* An image of a workspace, as lists show it. */
#include "app/workspace/workspace_private.h"

#include <string.h>

G_DEFINE_FINAL_TYPE(TlImage, tl_image, G_TYPE_OBJECT)

static void tl_image_finalize(GObject *object)
{
    TlImage *self = TL_IMAGE(object);
    g_free(self->path);
    g_free(self->name);
    g_free(self->error);
    g_free(self->hash);
    g_clear_pointer(&self->tokens, g_bytes_unref);
    g_clear_pointer(&self->confidence, g_array_unref);
    g_clear_pointer(&self->verdict, g_array_unref);
    G_OBJECT_CLASS(tl_image_parent_class)->finalize(object);
}

static void tl_image_class_init(TlImageClass *class)
{
    G_OBJECT_CLASS(class)->finalize = tl_image_finalize;
}

static void tl_image_init(TlImage *self)
{
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
    return self->confidence && index < self->confidence->len
               ? g_array_index(self->confidence, float, index) : -1;
}

StoreVerdict tl_image_verdict(TlImage *self, guint index)
{
    return self->verdict && index < self->verdict->len
               ? g_array_index(self->verdict, StoreVerdict, index) : STORE_CLEARED;
}

/* Sorts into the first `n` of out by insertion; few labels are shown of many. */
static guint insert(TlImage *self, guint label, guint n, guint most, guint *out)
{
    double value = 2 * tl_image_verdict(self, label) + tl_image_confidence(self, label);
    guint at = n;
    while (at > 0 && value > 2 * tl_image_verdict(self, out[at - 1])
                                 + tl_image_confidence(self, out[at - 1])) {
        at--;
    }
    if (at >= most) {
        return n;
    }
    n = MIN(n + 1, most);
    memmove(out + at + 1, out + at, (n - at - 1) * sizeof *out);
    out[at] = label;
    return n;
}

guint tl_image_strongest(TlImage *self, guint labels, guint most, guint *out)
{
    guint n = 0;
    for (guint l = 0; l < labels; l++) {
        if (tl_image_confidence(self, l) >= 0
            || tl_image_verdict(self, l) != STORE_CLEARED) {
            n = insert(self, l, n, most, out);
        }
    }
    return n;
}

void image_set_confidence(TlImage *self, guint index, float value)
{
    self->confidence = self->confidence ? self->confidence
                                        : g_array_new(FALSE, FALSE, sizeof(float));
    while (self->confidence->len <= index) {
        float unknown = -1;
        g_array_append_val(self->confidence, unknown);
    }
    g_array_index(self->confidence, float, index) = value;
}

void image_set_verdict(TlImage *self, guint index, StoreVerdict verdict)
{
    if (!self->verdict && verdict == STORE_CLEARED) {
        return;
    }
    self->verdict = self->verdict ? self->verdict
                                  : g_array_new(FALSE, TRUE, sizeof(StoreVerdict));
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
    g_clear_pointer(&self->confidence, g_array_unref);
}

void image_drop_label(TlImage *self, guint index)
{
    if (self->confidence && index < self->confidence->len) {
        g_array_remove_index(self->confidence, index);
    }
    if (self->verdict && index < self->verdict->len) {
        g_array_remove_index(self->verdict, index);
    }
}

GPtrArray *image_array(void)
{
    return g_ptr_array_new_with_free_func(g_object_unref);
}
