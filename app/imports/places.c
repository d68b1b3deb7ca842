#include "app/imports/places.h"

#include "app/library/library.h"
#include "app/library/locator.h"
#include "app/store/events.h"

#include <string.h>

struct search {
    store *s;
    const struct dataset *d;
    const struct places_params *params;
    struct locator *folder, *known; /* made when first asked for */
    GArray *places;
    GArray *parts; /* guint by image: how many parts of its name agreed; 0: not by name */
};

/* --- Files to choose from ------------------------------------------------------------- */

static struct locator *list_folder(const struct search *q)
{
    struct locator *l = locator_new();
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    if (!library_scan(q->params->folder, TRUE, NULL, paths, &error)) {
        g_warning("%s", error->message); /* then nothing is found there */
    }
    for (guint i = 0; i < paths->len; i++) {
        locator_add(l, paths->pdata[i]);
    }
    return l;
}

static gboolean add_known(const char *path, const char *hash, gint64 bytes,
                          gpointer user_data)
{
    locator_add(user_data, path);
    return TRUE;
}

static gboolean list_both(struct search *q, GError **error)
{
    if (!q->folder) {
        q->folder = list_folder(q);
        q->known = locator_new();
        return store_each_file(q->s, add_known, q->known, error);
    }
    return TRUE;
}

/* --- One image ------------------------------------------------------------------------ */

static void clear(struct place *place)
{
    g_clear_pointer(&place->path, g_free);
    identity_clear(&place->known);
}

/* Takes `path` for the place when there is such an image, with the content `hash` unless
 * that is NULL. */
static gboolean take(const struct search *q, struct place *place, const char *given,
                     const char *hash)
{
    g_autoptr(GError) error = NULL;
    clear(place);
    char *path = place->path = g_canonicalize_filename(given, NULL);
    struct identity *known = &place->known;
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        known->row = store_image_at(q->s, path); /* known, though gone for now */
        known->hash = known->row ? store_image_hash(q->s, known->row) : NULL;
    } else if (!identity_look_up(q->s, path, known)
               && !identity_read(path, NULL, known, &error)) {
        g_free(place->why);
        place->why = g_strdup(error->message);
    }
    if (known->hash && (!hash || strcmp(known->hash, hash) == 0)) {
        return TRUE;
    }
    clear(place);
    return FALSE;
}

static gboolean find_by_name(struct search *q, guint image, const char *hash)
{
    struct place *place = &g_array_index(q->places, struct place, image);
    struct locator *lists[] = { q->folder, q->known };
    for (int i = 0; i < 2; i++) {
        guint parts;
        const char *path = locator_by_name(lists[i], dataset_image_name(q->d, image), &parts);
        if (path && take(q, place, path, hash)) {
            g_array_index(q->parts, guint, image) = hash ? 0 : parts;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean find_by_content(struct search *q, struct place *place, const char *hash,
                                gint64 bytes)
{
    const char *path = locator_by_content(q->folder, hash, bytes);
    if (path && take(q, place, path, hash)) {
        return TRUE;
    }
    place->known.row = store_find_content(q->s, hash);
    return place->known.row != 0;
}

static gboolean find(struct search *q, guint image, GError **error)
{
    struct place *place = &g_array_index(q->places, struct place, image);
    int how = q->params->how;
    gint64 bytes;
    const char *hash = how & PLACES_BY_CONTENT ? dataset_image_hash(q->d, image, &bytes)
                                               : NULL;
    g_autofree char *path = dataset_image_path(q->d, image);
    if ((how & PLACES_BY_PATH) && take(q, place, path, hash)) {
        place->how = PLACES_BY_PATH;
        return TRUE;
    }
    if (((how & PLACES_BY_NAME) || hash) && !list_both(q, error)) {
        return FALSE;
    }
    if ((how & PLACES_BY_NAME) && find_by_name(q, image, hash)) {
        place->how = PLACES_BY_NAME;
    } else if (hash && find_by_content(q, place, hash, bytes)) {
        place->how = PLACES_BY_CONTENT;
    }
    return TRUE;
}

/* --- All of them ---------------------------------------------------------------------- */

/* Of those that got one file the one stays that has it by its path, or whose name agrees
 * in more parts than any other's. */
static void settle_names(struct search *q)
{
    g_autoptr(GHashTable) owner = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) most = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < q->places->len; i++) {
        const struct place *place = &g_array_index(q->places, struct place, i);
        guint parts = g_array_index(q->parts, guint, i);
        parts = place->how == PLACES_BY_NAME ? parts : G_MAXUINT;
        guint best = place->path
                         ? GPOINTER_TO_UINT(g_hash_table_lookup(most, place->path)) : 0;
        if (place->path && parts > best) {
            g_hash_table_insert(most, place->path, GUINT_TO_POINTER(parts));
            g_hash_table_insert(owner, place->path, GUINT_TO_POINTER(i + 1));
        } else if (place->path && parts == best) {
            g_hash_table_insert(owner, place->path, NULL);
        }
    }
    for (guint i = 0; i < q->places->len; i++) {
        struct place *place = &g_array_index(q->places, struct place, i);
        if (place->path && g_array_index(q->parts, guint, i) > 0
            && g_hash_table_lookup(owner, place->path) != GUINT_TO_POINTER(i + 1)) {
            place->how = 0;
            g_free(place->why);
            place->why = g_strdup("another name is as good for its file");
        }
    }
}

GArray *places_find(store *s, const struct dataset *d, const struct places_params *params,
                    GError **error)
{
    struct search q = { .s = s, .d = d, .params = params,
                        .places = g_array_new(FALSE, TRUE, sizeof(struct place)),
                        .parts = g_array_new(FALSE, TRUE, sizeof(guint)) };
    gboolean good = TRUE;
    g_array_set_size(q.places, dataset_n_images(d));
    g_array_set_size(q.parts, dataset_n_images(d));
    for (guint i = 0; good && i < dataset_n_images(d); i++) {
        good = find(&q, i, error);
        if (params->progress) {
            params->progress(i + 1, params->user_data);
        }
    }
    settle_names(&q);
    locator_free(&q.folder);
    locator_free(&q.known);
    g_array_unref(q.parts);
    if (!good) {
        places_free(&q.places);
    }
    return q.places;
}

void places_free(GArray **places)
{
    for (guint i = 0; *places && i < (*places)->len; i++) {
        struct place *place = &g_array_index(*places, struct place, i);
        clear(place);
        g_free(place->why);
    }
    g_clear_pointer(places, g_array_unref);
}
