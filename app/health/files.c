/* Files: whether each can be read, is what its name says and stands as it should. Their
 * looks are learnt from the same decoding, and the content of those that have as many
 * bytes as another. */
#include "app/health/health_private.h"
#include "app/image/exif.h"
#include "app/image/image.h"
#include "app/image/image_hash.h"
#include "app/jobs/ahead.h"
#include "app/library/library.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD 65536          /* bytes in which a JPEG's Exif and sides are sought */
#define LARGE (64 << 20)    /* bytes of a file that is worth a word */

/* What one file told. */
struct look {
    GError *error;     /* it cannot be decoded */
    gboolean hashed;
    guint64 looks;
    char *hash;        /* of the content, where it was asked for */
    gint64 bytes;
    const char *type;  /* MIME, by its first bytes; NULL: unknown */
    struct img_exif exif;
    guint width, height; /* as stored; of JPEG only, else 0 */
};

struct reading {
    const HealthRun *run;
    GArray *todo;      /* of guint: images */
    GHashTable *sizes; /* bytes -> how many of the files that were never hashed */
};

/* --- One file --------------------------------------------------------------------- */

/* Never opens what could make it wait: a pipe, or a device. */
static void read_head(const char *path, struct look *look)
{
    GStatBuf info;
    g_autofree guint8 *head = g_malloc(HEAD);
    gboolean regular = g_stat(path, &info) == 0 && S_ISREG(info.st_mode);
    FILE *file = regular ? g_fopen(path, "rbe") : NULL;
    if (!file) {
        return;
    }
    gsize got = fread(head, 1, HEAD, file);
    fclose(file);
    look->bytes = info.st_size;
    look->type = img_sniff(head, got);
    if (look->type && strcmp(look->type, "image/jpeg") == 0) {
        img_exif_of_jpeg(head, got, &look->exif, &look->width, &look->height);
    }
}

static gboolean is_shared_size(const struct reading *r, gint64 bytes)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(r->sizes, &bytes)) > 1;
}

static gpointer make_look(guint64 number, GCancellable *cancellable, gpointer data)
{
    const struct reading *r = data;
    guint index = g_array_index(r->todo, guint, number);
    const HealthImage *image = health_image(r->run->set, index);
    struct look *look = g_new0(struct look, 1);
    struct img_pixels picture = { 0 };
    read_head(image->path, look);
    if (img_decode_reduced(image->path, IMG_HASH_SIDE, cancellable, &picture,
                           &look->error)) {
        look->hashed = img_hash_pixels(&picture, &look->looks, &look->error);
    }
    img_clear(&picture);
    if (!image->hash && look->bytes > 0
        && (image->changed || is_shared_size(r, look->bytes))) {
        gint64 bytes; /* what cannot be read is told of by the decoder */
        look->hash = library_hash(image->path, cancellable, &bytes, NULL);
    }
    return look;
}

static void free_look(gpointer data)
{
    struct look *look = data;
    g_clear_error(&look->error);
    g_free(look->hash);
    g_free(look);
}

/* --- What is wrong with it -------------------------------------------------------- */

static const struct { const char *suffix, *type; } suffixes[] = {
    { "jpg", "image/jpeg" }, { "jpeg", "image/jpeg" }, { "jpe", "image/jpeg" },
    { "jfif", "image/jpeg" }, { "png", "image/png" }, { "gif", "image/gif" },
    { "webp", "image/webp" }, { "bmp", "image/bmp" }, { "dib", "image/bmp" },
    { "tif", "image/tiff" }, { "tiff", "image/tiff" },
    { "ppm", "image/x-portable-anymap" }, { "pgm", "image/x-portable-anymap" },
    { "pbm", "image/x-portable-anymap" }, { "pnm", "image/x-portable-anymap" },
    { "avif", "image/avif" }, { "heic", "image/heif" }, { "heif", "image/heif" },
    { "hif", "image/heif" },
};

/* NULL for a name that says nothing. */
static const char *type_by_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (gsize i = 0; dot && i < G_N_ELEMENTS(suffixes); i++) {
        if (g_ascii_strcasecmp(dot + 1, suffixes[i].suffix) == 0) {
            return suffixes[i].type;
        }
    }
    return NULL;
}

static HealthFinding *tell(HealthRun *run, guint image, const char *kind,
                           HealthSeverity severity, const char *text)
{
    HealthFinding *finding =
        health_find(run, HEALTH_FILES, kind, severity, "%s", text);
    health_find_path(finding, run, image);
    return finding;
}

/* The decoder's messages begin with the path, which a finding has by itself. */
static const char *plain_message(const char *path, const GError *error)
{
    g_autofree char *name = g_filename_display_name(path);
    gsize n = strlen(name);
    gboolean named = strncmp(error->message, name, n) == 0
                     && strncmp(error->message + n, ": ", 2) == 0;
    return named ? error->message + n + 2 : error->message;
}

static const char *kind_of(const GError *error, const struct look *look)
{
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        return "missing";
    }
    if (error->domain == G_IO_ERROR) {
        return "unreadable";
    }
    switch ((ImgError)error->code) {
    case IMG_ERROR_SIZE:
        return "too-large";
    case IMG_ERROR_FORMAT:
        return "no-image";
    case IMG_ERROR_BROKEN:
        return strstr(error->message, "cut short") ? "cut-short" : "damaged";
    case IMG_ERROR_FILE:
        break;
    }
    return look->bytes > 0 ? "too-large" : "empty";
}

/* The decoders' own words are English: where another language is wanted, the kind of fault
 * is told in that first. */
static void tell_error(HealthRun *run, guint image, const char *kind, const char *message)
{
    static const struct { const char *kind, *text; } kinds[] = {
        { "missing", N_("the file is missing") },
        { "unreadable", N_("the file cannot be read") },
        { "empty", N_("the file is empty") },
        { "too-large", N_("the picture is too large") },
        { "no-image", N_("this is no picture of a known format") },
        { "cut-short", N_("the file is cut short") },
        { "damaged", N_("the file is damaged") } };
    const char *known = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const char *said = health_say(run, kinds[i].text);
        known = strcmp(kinds[i].kind, kind) == 0 && said != kinds[i].text ? said : known;
    }
    g_autofree char *text = known ? g_strdup_printf("%s (%s)", known, message)
                                  : g_strdup(message);
    tell(run, image, kind, HEALTH_ERROR, text);
}

static void check_name(HealthRun *run, guint image, const struct look *look)
{
    const char *named = type_by_name(health_image(run->set, image)->path);
    if (!look->type || (named && strcmp(named, look->type) == 0)) {
        return;
    }
    g_autofree char *text =
        named ? g_strdup_printf(health_say(run, N_("its name says %s and its content is %s")),
                                named, look->type)
              : g_strdup_printf(health_say(run, N_("its name does not say that its content "
                                                   "is %s")), look->type);
    tell(run, image, "wrong-suffix", HEALTH_WARNING, text);
}

static void check_turn(HealthRun *run, guint image, const struct look *look)
{
    const struct img_exif *exif = &look->exif;
    guint o = exif->orientation;
    if (!exif->turns) {
        return;
    }
    if (o < 1 || o > 8) {
        g_autofree char *text =
            g_strdup_printf(health_say(run, N_("its Exif orientation is %u, which is none of "
                                               "1 to 8 and is taken for 1")), o);
        tell(run, image, "orientation-unknown", HEALTH_NOTE, text);
    } else if (o >= 5 && exif->width == look->height && exif->height == look->width
               && look->width != look->height) {
        tell(run, image, "turned-twice", HEALTH_WARNING,
             health_say(run, N_("a program turned its pixels and left the Exif orientation, "
                                "so it is seen turned twice")));
    } else if (o == 2 || o == 4 || o == 5 || o == 7) {
        tell(run, image, "mirrored", HEALTH_NOTE,
             health_say(run, N_("its Exif orientation mirrors it, which cameras never do")));
    }
}

static void check_look(HealthRun *run, guint number, const struct look *look)
{
    const HealthImage *image = health_image(run->set, number);
    if (look->error) {
        const char *kind = kind_of(look->error, look);
        tell_error(run, number, kind, plain_message(image->path, look->error));
    } else {
        check_turn(run, number, look);
    }
    check_name(run, number, look);
    if (image->changed) {
        tell(run, number, "changed", HEALTH_WARNING,
             health_say(run, N_("the file is not the one that was decided about: its size or "
                                "time is another")));
    }
    if (!look->error && look->bytes > LARGE) {
        g_autofree char *size = g_format_size((guint64)look->bytes);
        g_autofree char *text = g_strdup_printf(health_say(run, N_("the file has %s")), size);
        tell(run, number, "large", HEALTH_NOTE, text);
    }
}

/* --- All files -------------------------------------------------------------------- */

static void count_sizes(struct reading *r)
{
    const HealthSet *set = r->run->set;
    for (guint i = 0; i < set->images->len; i++) {
        const HealthImage *image = health_image(set, i);
        GStatBuf info;
        if (!image->hash && g_stat(image->path, &info) == 0) {
            gint64 *bytes = g_new(gint64, 1);
            *bytes = info.st_size;
            guint count = GPOINTER_TO_UINT(g_hash_table_lookup(r->sizes, bytes));
            g_hash_table_replace(r->sizes, bytes, GUINT_TO_POINTER(count + 1));
        }
    }
}

/* All, or where only looks are wanted those that have none. */
static void list_todo(struct reading *r)
{
    const HealthSet *set = r->run->set;
    gboolean all = r->run->options->checks & HEALTH_FILES;
    for (guint i = 0; i < set->images->len; i++) {
        if (all || !health_image(set, i)->hashed) {
            g_array_append_val(r->todo, i);
        }
    }
}

static gboolean take_looks(HealthRun *run, const struct reading *r, struct ahead *ahead,
                           GError **error)
{
    for (guint i = 0; i < r->todo->len; i++) {
        if (!health_go_on(run, N_("reading"), i, r->todo->len, error)) {
            return FALSE;
        }
        guint number = g_array_index(r->todo, guint, i);
        HealthImage *image = health_image(run->set, number);
        struct look *look = ahead_take(ahead, TRUE);
        image->hashed = look->hashed;
        image->looks = look->looks;
        if (look->hash) {
            image->hash = health_text(run->set, look->hash);
        }
        if (run->options->checks & HEALTH_FILES) {
            check_look(run, number, look);
        }
        free_look(look);
    }
    return TRUE;
}

gboolean health_check_files(HealthRun *run, GError **error)
{
    struct reading r = {
        .run = run, .todo = g_array_new(FALSE, FALSE, sizeof(guint)),
        .sizes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)
    };
    guint jobs = run->options->jobs ? run->options->jobs : g_get_num_processors();
    count_sizes(&r);
    list_todo(&r);
    struct ahead_params params = { .name = "health", .end = r.todo->len, .jobs = jobs,
                                   .capacity = 4 * jobs, .make = make_look,
                                   .free = free_look, .data = &r };
    struct ahead *ahead = ahead_new(&params);
    gboolean good = take_looks(run, &r, ahead, error);
    ahead_free(ahead);
    g_array_unref(r.todo);
    g_hash_table_unref(r.sizes);
    return good;
}
