/* What an import says: text for people, JSON for programs. */
#include "app/imports/import.h"
#include "app/json/json_out.h"

/* By enum StoreTake. */
static const char *const takes[] = { "failed", "new", "changed", "same", "kept" };
G_STATIC_ASSERT(G_N_ELEMENTS(takes) == STORE_TAKE_KEPT + 1);

static void print_names(const char *what, const struct import_names *list)
{
    if (list->count == 0) {
        return;
    }
    g_print("  %s (%" G_GUINT64_FORMAT "):\n", what, list->count);
    for (guint i = 0; i < list->names->len; i++) {
        g_print("    %s\n", (const char *)list->names->pdata[i]);
    }
    if (list->count > list->names->len) {
        g_print("    …\n");
    }
}

static void print_takes(const char *what, const guint64 *counts)
{
    g_print("  %s: %" G_GUINT64_FORMAT " new, %" G_GUINT64_FORMAT " changed, %"
            G_GUINT64_FORMAT " the same, %" G_GUINT64_FORMAT " left as they are here\n",
            what, counts[STORE_TAKEN], counts[STORE_TAKEN_OVER], counts[STORE_TAKE_SAME],
            counts[STORE_TAKE_KEPT]);
}

void import_report_print(const struct import_report *r, gboolean dry_run)
{
    g_print("%s: %u images, %u found by path, %u by name, %u by content, %" G_GUINT64_FORMAT
            " not found\n", r->layout, r->images, r->by_path, r->by_name, r->by_content,
            r->missing.count);
    print_names("not found", &r->missing);
    if (r->without_image) {
        g_print("  %" G_GUINT64_FORMAT " pairs are about those and left out\n",
                r->without_image);
    }
    g_print("  %u images are new to the database\n", r->new_images);
    print_names("new labels", &r->new_labels);
    print_takes("decisions", r->decisions);
    print_names("contradict what is decided here, which stays", &r->kept);
    if (r->predictions[STORE_TAKEN] + r->predictions[STORE_TAKEN_OVER]
        + r->predictions[STORE_TAKE_SAME]) {
        print_takes("predictions", r->predictions);
    }
    if (dry_run) {
        g_print("Nothing was written: this was a dry run.\n");
    }
}

/* --- JSON ----------------------------------------------------------------------------- */

static void put_names(JsonBuilder *b, const char *name, const struct import_names *list)
{
    json_out_begin_object(b, name);
    json_out_count(b, "count", list->count);
    json_out_begin_array(b, "first");
    for (guint i = 0; i < list->names->len; i++) {
        json_builder_add_string_value(b, list->names->pdata[i]);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void put_takes(JsonBuilder *b, const char *name, const guint64 *counts)
{
    json_out_begin_object(b, name);
    for (int i = STORE_TAKEN; i <= STORE_TAKE_KEPT; i++) {
        json_out_count(b, takes[i], counts[i]);
    }
    json_builder_end_object(b);
}

char *import_report_to_json(const struct import_report *r, gboolean dry_run)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_out_text(b, "layout", r->layout);
    json_out_flag(b, "dry_run", dry_run);
    json_out_count(b, "images", r->images);
    json_out_count(b, "found_by_path", r->by_path);
    json_out_count(b, "found_by_name", r->by_name);
    json_out_count(b, "found_by_content", r->by_content);
    put_names(b, "not_found", &r->missing);
    json_out_count(b, "pairs_without_image", r->without_image);
    json_out_count(b, "new_images", r->new_images);
    put_names(b, "new_labels", &r->new_labels);
    put_takes(b, "decisions", r->decisions);
    put_names(b, "contradicting", &r->kept);
    put_takes(b, "predictions", r->predictions);
    json_builder_end_object(b);
    return json_out_string(b);
}
