/* Text sidecars of TagGUI, BooruDatasetTagManager and kohya's scripts (formats.md 3.4):
 * quay.txt beside quay.jpg, with its tags and ", " between them. Tags that stand there
 * and are not ours stay. An empty file says that no tag holds: so for an image of which
 * all was rejected, or nothing holds any more; one that nobody decided gets no file. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"

#include <string.h>

/* The separator cannot be part of a tag. */
static char *plain_tag(ExportRun *run, const ExportTag *tag)
{
    char *text = g_strdelimit(g_strdup(tag->name), ",\r\n\t", ' ');
    if (strcmp(text, tag->name) != 0) {
        export_warn(run, EXPORT_WARN_LABEL,
                    "the label \"%s\" is written with blanks where commas and line "
                    "ends would divide it", text);
    }
    return g_strstrip(text);
}

static GPtrArray *split_tags(const char *text)
{
    GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit_set(text, ",\r\n", -1);
    for (char **p = parts; *p; p++) {
        if (*g_strstrip(*p)) {
            g_ptr_array_add(tags, g_strdup(*p));
        }
    }
    return tags;
}

static char *join_tags(const GPtrArray *tags)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < tags->len; i++) {
        g_string_append_printf(text, "%s%s", i ? ", " : "", (char *)tags->pdata[i]);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static GPtrArray *tags_of(ExportRun *run, const ExportItem *item)
{
    GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < item->n_tags; i++) {
        g_ptr_array_add(tags, plain_tag(run, &item->tags[i]));
    }
    return tags;
}

static gboolean is_decided(const StoreItem *known)
{
    gboolean decided = FALSE;
    for (guint i = 0; i < known->n_tags; i++) {
        decided = decided || known->tags[i].verdict != STORE_CLEARED;
    }
    return decided;
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    g_autofree char *path = export_sidecar(run, item, ".txt", TRUE);
    GError *failure = NULL;
    struct export_keywords keywords;
    gsize size;
    g_autofree char *old = path ? export_read_sidecar(path, &size, &failure) : NULL;
    if (!old) {
        return !path || export_skip_sidecar(run, failure);
    }
    g_autoptr(GPtrArray) there = split_tags(old), now = tags_of(run, item);
    if (!export_merge(run, path, "txt", there, now, &keywords, error)) {
        return FALSE;
    }
    gboolean missing =
        !g_file_test(path, G_FILE_TEST_EXISTS) && is_decided(item->known);
    char *text = keywords.changed || missing ? join_tags(keywords.all) : NULL;
    export_keywords_clear(&keywords);
    return !text || export_queue_sidecar(run, path, text, strlen(text), error);
}

const ExportFormat export_txt = {
    .id = "txt",
    .summary = "text sidecars with commas, as TagGUI and kohya's scripts read",
    .kind = EXPORT_SIDECARS,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .item = put_item,
};
