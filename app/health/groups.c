/* Images that belong together: a forest in which every image points to an earlier one
 * of its group. Equal contents are found by sorting, near looks by an index of
 * hashes. */
#include "app/health/health_private.h"
#include "app/image/image_hash.h"

#include <string.h>

struct forest {
    const HealthSet *set;
    guint *parent;       /* [images]: an earlier one of the group, or itself */
    GArray *first_of;    /* of guint: the image of each of the index's hashes */
    guint image;         /* that is being compared */
};

static guint find_root(struct forest *f, guint image)
{
    while (f->parent[image] != image) {
        f->parent[image] = f->parent[f->parent[image]]; /* shorter next time */
        image = f->parent[image];
    }
    return image;
}

static void join(struct forest *f, guint a, guint b)
{
    a = find_root(f, a);
    b = find_root(f, b);
    f->parent[MAX(a, b)] = MIN(a, b);
}

static void join_contents(struct forest *f)
{
    g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < f->set->images->len; i++) {
        const char *hash = health_image(f->set, i)->hash;
        gpointer other = hash ? g_hash_table_lookup(first, hash) : NULL;
        if (other) {
            join(f, GPOINTER_TO_UINT(other) - 1, i);
        } else if (hash) {
            g_hash_table_insert(first, (gpointer)hash, GUINT_TO_POINTER(i + 1));
        }
    }
}

static void join_near(guint number, guint distance, gpointer data)
{
    struct forest *f = data;
    join(f, g_array_index(f->first_of, guint, number), f->image);
}

/* Each hash stands in the index once, so that a thousand copies cost no more than
 * one. */
static void join_looks(struct forest *f)
{
    struct hash_index *index = hash_index_new();
    g_autoptr(GHashTable) first = g_hash_table_new(g_int64_hash, g_int64_equal);
    f->first_of = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < f->set->images->len; i++) {
        HealthImage *image = health_image(f->set, i);
        if (!image->hashed || !img_hash_tells(image->looks)) {
            continue;
        }
        gpointer other = g_hash_table_lookup(first, &image->looks);
        if (other) {
            join(f, GPOINTER_TO_UINT(other) - 1, i);
            continue;
        }
        f->image = i;
        hash_index_each(index, image->looks, join_near, f);
        hash_index_add(index, image->looks);
        g_array_append_val(f->first_of, i);
        g_hash_table_insert(first, &image->looks, GUINT_TO_POINTER(i + 1));
    }
    hash_index_free(&index);
    g_array_unref(f->first_of);
}

/* --- Groups ----------------------------------------------------------------------- */

static void free_group(gpointer data)
{
    HealthGroup *group = data;
    g_array_unref(group->images);
    g_free(group);
}

static HealthGroup *new_group(guint image)
{
    HealthGroup *group = g_new0(HealthGroup, 1);
    group->images = g_array_new(FALSE, FALSE, sizeof(guint));
    group->same = TRUE;
    g_array_append_val(group->images, image);
    return group;
}

static void put_in_group(struct forest *f, HealthGroup *group, guint image)
{
    const char *a = health_image(f->set, g_array_index(group->images, guint, 0))->hash;
    const char *b = health_image(f->set, image)->hash;
    group->same = group->same && a && b && strcmp(a, b) == 0;
    g_array_append_val(group->images, image);
}

GPtrArray *health_groups(const HealthSet *set, gboolean near)
{
    guint n = set->images->len;
    struct forest f = { .set = set, .parent = g_new(guint, MAX(n, 1)) };
    GPtrArray *groups = g_ptr_array_new_with_free_func(free_group);
    g_autoptr(GHashTable) group_of = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < n; i++) {
        f.parent[i] = i;
    }
    join_contents(&f);
    if (near) {
        join_looks(&f);
    }
    for (guint i = 0; i < n; i++) {
        guint root = find_root(&f, i);
        HealthGroup *group = g_hash_table_lookup(group_of, GUINT_TO_POINTER(root));
        if (root == i) {
            continue;
        }
        if (!group) {
            group = new_group(root);
            g_hash_table_insert(group_of, GUINT_TO_POINTER(root), group);
            g_ptr_array_add(groups, group);
        }
        put_in_group(&f, group, i);
    }
    g_free(f.parent);
    return groups;
}
