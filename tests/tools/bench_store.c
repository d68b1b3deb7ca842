/* bench_store [--images N] [--decisions N] [--limit-ms N] [--keep FILE]:
 * every query of the store on a database of that size (200,000 and 1,000,000), each with its
 * plan and its slowest time.
 *
 * Fails when a query that is no stream of whole tables takes longer than the limit (50 ms),
 * or reads a whole table of images, decisions or confidences. Writes outside of a
 * transaction include their way to the disk; COMMIT is nothing else, and has no limit. */
#include "app/store/backup.h"
#include "app/store/browse.h"
#include "app/store/merge.h"
#include "app/store/steps.h"
#include "app/store/store_private.h"
#include "app/store/summary.h"
#include "tests/check.h"

#include <glib/gstdio.h>

#define LABELS 50
#define ROUNDS 40

struct query {
    char *sql;
    double slowest_ms;
    guint calls;
    gboolean stream;
};

struct bench {
    store *store;
    gint64 images, decisions, limit_ms;
    GPtrArray *queries;  /* of struct query, in the order in which they came */
    gboolean stream;     /* what runs now reads whole tables by its nature */
};

/* --- Watching --------------------------------------------------------------------- */

static int on_profile(unsigned kind, void *data, void *statement, void *nanoseconds)
{
    struct bench *b = data;
    const char *sql = sqlite3_sql(statement);
    struct query *q = NULL;
    for (guint i = 0; i < b->queries->len && !q; i++) {
        struct query *other = b->queries->pdata[i];
        q = g_str_equal(other->sql, sql) ? other : NULL;
    }
    if (!q) {
        q = g_new0(struct query, 1);
        q->sql = g_strdup(sql);
        q->stream = b->stream;
        g_ptr_array_add(b->queries, q);
    }
    q->calls++;
    q->slowest_ms = MAX(q->slowest_ms, 1e-6 * (double)*(sqlite3_int64 *)nanoseconds);
    return 0;
}

/* The lines of a query's plan, to be freed; empty for what has none. */
static char *plan_of(struct bench *b, const char *sql)
{
    GString *text = g_string_new(NULL);
    g_autofree char *explain = g_strconcat("EXPLAIN QUERY PLAN ", sql, NULL);
    sqlite3_stmt *plan = NULL;
    sqlite3_prepare_v2(b->store->db, explain, -1, &plan, NULL);
    while (plan && sqlite3_step(plan) == SQLITE_ROW) {
        g_string_append_printf(text, "      %s\n", sqlite3_column_text(plan, 3));
    }
    sqlite3_finalize(plan);
    return g_string_free(text, FALSE);
}

/* Tables that steps make within their queries, of the rows of one step. */
static gboolean is_of_query(const char *line)
{
    return g_str_equal(line, "SCAN chain") || g_str_equal(line, "SCAN main")
           || g_str_equal(line, "SCAN part");
}

/* Labels are few, and undo looks for the newest row of its own index. What a new label's
 * plan says of confidences is for foreign keys that are broken until the end of a
 * transaction, and there are none. */
static gboolean reads_whole_table(const char *sql, const char *plan)
{
    if (g_str_has_prefix(sql, "INSERT INTO label")) {
        return FALSE;
    }
    g_auto(GStrv) lines = g_strsplit(plan, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *what = g_strchug(*line);
        if (g_str_has_prefix(what, "SCAN ") && !strstr(what, "CONSTANT ROW")
            && !is_of_query(what)
            && !strstr(what, "decision_own") && !strstr(what, "label")
            && !g_str_equal(what, "SCAN l")) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean report(struct bench *b)
{
    gboolean good = TRUE;
    for (guint i = 0; i < b->queries->len; i++) {
        const struct query *q = b->queries->pdata[i];
        g_autofree char *plan = plan_of(b, q->sql);
        gboolean slow = !q->stream && !g_str_equal(q->sql, "COMMIT")
                        && q->slowest_ms > (double)b->limit_ms;
        gboolean whole = !q->stream && reads_whole_table(q->sql, plan);
        printf("%6.0f ms  %5u x  %s%s%s%s\n%s", q->slowest_ms, q->calls,
               q->stream ? "[stream] " : "", slow ? "[SLOW] " : "",
               whole ? "[WHOLE TABLE] " : "", q->sql, plan);
        good = good && !slow && !whole;
    }
    return good;
}

/* --- The database ----------------------------------------------------------------- */

#define NUMBERS(n) "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n" \
                   " WHERE i < " n " - 1) "
#define HASH(i) "printf ('%016x%048d', " i " * 2654435761 % 4294967296, " i ")"

static void fill(struct bench *b)
{
    static const char *const steps[] = {
        NUMBERS("?1") "INSERT INTO image (hash, bytes, width, height)"
        " SELECT " HASH("i") ", 100000 + i, 640, 480 FROM n",
        "INSERT INTO image_path (path, image, bytes, mtime) SELECT CAST (printf"
        " ('/photos/%03d/%06d.jpg', id % 1000, id) AS BLOB), id, bytes, id FROM image",
        NUMBERS("50") "INSERT INTO label (name) SELECT 'label ' || i FROM n WHERE ?1 > 0",
        /* Half of it by this person, the rest by others and by a model; a fifth are second
         * thoughts. */
        NUMBERS("?2") "INSERT INTO decision (image, label, verdict, by_model, model,"
        " confidence, author, time, event) SELECT 1 + (i * 7919) % ?1,"
        " 1 + (i + min (i / ?1, 3) * 7) % 50, (i / 50 + i / ?1) % 3 - 1,"
        " (i / ?1 + i) % 10 = 0, iif ((i / ?1 + i) % 10 = 0, 'm#1', NULL), 0.5, CASE"
        " WHEN (i / ?1 + i) % 10 IN (1, 2) THEN 'anna'"
        " WHEN (i / ?1 + i) % 10 IN (3, 4) THEN 'ben' END,"
        " printf ('2026-%02d-%02dT%02d:%02d:%02d.000Z', 1 + i / 100000 % 12, 1 + i % 28,"
        " i % 24, i / 7 % 60, i % 60), lower (hex (randomblob (16))) FROM n",
        "INSERT INTO prediction (image, label, model, prompt, confidence) SELECT i.id, l.id,"
        " 'm#1', 'a photo of ' || l.name, 0.5 FROM image i, label l WHERE l.id <= 5"
        " AND ?1 > 0" };
    REQUIRE(store_begin(b->store, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        sqlite3_stmt *step = store_prepare(b->store, steps[i], NULL, "");
        REQUIRE(step);
        for (int p = 1; p <= sqlite3_bind_parameter_count(step); p++) {
            sqlite3_bind_int64(step, p, p == 1 ? b->images : b->decisions);
        }
        REQUIRE(store_finish(b->store, step, NULL, NULL));
    }
    REQUIRE(store_commit(b->store, NULL));
}

/* --- Every call ------------------------------------------------------------------- */

static void ask_images(struct bench *b, gint64 image, int round)
{
    store *s = b->store;
    g_autofree char *path = g_strdup_printf("/photos/%03d/%06d.jpg", (int)(image % 1000),
                                            (int)image);
    g_autofree char *hash = store_image_hash(s, image);
    g_autofree char *new = g_strdup_printf("new %d", round);
    REQUIRE(hash && store_find_content(s, hash) == image);
    REQUIRE_INT(store_find_image(s, path, 99999 + image, image), image);
    StoreImage known = { hash, path, 99999 + image, image, 640, 480 };
    StoreImage other = { new, new, 1, 1, 640, 480 };
    REQUIRE_INT(store_put_image(s, &known, NULL), image);
    REQUIRE(store_put_image(s, &other, NULL) > b->images);
}

static void ask_labels(struct bench *b, int round)
{
    store *s = b->store;
    g_autofree char *new = g_strdup_printf("new label %d", round);
    REQUIRE(store_find_label(s, "label 7") == 8);
    REQUIRE(store_put_label(s, new, "a prompt", NULL) > 0);
    REQUIRE(store_hide_label(s, new, NULL) && store_hide_label(s, "label 9", NULL));
    g_auto(GStrv) names = store_labels(s, NULL);
    REQUIRE(names && g_strv_length(names) == LABELS - 1);
}

static void ask_decisions(struct bench *b, gint64 image)
{
    store *s = b->store;
    gint64 label = 1 + image % LABELS, all[LABELS];
    StoreVerdict verdicts[LABELS];
    StoreSource person = { .confidence = 0.5, .threshold = -1 };
    StoreSource model = { .by_model = TRUE, .model = "m#1", .confidence = 0.9,
                          .threshold = 0.8 };
    for (int i = 0; i < LABELS; i++) {
        all[i] = i + 1;
    }
    REQUIRE(store_decide(s, image, label, STORE_ACCEPTED, &person, NULL));
    REQUIRE_INT(store_verdict(s, image, label), STORE_ACCEPTED);
    REQUIRE(store_accept_once(s, image, label, &model, NULL, NULL));
    store_verdicts(s, image, all, LABELS, verdicts);
    REQUIRE_INT(verdicts[label - 1], STORE_ACCEPTED);
    g_autoptr(GArray) undone = store_undo(s, NULL);
    REQUIRE(undone && undone->len == 1);
    REQUIRE_INT(g_array_index(undone, StoreChange, 0).image, image);
    g_autoptr(GArray) redone = store_redo(s, NULL);
    REQUIRE(redone && redone->len == 1);
    g_autoptr(GArray) again = store_undo(s, NULL);
    REQUIRE(again && again->len == 1);
}

static void ask_predictions(struct bench *b, gint64 image)
{
    const gint64 labels[] = { 1, 2, 3, 4, 5 };
    const char *const prompts[] = { "a photo of label 0", "a photo of label 1",
                                    "a photo of label 2", "a photo of label 3",
                                    "a photo of label 4" };
    StoreQuestion question = { "m#1", labels, prompts, 5 }, other = { "n#2", labels, prompts,
                                                                      5 };
    float said[5] = { 0.1f, 0.2f, 0.3f, 0.4f, 0.5f };
    REQUIRE(store_begin(b->store, NULL));
    REQUIRE(store_predict(b->store, image, &question, said, TRUE, NULL));
    REQUIRE(store_predict(b->store, image, &other, said, FALSE, NULL));
    REQUIRE(store_commit(b->store, NULL));
    REQUIRE(store_predicted(b->store, image, &question, said) && said[4] == 0.5f);
}

static gboolean count(const StoreRow *row, gpointer data)
{
    ++*(gint64 *)data;
    return TRUE;
}

static gboolean count_verdict(const StoreJudged *judged, gpointer data)
{
    ++*(gint64 *)data;
    return TRUE;
}

static gboolean count_activity(const StoreActivity *activity, gpointer data)
{
    *(gint64 *)data += activity->decisions;
    return TRUE;
}

static void stream_sums(struct bench *b)
{
    gint64 verdicts = 0, decisions = 0;
    g_autoptr(GPtrArray) labels = store_count_labels(b->store, "m#1", 0.5, NULL);
    g_autofree char *model = store_newest_model(b->store, NULL);
    REQUIRE(labels && labels->len >= LABELS - 1 && model);
    REQUIRE_INT(store_count_images(b->store), b->images + ROUNDS);
    REQUIRE(store_each_verdict(b->store, count_verdict, &verdicts, NULL));
    REQUIRE(store_each_activity(b->store, FALSE, count_activity, &decisions, NULL));
    REQUIRE(verdicts > 0 && decisions >= b->decisions);
}

static void stream_all(struct bench *b)
{
    gint64 n[4] = { 0 };
    b->stream = TRUE;
    REQUIRE(store_each_decision(b->store, count, &n[0], NULL));
    REQUIRE(store_each_image(b->store, count, &n[1], NULL));
    REQUIRE(merge_each_conflict(b->store, count, &n[2], NULL));
    REQUIRE(backup_roll(b->store, NULL, NULL));
    REQUIRE(store_check(b->store, NULL));
    stream_sums(b);
    b->stream = FALSE;
    REQUIRE(store_each_label(b->store, count, &n[3], NULL));
    printf("streams: %lld decisions, %lld images, %lld rows of conflicts; %lld labels\n",
           (long long)n[0], (long long)n[1], (long long)n[2], (long long)n[3]);
    REQUIRE(n[0] > 0 && n[1] >= b->images);
}

static void ask_all(struct bench *b)
{
    for (int round = 0; round < ROUNDS; round++) {
        gint64 image = 1 + (round * 7907) % b->images;
        ask_images(b, image, round);
        ask_labels(b, round);
        ask_decisions(b, image);
        ask_predictions(b, image);
    }
    stream_all(b);
}

int main(int argc, char **argv)
{
    struct bench b = { .images = 200000, .decisions = 1000000, .limit_ms = 50 };
    g_autofree char *keep = NULL;
    const GOptionEntry entries[] = {
        { "images", 0, 0, G_OPTION_ARG_INT64, &b.images, "Images", "N" },
        { "decisions", 0, 0, G_OPTION_ARG_INT64, &b.decisions, "Decisions", "N" },
        { "limit-ms", 0, 0, G_OPTION_ARG_INT64, &b.limit_ms, "Longest time of a query", "N" },
        { "keep", 0, 0, G_OPTION_ARG_FILENAME, &keep, "Leave the database there", "FILE" },
        { 0 } };
    g_autoptr(GOptionContext) context = g_option_context_new("- time the store's queries");
    g_option_context_add_main_entries(context, entries, NULL);
    REQUIRE(g_option_context_parse(context, &argc, &argv, NULL) && argc == 1);
    g_autofree char *dir = g_dir_make_tmp("taglight-bench-store-XXXXXX", NULL);
    g_autofree char *path = keep ? g_strdup(keep) : g_build_filename(dir, "bench.db", NULL);
    b.queries = g_ptr_array_new();
    b.store = store_open(path, STORE_CREATE, NULL);
    REQUIRE(b.store);
    gint64 start = g_get_monotonic_time();
    fill(&b);
    printf("%lld images, %lld decisions, made in %.1f s\n", (long long)b.images,
           (long long)b.decisions, 1e-6 * (double)(g_get_monotonic_time() - start));
    sqlite3_trace_v2(b.store->db, SQLITE_TRACE_PROFILE, on_profile, &b);
    ask_all(&b);
    sqlite3_trace_v2(b.store->db, 0, NULL, NULL);
    gboolean good = report(&b);
    store_close(&b.store);
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", dir);
    REQUIRE(system(remove) == 0);
    return good ? 0 : 1;
}
