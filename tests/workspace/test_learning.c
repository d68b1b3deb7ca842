/* Learning without a window: test_learning MODEL PHOTOS DATABASE MODELS. Decisions move the
 * confidences of a tuned model apart, the pictures are not encoded again, and the way back
 * gives the old confidences. */
#include "tests/workspace/wait.h"

static void wait_for_model(TlWorkspace *workspace)
{
    while ((tl_workspace_learning(workspace) >= 0 || tl_workspace_loading(workspace))
           && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    wait_for_all(workspace);
}

/* How far the accepted images, those of even number, lie above the rejected ones. */
static double separation(TlWorkspace *workspace)
{
    double sum = 0;
    for (guint i = 0; i < count_images(workspace); i++) {
        sum += i % 2 ? -confidence(workspace, i, 0) : confidence(workspace, i, 0);
    }
    return sum;
}

static void decide(TlWorkspace *workspace)
{
    for (guint i = 0; i < count_images(workspace); i++) {
        g_autoptr(TlImage) image = g_list_model_get_item(tl_workspace_images(workspace), i);
        tl_workspace_decide(workspace, image, 0, i % 2 ? STORE_REJECTED : STORE_ACCEPTED);
    }
}

/* Before the new model can have seen them, files are made worthless: only the cache can
 * know their tokens. */
static void on_learnt(TlWorkspace *workspace, gpointer unused)
{
    spoil(workspace);
}

static void check_stop(TlWorkspace *workspace, const char *models)
{
    g_autofree char *before = g_strdup(tl_workspace_model_path(workspace));
    tl_workspace_learn(workspace, models);
    REQUIRE(tl_workspace_learning(workspace) >= 0);
    tl_workspace_stop_learning(workspace);
    wait_for_model(workspace);
    REQUIRE_STR(tl_workspace_model_path(workspace), before);
    g_autoptr(GDir) dir = g_dir_open(models, 0, NULL);
    REQUIRE(dir && !g_dir_read_name(dir));
}

/* Without a decision the window says what to do, not what a file lacks. */
static void check_nothing_decided(TlWorkspace *workspace, const char *models)
{
    tl_workspace_learn(workspace, models);
    while (!failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE(strstr(failure, "Accept or reject"));
    g_clear_pointer(&failure, g_free);
    REQUIRE(tl_workspace_learning(workspace) < 0);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 5);
    TlWorkspace *workspace = start(argv);
    tl_workspace_add_label(workspace, "a red circle");
    tl_workspace_add_label(workspace, "night");
    wait_for_all(workspace);
    check_nothing_decided(workspace, argv[4]);
    decide(workspace);
    double before = separation(workspace), other = confidence(workspace, 0, 1);
    check_stop(workspace, argv[4]);
    REQUIRE(!tl_workspace_earlier_model(workspace));
    g_signal_connect(workspace, "learnt", G_CALLBACK(on_learnt), NULL);

    tl_workspace_learn(workspace, argv[4]);
    wait_for_model(workspace);
    g_autofree char *name = g_path_get_basename(tl_workspace_model_path(workspace));
    REQUIRE(g_str_has_suffix(name, "-tuned-1"));
    REQUIRE(separation(workspace) > before + 0.02);
    REQUIRE(tl_workspace_earlier_model(workspace));

    tl_workspace_go_back(workspace);
    wait_for_model(workspace);
    REQUIRE(fabs(separation(workspace) - before) < 1e-6);
    REQUIRE(fabs(confidence(workspace, 0, 1) - other) < 1e-6);
    REQUIRE(!tl_workspace_earlier_model(workspace));
    tl_workspace_stop(workspace);
    g_object_unref(workspace);
    g_free(failure);
    return 0;
}
