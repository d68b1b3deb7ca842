/* fill_store DB: makes a database from lines on standard input, fields with tabs
 * between, escapes as in C:
 *
 *   image   PATH HASH WIDTH HEIGHT
 *   label   NAME
 *   hide    NAME
 *   decide  PATH LABEL accepted|rejected|cleared human|model SCORE THRESHOLD
 *           MODEL PROMPT TIME
 *   predict PATH LABEL SCORE MODEL PROMPT
 *
 * A score or threshold of - is unknown. */
#include "app/store/store.h"
#include "tests/check.h"

static GHashTable *images; /* path -> id */

static double number(const char *text)
{
    return strcmp(text, "-") == 0 ? -1 : g_ascii_strtod(text, NULL);
}

static gint64 find_image(const char *path)
{
    gint64 *id = g_hash_table_lookup(images, path);
    REQUIRE(id);
    return *id;
}

static gint64 find_label(store *s, const char *name)
{
    gint64 id = store_find_label(s, name);
    return id ? id : store_put_label(s, name, NULL, NULL);
}

static void put_image(store *s, char **f)
{
    StoreImage image = { f[2], f[1], 10, 20, atoi(f[3]), atoi(f[4]) };
    gint64 *id = g_new(gint64, 1);
    *id = store_put_image(s, &image, NULL);
    REQUIRE(*id > 0);
    g_hash_table_insert(images, g_strdup(f[1]), id);
}

static void decide(store *s, char **f)
{
    StoreVerdict verdict = strcmp(f[3], "accepted") == 0   ? STORE_ACCEPTED
                           : strcmp(f[3], "rejected") == 0 ? STORE_REJECTED
                                                           : STORE_CLEARED;
    g_autofree char *time = store_time(f[9]);
    StoreSource source = { .by_model = strcmp(f[4], "model") == 0,
                           .model = *f[7] ? f[7] : NULL, .prompt = *f[8] ? f[8] : NULL,
                           .confidence = number(f[5]), .threshold = number(f[6]),
                           .time = time };
    REQUIRE(time);
    REQUIRE(
        store_decide(s, find_image(f[1]), find_label(s, f[2]), verdict, &source, NULL));
}

static void predict(store *s, char **f)
{
    const gint64 label = find_label(s, f[2]);
    const char *prompt = f[5];
    const float confidence = (float)number(f[3]);
    StoreQuestion question = { .model = f[4], .n = 1, .labels = &label, .prompts = &prompt };
    REQUIRE(store_predict(s, find_image(f[1]), &question, &confidence, TRUE, NULL));
}

static void run_line(store *s, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    g_auto(GStrv) f = g_strsplit(line, "\t", -1);
    guint n = g_strv_length(f);
    for (guint i = 0; i < n; i++) {
        char *plain = g_strcompress(f[i]);
        g_free(f[i]);
        f[i] = plain;
    }
    if (strcmp(f[0], "image") == 0) {
        REQUIRE_INT(n, 5);
        put_image(s, f);
    } else if (strcmp(f[0], "label") == 0) {
        REQUIRE(n == 2 && find_label(s, f[1]) > 0);
    } else if (strcmp(f[0], "hide") == 0) {
        REQUIRE(n == 2 && store_hide_label(s, f[1], NULL));
    } else if (strcmp(f[0], "decide") == 0) {
        REQUIRE_INT(n, 10);
        decide(s, f);
    } else {
        REQUIRE(n == 6 && strcmp(f[0], "predict") == 0);
        predict(s, f);
    }
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    REQUIRE(argc == 2);
    store *s = store_open(argv[1], STORE_CREATE, NULL);
    REQUIRE(s && store_begin(s, NULL));
    images = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    while (getline(&line, &room, stdin) > 0) {
        run_line(s, line);
    }
    REQUIRE(store_commit(s, NULL));
    store_close(&s);
    g_hash_table_unref(images);
    free(line);
    return 0;
}
