/* A workspace without a window: test_workspace MODEL PHOTOS DATABASE. Every image gets a
 * confidence for every label, labels that come while others are scored lose nothing, and
 * a second start takes tokens and queries from the cache. */
#include "tests/workspace/wait.h"

static GArray *all_confidences(TlWorkspace *workspace)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint i = 0; i < count_images(workspace); i++) {
        for (guint l = 0; l < tl_workspace_n_labels(workspace); l++) {
            double value = confidence(workspace, i, l);
            g_array_append_val(all, value);
        }
    }
    return all;
}

static void on_explained(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    TlExplanation *e =
        tl_workspace_explain_finish(TL_WORKSPACE(source), result, &error);
    REQUIRE(e && !error);
    *(TlExplanation **)data = e;
}

/* The tokens come from the cache: they were let go of. */
static void test_explain(TlWorkspace *workspace)
{
    g_autoptr(TlExplanation) e = NULL;
    g_autoptr(TlImage) image = g_list_model_get_item(tl_workspace_images(workspace), 1);
    float most = 0, least = 1;
    tl_workspace_explain_async(workspace, image, 0, NULL, on_explained, &e);
    while (!e) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE_INT(e->rows * e->columns, tl_workspace_model(workspace)->token_count);
    for (guint i = 0; i < e->rows * e->columns; i++) {
        most = fmaxf(most, e->values[i]);
        least = fminf(least, e->values[i]);
    }
    REQUIRE(most == 1 && least >= 0 && least < 1);
    double x, y, w, h;
    tl_explanation_area(e, 300, 200, &x, &y, &w, &h);
    REQUIRE(x >= 0 && y >= 0 && x + w <= 1 && y + h <= 1);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 4);
    TlWorkspace *workspace = start(argv);
    tl_workspace_add_label(workspace, "a red circle");
    wait_for_all(workspace);
    REQUIRE(tl_workspace_fraction(workspace) == 1);
    test_explain(workspace);
    /* One after the other, faster than they can be scored. */
    tl_workspace_add_label(workspace, "a blue square");
    tl_workspace_add_label(workspace, "two birds over a long river");
    tl_workspace_add_label(workspace, "night");
    tl_workspace_remove_label(workspace, 1);
    wait_for_all(workspace);
    REQUIRE_INT(tl_workspace_n_labels(workspace), 3);
    /* Labels are scored one by one above, and together after the next start. */
    tl_workspace_load_model(workspace, argv[1], NULL);
    while (tl_workspace_loading(workspace)) {
        g_main_context_iteration(NULL, TRUE);
    }
    wait_for_all(workspace);
    g_autoptr(GArray) first = all_confidences(workspace);
    g_autoptr(TlImage) image = g_list_model_get_item(tl_workspace_images(workspace), 0);
    tl_workspace_decide(workspace, image, 0, STORE_ACCEPTED);
    spoil(workspace);
    tl_workspace_stop(workspace);
    g_object_unref(workspace);

    workspace = start(argv);
    wait_for_all(workspace);
    g_autoptr(GArray) second = all_confidences(workspace);
    REQUIRE_INT(second->len, first->len);
    for (guint i = 0; i < first->len; i++) {
        double a = g_array_index(first, double, i), b = g_array_index(second, double, i);
        REQUIRE(fabs(a - b) < 1e-6);
    }
    tl_workspace_stop(workspace);
    g_object_unref(workspace);
    g_free(failure);
    return 0;
}
