/* Export, import into an empty database, export again: the same bytes, for random databases
 * with hostile names. A format is given what it can hold at all: docs/formats.md says what
 * that is.
 *
 * test_round_trip [FIRST LAST]: the seeds. A failure names its seed and leaves its files. */
#include "app/formats/export.h"
#include "app/imports/import.h"
#include "app/library/library.h"
#include "tests/check.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define PATH_BYTES 3900 /* of the longest path, with the folder of the test before it */

/* What a format cannot hold. Text sidecars say of what is rejected only that nothing was
 * accepted; Open Images does not list an image without labels, whose name may be why
 * another's key has a suffix, and a text sidecar may be of either of two. */
enum { PLAIN_LABELS = 1, SHORT_LABELS = 2, NO_CONTROLS = 4, PLAIN_IMAGES = 8,
       NO_REJECTIONS = 16, OWN_STEMS = 32 };

static const struct { const char *export, *layout; int limits; gboolean zeros, sidecars; }
    formats[] = {
    { "csv", "csv", 0, FALSE },
    { "onehot", "onehot", 0, TRUE },
    { "coco", "coco", 0, FALSE },
    { "datumaro", "datumaro", 0, FALSE },
    { "fiftyone", "fiftyone", 0, FALSE },
    { "huggingface", "huggingface", 0, FALSE },
    { "openimages", "openimages", OWN_STEMS, FALSE },
    { "automl", "automl", 0, FALSE },
    { "label-studio", "label-studio", 0, FALSE },
    { "cvat", "cvat", NO_CONTROLS, FALSE },
    { "voc", "voc", PLAIN_LABELS | SHORT_LABELS | PLAIN_IMAGES, FALSE },
    { "labelme", "labelme", 0, TRUE, TRUE },
    { "txt", "txt", PLAIN_LABELS | NO_REJECTIONS | OWN_STEMS, FALSE, TRUE },
    { "xmp", "xmp", PLAIN_LABELS, FALSE, TRUE } };

static GRand *dice;
static char *top; /* of one database and its exports */

/* --- Names ------------------------------------------------------------------------------ */

static const char *const pieces[] = {
    "a", "Boat", " ", "  ", "\"", "\"\"", "'", ",", ";", "\t", "\n", "\r\n", "\r", "\\", "\\n",
    "#", "|", "~", "_", "-", ".", "&", "<", ">", "&amp;", "%20", "%s", "{", "}", "[", "]", "=",
    "@", "$", "`", "\x01", "\x7f", "\xc3\xa9", "e\xcc\x81", "\xf0\x9f\x98\x80",
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
    "\xe2\x80\xae", "\xd8\xa7\xd9\x84", "\xe6\x97\xa5\xe6\x9c\xac", "\xef\xbb\xbf", "null", "0",
    "1", "true", "label", "image", "state", "filename", "NaN", "--", "/*", "://" };

static const char *const plain[] = { "a", "Boat", "red", "\xc3\xa9", "\xf0\x9f\x98\x80",
                                     "\xd7\xa9\xd7\x9c", "-", "0", "'", "&", "<", "%s", "=" };

static const char *piece(int limits, int mask)
{
    const char *p;
    if (limits & mask) {
        return plain[g_rand_int_range(dice, 0, G_N_ELEMENTS(plain))];
    }
    do {
        p = pieces[g_rand_int_range(dice, 0, G_N_ELEMENTS(pieces))];
    } while ((limits & NO_CONTROLS) && (*p == '\x01' || *p == '\x7f'));
    return p;
}

/* `longest`: in bytes, about. */
static char *make_text(int limits, int mask, gsize longest)
{
    GString *text = g_string_new(NULL);
    gsize n = g_rand_int_range(dice, 0, 12) == 0 ? longest : 1 + longest % 17;
    do {
        g_string_append(text, piece(limits, mask));
    } while (text->len + 12 < n);
    return g_string_free(text, FALSE);
}

/* A path of folders and a file below them, with the suffix of an image. */
static char *make_path(int limits)
{
    static const char *const suffixes[] = { ".jpg", ".PNG", ".webp" };
    gsize longest = g_rand_int_range(dice, 0, 8) == 0 ? PATH_BYTES - strlen(top) : 60;
    GString *path = g_string_new(NULL);
    do {
        g_autofree char *part = make_text(limits, PLAIN_IMAGES, 100);
        g_strdelimit(part, "/", '_');
        g_string_append_printf(path, "%s%s%s", path->len ? "/" : "", /* not hidden */
                               part[0] == '.' ? "x" : "", part);
    } while (g_rand_boolean(dice) && path->len + 130 < longest);
    g_string_append(path, suffixes[g_rand_int_range(dice, 0, 3)]);
    return g_string_free(path, FALSE);
}

/* --- A database --------------------------------------------------------------------------- */

struct random_database {
    store *s;
    store_intake *intake;        /* for predictions */
    int limits;
    GArray *images, *labels; /* gint64 rows */
};

static void add_image(struct random_database *r, int number)
{
    g_autofree char *name = make_path(r->limits);
    g_autofree char *path = g_build_filename(top, "images", name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *content = g_strdup_printf("picture %d", number);
    g_autofree char *stem = g_strndup(path, (gsize)(strrchr(path, '.') - path));
    g_autoptr(GPtrArray) alike = library_list_stem(stem);
    struct identity known;
    if (g_file_test(path, G_FILE_TEST_EXISTS) || g_mkdir_with_parents(folder, 0700) != 0
        || ((r->limits & OWN_STEMS) && alike->len > 0)) {
        return; /* the name is taken, or a file has that of a folder */
    }
    REQUIRE(g_file_set_contents(path, content, -1, NULL));
    REQUIRE(identity_read(path, NULL, &known, NULL));
    gint64 row = identity_put(r->s, path, &known, NULL);
    identity_clear(&known);
    REQUIRE(row > 0);
    g_array_append_val(r->images, row);
}

static void add_label(struct random_database *r)
{
    g_autofree char *name = make_text(r->limits, PLAIN_LABELS,
                                       r->limits & SHORT_LABELS ? 150 : 4000);
    /* As the columns of one-hot files that are no labels. */
    gboolean taken = g_ascii_strcasecmp(name, "split") == 0
                     || strcmp(name, "filename") == 0 || store_find_label(r->s, name);
    if (!taken && *g_strstrip(g_strdup(name)) != '\0') {
        gint64 row = store_put_label(r->s, name, NULL, NULL);
        REQUIRE(row > 0);
        g_array_append_val(r->labels, row);
    }
}

static void decide(struct random_database *r)
{
    gint64 image = g_array_index(r->images, gint64,
                                 g_rand_int_range(dice, 0, (gint)r->images->len));
    gint64 label = g_array_index(r->labels, gint64,
                                 g_rand_int_range(dice, 0, (gint)r->labels->len));
    g_autofree char *model = make_text(r->limits, 0, 30), *prompt = make_text(0, 0, 400);
    g_autofree char *time = g_strdup_printf("2026-0%d-1%dT10:0%d:00.%03dZ",
        g_rand_int_range(dice, 1, 10), g_rand_int_range(dice, 0, 10),
        g_rand_int_range(dice, 0, 10), g_rand_int_range(dice, 0, 1000));
    gboolean scored = g_rand_boolean(dice), timed = g_rand_boolean(dice);
    StoreSource source = {
        .by_model = g_rand_boolean(dice), .model = scored ? model : NULL,
        .prompt = scored ? prompt : NULL,
        .confidence = scored ? g_rand_double_range(dice, 0.001, 1) : -1,
        .threshold = g_rand_boolean(dice) ? g_rand_double(dice) : -1,
        .author = g_rand_boolean(dice) ? "eve" : NULL, .time = timed ? time : NULL };
    int verdict = g_rand_int_range(dice, r->limits & NO_REJECTIONS ? 0 : -1, 2);
    REQUIRE(store_decide(r->s, image, label, (StoreVerdict)verdict, &source, NULL));
    if (g_rand_int_range(dice, 0, 4) == 0) {
        source.confidence = g_rand_double_range(dice, 0.001, 1);
        source.time = time;
        REQUIRE(store_take_prediction(r->intake, image, label, &source, NULL)
                != STORE_TAKE_FAILED);
    }
}

static void make_database(const char *path, int limits)
{
    struct random_database r = { .s = store_open(path, STORE_CREATE, NULL),
                                 .limits = limits,
                                 .images = g_array_new(FALSE, FALSE, sizeof(gint64)),
                                 .labels = g_array_new(FALSE, FALSE, sizeof(gint64)) };
    REQUIRE(r.s);
    r.intake = store_intake_new(r.s, NULL);
    REQUIRE(r.intake);
    int n_images = g_rand_int_range(dice, 1, 9), n_labels = g_rand_int_range(dice, 1, 8);
    for (int i = 0; i < n_images; i++) {
        add_image(&r, i);
    }
    for (int i = 0; i < n_labels || r.labels->len == 0; i++) {
        add_label(&r);
    }
    for (int i = g_rand_int_range(dice, 0, 40); r.images->len > 0 && i > 0; i--) {
        decide(&r);
    }
    store_intake_free(&r.intake);
    store_close(&r.s);
    g_array_unref(r.images);
    g_array_unref(r.labels);
}

/* --- There and back ------------------------------------------------------------------------- */

static void fail(gsize format, guint seed, const char *text)
{
    fprintf(stderr, "%s, seed %u: %s; see %s\n", formats[format].export, seed, text, top);
    exit(1);
}

static char *in_top(const char *name)
{
    return g_build_filename(top, name, NULL);
}

static void export_to(gsize format, guint seed, const char *db, const char *out)
{
    g_autofree char *path = in_top(db), *to = in_top(out), *root = in_top("images");
    g_autoptr(GError) error = NULL;
    store *s = store_open(path, STORE_READ_ONLY, NULL);
    store *memory = store_open(path, STORE_CREATE, NULL);
    REQUIRE(s && memory);
    ExportOptions options = { .root = root, .memory = memory };
    if (!export_run(s, export_find(formats[format].export), &options, to, &error)) {
        fail(format, seed, error->message);
    }
    store_close(&s);
    store_close(&memory);
    if (formats[format].sidecars) {
        REQUIRE(g_mkdir_with_parents(to, 0700) == 0); /* perhaps there were none */
    }
}

/* All images have to be found by their paths, but those that share a sidecar. */
static void import_from(gsize format, guint seed)
{
    g_autofree char *from = in_top("first"), *db = in_top("second.db");
    g_autofree char *root = in_top("images");
    g_autoptr(GError) error = NULL;
    struct import_params params = {
        .data = { .images = root, .layout = formats[format].layout,
                  .zeros = formats[format].zeros },
        .how = PLACES_BY_PATH, .author = "file" };
    struct import_report *r = import_run(db, from, &params, &error);
    if (!r) {
        fail(format, seed, error->message);
    }
    if (r->missing.count > 0) {
        fail(format, seed, r->missing.names->pdata[0]);
    }
    import_report_free(&r);
    r = import_run(db, from, &params, &error);
    if (!r || r->decisions[STORE_TAKEN] || r->decisions[STORE_TAKEN_OVER]
        || r->decisions[STORE_TAKE_KEPT] || r->predictions[STORE_TAKEN]) {
        fail(format, seed, "a second import is not the same");
    }
    import_report_free(&r);
}

static void round_trip(gsize format, guint seed)
{
    g_autofree char *base = g_strdup_printf("taglight-round-%s-XXXXXX",
                                            formats[format].export);
    top = g_dir_make_tmp(base, NULL);
    REQUIRE(top);
    g_rand_set_seed(dice, seed);
    g_autofree char *db = in_top("first.db"), *images = in_top("images");
    REQUIRE(g_mkdir(images, 0700) == 0);
    make_database(db, formats[format].limits);
    export_to(format, seed, "first.db", "first");
    import_from(format, seed);
    export_to(format, seed, "second.db", "second");
    g_autofree char *compare = g_strdup_printf("diff -r '%s/first' '%s/second' >/dev/null",
                                               top, top);
    if (system(compare) != 0) {
        fail(format, seed, "the second export is another");
    }
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", top);
    REQUIRE(system(remove) == 0);
    g_clear_pointer(&top, g_free);
}

int main(int argc, char **argv)
{
    guint first = argc > 2 ? (guint)atoi(argv[1]) : 1;
    guint last = argc > 2 ? (guint)atoi(argv[2]) : 12;
    dice = g_rand_new();
    if (g_access("/dev/shm", W_OK) == 0) {
        g_setenv("TMPDIR", "/dev/shm", FALSE); /* thousands of writes wait for the disk */
    }
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        for (guint seed = first; seed <= last; seed++) {
            round_trip(i, seed);
        }
    }
    g_rand_free(dice);
    return 0;
}
