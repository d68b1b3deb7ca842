#include "app/library/locator.h"

#include "app/library/library.h"

#include <glib/gstdio.h>
#include <string.h>

struct place {
    char *path;
    char *shown; /* composed UTF-8 */
};

struct locator {
    GPtrArray *places;
    GHashTable *by_name, *by_stem; /* last part of `shown` -> GPtrArray of places */
    GHashTable *by_size;           /* bytes -> GPtrArray of places whose hash is not taken
                                    * yet; NULL before the first is asked for */
    GHashTable *by_hash;           /* -> place */
};

static void place_free(gpointer data)
{
    struct place *place = data;
    g_free(place->path);
    g_free(place->shown);
    g_free(place);
}

struct locator *locator_new(void)
{
    struct locator *l = g_new0(struct locator, 1);
    GDestroyNotify list_free = (GDestroyNotify)g_ptr_array_unref;
    l->places = g_ptr_array_new_with_free_func(place_free);
    l->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_free);
    l->by_stem = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_free);
    return l;
}

void locator_free(struct locator **locator)
{
    struct locator *l = *locator;
    *locator = NULL;
    if (l) {
        g_hash_table_unref(l->by_name);
        g_hash_table_unref(l->by_stem);
        g_clear_pointer(&l->by_size, g_hash_table_unref);
        g_clear_pointer(&l->by_hash, g_hash_table_unref);
        g_ptr_array_unref(l->places);
        g_free(l);
    }
}

/* --- Names ---------------------------------------------------------------------------- */

/* Some systems store accents apart from their letters. */
static char *compose(const char *text)
{
    char *composed = g_utf8_normalize(text, -1, G_NORMALIZE_DEFAULT_COMPOSE);
    return composed ? composed : g_strdup(text);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Bytes of a path without its suffix. */
static gsize stem_length(const char *path)
{
    const char *dot = strrchr(last_part(path), '.');
    return dot ? (gsize)(dot - path) : strlen(path);
}

static void add_to(GHashTable *table, char *key, struct place *place)
{
    GPtrArray *list = g_hash_table_lookup(table, key);
    if (list) {
        g_free(key);
    } else {
        list = g_ptr_array_new();
        g_hash_table_insert(table, key, list);
    }
    g_ptr_array_add(list, place);
}

void locator_add(struct locator *l, const char *path)
{
    struct place *place = g_new0(struct place, 1);
    place->path = g_strdup(path);
    place->shown = compose(path);
    g_ptr_array_add(l->places, place);
    const char *name = last_part(place->shown);
    add_to(l->by_name, g_strdup(name), place);
    add_to(l->by_stem, g_strndup(name, stem_length(name)), place);
}

/* How many last parts two paths have in common. */
static guint shared_parts(const char *a, gsize na, const char *b, gsize nb)
{
    guint parts = 0;
    while (na > 0 && nb > 0 && a[na - 1] == b[nb - 1]) {
        na--;
        nb--;
        parts += a[na] == '/';
    }
    gboolean whole = (na == 0 || a[na - 1] == '/') && (nb == 0 || b[nb - 1] == '/');
    return parts + (whole && a[na] != '/');
}

const char *locator_by_name(const struct locator *l, const char *name, guint *parts)
{
    g_autofree char *wanted = compose(name);
    if (!strchr(wanted, '/')) {
        g_strdelimit(wanted, "\\", '/');
    }
    const GPtrArray *list = g_hash_table_lookup(l->by_name, last_part(wanted));
    gboolean stem = !list && !library_is_image_name(wanted);
    if (stem) {
        list = g_hash_table_lookup(l->by_stem, last_part(wanted));
    }
    const char *best = NULL;
    *parts = 0;
    for (guint i = 0; list && i < list->len; i++) {
        const struct place *place = list->pdata[i];
        gsize length = stem ? stem_length(place->shown) : strlen(place->shown);
        guint n = shared_parts(wanted, strlen(wanted), place->shown, length);
        if (n > *parts) {
            best = place->path;
            *parts = n;
        } else if (n == *parts) {
            best = NULL;
        }
    }
    return best;
}

/* --- Content -------------------------------------------------------------------------- */

static void list_sizes(struct locator *l)
{
    l->by_size = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                       (GDestroyNotify)g_ptr_array_unref);
    l->by_hash = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < l->places->len; i++) {
        struct place *place = l->places->pdata[i];
        GStatBuf info;
        if (g_stat(place->path, &info) != 0) {
            continue;
        }
        gint64 size = info.st_size;
        GPtrArray *list = g_hash_table_lookup(l->by_size, &size);
        if (!list) {
            list = g_ptr_array_new();
            g_hash_table_insert(l->by_size, g_memdup2(&size, sizeof size), list);
        }
        g_ptr_array_add(list, place);
    }
}

/* A file that cannot be read has no content that could be found. */
static void take_hashes(struct locator *l, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        struct place *place = list->pdata[i];
        gint64 size;
        char *hash = library_hash(place->path, NULL, &size, NULL);
        if (hash && !g_hash_table_contains(l->by_hash, hash)) {
            g_hash_table_insert(l->by_hash, hash, place);
        } else {
            g_free(hash);
        }
    }
}

const char *locator_by_content(struct locator *l, const char *hash, gint64 bytes)
{
    if (!l->by_size) {
        list_sizes(l);
    }
    GHashTableIter each;
    gpointer size, list;
    g_hash_table_iter_init(&each, l->by_size);
    if (bytes > 0) {
        list = g_hash_table_lookup(l->by_size, &bytes);
        if (list) {
            take_hashes(l, list);
            g_hash_table_remove(l->by_size, &bytes);
        }
    } else {
        while (g_hash_table_iter_next(&each, &size, &list)) {
            take_hashes(l, list);
            g_hash_table_iter_remove(&each);
        }
    }
    const struct place *found = g_hash_table_lookup(l->by_hash, hash);
    return found ? found->path : NULL;
}
