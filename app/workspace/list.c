/* A list of images that changes as a whole: an order is a new array. */
#include "app/workspace/workspace_private.h"

static GType get_item_type(GListModel *model)
{
    return TL_TYPE_IMAGE;
}

static guint get_n_items(GListModel *model)
{
    return IMAGE_LIST(model)->items->len;
}

static gpointer get_item(GListModel *model, guint position)
{
    GPtrArray *items = IMAGE_LIST(model)->items;
    return position < items->len ? g_object_ref(items->pdata[position]) : NULL;
}

static void model_init(GListModelInterface *interface)
{
    interface->get_item_type = get_item_type;
    interface->get_n_items = get_n_items;
    interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(ImageList, image_list, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, model_init))

static void image_list_finalize(GObject *object)
{
    g_ptr_array_unref(IMAGE_LIST(object)->items);
    G_OBJECT_CLASS(image_list_parent_class)->finalize(object);
}

static void image_list_class_init(ImageListClass *class)
{
    G_OBJECT_CLASS(class)->finalize = image_list_finalize;
}

static void image_list_init(ImageList *self)
{
    self->items = image_array();
}

void image_list_take(ImageList *self, GPtrArray *items)
{
    GPtrArray *before = self->items;
    guint start = 0, old = before->len, new = items->len;
    while (start < MIN(old, new) && before->pdata[start] == items->pdata[start]) {
        start++;
    }
    while (old > start && new > start
           && before->pdata[old - 1] == items->pdata[new - 1]) {
        old--;
        new--;
    }
    self->items = items;
    if (old > start || new > start) {
        g_list_model_items_changed(G_LIST_MODEL(self), start, old - start, new - start);
    }
    g_ptr_array_unref(before);
}
