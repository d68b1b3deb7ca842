/* The vocabulary of a workspace: test_vocabulary MODEL PHOTOS DATABASE MODELS. Labels follow
 * what a person changes, and decisions follow labels. */
#include "app/workspace/vocabulary.h"
#include "tests/workspace/wait.h"

static guint reads, counted_n;
static gint64 counted;
static char *said;

static void on_vocabulary(TlWorkspace *workspace, const char *text, gpointer unused)
{
    reads++;
    g_free(said);
    said = g_strdup(text);
}

static void on_counted(TlWorkspace *workspace, gint64 label, guint n, gpointer unused)
{
    counted = label;
    counted_n = n;
}

static void on_decided(TlWorkspace *workspace, const char *text, gboolean undo, gpointer seen)
{
    *(gboolean *)seen = TRUE;
}

/* Until the vocabulary was read once more, or something failed. */
static void wait_for_read(void)
{
    guint before = reads;
    while (reads == before && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static const VocabularyEntry *entry(TlWorkspace *workspace, const char *name)
{
    const GPtrArray *entries = tl_workspace_vocabulary(workspace);
    for (guint i = 0; i < entries->len; i++) {
        const VocabularyEntry *e = entries->pdata[i];
        if (g_str_equal(e->name, name)) {
            return e;
        }
    }
    return NULL;
}

static StoreVerdict verdict(TlWorkspace *workspace, guint image, guint label)
{
    g_autoptr(TlImage) item = g_list_model_get_item(tl_workspace_images(workspace), image);
    return tl_image_verdict(item, label);
}

static void wait_for_verdict(TlWorkspace *workspace, guint image, guint label,
                             StoreVerdict want)
{
    gboolean late = FALSE;
    guint timeout = g_timeout_add_seconds(WAIT_S, on_timeout, &late);
    while (verdict(workspace, image, label) != want && !late) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE(!late);
    g_source_remove(timeout);
}

static void decide(TlWorkspace *workspace, guint image, guint label, StoreVerdict v)
{
    gboolean seen = FALSE;
    g_autoptr(TlImage) item = g_list_model_get_item(tl_workspace_images(workspace), image);
    gulong handler = g_signal_connect(workspace, "decided", G_CALLBACK(on_decided), &seen);
    tl_workspace_decide(workspace, item, label, v);
    while (!seen && !failure) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_signal_handler_disconnect(workspace, handler);
}

static void edit(TlWorkspace *workspace, const char *label, const char *name,
                 const char *synonyms, const char *key, const char *prompt)
{
    VocabularyWish wish = { .label = entry(workspace, label)->label, .name = g_strdup(name),
                            .key = g_strdup(key), .prompt = g_strdup(prompt),
                            .colour = g_strdup("#112233"), .listed = TRUE,
                            .synonyms = vocabulary_split_names(synonyms) };
    tl_workspace_edit_label(workspace, &wish);
    REQUIRE(!wish.name);
    wait_for_read();
}

static void check_rename(TlWorkspace *workspace)
{
    double before = confidence(workspace, 0, 0);
    decide(workspace, 0, 0, STORE_ACCEPTED);
    decide(workspace, 1, 1, STORE_REJECTED);
    edit(workspace, "boat", "ship", "", "x", "");
    REQUIRE(strstr(said, "1 decision "));
    REQUIRE_STR(tl_workspace_label(workspace, 0), "ship");
    REQUIRE_INT(tl_workspace_label_key(workspace, 0), 'x');
    REQUIRE_INT(tl_workspace_label_key(workspace, 1), '1');
    REQUIRE_STR(tl_workspace_label_colour(workspace, 0), "#112233");
    wait_for_all(workspace);
    REQUIRE(confidence(workspace, 0, 0) != before); /* it asks its new name */
    REQUIRE_INT(verdict(workspace, 0, 0), STORE_ACCEPTED);
    REQUIRE_INT(tl_workspace_add_label(workspace, "boat"), 0); /* the old one stands for it */
    edit(workspace, "ship", "ship", "boat", "x", "boat");
    wait_for_all(workspace);
    REQUIRE(confidence(workspace, 0, 0) == before); /* and now the old one again */
    counted = 0;
    tl_workspace_count_decided(workspace, entry(workspace, "ship")->label);
    while (!counted) {
        g_main_context_iteration(NULL, TRUE);
    }
    REQUIRE_INT(counted_n, 1);
}

static void check_merge(TlWorkspace *workspace)
{
    REQUIRE_INT(tl_workspace_n_labels(workspace), 2);
    tl_workspace_merge_labels(workspace, entry(workspace, "jetty")->label,
                              entry(workspace, "ship")->label);
    wait_for_read();
    REQUIRE(strstr(said, "1 decision on"));
    REQUIRE_INT(tl_workspace_n_labels(workspace), 1);
    wait_for_verdict(workspace, 1, 0, STORE_REJECTED);
    REQUIRE_INT(verdict(workspace, 0, 0), STORE_ACCEPTED);
    edit(workspace, "ship", "ship", "boat", "", "boat"); /* without the jetty: it is back */
    REQUIRE_INT(tl_workspace_n_labels(workspace), 2);
    REQUIRE_STR(tl_workspace_label(workspace, 1), "jetty");
    wait_for_verdict(workspace, 1, 0, STORE_CLEARED);
    wait_for_verdict(workspace, 1, 1, STORE_REJECTED);
}

static void check_folder_set(TlWorkspace *workspace)
{
    tl_workspace_add_text(workspace, "night\nday, or dawn\n");
    wait_for_read();
    REQUIRE_INT(tl_workspace_n_labels(workspace), 4);
    gint64 set[1] = { tl_workspace_find_name(workspace, "night") };
    REQUIRE(set[0] && !tl_workspace_find_name(workspace, "nights"));
    REQUIRE(tl_workspace_find_name(workspace, "boat") == entry(workspace, "ship")->label);
    tl_workspace_set_folder_labels(workspace, set, 1);
    wait_for_read();
    REQUIRE_INT(tl_workspace_n_labels(workspace), 1);
    REQUIRE_STR(tl_workspace_label(workspace, 0), "night");
    tl_workspace_add_label(workspace, "moon"); /* what is typed here is used here */
    wait_for_read();
    REQUIRE_INT(tl_workspace_n_labels(workspace), 2);
    REQUIRE_INT(tl_workspace_folder_labels(workspace)->len, 2);
    tl_workspace_use_in_folder(workspace, entry(workspace, "ship")->label, TRUE);
    wait_for_read();
    REQUIRE_INT(tl_workspace_n_labels(workspace), 3);
    tl_workspace_set_folder_labels(workspace, NULL, 0);
    wait_for_read();
    REQUIRE(!tl_workspace_folder_labels(workspace));
    REQUIRE_INT(tl_workspace_n_labels(workspace), 5);
    tl_workspace_use_in_folder(workspace, set[0], FALSE); /* all but this one */
    wait_for_read();
    REQUIRE_INT(tl_workspace_n_labels(workspace), 4);
    tl_workspace_use_in_folder(workspace, set[0], TRUE);
    wait_for_read();
    REQUIRE(!tl_workspace_folder_labels(workspace)); /* all again */
    wait_for_all(workspace);
}

static void check_files(TlWorkspace *workspace, const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "vocabulary.json", NULL);
    g_autofree char *text = NULL;
    tl_workspace_export_labels(workspace, path);
    wait_for_read();
    REQUIRE(g_file_get_contents(path, &text, NULL, NULL) && strstr(text, "day, or dawn"));
    tl_workspace_import_labels(workspace, path);
    wait_for_read();
    REQUIRE(!failure && strstr(said, "5 labels"));
    REQUIRE(g_file_set_contents(path, "{", -1, NULL));
    tl_workspace_import_labels(workspace, path);
    wait_for_read();
    REQUIRE(failure);
    g_clear_pointer(&failure, g_free);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 5);
    TlWorkspace *workspace = start(argv);
    g_signal_connect(workspace, "vocabulary", G_CALLBACK(on_vocabulary), NULL);
    g_signal_connect(workspace, "counted", G_CALLBACK(on_counted), NULL);
    tl_workspace_add_labels(workspace, "boat, jetty");
    wait_for_all(workspace);
    tl_workspace_read_vocabulary(workspace);
    wait_for_read();
    check_rename(workspace);
    check_merge(workspace);
    check_folder_set(workspace);
    g_autofree char *dir = g_path_get_dirname(argv[3]);
    check_files(workspace, dir);
    tl_workspace_stop(workspace);
    g_object_unref(workspace);
    g_free(said);
    return 0;
}
