#include "app/commands/evaluate_model.h"

#include "app/commands/commands.h"
#include "app/commands/progress.h"
#include "app/metrics/score_set.h"

static gboolean fail(const struct nn_error *error)
{
    command_fail(COMMAND_FAILED, "%s", error->text);
    return FALSE;
}

static gboolean open_model(struct model **model, struct session **session, const char *name,
                           const char *device)
{
    struct nn_error error = { 0 };
    g_autofree char *path = command_find_model(name);
    g_autofree char *cache = command_cache_dir();
    struct session_params params = {
        .device = { .select = device, .cache_dir = cache, .family = -1 } };
    if (model_open(model, (const char *const[]){ path }, 1, NULL, &error) != NN_OK) {
        return fail(&error);
    }
    if (model_info(*model)->kind == MODEL_PARTS) {
        command_fail(COMMAND_FAILED, "%s: this holds parts of a model only", path);
        return FALSE;
    }
    return session_create(session, *model, &params, &error) == NN_OK || fail(&error);
}

static void show_broken(const char *message, gpointer data)
{
    progress_hide(data);
    command_fail(COMMAND_DONE, "%s", message);
}

static void show_progress(guint done, guint total, gpointer data)
{
    struct progress *p = data;
    p->total = total;
    progress_show(p, done);
}

struct scores *evaluate_model(const char *model, const char *device,
                              const char *word_vectors,
                              const struct dataset *data, const GArray *labels,
                              const char *split, guint *broken)
{
    struct progress progress = progress_start(0);
    struct score_set_params params = { .data = data, .labels = labels, .split = split,
                                       .word_vectors = word_vectors,
                                       .broken = show_broken, .progress = show_progress,
                                       .user = &progress };
    struct model *opened = NULL;
    struct scores *scores = NULL;
    g_autoptr(GError) error = NULL;
    if (open_model(&opened, &params.session, model, device)) {
        params.model = opened;
        scores = score_set(&params, broken, &error);
        progress_hide(&progress);
        if (!scores) {
            command_fail(COMMAND_FAILED, "%s", error->message);
        }
    }
    session_destroy(&params.session);
    model_destroy(&opened);
    return scores;
}
