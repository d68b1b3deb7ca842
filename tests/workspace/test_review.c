/* Working through images without a window: test_review MODEL PHOTOS DATABASE MODELS. Steps
 * are taken back and brought back whole, orders and filters let through what they should, a
 * label that is being typed ranks the images and leaves nothing behind, and a folder that
 * changes is followed. */
#include "app/workspace/comparison.h"
#include "tests/workspace/wait.h"

#include <math.h>

static guint decided;       /* steps that were told of */
static gboolean takes_back; /* the last of them may be taken back */

static void on_decided(TlWorkspace *workspace, const char *text, gboolean undo,
                       gpointer unused)
{
    REQUIRE(*text);
    decided++;
    takes_back = undo;
}

static void wait_for_step(void)
{
    guint before = decided;
    while (decided == before && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE(!failure);
}

static GPtrArray *all_images(TlWorkspace *workspace)
{
    GPtrArray *images = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < count_images(workspace); i++) {
        g_ptr_array_add(images, g_list_model_get_item(tl_workspace_images(workspace), i));
    }
    return images;
}

static guint count(GPtrArray *images, guint label, StoreVerdict verdict)
{
    guint n = 0;
    for (guint i = 0; i < images->len; i++) {
        n += tl_image_verdict(images->pdata[i], label) == verdict;
    }
    return n;
}

static void check_steps(TlWorkspace *workspace)
{
    g_autoptr(GPtrArray) images = all_images(workspace);
    guint n = images->len;
    tl_workspace_decide_all(workspace, images, 0, STORE_ACCEPTED);
    wait_for_step();
    REQUIRE_INT(count(images, 0, STORE_ACCEPTED), n);
    tl_workspace_decide(workspace, images->pdata[1], 0, STORE_REJECTED);
    wait_for_step();
    REQUIRE(takes_back);
    REQUIRE_INT(count(images, 0, STORE_REJECTED), 1);
    tl_workspace_undo(workspace);
    wait_for_step();
    REQUIRE(!takes_back);
    REQUIRE_INT(count(images, 0, STORE_ACCEPTED), n);
    tl_workspace_undo(workspace);
    wait_for_step();
    REQUIRE_INT(count(images, 0, STORE_CLEARED), n);
    tl_workspace_redo(workspace);
    wait_for_step();
    tl_workspace_redo(workspace);
    wait_for_step();
    REQUIRE_INT(count(images, 0, STORE_ACCEPTED), n - 1);
    REQUIRE_INT(tl_image_verdict(images->pdata[1], 0), STORE_REJECTED);
    g_ptr_array_set_size(images, 1);
    tl_workspace_repeat(workspace, images); /* the last that was decided: to reject */
    wait_for_step();
    REQUIRE_INT(tl_image_verdict(images->pdata[0], 0), STORE_REJECTED);
    tl_workspace_undo(workspace);
    wait_for_step();
}

/* Image 1 is rejected for label 0, all others are accepted. */
static void check_orders(TlWorkspace *workspace)
{
    guint n = count_images(workspace);
    tl_workspace_set_order(workspace, TL_ORDER_UNDECIDED, 0);
    REQUIRE_INT(count_images(workspace), 0);
    tl_workspace_set_order(workspace, TL_ORDER_UNDECIDED, 1);
    REQUIRE_INT(count_images(workspace), n);
    tl_workspace_set_order(workspace, TL_ORDER_LIKELY, 1);
    for (guint i = 1; i < n; i++) {
        REQUIRE(confidence(workspace, i - 1, 1) >= confidence(workspace, i, 1));
    }
    tl_workspace_set_threshold(workspace, 0, 0);
    tl_workspace_set_order(workspace, TL_ORDER_DISAGREE, 0);
    REQUIRE_INT(count_images(workspace), 1); /* the model would accept all */
    tl_workspace_set_threshold(workspace, 0, 1);
    tl_workspace_set_order(workspace, TL_ORDER_DISAGREE, 0);
    REQUIRE_INT(count_images(workspace), n - 1);
    tl_workspace_set_order(workspace, TL_ORDER_DIVERSE, 1);
    REQUIRE_INT(count_images(workspace), n);
    tl_workspace_set_order(workspace, TL_ORDER_RANDOM, 0);
    REQUIRE_INT(count_images(workspace), n);
    tl_workspace_set_order(workspace, TL_ORDER_FOLDER, 0);
    REQUIRE_INT(count_images(workspace), n);
    REQUIRE_INT(tl_workspace_next_open(workspace, 2, 1), 2);
    REQUIRE_INT(tl_workspace_next_open(workspace, 0, 0), G_MAXUINT);
}

static void check_accept_above(TlWorkspace *workspace)
{
    g_autoptr(GPtrArray) images = all_images(workspace);
    double threshold = confidence(workspace, 2, 1);
    guint want = 0;
    for (guint i = 0; i < images->len; i++) {
        want += confidence(workspace, i, 1) >= threshold;
    }
    tl_workspace_set_threshold(workspace, 1, threshold);
    tl_workspace_accept_above(workspace, 1);
    wait_for_step();
    REQUIRE_INT(count(images, 1, STORE_ACCEPTED), want);
}

static void check_preview(TlWorkspace *workspace)
{
    guint labels = tl_workspace_n_labels(workspace);
    tl_workspace_preview_label(workspace, "a boat");
    REQUIRE_INT(tl_workspace_n_labels(workspace), labels + 1);
    REQUIRE_INT(tl_workspace_order(workspace), TL_ORDER_LIKELY);
    wait_for_all(workspace);
    tl_workspace_preview_label(workspace, "a boat at night");
    REQUIRE_INT(tl_workspace_n_labels(workspace), labels + 1);
    tl_workspace_preview_label(workspace, "");
    REQUIRE_INT(tl_workspace_n_labels(workspace), labels);
    REQUIRE_INT(tl_workspace_order(workspace), TL_ORDER_FOLDER);
    tl_workspace_preview_label(workspace, "a kite");
    tl_workspace_add_label(workspace, "a kite"); /* now it stays */
    tl_workspace_preview_label(workspace, "");
    REQUIRE_STR(tl_workspace_label(workspace, labels), "a kite");
    wait_for_all(workspace);
}

static void check_filter(TlWorkspace *workspace)
{
    guint n = count_images(workspace);
    g_autoptr(GError) error = NULL;
    gsize from, to;
    tl_workspace_set_order(workspace, TL_ORDER_FOLDER, 0);
    REQUIRE(tl_workspace_set_filter(workspace, "name:circle*", &error));
    REQUIRE_INT(count_images(workspace), 1);
    REQUIRE(tl_workspace_set_filter(workspace, "rejected:\"a red circle\"", NULL));
    REQUIRE_INT(count_images(workspace), 1);
    REQUIRE(tl_workspace_set_filter(workspace, "width>=1 sort:-night", NULL));
    REQUIRE_INT(count_images(workspace), n);
    for (guint i = 1; i < n; i++) {
        REQUIRE(confidence(workspace, i - 1, 1) <= confidence(workspace, i, 1));
    }
    REQUIRE(!tl_workspace_set_filter(workspace, "accepted:zebra", &error) && error);
    g_clear_error(&error);
    REQUIRE(!tl_workspace_set_filter(workspace, "by:anna", &error) && error);
    g_clear_error(&error);
    /* Also where no image comes so far as to be asked. */
    REQUIRE(!tl_workspace_set_filter(workspace, "name:nowhere by:anna", &error) && error);
    REQUIRE(tl_workspace_set_filter(workspace, "", NULL));
    REQUIRE_INT(count_images(workspace), n);
    g_autoptr(GPtrArray) candidates =
        tl_workspace_complete_filter(workspace, "accepted:ni", 11, &from, &to);
    REQUIRE(candidates->len == 1 && from <= 9 && to == 11);
    tl_workspace_save_filter(workspace, "mine", "night>0.5");
    while (!tl_workspace_saved_filter(workspace, "mine") && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE_STR(tl_workspace_saved_filter(workspace, "mine"), "night>0.5");
}

static void check_trust(TlWorkspace *workspace)
{
    TlTrust trust;
    tl_workspace_set_threshold(workspace, 0, 0);
    tl_workspace_trust(workspace, 0, 0.9, &trust);
    REQUIRE_INT(trust.counts.accepted, count_images(workspace) - 1);
    REQUIRE_INT(trust.counts.rejected, 1);
    REQUIRE(trust.interval.low <= trust.probability
            && trust.probability <= trust.interval.high);
    REQUIRE(!trust.wished.holds); /* so few decisions show nothing */
    tl_workspace_set_threshold(workspace, 0, 0.625); /* what is kept */
}

static void wait_for(TlComparison *c)
{
    gboolean late = FALSE;
    guint timeout = g_timeout_add_seconds(WAIT_S, on_timeout, &late);
    while (!tl_comparison_done(c) && !late) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE(!late);
    g_source_remove(timeout);
}

/* Image 1 is rejected for label 0, all others are accepted. A wording that is the label's
 * name gives the confidences that the images have. */
static void check_comparison(TlWorkspace *workspace)
{
    guint n = count_images(workspace);
    g_autoptr(GError) error = NULL;
    TlImage *images[TL_COMPARISON_BEST];
    double values[TL_COMPARISON_BEST];
    TlComparison *c = tl_comparison_new(workspace, 0, " ", "a {} | night - 2:boat", &error);
    REQUIRE(c);
    wait_for(c);
    const struct trust_contest *contest = tl_comparison_contest(c);
    REQUIRE_INT(tl_comparison_asked(c), n);
    REQUIRE_INT(contest->comparison.a.accepted, n - 1);
    REQUIRE_INT(contest->comparison.b.rejected, 1);
    REQUIRE(!isnan(contest->comparison.b.area) && contest->better == 0);
    for (guint w = 0; w < 2; w++) {
        REQUIRE_INT(tl_comparison_best(c, w, images, values), n);
        for (guint i = 0; i < n; i++) {
            REQUIRE(i == 0 || values[i] <= values[i - 1]);
            REQUIRE(w == 1 || fabs(values[i] - tl_image_confidence(images[i], 0)) < 1e-4);
        }
    }
    g_object_unref(c);
    REQUIRE(!tl_comparison_new(workspace, 0, "a", "\"b", &error) && error);
    c = tl_comparison_new(workspace, 0, "a", "b", NULL);
    tl_comparison_stop(c); /* at once: nothing comes, nothing is left behind */
    g_object_unref(c);
}

/* What comes and goes in the open folder is seen; the others stay what they are. */
static void check_folder(TlWorkspace *workspace, const char *folder)
{
    guint n = count_images(workspace);
    g_autoptr(TlImage) first = g_list_model_get_item(tl_workspace_images(workspace), 0);
    g_autofree char *deeper = g_build_filename(folder, "deeper", NULL);
    g_autofree char *copy = g_build_filename(deeper, "copy.png", NULL);
    g_autofree char *source = g_build_filename(folder, "square.png", NULL);
    g_autofree char *bytes = NULL;
    gsize size;
    REQUIRE(g_file_get_contents(source, &bytes, &size, NULL));
    REQUIRE(g_mkdir(deeper, 0700) == 0);
    REQUIRE(g_file_set_contents(copy, bytes, (gssize)size, NULL));
    while (count_images(workspace) != n + 1 && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    wait_for_all(workspace);
    g_autoptr(TlImage) same = g_list_model_get_item(tl_workspace_images(workspace), 0);
    g_autoptr(TlImage) added = g_list_model_get_item(tl_workspace_images(workspace), n);
    REQUIRE(same == first);
    REQUIRE_STR(tl_image_name(added), "copy.png");
    while (tl_image_verdict(added, 0) == STORE_CLEARED && !failure) {
        g_main_context_iteration(NULL, TRUE); /* decided by content */
    }
    REQUIRE(g_unlink(copy) == 0);
    while (count_images(workspace) != n && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE(tl_workspace_fraction(workspace) == 1);
    REQUIRE(!failure);
}

static void check_strongest(TlWorkspace *workspace)
{
    g_autoptr(TlImage) image = g_list_model_get_item(tl_workspace_images(workspace), 0);
    guint best[2], labels = tl_workspace_n_labels(workspace);
    REQUIRE_INT(tl_image_strongest(image, labels, 2, best), 2);
    REQUIRE_INT(tl_image_verdict(image, best[0]), STORE_ACCEPTED);
    REQUIRE(tl_image_verdict(image, best[1]) < tl_image_verdict(image, best[0])
            || tl_image_confidence(image, best[0]) >= tl_image_confidence(image, best[1]));
}

/* Another program begins where this one ended: what was decided holds, and can be undone. */
static void check_restart(char **argv)
{
    TlWorkspace *workspace = start(argv);
    g_signal_connect(workspace, "decided", G_CALLBACK(on_decided), NULL);
    wait_for_all(workspace);
    REQUIRE_INT(tl_workspace_n_labels(workspace), 3); /* not what was only typed */
    g_autoptr(GPtrArray) images = all_images(workspace);
    REQUIRE(count(images, 1, STORE_ACCEPTED) > 0);
    while (tl_workspace_threshold(workspace, 0) != 0.625 && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    tl_workspace_undo(workspace);
    wait_for_step();
    REQUIRE_INT(count(images, 1, STORE_ACCEPTED), 0);
    tl_workspace_stop(workspace);
    g_object_unref(workspace);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 5);
    TlWorkspace *workspace = start(argv);
    g_signal_connect(workspace, "decided", G_CALLBACK(on_decided), NULL);
    tl_workspace_add_label(workspace, "a red circle");
    tl_workspace_add_label(workspace, "night");
    wait_for_all(workspace);
    check_steps(workspace);
    check_orders(workspace);
    check_accept_above(workspace);
    check_preview(workspace);
    check_strongest(workspace);
    check_filter(workspace);
    check_trust(workspace);
    check_comparison(workspace);
    check_folder(workspace, argv[2]);
    tl_workspace_stop(workspace);
    g_object_unref(workspace);
    check_restart(argv);
    g_free(failure);
    return 0;
}
