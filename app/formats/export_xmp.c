/* XMP sidecars (formats.md 3.5): quay.jpg.xmp beside quay.jpg, with the accepted labels
 * as dc:subject, lr:hierarchicalSubject and digiKam:TagsList, for programs read one or
 * another of them. A | in a label divides levels, as in "vehicle|boat". What stands in
 * a sidecar and is not ours stays; a sidecar that is no XMP is left alone. */
#include "app/formats/formats.h"
#include "app/formats/run/run.h"
#include "app/formats/xmp.h"

#include <string.h>

/* The label as a field has it, to be freed. */
static char *keyword_of(const ExportRun *run, const ExportTag *tag,
                        enum xmp_field field)
{
    const char *root = tag->known->by_model ? run->options->machine_root : NULL;
    g_autofree char *plain = text_xml_valid(tag->name);
    g_strstrip(plain);
    if (field == XMP_SUBJECT) {
        const char *last = strrchr(plain, '|');
        return g_strdup(last && last[1] ? last + 1 : plain);
    }
    if (field == XMP_TAGS_LIST) {
        g_strdelimit(plain, "/", '_'); /* no level may have one in its name */
        g_strdelimit(plain, "|", '/');
    }
    return g_strconcat(root ? root : "", root ? field == XMP_TAGS_LIST ? "/" : "|" : "",
                       plain, NULL);
}

static gboolean merge_field(ExportRun *run, const ExportItem *item, const char *path,
                            struct xmp *xmp, enum xmp_field field, gboolean *changed,
                            GError **error)
{
    g_autoptr(GPtrArray) there = xmp_keywords(xmp, field);
    g_autoptr(GPtrArray) now = g_ptr_array_new_with_free_func(g_free);
    struct export_keywords keywords;
    for (guint i = 0; i < item->n_tags; i++) {
        g_ptr_array_add(now, keyword_of(run, &item->tags[i], field));
    }
    if (!export_merge(run, path, xmp_field_name(field), there, now, &keywords, error)) {
        return FALSE;
    }
    if (keywords.changed) {
        xmp_set_keywords(xmp, field, keywords.all);
        *changed = TRUE;
    }
    export_keywords_clear(&keywords);
    return TRUE;
}

static struct xmp *read_xmp(const char *path, GError **error)
{
    gsize size;
    g_autofree char *text = export_read_sidecar(path, &size, error);
    struct xmp *xmp = text ? xmp_parse(text, size, error) : NULL;
    if (text && !xmp) {
        g_prefix_error(error, "%s: the sidecar is left alone: ", path);
    }
    return xmp;
}

static gboolean put_item(ExportRun *run, const ExportItem *item, GError **error)
{
    gboolean stem = run->options->stem_names, changed = FALSE, good = TRUE;
    g_autofree char *path = export_sidecar(run, item, ".xmp", stem);
    GError *failure = NULL;
    struct xmp *xmp = path ? read_xmp(path, &failure) : NULL;
    if (!xmp) {
        return !path || export_skip_sidecar(run, failure);
    }
    for (int field = 0; good && field < XMP_FIELDS; field++) {
        good = merge_field(run, item, path, xmp, field, &changed, error);
    }
    if (good && changed) {
        gsize size;
        char *text = xmp_text(xmp, &size);
        good = export_queue_sidecar(run, path, text, size, error);
    }
    xmp_free(&xmp);
    return good;
}

const ExportFormat export_xmp = {
    .id = "xmp",
    .summary = "keywords in XMP sidecars, for photo managers",
    .kind = EXPORT_SIDECARS,
    .states = EXPORT_ACCEPTED,
    .marks = EXPORT_ACCEPTED,
    .item = put_item,
};
