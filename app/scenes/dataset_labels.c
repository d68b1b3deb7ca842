/* The label files of drawn pictures. No date and no path stands in them, so that the
 * same seed gives the same bytes. Words are plain ASCII without quotes or commas,
 * which the tests check, so nothing needs escaping. */
#include "app/scenes/dataset_private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

/* The pictures from `first` on that a file speaks of. */
struct part {
    const struct dataset_options *options;
    const struct scene *scenes;
    int first, count;
};

typedef void (*part_writer)(const struct part *part, FILE *out);

static gboolean write_file(const char *folder, const char *name, part_writer write,
                           const struct part *part, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    FILE *out = g_fopen(path, "wb");
    if (!out) {
        return dataset_io_error(path, error);
    }
    write(part, out);
    gboolean good = !ferror(out) && fflush(out) == 0;
    if (!good) {
        dataset_io_error(path, error);
    }
    if (fclose(out) != 0 && good) {
        good = dataset_io_error(path, error);
    }
    return good;
}

/* --- Labels ----------------------------------------------------------------------- */

static void write_csv(const struct part *part, FILE *out)
{
    const struct vocabulary *v = words_vocabulary();
    fputs("filename", out);
    for (int k = 0; k < v->count; k++) {
        fprintf(out, ",%s", v->labels[k].text);
    }
    fputc('\n', out);
    for (int i = part->first; i < part->first + part->count; i++) {
        fprintf(out, "images/%06d.jpg", i + 1);
        for (int k = 0; k < v->count; k++) {
            fputs(scene_label_true(&part->scenes[i], &v->labels[k]) ? ",1" : ",0", out);
        }
        fputc('\n', out);
    }
}

static void write_categories(FILE *out)
{
    const struct vocabulary *v = words_vocabulary();
    fputs("\"categories\": [", out);
    for (int k = 0; k < v->count; k++) {
        fprintf(out, "%s\n  {\"id\": %d, \"name\": \"%s\", \"supercategory\": \"%s\"}",
                k ? "," : "", k + 1, v->labels[k].text, v->labels[k].form);
    }
    fputs("\n],\n", out);
}

static void write_images(const struct part *part, FILE *out)
{
    fputs("\"images\": [", out);
    for (int i = part->first; i < part->first + part->count; i++) {
        fprintf(out, "%s\n  {\"id\": %d, \"file_name\": \"images/%06d.jpg\", "
                "\"width\": %d, \"height\": %d, \"license\": 0, \"flickr_url\": \"\", "
                "\"coco_url\": \"\", \"date_captured\": 0}", i > part->first ? "," : "",
                i + 1, i + 1, part->options->side, part->options->side);
    }
    fputs("\n],\n", out);
}

static void write_annotations(const struct part *part, FILE *out)
{
    const struct vocabulary *v = words_vocabulary();
    int id = 0;
    fputs("\"annotations\": [", out);
    for (int i = part->first; i < part->first + part->count; i++) {
        for (int k = 0; k < v->count; k++) {
            if (scene_label_true(&part->scenes[i], &v->labels[k])) {
                fprintf(out, "%s\n  {\"id\": %d, \"image_id\": %d, "
                        "\"category_id\": %d}", id ? "," : "", id + 1, i + 1, k + 1);
                id++;
            }
        }
    }
    fputs("\n]\n", out);
}

static void write_coco(const struct part *part, FILE *out)
{
    fprintf(out, "{\n\"info\": {\"description\": \"Scenes drawn by taglight, seed "
            "%" G_GUINT64_FORMAT "\", \"version\": \"%d\", \"year\": 0, "
            "\"contributor\": \"\", \"url\": \"\", \"date_created\": \"\"},\n"
            "\"licenses\": [{\"id\": 0, \"name\": \"\", \"url\": \"\"}],\n",
            part->options->seed, SCENE_VERSION);
    write_categories(out);
    write_images(part, out);
    write_annotations(part, out);
    fputs("}\n", out);
}

/* --- Words and descriptions ------------------------------------------------------- */

static void write_some(FILE *out, gboolean seen, gboolean unseen)
{
    const struct vocabulary *v = words_vocabulary();
    for (int k = 0; k < v->count; k++) {
        if (v->labels[k].held_out ? unseen : seen) {
            fprintf(out, "%s\n", v->labels[k].text);
        }
    }
}

static void write_vocabulary(const struct part *part, FILE *out)
{
    write_some(out, TRUE, TRUE);
}

static void write_seen(const struct part *part, FILE *out)
{
    write_some(out, TRUE, FALSE);
}

static void write_unseen(const struct part *part, FILE *out)
{
    write_some(out, FALSE, TRUE);
}

/* x, y, radius: thousandths of the side. turn: degrees clockwise. seen: percent. */
static void write_object(const struct scene_object *o, FILE *out)
{
    fprintf(out, "{\"shape\": \"%s\", \"colour\": \"%s\", \"pattern\": \"%s\", "
            "\"size\": \"%s\", \"x\": %ld, \"y\": %ld, \"radius\": %ld, \"turn\": %ld, "
            "\"seen\": %d}", words_text(WORD_SHAPE, o->shape),
            words_text(WORD_COLOUR, o->colour), words_text(WORD_PATTERN, o->pattern),
            words_text(WORD_SIZE, o->size), lround(1000 * o->x), lround(1000 * o->y),
            lround(1000 * o->radius), lround(o->turn * 180 / G_PI),
            (int)(100 * o->seen));
}

static void write_scenes(const struct part *part, FILE *out)
{
    for (int i = part->first; i < part->first + part->count; i++) {
        const struct scene *scene = &part->scenes[i];
        int split = dataset_split_of(part->options, i);
        fprintf(out, "{\"file_name\": \"images/%06d.jpg\", \"split\": \"%s\", "
                "\"background\": \"%s\", \"condition\": \"%s\", \"objects\": [", i + 1,
                split < 0 ? "" : dataset_split_names[split],
                words_text(WORD_BACKGROUND, scene->background),
                words_text(WORD_CONDITION, scene->condition));
        for (int k = 0; k < scene->count; k++) {
            fputs(k ? ", " : "", out);
            write_object(&scene->objects[k], out);
        }
        fputs("]}\n", out);
    }
}

/* --- All of them ------------------------------------------------------------------ */

static gboolean write_splits(const char *folder, const struct part *whole,
                             GError **error)
{
    for (int s = 0; s < 3; s++) {
        struct part part = *whole;
        part.first = dataset_split_start(whole->options, s);
        part.count = dataset_split_start(whole->options, s + 1) - part.first;
        const char *name = dataset_split_names[s];
        g_autofree char *json = g_strdup_printf("labels_%s.json", name);
        g_autofree char *csv = g_strdup_printf("labels_%s.csv", name);
        if (part.count > 0 && !(write_file(folder, json, write_coco, &part, error)
                                && write_file(folder, csv, write_csv, &part, error))) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean dataset_write_labels(const char *folder, const struct dataset_options *options,
                              const struct scene *scenes, GError **error)
{
    static const struct { const char *name; part_writer write; } files[] = {
        { "vocabulary.txt", write_vocabulary }, { "seen.txt", write_seen },
        { "unseen.txt", write_unseen }, { "scenes.jsonl", write_scenes },
        { "labels.csv", write_csv }, { "labels.json", write_coco },
    };
    const struct part whole = { options, scenes, 0, options->count };
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        if (!write_file(folder, files[i].name, files[i].write, &whole, error)) {
            return FALSE;
        }
    }
    return dataset_split_of(options, 0) < 0 || write_splits(folder, &whole, error);
}
