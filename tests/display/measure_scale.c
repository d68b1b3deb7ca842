/* measure_scale FILES [MODEL]: a folder tree of so many tiny pictures in the real window.
 * Prints how long it takes until the grid shows images, the largest gap between two frames
 * while the grid is scrolled from its top to its end and back, and the memory at the most.
 * Fails above 3 s, 100 ms and 600 MB. Needs a display; makes its files in a folder of its
 * own and removes them. */
#include "tests/check.h"
#include "ui/window.h"

#include <glib/gstdio.h>
#include <sys/resource.h>

#define FOLDER_FILES 1000
#define MAX_OPEN_S 3.0
#define MAX_GAP_MS 100.0
#define MAX_MB 600.0
#define SCROLL_FRAMES 300
#define SETTLE_S 2.0

typedef struct {
    GMainLoop *loop;
    TlWindow *window;
    TlWorkspace *workspace;
    GtkAdjustment *scroll;
    guint want, frame;
    gint64 begun, opened, last;
    double largest_ms, open_s;
    guint late; /* gaps above the bound */
} Measure;

/* --- Pictures -------------------------------------------------------------------------------- */

/* No two are alike, as the store knows pictures by content. */
static void make_files(const char *dir, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *folder = g_strdup_printf("%s/%04u", dir, i / FOLDER_FILES);
        g_autofree char *path = g_strdup_printf("%s/image%u.ppm", folder, i);
        g_autofree char *text =
            g_strdup_printf("P3 2 2 255 %u %u %u 9 9 9 99 99 99 200 %u 200\n", i % 256,
                            i / 256 % 256, i / 65536, i % 251);
        if (i % FOLDER_FILES == 0) {
            REQUIRE(g_mkdir_with_parents(folder, 0700) == 0);
        }
        REQUIRE(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600,
                                         NULL));
    }
}

static GtkWidget *find_widget(GtkWidget *widget, GType type)
{
    if (G_TYPE_CHECK_INSTANCE_TYPE(widget, type)) {
        return widget;
    }
    GtkWidget *found = NULL;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child)) {
        found = find_widget(child, type);
    }
    return found;
}

/* --- Frames ----------------------------------------------------------------------------------- */

static double seconds_since(gint64 time)
{
    return (double)(g_get_monotonic_time() - time) / G_USEC_PER_SEC;
}

/* To the end in half the frames, and back in the other half. */
static void scroll(Measure *m)
{
    double part = (double)m->frame / SCROLL_FRAMES;
    double range = gtk_adjustment_get_upper(m->scroll)
                   - gtk_adjustment_get_page_size(m->scroll);
    gtk_adjustment_set_value(m->scroll, range * (part < 0.5 ? 2 * part : 2 - 2 * part));
}

static void note_gap(Measure *m)
{
    double gap_ms = 1000 * seconds_since(m->last);
    m->largest_ms = MAX(m->largest_ms, gap_ms);
    m->late += gap_ms > MAX_GAP_MS;
}

static gboolean on_frame(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    Measure *m = data;
    if (!m->opened) {
        GtkWidget *view = find_widget(widget, GTK_TYPE_GRID_VIEW);
        gboolean filled = view && gtk_widget_get_mapped(view)
                          && gtk_widget_get_first_child(view)
                          && tl_workspace_n_all(m->workspace) == m->want;
        if (filled) {
            m->opened = g_get_monotonic_time();
            m->open_s = seconds_since(m->begun);
            m->scroll = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(view));
        }
    } else if (seconds_since(m->opened) > SETTLE_S) {
        if (m->frame > 0) {
            note_gap(m);
        }
        scroll(m);
        m->frame++;
    }
    m->last = g_get_monotonic_time();
    if (m->frame > SCROLL_FRAMES) {
        g_main_loop_quit(m->loop);
        return G_SOURCE_REMOVE;
    }
    gtk_widget_queue_draw(widget); /* frames come as fast as they can */
    return G_SOURCE_CONTINUE;
}

static gboolean on_late(gpointer data)
{
    fprintf(stderr, "the grid did not fill\n");
    exit(1);
}

/* --- The window --------------------------------------------------------------------------------- */

static int report(const Measure *m, guint n)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double mb = (double)usage.ru_maxrss / 1024;
    printf("%u files: grid after %.2f s, largest gap %.0f ms (%u of %d above %.0f), %.0f MB\n",
           n, m->open_s, m->largest_ms, m->late, SCROLL_FRAMES, MAX_GAP_MS, mb);
    return m->open_s <= MAX_OPEN_S && m->largest_ms <= MAX_GAP_MS && mb <= MAX_MB ? 0 : 1;
}

static int measure(const char *dir, guint n, const char *model)
{
    g_autofree char *db = g_build_filename(dir, "decisions.db", NULL);
    g_autofree char *images = g_build_filename(dir, "images", NULL);
    g_autoptr(AdwApplication) app = adw_application_new(NULL, G_APPLICATION_NON_UNIQUE);
    REQUIRE(g_application_register(G_APPLICATION(app), NULL, NULL));
    g_autoptr(TlWorkspace) workspace = tl_workspace_new(db, NULL);
    REQUIRE(workspace);
    if (model) {
        tl_workspace_load_model(workspace, model, NULL);
    }
    Measure m = { .loop = g_main_loop_new(NULL, FALSE), .workspace = workspace, .want = n };
    m.window = tl_window_new(GTK_APPLICATION(app), workspace);
    gtk_window_present(GTK_WINDOW(m.window));
    gtk_widget_add_tick_callback(GTK_WIDGET(m.window), on_frame, &m, NULL);
    m.begun = g_get_monotonic_time();
    g_timeout_add_seconds(120, on_late, NULL);
    tl_window_open(m.window, images);
    g_main_loop_run(m.loop);
    int status = report(&m, n);
    gtk_window_destroy(GTK_WINDOW(m.window));
    tl_workspace_stop(workspace);
    g_main_loop_unref(m.loop);
    return status;
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2 || argc == 3);
    guint n = (guint)g_ascii_strtoull(argv[1], NULL, 10);
    g_autofree char *dir = g_dir_make_tmp("taglight-scale-XXXXXX", NULL);
    g_autofree char *images = g_build_filename(dir, "images", NULL);
    static const char *const homes[] = { "XDG_CACHE_HOME", "XDG_DATA_HOME" };
    for (gsize i = 0; i < G_N_ELEMENTS(homes); i++) {
        g_setenv(homes[i], dir, TRUE);
    }
    g_setenv("GSETTINGS_BACKEND", "memory", TRUE);
    if (!gtk_init_check()) {
        return CHECK_SKIP;
    }
    make_files(images, n);
    int status = measure(dir, n, argc == 3 ? argv[2] : NULL);
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", dir);
    return system(remove) ? 1 : status;
}
