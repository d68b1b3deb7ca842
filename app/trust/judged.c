#include "app/trust/judged.h"

#include "app/store/browse.h"

#include <stdlib.h>
#include <string.h>

static void wording_free(gpointer data)
{
    struct trust_wording *w = data;
    g_free(w->prompt);
    g_free(w->last);
    g_array_unref(w->pairs);
    g_array_unref(w->images);
    g_free(w);
}

static struct trust_wording *find_wording(GPtrArray *wordings, const char *prompt)
{
    for (guint i = 0; i < wordings->len; i++) {
        struct trust_wording *w = wordings->pdata[i];
        if (strcmp(w->prompt, prompt) == 0) {
            return w;
        }
    }
    struct trust_wording *w = g_new0(struct trust_wording, 1);
    w->prompt = g_strdup(prompt);
    w->last = g_strdup("");
    w->pairs = g_array_new(FALSE, FALSE, sizeof(struct trust_pair));
    w->images = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_ptr_array_add(wordings, w);
    return w;
}

static gboolean add_judged(const StoreJudged *j, gpointer user_data)
{
    if (j->confidence < 0) {
        return TRUE; /* decided, and the model was not asked */
    }
    struct trust_wording *w = find_wording(user_data, j->prompt);
    struct trust_pair pair = { (float)j->confidence,
                               j->by_model ? 0 : (gint8)j->verdict };
    g_array_append_val(w->pairs, pair);
    g_array_append_val(w->images, j->image);
    if (strcmp(j->time, w->last) > 0) {
        g_free(w->last);
        w->last = g_strdup(j->time);
    }
    return TRUE;
}

struct place { gint64 image; struct trust_pair pair; };

static int by_image(gconstpointer left, gconstpointer right)
{
    const struct place *a = left, *b = right;
    return a->image < b->image ? -1 : a->image > b->image;
}

static void sort_by_image(struct trust_wording *w)
{
    guint n = w->pairs->len;
    g_autofree struct place *places = g_new(struct place, MAX(n, 1));
    for (guint i = 0; i < n; i++) {
        places[i] = (struct place){ g_array_index(w->images, gint64, i),
                                    g_array_index(w->pairs, struct trust_pair, i) };
    }
    qsort(places, n, sizeof *places, by_image);
    for (guint i = 0; i < n; i++) {
        g_array_index(w->images, gint64, i) = places[i].image;
        g_array_index(w->pairs, struct trust_pair, i) = places[i].pair;
    }
}

static int latest_first(gconstpointer left, gconstpointer right)
{
    const struct trust_wording *a = *(struct trust_wording *const *)left;
    const struct trust_wording *b = *(struct trust_wording *const *)right;
    int order = strcmp(b->last, a->last);
    return order ? order : strcmp(a->prompt, b->prompt);
}

GPtrArray *trust_load(store *s, const char *model, gint64 label, GError **error)
{
    g_autoptr(GPtrArray) wordings = g_ptr_array_new_with_free_func(wording_free);
    if (!store_each_judged(s, model, label, add_judged, wordings, error)) {
        return NULL;
    }
    for (guint i = 0; i < wordings->len; i++) {
        sort_by_image(wordings->pdata[i]);
    }
    g_ptr_array_sort(wordings, latest_first);
    return g_steal_pointer(&wordings);
}

void trust_match(const struct trust_wording *one, const struct trust_wording *other,
                 GArray *a, GArray *b)
{
    guint i = 0, j = 0;
    while (i < one->images->len && j < other->images->len) {
        gint64 left = g_array_index(one->images, gint64, i);
        gint64 right = g_array_index(other->images, gint64, j);
        if (left == right) {
            g_array_append_val(a, g_array_index(one->pairs, struct trust_pair, i));
            g_array_append_val(b, g_array_index(other->pairs, struct trust_pair, j));
        }
        i += left <= right;
        j += right <= left;
    }
}
