/* Data sets and scores: every layout is read as it says, and what is wrong is named with
 * its place. test_dataset CORPUS */
#include "app/dataset/dataset.h"
#include "app/dataset/json_stream.h"
#include "app/dataset/scores.h"
#include "app/metrics/evaluation.h"
#include "app/store/store.h"
#include "tests/temp_dir.h"

#include <glib/gstdio.h>

static const char *corpus;
static char *dir;

static struct dataset *open_path(const char *path, const struct dataset_options *options)
{
    g_autoptr(GError) error = NULL;
    struct dataset *d = dataset_open(path, options, &error);
    if (!d) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    return d;
}

static struct dataset *open_corpus(const char *name, const struct dataset_options *options)
{
    g_autofree char *path = g_build_filename(corpus, name, NULL);
    return open_path(path, options);
}

/* What is known of a pair by names; 9 when there is no such image or label. */
static int truth(const struct dataset *d, const char *image, const char *label)
{
    gint8 row[64];
    int i = dataset_find_image(d, image), k = dataset_find_label(d, label);
    REQUIRE(dataset_n_labels(d) <= sizeof row);
    if (i < 0 || k < 0) {
        return 9;
    }
    dataset_truth(d, (guint)i, row);
    return row[k];
}

/* Writes text below the test's folder, folders made. Returns the path, to be freed. */
static char *put(const char *name, const char *text, gssize size)
{
    char *path = g_build_filename(dir, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    REQUIRE(g_mkdir_with_parents(folder, 0700) == 0);
    REQUIRE(g_file_set_contents(path, text, size, NULL));
    return path;
}

/* --- Layouts ------------------------------------------------------------------------- */

static void test_long(void)
{
    struct dataset_options unknown = { .unlisted = DATASET_UNLISTED_UNKNOWN };
    const char *odd = "day1/a \"b\", c.jpg";
    struct dataset *d = open_corpus("long.csv", NULL);
    REQUIRE_INT(dataset_n_images(d), 2);
    REQUIRE_INT(dataset_n_labels(d), 3);
    REQUIRE_INT(truth(d, "day1/quay.jpg", "boat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "day1/quay.jpg", "snow"), TRUTH_NEGATIVE);
    REQUIRE_INT(truth(d, odd, "red, wet boat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, odd, "snow"), TRUTH_NEGATIVE);
    REQUIRE(strstr(dataset_summary(d), "count as negative"));
    dataset_close(&d);
    d = open_corpus("long.csv", &unknown);
    REQUIRE_INT(truth(d, odd, "snow"), TRUTH_UNKNOWN);
    REQUIRE_INT(truth(d, odd, "boat"), TRUTH_NEGATIVE);
    REQUIRE(strstr(dataset_summary(d), "are unknown"));
    dataset_close(&d);
    d = open_corpus("open_images.csv", &unknown);
    REQUIRE_INT(truth(d, "quay", "/m/boat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "quay", "/m/snow"), TRUTH_NEGATIVE);
    dataset_close(&d);
    d = open_corpus("positives.csv", NULL);
    REQUIRE_INT(truth(d, "a.jpg", "cat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "a.jpg", "dog"), TRUTH_NEGATIVE);
    dataset_close(&d);
}

static void test_wide(void)
{
    /* Every pair is listed, so the option must change nothing. */
    struct dataset_options unknown = { .unlisted = DATASET_UNLISTED_UNKNOWN };
    struct dataset *d = open_corpus("wide.csv", &unknown);
    REQUIRE_INT(dataset_n_images(d), 2);
    REQUIRE_INT(dataset_n_labels(d), 3);
    REQUIRE_STR(dataset_label(d, 1), "red; boat");
    REQUIRE_INT(truth(d, "day1/quay.jpg", "boat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "day1/quay.jpg", "red; boat"), TRUTH_UNKNOWN);
    REQUIRE_INT(truth(d, "day1/quay.jpg", "snow"), TRUTH_NEGATIVE);
    REQUIRE_INT(truth(d, "day1/fog\r\n.jpg", "snow"), TRUTH_POSITIVE);
    dataset_close(&d);
    g_autofree char *path = put("split.csv", "image,split,cat\na.jpg,train,1\nb.jpg,,0\n", -1);
    d = open_path(path, NULL);
    REQUIRE_INT(dataset_n_labels(d), 1);
    REQUIRE_STR(dataset_image_split(d, 0), "train");
    REQUIRE(!dataset_image_split(d, 1));
    dataset_close(&d);
}

static void test_coco(void)
{
    struct dataset *d = open_corpus("labels_val.json", NULL);
    REQUIRE_INT(dataset_n_images(d), 3);
    REQUIRE_INT(dataset_n_labels(d), 2);
    REQUIRE_INT(truth(d, "day1/quay.jpg", "boat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "day1/quay.jpg", "snow"), TRUTH_NEGATIVE);
    REQUIRE_INT(truth(d, "fog.jpg", "snow"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "none.jpg", "snow"), TRUTH_NEGATIVE);
    REQUIRE_STR(dataset_image_split(d, 0), "val");
    dataset_close(&d);
}

static void test_coco_folder(void)
{
    static const char *const files[][2] = {
        { "world/labels_train.json", "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}],"
          "\"categories\": [{\"id\": 1, \"name\": \"cat\"}, {\"id\": 2, \"name\": \"dog\"}],"
          "\"annotations\": [{\"image_id\": 1, \"category_id\": 1}]}" },
        { "world/labels_test.json", "{\"images\": [{\"id\": 1, \"file_name\": \"b.jpg\"}],"
          "\"categories\": [{\"id\": 1, \"name\": \"dog\"}],"
          "\"annotations\": [{\"image_id\": 1, \"category_id\": 1}]}" },
        { "world/labels.json", "not read when there are splits" },
        { "world/images/b.jpg", "picture" },
        { "world/seen.txt", "cat\n" }, { "world/unseen.txt", "\xef\xbb\xbf""dog\r\n\r\n" } };
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_free(put(files[i][0], files[i][1], -1));
    }
    g_autofree char *path = g_build_filename(dir, "world", NULL);
    struct dataset *d = open_path(path, NULL);
    REQUIRE_INT(truth(d, "a.jpg", "cat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "b.jpg", "dog"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "b.jpg", "cat"), TRUTH_NEGATIVE);
    REQUIRE_STR(dataset_image_split(d, (guint)dataset_find_image(d, "b.jpg")), "test");
    int dog = dataset_find_label(d, "dog");
    REQUIRE_INT(dataset_label_group(d, (guint)dog), DATASET_UNSEEN);
    g_autofree char *file =
        dataset_image_path(d, (guint)dataset_find_image(d, "b.jpg"));
    REQUIRE(g_file_test(file, G_FILE_TEST_EXISTS));
    dataset_close(&d);
}

static const char *const nus_common[][2] = {
    { "ConceptsList/Concepts81.txt", "dog\nsky\n" },
    { "NUS_WID_Tags/TagList1k.txt", "red\nsky\nblue\n" },
    { "ImageList/TrainImagelist.txt", "x\\1.jpg\r\n" },
    { "ImageList/TestImagelist.txt", "y\\3.jpg\r\nx\\2.jpg\r\n" } };
static const char *const nus_whole[][2] = {
    { "ImageList/Imagelist.txt", "x\\1.jpg\nx\\2.jpg\ny\\3.jpg\n" },
    { "Groundtruth/AllLabels/Labels_dog.txt", "1\n0\n0\n" },
    { "Groundtruth/AllLabels/Labels_sky.txt", "0\n1\n0\n" },
    { "NUS_WID_Tags/AllTags1k.txt", "1\t1\t0\t\n0\t0\t0\t\n0\t0\t1\t\n" } };
static const char *const nus_parts[][2] = {
    { "Groundtruth/TrainTestLabels/Labels_dog_Train.txt", "1\n" },
    { "Groundtruth/TrainTestLabels/Labels_dog_Test.txt", "0\n0\n" },
    { "Groundtruth/TrainTestLabels/Labels_sky_Train.txt", "0\n" },
    { "Groundtruth/TrainTestLabels/Labels_sky_Test.txt", "0\n1\n" },
    { "NUS_WID_Tags/Train_Tags1k.dat", "1 1 0\n" },
    { "NUS_WID_Tags/Test_Tags1k.dat", "0 0 1\n0 0 0\n" } };

static void put_all(const char *folder, const char *const (*files)[2], gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *name = g_build_filename(folder, files[i][0], NULL);
        g_free(put(name, files[i][1], -1));
    }
}

static void check_nuswide(const char *folder)
{
    g_autofree char *path = g_build_filename(dir, folder, NULL);
    struct dataset *d = open_path(path, NULL);
    REQUIRE_INT(dataset_n_images(d), 3);
    REQUIRE_INT(dataset_n_labels(d), 4); /* red, blue, and the concepts dog, sky */
    REQUIRE_STR(dataset_label(d, 0), "red");
    REQUIRE_STR(dataset_label(d, 3), "sky");
    REQUIRE_INT(dataset_label_group(d, 1), DATASET_SEEN);
    REQUIRE_INT(dataset_label_group(d, 3), DATASET_UNSEEN);
    REQUIRE_INT(truth(d, "x/1.jpg", "red"), TRUTH_POSITIVE);
    /* The tag "sky" stands there too; only people's labels count for a concept. */
    REQUIRE_INT(truth(d, "x/1.jpg", "sky"), TRUTH_NEGATIVE);
    REQUIRE_INT(truth(d, "x/1.jpg", "dog"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "x/2.jpg", "sky"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "y/3.jpg", "blue"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "y/3.jpg", "sky"), TRUTH_NEGATIVE);
    REQUIRE_STR(dataset_image_split(d, (guint)dataset_find_image(d, "x/1.jpg")), "train");
    REQUIRE_STR(dataset_image_split(d, (guint)dataset_find_image(d, "y/3.jpg")), "test");
    dataset_close(&d);
}

static void test_nuswide(void)
{
    put_all("nus", nus_common, G_N_ELEMENTS(nus_common));
    put_all("nus", nus_whole, G_N_ELEMENTS(nus_whole));
    check_nuswide("nus");
    put_all("nus-parts", nus_common, G_N_ELEMENTS(nus_common));
    put_all("nus-parts", nus_parts, G_N_ELEMENTS(nus_parts));
    check_nuswide("nus-parts");
}

static void test_store(void)
{
    g_autofree char *path = g_build_filename(dir, "decisions.db", NULL);
    StoreSource person = { .confidence = -1, .threshold = -1 };
    StoreSource machine = { .by_model = TRUE, .confidence = 0.9, .threshold = -1 };
    StoreImage image = { "aa", "/x/1.jpg", 10, 20, 640, 480 };
    store *s = store_open(path, STORE_CREATE, NULL);
    gint64 file = store_put_image(s, &image, NULL);
    gint64 cat = store_put_label(s, "cat", NULL, NULL);
    gint64 dog = store_put_label(s, "dog", NULL, NULL);
    gint64 cow = store_put_label(s, "cow", NULL, NULL);
    store_put_label(s, "hen", NULL, NULL);
    REQUIRE(store_decide(s, file, cat, STORE_ACCEPTED, &person, NULL));
    REQUIRE(store_decide(s, file, dog, STORE_REJECTED, &person, NULL));
    REQUIRE(store_decide(s, file, cow, STORE_ACCEPTED, &machine, NULL));
    store_close(&s);
    struct dataset *d = open_path(path, NULL);
    REQUIRE_INT(truth(d, "/x/1.jpg", "cat"), TRUTH_POSITIVE);
    REQUIRE_INT(truth(d, "/x/1.jpg", "dog"), TRUTH_NEGATIVE);
    REQUIRE_INT(truth(d, "/x/1.jpg", "cow"), TRUTH_UNKNOWN); /* a model's word only */
    REQUIRE_INT(truth(d, "/x/1.jpg", "hen"), TRUTH_UNKNOWN);
    dataset_close(&d);
    struct dataset_options negative = { .unlisted = DATASET_UNLISTED_NEGATIVE };
    d = open_path(path, &negative);
    REQUIRE_INT(truth(d, "/x/1.jpg", "hen"), TRUTH_NEGATIVE);
    dataset_close(&d);
}

/* --- What is wrong -------------------------------------------------------------------- */

static void require_refused(const char *name, const char *text, gssize size,
                            const char *where)
{
    g_autofree char *path = put(name, text, size);
    g_autofree char *wanted = g_strconcat(name, where, NULL);
    g_autoptr(GError) error = NULL;
    struct dataset *d = dataset_open(path, NULL, &error);
    if (d || !strstr(error->message, wanted)) {
        fprintf(stderr, "%s: wanted \"%s\", got \"%s\"\n", name, wanted,
                d ? "a data set" : error->message);
        exit(1);
    }
}

#define COCO_HEAD "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], " \
                  "\"categories\": [{\"id\": 1, \"name\": \"c\"}], \"annotations\": "

static void test_wrong_csv(void)
{
    static const struct { const char *text; gssize size; const char *where; } cases[] = {
        { "", -1, ":1:1: the file is empty" },
        { "image,a,a\n", -1, ":1:9: two columns are called \"a\"" },
        { "image,,a\n", -1, ":1:7: column 2 has no name" },
        { "image,a\nx,1\ny,2\n", -1, ":3:3: this is neither 1" },
        { "image,a\nx,1,0\n", -1, ":2:5: this row has 3 fields and the header 2" },
        { "image,a\nx\n", -1, ":2:1: this row has 1 fields and the header 2" },
        { "image,a\n\"x\ny\",1\nz,\"0\n", -1, ":4:3: this quote is never closed" },
        { "image,a\n\"x\"y,1\n", -1, ":2:4: text behind a closing quote" },
        { "image,a\nx\"y,1\n", -1, ":2:2: a quote inside a field" },
        { "image,a\nx,1\ry,1\n", -1, ":2:4: a carriage return without" },
        { "image,a\n\xc3\xa9\xff,1\n", -1, ":2:1: this field is not UTF-8" },
        { "image,\xc3\xa9\nx,q\n", -1, ":2:3: this is neither" },
        { "\xc3\xa9,a,b\n1,1,q\n", -1, ":2:5: this is neither" },
        { "image,a\nx,\0\n", 12, ":2:3: this field is not UTF-8" },
        { "image,a\nx,1\nx,1\n", -1, ":3:1: x has a row already" },
        { "image,a\n,1\n", -1, ":2:1: the image has no name" },
        { "image,label,state\nx,a,maybe\n", -1, ":2:5: this is neither" },
        { "image,label,state\nx,,1\n", -1, ":2:3: the label is empty" },
        { "image,label,state\nx,a,1\nx,a,0\n", -1,
          ": \"a\" is said to be both true and untrue of x" },
        { "path,label,confidence\nx,a,0.93\n", -1, ":2:5: this is neither" } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        require_refused("wrong.csv", cases[i].text, cases[i].size, cases[i].where);
    }
}

static void test_wrong_coco(void)
{
    static const struct { const char *text, *where; } cases[] = {
        { "{", ":1:2: a string is missing" },
        { "{}", ":1:3: this is no COCO file: it has no list of images" },
        { "{\"images\": 3}", ":1:12: an array is missing" },
        { "{\"images\": [],\n \"categories\": [{}]}", ":2:19: an entry without" },
        { "{\"images\": [{\"id\": \"7\"}]}", ":1:20: a number is missing" },
        { "{\"images\": [{\"id\": 7.5}]}", ":1:23: a whole number" },
        { "{\"images\": [{\"id\": 1e300}]}", ":1:25: a whole number" },
        { "{\"images\": [{\"id\": 1, \"file_name\": \"\"}]}", "an entry without \"id\"" },
        { "{\"a\": [1, 02]}", ":1:13: a number is missing or wrong" },
        { "{\"a\": [1,]}", ":1:10: a number is missing" },
        { "{\"a\": \"\\ud800x\"}", "half of a surrogate pair" },
        { "{\"a\": \"\\u0000\"}", "a character that no text may hold" },
        { "{\"a\": \"x\ny\"}", "a control character in a string" },
        { "{\"a\": \"\xff\"}", "invalid UTF-8" },
        { "{\"a\": nul}", "something that is not a value" },
        { "{\"a\" 1}", ":1:6: a colon is missing" },
        { COCO_HEAD "[]} x", "more text after the end" },
        { COCO_HEAD "[{\"image_id\": 1}]}", "an annotation without" },
        { COCO_HEAD "[{\"image_id\": 2, \"category_id\": 1}]}",
          ": annotation 0: there is no image 2" },
        { COCO_HEAD "[{\"image_id\": 1, \"category_id\": 2}]}",
          ": annotation 0: there is no category 2" },
        { COCO_HEAD "[], \"images\": [{\"id\": 2, \"file_name\": \"a\"}]}",
          "the image a is listed twice" },
        { COCO_HEAD "[], \"images\": [{\"id\": 1, \"file_name\": \"b\"}]}",
          ": two images have the id 1" } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = put("wrong.json", cases[i].text, -1);
        g_autoptr(GError) error = NULL;
        struct dataset *d = dataset_open(path, NULL, &error);
        if (d || !strstr(error->message, cases[i].where)
            || !strstr(error->message, "wrong.json:")) {
            fprintf(stderr, "%s: got \"%s\"\n", cases[i].text, d ? "" : error->message);
            exit(1);
        }
    }
}

static void test_deep(void)
{
    g_autofree char *open = g_strnfill(100000, '[');
    g_autofree char *text = g_strconcat("{\"a\": ", open, NULL);
    require_refused("deep.json", text, -1, ":1:71: values are nested too deep");
}

static void test_wrong_nuswide(void)
{
    static const struct { const char *file, *text, *where; } cases[] = {
        { "Groundtruth/AllLabels/Labels_dog.txt", "1\n0\n", "Labels_dog.txt:3: there are 0" },
        { "Groundtruth/AllLabels/Labels_dog.txt", "1\n0\n0\n1\n", "Labels_dog.txt:4: there" },
        { "Groundtruth/AllLabels/Labels_dog.txt", "1\n2\n0\n", "Labels_dog.txt:2: the line" },
        { "NUS_WID_Tags/AllTags1k.txt", "1 1 0\n0 0\n0 0 0\n", "AllTags1k.txt:2: there are 2" },
        { "NUS_WID_Tags/AllTags1k.txt", "1 1 0 1\n", "AllTags1k.txt:1: there are more" },
        { "ImageList/TestImagelist.txt", "z/9.jpg\n", "TestImagelist.txt:1: z/9.jpg is not" } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *folder = g_strdup_printf("nus-wrong%zu", i);
        g_autofree char *name = g_build_filename(folder, cases[i].file, NULL);
        g_autofree char *path = g_build_filename(dir, folder, NULL);
        g_autoptr(GError) error = NULL;
        put_all(folder, nus_common, G_N_ELEMENTS(nus_common));
        put_all(folder, nus_whole, G_N_ELEMENTS(nus_whole));
        g_free(put(name, cases[i].text, -1));
        struct dataset *d = dataset_open(path, NULL, &error);
        if (d || !strstr(error->message, cases[i].where)) {
            fprintf(stderr, "%s: got \"%s\"\n", cases[i].where, d ? "" : error->message);
            exit(1);
        }
    }
}

/* --- Scores --------------------------------------------------------------------------- */

static void test_scores(void)
{
    g_autofree char *path = g_build_filename(corpus, "scores.tsv", NULL);
    g_autofree char *copy = g_build_filename(dir, "copy.csv", NULL);
    struct scores *s = scores_read(path, NULL);
    REQUIRE(s && !s->wide);
    REQUIRE(scores_get(s, 0, 0) == 0.93f);
    scores_add_image(s, "a \"b\", c.jpg");
    scores_add_label(s, "x;y");
    REQUIRE(scores_set(s, 1, 2, 0.1f));
    REQUIRE(!scores_set(s, 1, 2, 0.2f)); /* it has one */
    FILE *out = fopen(copy, "wb");
    REQUIRE(out && scores_write(s, out) && fclose(out) == 0);
    scores_free(&s);
    s = scores_read(copy, NULL);
    REQUIRE(s && s->wide);
    REQUIRE_STR(s->labels->pdata[2], "x;y");
    REQUIRE_STR(s->images->pdata[1], "a \"b\", c.jpg");
    REQUIRE(scores_get(s, 0, 0) == 0.93f && scores_get(s, 1, 2) == 0.1f);
    REQUIRE(isnan(scores_get(s, 0, 2)) && isnan(scores_get(s, 1, 0)));
    scores_free(&s);
}

/* An image that `taglight tag` could not read has a row that says so, and no scores. */
static void test_error_rows(void)
{
    g_autofree char *path = put("tag.csv", "path,label,confidence,error\nx.jpg,a,0.5,\n"
                                           "y.jpg,,,\"y.jpg: damaged\"\n", -1);
    struct scores *s = scores_read(path, NULL);
    REQUIRE(s);
    REQUIRE_INT(s->images->len, 1);
    REQUIRE(scores_get(s, 0, 0) == 0.5f);
    scores_free(&s);
}

static void test_wrong_scores(void)
{
    static const struct { const char *text, *where; } cases[] = {
        { "image,a\nx,nan\n", ":2:3: this is not a number" },
        { "image,a\nx,inf\n", ":2:3: this is not a number" },
        { "image,a\nx,1e99\n", ":2:3: this is not a number" },
        { "image,a\nx,0.5z\n", ":2:3: this is not a number" },
        { "path,label,confidence,error\nx,a,,no\n", ":2:5: this is not a number" },
        { "path,label,confidence\nx,a,\n", ":2:5: this is not a number" },
        { "path,label,confidence\nx,a,1\nx,a,1\n", ":3:3: this image and label have" } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = put("scores.csv", cases[i].text, -1);
        g_autoptr(GError) error = NULL;
        struct scores *s = scores_read(path, &error);
        REQUIRE(!s);
        REQUIRE(strstr(error->message, cases[i].where));
    }
}

/* --- Matching ------------------------------------------------------------------------- */

static struct evaluation *evaluate(const char *scores, const char *truth_text,
                                   const struct evaluation_params *params)
{
    g_autofree char *scores_path = put("s.csv", scores, -1);
    g_autofree char *truth_path = put("t.csv", truth_text, -1);
    g_autoptr(GError) error = NULL;
    struct scores *s = scores_read(scores_path, &error);
    struct dataset *d = open_path(truth_path, NULL);
    REQUIRE(s);
    struct evaluation *e = evaluation_run(s, d, params, &error);
    scores_free(&s);
    dataset_close(&d);
    return e;
}

static void test_matching(void)
{
    struct evaluation_params params = { .threshold = 0.5 };
    /* p/b.jpg is matched by its last part; c.jpg stands in two folders and is not. */
    struct evaluation *e = evaluate(
        "image,cat,cow\na.jpg,0.9,0.1\np/b.jpg,0.2,0.3\np/c.jpg,1,1\nz.jpg,1,1\n",
        "image,dog,cat\na.jpg,1,1\nq/b.jpg,1,0\nq/c.jpg,1,1\nr/c.jpg,1,1\n", &params);
    REQUIRE(e);
    REQUIRE_INT(e->n_images, 2);
    REQUIRE_INT(e->by_file_name, 1);
    REQUIRE_INT(e->only_scored.count, 2);
    REQUIRE_STR(e->only_scored.names->pdata[0], "p/c.jpg");
    REQUIRE_INT(e->only_true.count, 2);
    REQUIRE_INT(e->labels_only_scored.count, 1);
    REQUIRE_STR(e->labels_only_scored.names->pdata[0], "cow");
    REQUIRE_STR(e->labels_only_true.names->pdata[0], "dog");
    REQUIRE_INT(e->n_parts, 1);
    REQUIRE(fabs(e->parts[0].map[0].all - 1) < 1e-6);
    REQUIRE(e->parts[0].at.op == 1 && e->parts[0].at.or == 1);
    evaluation_free(&e);
    REQUIRE(!evaluate("image,cat\nx,1\n", "image,cat\ny,1\n", &params));
    REQUIRE(!evaluate("image,cat\nx,1\n", "image,dog\nx,1\n", &params));
    params.split = "val";
    REQUIRE(!evaluate("image,cat\nx,1\n", "image,cat\nx,1\n", &params));
    e = evaluate("image,cat\nx,1\ny,1\n", "image,cat,split\nx,1,val\ny,1,train\n", &params);
    REQUIRE(e);
    REQUIRE_INT(e->n_images, 1);
    REQUIRE_INT(e->only_true.count, 0);
    REQUIRE_INT(e->only_scored.count, 0);
    evaluation_free(&e);
}

static void test_groups(void)
{
    struct evaluation_params params = { .seen = g_ptr_array_new(),
                                        .unseen = g_ptr_array_new(), .threshold = 0.5 };
    g_ptr_array_add(params.seen, "dog");
    g_ptr_array_add(params.unseen, "cat");
    /* A pair without a score ranks last: the cat of x is found before that of y. */
    struct evaluation *e = evaluate("image,cat,dog\nx,0.9,0.8\ny,,0.1\nw,0.1,0.2\n",
                                    "image,cat,dog\nx,1,0\ny,1,1\nw,0,0\n", &params);
    REQUIRE(e);
    REQUIRE_INT(e->n_parts, 2);
    REQUIRE_STR(e->parts[0].name, "ZSL");
    REQUIRE_INT(e->parts[0].n_labels, 1);
    REQUIRE_INT(e->without_score, 1);
    REQUIRE(fabs(e->parts[0].ap[0] - (1 + 2.0 / 3) / 2) < 1e-6);
    REQUIRE_STR(e->parts[1].name, "GZSL");
    REQUIRE_STR(e->parts[1].labels[1], "cat"); /* the seen ones come first */
    evaluation_free(&e);
    g_ptr_array_add(params.unseen, "cow");
    REQUIRE(!evaluate("image,cat\nx,1\n", "image,cat,dog\nx,1,1\n", &params));
    g_ptr_array_unref(params.seen);
    g_ptr_array_unref(params.unseen);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    corpus = argv[1];
    dir = temp_dir_make("dataset");
    test_long();
    test_wide();
    test_coco();
    test_coco_folder();
    test_nuswide();
    test_store();
    test_wrong_csv();
    test_wrong_coco();
    test_deep();
    test_wrong_nuswide();
    test_scores();
    test_error_rows();
    test_wrong_scores();
    test_matching();
    test_groups();
    temp_dir_remove(dir);
    return 0;
}
