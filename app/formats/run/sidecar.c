/* Sidecars: a small file for each image, beside it or in a folder of the same shape.
 * They may be other programs' too, so what we own of them is remembered in the store,
 * and on the disk before the sidecar is: else a kill in between would leave keywords
 * there that nobody may take out again. */
#include "app/formats/run/run.h"
#include "app/store/written.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64 /* sidecars that wait in memory, for one transaction */
#define MOST_BYTES (64 << 20)

/* --- Where ------------------------------------------------------------------------ */

static char *sidecar_path(const ExportRun *run, const ExportItem *item,
                          const char *suffix, gboolean stem)
{
    const char *path = run->folder ? item->below : item->known->path;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = stem ? strrchr(base, '.') : NULL;
    gsize n = dot && dot > base ? (gsize)(dot - path) : strlen(path);
    g_autofree char *name = g_strdup_printf("%.*s%s", (int)n, path, suffix);
    return run->folder ? g_build_filename(run->folder, name, NULL)
                       : g_steal_pointer(&name);
}

char *export_sidecar(ExportRun *run, const ExportItem *item, const char *suffix,
                     gboolean stem)
{
    if (stem && item->shared) {
        export_warn(run, EXPORT_WARN_STEM,
                    "%s: another image differs in the suffix only and has the "
                    "sidecar; this one is left out", item->name);
        return NULL;
    }
    if (!run->folder && !g_file_test(item->known->path, G_FILE_TEST_EXISTS)) {
        export_warn(run, EXPORT_WARN_IMAGE, "%s: the image is not there; no sidecar is "
                    "written", item->name);
        return NULL;
    }
    GError *error = NULL;
    if (run->folder && !export_check_inside(item->below, &error)) {
        export_skip_sidecar(run, error);
        return NULL;
    }
    return sidecar_path(run, item, suffix, stem);
}

char *export_read_sidecar(const char *path, gsize *size, GError **error)
{
    GStatBuf info;
    char *text = NULL;
    *size = 0;
    if (g_stat(path, &info) != 0 && errno == ENOENT) {
        return g_strdup("");
    }
    if (info.st_size > MOST_BYTES) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "%s: this is larger than any sidecar should be", path);
        return NULL;
    }
    return g_file_get_contents(path, &text, size, error) ? text : NULL;
}

gboolean export_skip_sidecar(ExportRun *run, GError *error)
{
    run->failed++;
    if (run->options->warn) {
        run->options->warn(error->message);
    }
    g_error_free(error);
    return TRUE;
}

/* --- Writing ---------------------------------------------------------------------- */

static gboolean write_whole(int fd, const char *text, gsize size)
{
    while (size > 0) {
        gssize put = write(fd, text, size);
        if (put < 0 && errno != EINTR) {
            return FALSE;
        }
        text += MAX(put, 0);
        size -= (gsize)MAX(put, 0);
    }
    return fsync(fd) == 0;
}

/* The file's rights stay; a new one gets those of new files. */
static gboolean write_beside(const char *target, const char *text, gsize size,
                             GError **error)
{
    g_autofree char *temporary = g_strdup_printf("%s.%ld.part", target, (long)getpid());
    GStatBuf old;
    gboolean had = g_stat(target, &old) == 0;
    int fd = g_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return export_io_error(target, error);
    }
    gboolean good = (!had || fchmod(fd, old.st_mode & 07777) == 0)
                    && write_whole(fd, text, size);
    good = close(fd) == 0 && good;
    if (!good || g_rename(temporary, target) != 0) {
        export_io_error(target, error);
        g_unlink(temporary);
        return FALSE;
    }
    return TRUE;
}

static gboolean write_sidecar(const char *path, const char *text, gsize size,
                              GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    if (g_mkdir_with_parents(parent, 0777) != 0) {
        return export_io_error(parent, error);
    }
    /* A link is followed, not replaced by a file. */
    char *real =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? realpath(path, NULL) : NULL;
    gboolean good = write_beside(real ? real : path, text, size, error);
    free(real);
    return good;
}

/* --- The queue -------------------------------------------------------------------- */

struct sidecar { char *path, *text; gsize size; };

struct memory { char *path, *field; GPtrArray *keywords; };

static void sidecar_free(gpointer data)
{
    struct sidecar *sidecar = data;
    g_free(sidecar->path);
    g_free(sidecar->text);
    g_free(sidecar);
}

static void memory_free(gpointer data)
{
    struct memory *memory = data;
    g_free(memory->path);
    g_free(memory->field);
    g_ptr_array_unref(memory->keywords);
    g_free(memory);
}

static gboolean write_memories(ExportRun *run, GError **error)
{
    store *s = run->options->memory;
    gboolean good = run->memories->len == 0 || store_begin(s, error);
    for (guint i = 0; good && i < run->memories->len; i++) {
        const struct memory *memory = run->memories->pdata[i];
        good = store_set_written(s, memory->path, memory->field, memory->keywords,
                                 error);
    }
    return good && (run->memories->len == 0 || store_commit(s, error));
}

static gboolean flush(ExportRun *run, GError **error)
{
    gboolean good = write_memories(run, error);
    for (guint i = 0; good && i < run->sidecars->len; i++) {
        const struct sidecar *sidecar = run->sidecars->pdata[i];
        GError *failure = NULL;
        if (!write_sidecar(sidecar->path, sidecar->text, sidecar->size, &failure)) {
            export_skip_sidecar(run, failure);
        }
    }
    g_ptr_array_set_size(run->memories, 0);
    g_ptr_array_set_size(run->sidecars, 0);
    return good;
}

gboolean export_queue_sidecar(ExportRun *run, const char *path, char *text, gsize size,
                              GError **error)
{
    struct sidecar *sidecar = g_new(struct sidecar, 1);
    *sidecar = (struct sidecar){ g_strdup(path), text, size };
    g_ptr_array_add(run->sidecars, sidecar);
    return run->sidecars->len < BATCH || flush(run, error);
}

void export_begin_sidecars(ExportRun *run)
{
    run->sidecars = g_ptr_array_new_with_free_func(sidecar_free);
    run->memories = g_ptr_array_new_with_free_func(memory_free);
}

gboolean export_end_sidecars(ExportRun *run, GError **error)
{
    gboolean good = flush(run, error);
    if (good && run->failed > 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "%u sidecar%s could not be written and stayed as they were",
                    run->failed, run->failed == 1 ? "" : "s");
    }
    g_clear_pointer(&run->sidecars, g_ptr_array_unref);
    g_clear_pointer(&run->memories, g_ptr_array_unref);
    return good && run->failed == 0;
}

/* --- Keywords --------------------------------------------------------------------- */

gboolean export_has_keyword(const GPtrArray *keywords, const char *keyword)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)keywords, keyword, g_str_equal,
                                            NULL);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean is_same_list(const GPtrArray *a, const GPtrArray *b)
{
    gboolean same = a->len == b->len;
    for (guint i = 0; same && i < a->len; i++) {
        same = strcmp(a->pdata[i], b->pdata[i]) == 0;
    }
    return same;
}

static gboolean remember(ExportRun *run, const char *path, const char *field,
                         GPtrArray *keywords, GError **error)
{
    struct memory *memory = g_new(struct memory, 1);
    *memory = (struct memory){ g_strdup(path), g_strdup(field),
                               g_ptr_array_ref(keywords) };
    g_ptr_array_add(run->memories, memory);
    return run->memories->len < 4 * BATCH || flush(run, error);
}

gboolean export_merge(ExportRun *run, const char *path, const char *field,
                      const GPtrArray *there, const GPtrArray *now,
                      struct export_keywords *out, GError **error)
{
    g_autoptr(GPtrArray) owned =
        store_written(run->options->memory, path, field, error);
    if (!owned) {
        return FALSE;
    }
    *out = (struct export_keywords){ g_ptr_array_new_with_free_func(g_free),
                                     g_ptr_array_new_with_free_func(g_free), FALSE };
    for (guint i = 0; i < there->len; i++) {
        const char *keyword = there->pdata[i];
        if (!export_has_keyword(owned, keyword) || export_has_keyword(now, keyword)) {
            g_ptr_array_add(out->all, g_strdup(keyword));
        }
    }
    for (guint i = 0; i < now->len; i++) {
        const char *keyword = now->pdata[i];
        gboolean added = !export_has_keyword(out->all, keyword);
        if (added) {
            g_ptr_array_add(out->all, g_strdup(keyword));
        }
        if ((added || export_has_keyword(owned, keyword))
            && !export_has_keyword(out->ours, keyword)) {
            g_ptr_array_add(out->ours, g_strdup(keyword));
        }
    }
    g_ptr_array_sort(out->ours, by_text);
    out->changed = !is_same_list(there, out->all);
    return is_same_list(owned, out->ours)
           || remember(run, path, field, out->ours, error);
}

void export_keywords_clear(struct export_keywords *keywords)
{
    g_clear_pointer(&keywords->all, g_ptr_array_unref);
    g_clear_pointer(&keywords->ours, g_ptr_array_unref);
}
