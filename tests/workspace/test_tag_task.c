/* Tagging into a database as a window would ask for it: test_tag_task MODEL PHOTOS DATABASE.
 * It runs beside the main loop, tells how far it is, and can be cancelled and gone on with. */
#include "app/tagger/tag_job.h"
#include "tests/check.h"

struct seen { guint calls, last, total; };

static void on_progress(const struct tag_job_stats *stats, gpointer data)
{
    struct seen *seen = data;
    REQUIRE(stats->done >= seen->last && stats->done <= stats->total);
    seen->last = stats->done;
    seen->total = stats->total;
    seen->calls++;
}

static void on_done(GObject *source, GAsyncResult *result, gpointer data)
{
    *(GAsyncResult **)data = g_object_ref(result);
}

static gboolean run(const struct tag_task_params *params, GCancellable *cancellable,
                    struct tag_job_stats *stats, GError **error)
{
    g_autoptr(GAsyncResult) result = NULL;
    tag_task_run_async(params, cancellable, on_done, &result);
    while (!result) {
        g_main_context_iteration(NULL, TRUE);
    }
    return tag_task_run_finish(result, stats, error);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 4);
    struct seen seen = { 0 };
    struct tag_job_stats stats;
    g_autoptr(GPtrArray) labels = g_ptr_array_new();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    struct tag_task_params params = { .model = { .path = argv[1] }, .db = argv[3],
                                      .folder = argv[2], .labels = labels,
                                      .accept_above = 0, .progress = on_progress,
                                      .data = &seen };
    g_ptr_array_add(labels, "night");
    g_ptr_array_add(labels, "a red circle");
    g_cancellable_cancel(cancellable);
    REQUIRE(!run(&params, cancellable, NULL, &error));
    if (strstr(error->message, "Vulkan")) {
        return CHECK_SKIP;
    }
    REQUIRE(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    REQUIRE(run(&params, NULL, &stats, NULL));
    REQUIRE_INT(stats.total, 4);
    REQUIRE_INT(stats.done, 4);
    REQUIRE_INT(stats.tagged + stats.before, 4);
    REQUIRE_INT(stats.accepted, 8);
    REQUIRE(seen.calls > 0 && seen.total == 4);
    seen = (struct seen){ 0 };
    REQUIRE(run(&params, NULL, &stats, NULL));
    REQUIRE_INT(stats.before, 4);
    REQUIRE_INT(stats.accepted, 0);
    params.folder = "/nowhere";
    g_clear_error(&error);
    REQUIRE(!run(&params, NULL, &stats, &error) && strstr(error->message, "/nowhere"));
    params.folder = argv[2];
    params.model.path = "/no/model";
    g_clear_error(&error);
    REQUIRE(!run(&params, NULL, &stats, &error) && strstr(error->message, "/no/model"));
    return 0;
}
