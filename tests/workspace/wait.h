/* What the tests of the workspace share: starting one and waiting for it. */
#pragma once

#include "app/workspace/workspace.h"
#include "tests/check.h"

#include <glib/gstdio.h>
#include <utime.h>

/* Long: the machine may have other work. */
#define WAIT_S 300

static char *failure;

static void on_failed(TlWorkspace *workspace, const char *text, gpointer unused)
{
    g_free(failure);
    failure = g_strdup(text);
}

static gboolean on_timeout(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static guint count_images(TlWorkspace *workspace)
{
    return g_list_model_get_n_items(tl_workspace_images(workspace));
}

static double confidence(TlWorkspace *workspace, guint image, guint label)
{
    g_autoptr(TlImage) item = g_list_model_get_item(tl_workspace_images(workspace), image);
    return tl_image_confidence(item, label);
}

static gboolean all_known(TlWorkspace *workspace)
{
    for (guint i = 0; i < count_images(workspace); i++) {
        for (guint l = 0; l < tl_workspace_n_labels(workspace); l++) {
            if (confidence(workspace, i, l) < 0) {
                return FALSE;
            }
        }
    }
    return count_images(workspace) > 0 && tl_workspace_n_labels(workspace) > 0;
}

static void print_unknown(TlWorkspace *workspace)
{
    guint labels = tl_workspace_n_labels(workspace);
    fprintf(stderr, "%u images, %u labels\n", count_images(workspace), labels);
    for (guint i = 0; i < count_images(workspace); i++) {
        for (guint l = 0; l < labels; l++) {
            if (confidence(workspace, i, l) < 0) {
                fprintf(stderr, "image %u has no confidence for %s\n", i,
                        tl_workspace_label(workspace, l));
            }
        }
    }
}

/* Runs the main loop until everything is scored; a failure is told. */
static void wait_for_all_at(TlWorkspace *workspace, const char *file, int line)
{
    gboolean late = FALSE;
    guint timeout = g_timeout_add_seconds(WAIT_S, on_timeout, &late);
    while (!all_known(workspace) && !failure && !late) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (failure || late) {
        fprintf(stderr, "%s:%d: %s\n", file, line,
                failure ? failure : "not everything was scored");
        print_unknown(workspace);
        exit(failure && strstr(failure, "Vulkan") ? CHECK_SKIP : 1);
    }
    g_source_remove(timeout);
}

#define wait_for_all(workspace) wait_for_all_at(workspace, __FILE__, __LINE__)

static TlWorkspace *start(char **argv)
{
    g_autoptr(GError) error = NULL;
    TlWorkspace *workspace = tl_workspace_new(argv[3], &error);
    REQUIRE(workspace);
    g_signal_connect(workspace, "failed", G_CALLBACK(on_failed), NULL);
    tl_workspace_load_model(workspace, argv[1], NULL);
    tl_workspace_open_folder(workspace, argv[2]);
    return workspace;
}

/* Leaves nothing of an image but its name, size and time, so that only the cache can
 * know its tokens. */
static inline void spoil(TlWorkspace *workspace)
{
    for (guint i = 0; i < count_images(workspace); i++) {
        g_autoptr(TlImage) item = g_list_model_get_item(tl_workspace_images(workspace), i);
        GStatBuf info;
        REQUIRE(g_stat(tl_image_path(item), &info) == 0);
        g_autofree char *zeros = g_malloc0((gsize)info.st_size);
        FILE *file = fopen(tl_image_path(item), "wb");
        size_t size = (size_t)info.st_size;
        REQUIRE(file && fwrite(zeros, 1, size, file) == size);
        REQUIRE(fclose(file) == 0);
        struct utimbuf times = { info.st_atime, info.st_mtime };
        REQUIRE(g_utime(tl_image_path(item), &times) == 0);
    }
}
