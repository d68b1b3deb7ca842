#include "app/commands/find_similar.h"

#include "app/commands/commands.h"
#include "app/query/similar.h"
#include "app/tagger/tag_model.h"
#include "app/tagger/tagger.h"

struct picture { guint tokens, width; float *mean; };

static gboolean take_tokens(const struct tagger_item *items, guint n,
                            const struct tagger_stats *stats, gpointer data, GError **error)
{
    struct picture *p = data;
    if (items[0].error) {
        g_propagate_error(error, g_error_copy(items[0].error));
        return FALSE;
    }
    similar_mean(items[0].tokens, p->tokens, p->width, p->mean);
    return TRUE;
}

/* The mean token of the picture itself, which need not be in the database. */
static gboolean look_at(const struct tag_model *m, const char *path, struct picture *p,
                        GError **error)
{
    struct tagger_stats stats;
    struct tagger_params params = { .model = m->model, .session = m->session,
                                    .cache = m->cache, .jobs = 1, .put = take_tokens,
                                    .data = p };
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    g_ptr_array_add(paths, (gpointer)path);
    return tagger_run(&params, paths, &stats, error);
}

/* Mean tokens of the images that the cache knows: features [known,width]. */
static GArray *load_features(const struct find_similar_params *params,
                             const struct tag_model *m, guint width, GArray *known)
{
    GArray *features = g_array_new(FALSE, FALSE, sizeof(float));
    g_autofree float *mean = g_new(float, width);
    for (guint i = 0; i < params->images->len; i++) {
        guint image = g_array_index(params->images, guint, i);
        const char *hash = catalogue_hash(params->catalogue, image);
        if (token_cache_get_mean(m->cache, hash, width, mean)) {
            g_array_append_vals(features, mean, width);
            g_array_append_val(known, image);
        }
    }
    return features;
}

static gboolean rank(const struct find_similar_params *params, const struct tag_model *m,
                     GArray *images, GArray *likeness, guint *unseen, GError **error)
{
    guint width = session_token_width(m->session);
    g_autofree float *mean = g_new(float, width);
    struct picture picture = { session_token_count(m->session), width, mean };
    if (!look_at(m, params->like, &picture, error)) {
        return FALSE;
    }
    g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GArray) features = load_features(params, m, width, known);
    g_autoptr(GArray) matches = similar_rank((const float *)(gpointer)features->data,
                                             known->len, width, mean, known->len);
    for (guint i = 0; i < matches->len; i++) {
        const struct similar_match *match = &g_array_index(matches, struct similar_match, i);
        g_array_append_val(images, g_array_index(known, guint, match->image));
        g_array_append_val(likeness, match->cosine);
    }
    *unseen = params->images->len - known->len;
    return TRUE;
}

gboolean find_similar(const struct find_similar_params *params, GArray **images,
                      GArray **likeness, guint *unseen, GError **error)
{
    g_autofree char *cache = command_cache_dir();
    struct tag_model m = { 0 };
    struct tag_model_params open = { .path = params->model, .device = params->device,
                                     .cache_dir = cache };
    *images = g_array_new(FALSE, FALSE, sizeof(guint));
    *likeness = g_array_new(FALSE, FALSE, sizeof(float));
    gboolean good = tag_model_open(&m, &open, error)
                    && rank(params, &m, *images, *likeness, unseen, error);
    tag_model_clear(&m);
    if (!good) {
        g_clear_pointer(images, g_array_unref);
        g_clear_pointer(likeness, g_array_unref);
    }
    return good;
}
