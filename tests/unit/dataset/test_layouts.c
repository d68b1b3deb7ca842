/* Every layout that other tools write, from files as they write them: what is found out to
 * be what, all that is told of each pair, and where a fault lies. */
#include "app/dataset/dataset.h"
#include "tests/temp_dir.h"

#include <glib/gstdio.h>
#include <unistd.h>

static char *dir;

struct file { const char *name, *text; }; /* "-> X": a link to X */

/* What is opened, and the events in the order in which they are given, a line each:
 * IMAGE|LABEL|VERDICT and then what is known of b(y model), s(core), t(hreshold), m(odel),
 * p(rompt), a(uthor), @time. */
struct layout_case {
    const char *id, *open;
    struct file files[8];
    const char *events;
    gboolean forced, zeros;
};

static void put_files(const char *folder, const struct file *files)
{
    for (; files->name; files++) {
        g_autofree char *path = g_build_filename(folder, files->name, NULL);
        g_autofree char *parent = g_path_get_dirname(path);
        REQUIRE(g_mkdir_with_parents(parent, 0700) == 0);
        if (g_str_has_prefix(files->text, "-> ")) {
            REQUIRE(symlink(files->text + 3, path) == 0);
        } else {
            REQUIRE(g_file_set_contents(path, files->text, -1, NULL));
        }
    }
}

static void put_known(GString *out, const char *mark, const char *text)
{
    if (text) {
        g_string_append_printf(out, "|%s%s", mark, text);
    }
}

static gboolean take(const struct dataset *d, guint image, guint label,
                     const StoreEvent *event, gpointer user_data, GError **error)
{
    GString *out = user_data;
    const StoreSource *s = &event->source;
    g_string_append_printf(out, "%s|%s|%d%s", dataset_image_name(d, image),
                           dataset_label(d, label), (int)event->verdict,
                           s->by_model ? "|b" : "");
    if (s->confidence >= 0) {
        g_string_append_printf(out, "|s%g", s->confidence);
    }
    if (s->threshold >= 0) {
        g_string_append_printf(out, "|t%g", s->threshold);
    }
    put_known(out, "m", s->model);
    put_known(out, "p", s->prompt);
    put_known(out, "a", s->author);
    put_known(out, "@", s->time);
    g_string_append_c(out, '\n');
    return TRUE;
}

/* --- What is read ----------------------------------------------------------------------- */

#define HEAD "image,label,state,source,score,threshold,model,prompt,decided_at,author\n"
#define COCO "\"images\": [{\"id\": 9, \"file_name\": \"day/quay.jpg\"}, " \
             "{\"id\": 4, \"file_name\": \"fog.jpg\"}], \"categories\": " \
             "[{\"id\": 2, \"name\": \"boat\"}, {\"id\": 1, \"name\": \"fog, thick\"}]}"
#define DATUMARO "{\"dm_format_version\": \"1.0\", \"info\": {}, \"categories\": {\"label\": " \
                 "{\"labels\": [{\"name\": \"boat\", \"parent\": \"\"}, {\"name\": \"fog\"}]," \
                 "\"label_groups\": []}}, \"items\": "
#define XMP(fields) "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=" \
                    "\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description " \
                    "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:digiKam=" \
                    "\"http://www.digikam.org/ns/1.0/\" xmlns:lr=" \
                    "\"http://ns.adobe.com/lightroom/1.0/\">" fields \
                    "</rdf:Description></rdf:RDF></x:xmpmeta>"

static const struct layout_case cases[] = {
    { "csv", "long.csv", { { "long.csv",
      "\xef\xbb\xbf# by hand\r\n# twice\r\n" HEAD "a.jpg,boat,accepted,model,0.93,0.62,m1,"
      "\"a photo, of\",2026-11-24T10:02:11Z,\r\n"
      "a.jpg,\" snow \",rejected,human,,,,,2026-11-24T12:02:11.5+02:00,anna\r\n"
      "\"b\nc.jpg\",boat,undecided,model,0.5,,m1,,,\r\n" } },
      "a.jpg|boat|1|b|s0.93|t0.62|mm1|pa photo, of|@2026-11-24T10:02:11.000Z\n"
      "a.jpg| snow |-1|aanna|@2026-11-24T10:02:11.500Z\n"
      "b\nc.jpg|boat|0|b|s0.5|mm1\n" },
    { "csv", "sep.csv", { { "sep.csv", "sep=;\nfilename; boat;\"a;b\"\nx.jpg;1; 0\n" } },
      "x.jpg|boat|1\n" },
    { "csv", "zeros.csv", { { "zeros.csv", "filename, boat, \"a\"\nx.jpg,1,0\n" } },
      "x.jpg|boat|1\nx.jpg|a|-1\n", FALSE, TRUE },
    { "csv", "numbered.csv", { { "numbered.csv",
      ",image,label\n0,x.jpg,boat\n1,y.jpg,fog\n" } }, "x.jpg|boat|1\ny.jpg|fog|1\n" },
    { "coco", "coco.json", { { "coco.json",
      "\xef\xbb\xbf{\"annotations\": [{\"image_id\": 9, \"category_id\": 2, \"score\": 0.5,"
      "\"attributes\": {\"source\": \"model\", \"state\": \"accepted\"}}, {\"image_id\": 4,"
      "\"category_id\": 1, \"attributes\": {\"state\": \"rejected\"}, \"score\": 7.5},"
      "{\"image_id\": 4, \"category_id\": 2, \"score\": null, \"bbox\": [1, 2, 3, 4]}], "
      COCO } },
      "day/quay.jpg|boat|1|b|s0.5\nfog.jpg|fog, thick|-1\nfog.jpg|boat|1\n" },
    { "datumaro", "", { { "annotations/train.json", DATUMARO "[{\"id\": \"day/quay\","
      "\"annotations\": [{\"id\": 0, \"type\": \"label\", \"label_id\": 1, \"attributes\": "
      "{\"score\": 0.25, \"source\": \"model\"}}, {\"type\": \"caption\", \"label_id\": null}],"
      "\"image\": {\"path\": \"day/quay.jpg\", \"size\": [3, 4]}}, {\"id\": \"x\", "
      "\"annotations\": [{\"label_id\": 0}]}]}" },
      { "annotations/val.json", "{\"items\": [{\"annotations\": [{\"label_id\": 0}], \"id\": "
        "\"y\"}], \"categories\": {\"label\": {\"labels\": [{\"name\": \"snow\"}]}}}" } },
      "day/quay.jpg|fog|1|b|s0.25\nx|boat|1\ny|snow|1\n" },
    { "fiftyone", "", { { "labels.json", "{\"classes\": [\"boat\", \"fog\"], \"labels\": "
      "{\"day/quay\": [{\"label\": 0, \"confidence\": 0.93, \"attributes\": {\"source\": "
      "\"model\"}}, {\"label\": 1}], \"x\": null, \"y\": 1, \"z\": {\"label\": \"snow\"}}}" } },
      "day/quay|boat|1|b|s0.93\nday/quay|fog|1\ny|fog|1\nz|snow|1\n" },
    { "huggingface", "metadata.jsonl", { { "metadata.jsonl",
      "{\"file_name\": \"a.jpg\", \"labels\": [\"boat\", \"fog\"], \"scores\": [0.5, null]}\n"
      "{\"labels\": \"boat\", \"file_name\": \"b.jpg\", \"other\": {}}\r\n\n"
      "{\"file_name\": \"c.jpg\", \"labels\": null, \"scores\": []}" } },
      "a.jpg|boat|1|s0.5\na.jpg|fog|1\nb.jpg|boat|1\n" },
    { "huggingface", "", {
      { "train/metadata.jsonl", "{\"file_name\": \"a.jpg\", \"labels\": [\"boat\"]}\n" },
      { "val/metadata.jsonl", "{\"file_name\": \"a.jpg\", \"tags\": [\"fog\"]}\n" } },
      "train/a.jpg|boat|1\nval/a.jpg|fog|1\n" },
    { "openimages", "", {
      { "class-descriptions.csv", "/m/1,Boat\n/m/2,\"Fog, thick\"\n" },
      { "val-annotations-human-imagelabels.csv", "ImageID,Source,LabelName,Confidence\n"
        "day/quay,verification,/m/1,1\nday/quay,verification,/m/2,0\n" },
      { "val-annotations-machine-imagelabels.csv", "ImageID,Source,LabelName,Confidence\n"
        "x,machine,/m/3,0.7\n" } },
      "day/quay|Boat|1\nday/quay|Fog, thick|-1\nx|/m/3|1|b|s0.7\n" },
    { "automl", "automl.csv", { { "automl.csv", "TRAIN,gs://b/day/quay.jpg,boat,fog\n"
      "UNASSIGNED,gs://b/x.jpg\ngs://b/y.jpg,boat,,\n" } },
      "gs://b/day/quay.jpg|boat|1\ngs://b/day/quay.jpg|fog|1\ngs://b/y.jpg|boat|1\n" },
    { "list", "list.csv", { { "list.csv",
      "a.jpg,[boat,fog]\nb.jpg,\"[boat, fog]\"\nc.jpg,[]\n" } },
      "a.jpg|boat|1\na.jpg|fog|1\nb.jpg|boat|1\nb.jpg|fog|1\n" },
    { "label-studio", "tasks.json", { { "tasks.json",
      "[{\"id\": 5, \"annotations\": [{\"completed_by\": {\"id\": 1, \"email\": \"a@b.c\"}, "
      "\"was_cancelled\": false, \"created_at\": \"2026-01-02T03:04:05.678901Z\", \"updated_at\""
      ": \"2026-01-02T03:04:06Z\", \"result\": [{\"from_name\": \"tags\", \"type\": \"choices\","
      "\"value\": {\"choices\": [\"boat\", \"fog\"]}}]}, {\"was_cancelled\": true, \"result\": "
      "[{\"value\": {\"choices\": [\"no\"]}}]}], \"predictions\": [{\"model_version\": \"m2\", "
      "\"score\": 0.5, \"result\": [{\"value\": {\"choices\": [\"snow\"]}}]}, "
      "{\"model_version\": \"human\", \"result\": [{\"value\": {\"choices\": [\"sea\"]}}]}], "
      "\"data\": {\"note\": \"x\", \"image\": \"/data/local-files/?d=day/a%20b.jpg\"}},"
      "{\"id\": 6, \"data\": {\"photo\": \"/data/upload/3/1a2b3c4d-c.jpg\"}, \"annotations\": "
      "[{\"completed_by\": 7, \"result\": [{\"value\": {\"choices\": [\"boat\"]}}]}]}, "
      "{\"data\": {\"image\": \"https://x/y/d.jpg?token=1\"}, \"predictions\": [3]}]" } },
      "day/a b.jpg|boat|1|aa@b.c|@2026-01-02T03:04:06.000Z\n"
      "day/a b.jpg|fog|1|aa@b.c|@2026-01-02T03:04:06.000Z\n"
      "day/a b.jpg|snow|1|b|s0.5|mm2\nday/a b.jpg|sea|1\nc.jpg|boat|1|a7\n" },
    { "labelme", "", {
      { "day/quay.json", "{\"version\": \"5.0\", \"flags\": {\"boat\": true, \"fog\": false}, "
        "\"shapes\": [{\"label\": \"x\"}], \"imagePath\": \"quay.jpg\", \"imageData\": null}" },
      { "x.json", "{\"flags\": {\"fog\": true}, \"imagePath\": \"..\\\\y\\\\x.jpg\"}" },
      { "z.json", "{\"other\": 1}" } },
      "day/quay.jpg|boat|1\n../y/x.jpg|fog|1\n" },
    { "labelme", "quay.json", { { "quay.json", "{\"shapes\": [], \"flags\": {\"boat\": true, "
      "\"fog\": false}}" } }, "quay|boat|1\nquay|fog|-1\n", FALSE, TRUE },
    { "voc", "", {
      { "ImageSets/Main/big_boat_train.txt", "day/quay  1\nfog -1\r\n x 0\n" },
      { "ImageSets/Main/train.txt", "day/quay\nfog\n" }, { "labelmap.txt", "boat:::\n" } },
      "day/quay|big_boat|1\nfog|big_boat|-1\n x|big_boat|0\n" },
    { "cvat", "annotations.xml", { { "annotations.xml",
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations><version>1.1</version><meta>"
      "<task><labels><label><name>rare</name><type>tag</type></label></labels></task></meta>"
      "<image id=\"3\" name=\"day/quay &amp; &#xe9;.jpg\" width=\"4\" height=\"3\">"
      "<tag label=\"boat\" source=\"auto\"><attribute name=\"x\">1</attribute>"
      "<attribute name=\"score\">0.93</attribute></tag><box label=\"no\" xtl=\"1\"/>"
      "<!-- c --><tag label=\"fog &lt;\" source=\"manual\"/></image>"
      "<image id=\"1\" name=\"x.jpg\" subset=\"val\"/></annotations>\n" } },
      "day/quay & \xc3\xa9.jpg|boat|1|b|s0.93\nday/quay & \xc3\xa9.jpg|fog <|1\n" },
    { "yolo", "", { { "all/quay.jpg", "q" }, { "train/boat/quay.jpg", "-> ../../all/quay.jpg" },
      { "train/fog/q.jpg", "-> ../../all/quay.jpg" }, { "val/fog/x.png", "x" } },
      "all/quay.jpg|boat|1\nall/quay.jpg|fog|1\nval/fog/x.png|fog|1\n" },
    { "yolo", "", { { "boat/a.jpg", "a" }, { "fog/b.jpg", "b" }, { "notes.txt", "n" } },
      "boat/a.jpg|boat|1\nfog/b.jpg|fog|1\n", TRUE },
    { "txt", "", { { "day/quay.jpg", "q" }, { "day/quay.txt", "boat, red  sail,,\n sea \n" },
      { "readme.txt", "not of an image" }, { "x.png", "x" }, { "x.png.txt", "fog" },
      { "y.jpg", "y" }, { "y.txt", "\xef\xbb\xbf" } },
      "day/quay|boat|1\nday/quay|red  sail|1\nday/quay|sea|1\nx.png|fog|1\n" },
    { "txt", "", { { "a.txt", "boat" } }, "a|boat|1\n", TRUE },
    { "xmp", "", {
      { "day/quay.jpg.xmp", XMP("<dc:subject><rdf:Bag><rdf:li>boat</rdf:li><rdf:li>sunset"
        "</rdf:li><rdf:li> mine </rdf:li></rdf:Bag></dc:subject><lr:hierarchicalSubject>"
        "<rdf:Bag><rdf:li>vehicle|boat</rdf:li><rdf:li>sunset</rdf:li></rdf:Bag>"
        "</lr:hierarchicalSubject>") },
      { "x.xmp", "<?xpacket begin=\"\xef\xbb\xbf\"?>\n" XMP("<digiKam:TagsList><rdf:Seq>"
        "<rdf:li>a/b</rdf:li></rdf:Seq></digiKam:TagsList><dc:title>t</dc:title>") },
      { "y.xmp", XMP("<dc:subject><rdf:Bag><rdf:li>fog</rdf:li></rdf:Bag></dc:subject>") } },
      "day/quay.jpg|vehicle|boat|1\nday/quay.jpg|sunset|1\nday/quay.jpg|mine|1\nx|a|b|1\n"
      "y|fog|1\n" } };

static void test_case(gsize number)
{
    const struct layout_case *c = &cases[number];
    g_autofree char *folder = g_strdup_printf("%s/%zu", dir, number);
    g_autofree char *path = g_build_filename(folder, c->open, NULL);
    g_autoptr(GString) got = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    struct dataset_options options = { .layout = c->forced ? c->id : NULL,
                                       .zeros = c->zeros };
    put_files(folder, c->files);
    struct dataset *d = dataset_scan(path, &options, take, got, &error);
    if (!d || strcmp(got->str, c->events) != 0 || strcmp(dataset_layout(d), c->id) != 0) {
        fprintf(stderr, "case %zu, %s as %s:\n%s\nwanted:\n%s", number, c->id,
                d ? dataset_layout(d) : error->message, got->str, c->events);
        exit(1);
    }
    dataset_close(&d);
    /* The same is a data set to learn from. */
    d = dataset_open(path, &options, &error);
    REQUIRE(d);
    dataset_close(&d);
}

/* --- What is known beside --------------------------------------------------------------- */

static struct dataset *scan(gsize number)
{
    g_autofree char *folder = g_strdup_printf("%s/%zu", dir, number);
    g_autofree char *path = g_build_filename(folder, cases[number].open, NULL);
    struct dataset *d = dataset_scan(path, NULL, NULL, NULL, NULL);
    REQUIRE(d);
    return d;
}

static gsize find_case(const char *id)
{
    gsize i = 0;
    while (strcmp(cases[i].id, id) != 0) {
        i++;
    }
    return i;
}

static void test_beside(void)
{
    struct dataset *d = scan(find_case("coco"));
    REQUIRE_INT(dataset_image_number(d, 0), 9);
    REQUIRE_INT(dataset_image_number(d, 1), 4);
    dataset_close(&d);
    d = scan(find_case("cvat"));
    REQUIRE_INT(dataset_image_number(d, 0), 3);
    REQUIRE_STR(dataset_image_split(d, 1), "val");
    REQUIRE_STR(dataset_label(d, 0), "rare"); /* no image has it */
    dataset_close(&d);
    d = scan(find_case("datumaro"));
    REQUIRE_STR(dataset_image_split(d, 0), "train");
    REQUIRE_STR(dataset_image_split(d, 2), "val");
    dataset_close(&d);
    d = scan(find_case("openimages"));
    REQUIRE_STR(dataset_image_split(d, 0), "val");
    dataset_close(&d);
    d = scan(find_case("automl"));
    REQUIRE_INT(dataset_n_images(d), 3);
    REQUIRE_STR(dataset_image_split(d, 0), "train");
    dataset_close(&d);
    d = scan(find_case("fiftyone"));
    REQUIRE_INT(dataset_n_images(d), 4); /* one of them without labels */
    dataset_close(&d);
}

/* A name without a suffix is the only file of that stem. */
static void test_stems(void)
{
    g_autofree char *folder = g_build_filename(dir, "stems", NULL);
    g_autofree char *jpeg = g_build_filename(folder, "data", "day", "quay.JPG", NULL);
    g_autofree char *plain = g_build_filename(folder, "data", "two", NULL);
    const struct file files[] = {
        { "labels.json", "{\"classes\": [\"boat\"], \"labels\": {\"day/quay\": 0, \"two\": 0}}" },
        { "data/day/quay.JPG", "q" }, { "data/two.png", "1" }, { "data/two.jpg", "2" },
        { NULL, NULL } };
    put_files(folder, files);
    struct dataset *d = dataset_open(folder, NULL, NULL);
    REQUIRE(d);
    g_autofree char *first = dataset_image_path(d, 0), *second = dataset_image_path(d, 1);
    REQUIRE_STR(first, jpeg);
    REQUIRE_STR(second, plain); /* which of the two nobody knows */
    dataset_close(&d);
}

/* A person's word goes before a model's, in whatever order they stand. */
static void test_whose_word(void)
{
    static const char *const rows[] = { "x,verification,y,0\n", "x,machine,y,0.9\n" };
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = g_strdup_printf("%s/word%d.csv", dir, i);
        g_autofree char *text = g_strconcat("ImageID,Source,LabelName,Confidence\n", rows[i],
                                            rows[1 - i], NULL);
        gint8 truth;
        REQUIRE(g_file_set_contents(path, text, -1, NULL));
        struct dataset *d = dataset_open(path, NULL, NULL);
        REQUIRE(d);
        dataset_truth(d, 0, &truth);
        REQUIRE_INT(truth, TRUTH_NEGATIVE);
        dataset_close(&d);
    }
}

/* --- What is wrong ------------------------------------------------------------------------ */

struct wrong_case { const char *id, *open, *text, *where; };

static const struct wrong_case wrong[] = {
    { NULL, "a.csv", "sep=|\na|b\n", "a.csv:1:5: no separator" },
    { NULL, "a.csv", HEAD "a,b,1,human,2,,,,,\n", "a.csv:2:13: a score is between" },
    { NULL, "a.csv", HEAD "a,b,1,human,x,,,,,\n", "a.csv:2:13: this is not a number" },
    { NULL, "a.csv", HEAD "a,b,1,,,,,,noon,\n", "a.csv:2:12: this is no date" },
    { NULL, "a.csv", "# c\nimage,,a\n", "a.csv:2:7: column 2 has no name" },
    { NULL, "a.csv", "TRAIN,a.jpg,x\nOTHER,b.jpg\n", "a.csv:2:1: this is neither a path" },
    { NULL, "a.csv", "TRAIN,a.jpg,x\nTEST\n", "a.csv:2:1: the row names no image" },
    { NULL, "a.csv", "a.jpg,[x]\nb.jpg,[x\n", "a.csv:2:7: a list of labels" },
    { NULL, "a.csv", "ImageID,Source,LabelName,Confidence\nx,verification,y,0.5\n",
      "a.csv:2:18: a confidence is 1 or 0" },
    { NULL, "a.csv", "ImageID,Source,LabelName,Confidence\nx,machine,y,nan\n",
      "a.csv:2:13: this is not a number" },
    { NULL, "a.json", "{\"dm_format_version\": 1}", "a.json:1:25: this is no Datumaro" },
    { NULL, "a.json", DATUMARO "[{\"id\": \"x\", \"annotations\": [{\"label_id\": 2}]}]}",
      "a.json: x: there is no label -1" },
    { NULL, "a.json", DATUMARO "[{}]}", ": an item without \"id\"" },
    { NULL, "a.json", "{\"labels\": {\"x\": 0}}", "a.json: x: there is no label 0" },
    { NULL, "a.json", "{\"classes\": [\"a\"],\n\"labels\": {\"\xc3\xa9\": [{\"x\": 0}]}}",
      "a.json:2:26: an entry without" },
    { NULL, "a.json", "{\"classes\": []}", ": this is no file of FiftyOne" },
    { NULL, "a.jsonl", "{\"file_name\": \"a\"}\n{\"labels\": []}\n",
      "a.jsonl:2:15: a line without" },
    { NULL, "a.jsonl", "{\"file_name\": \"a\", \"labels\": [\"x\"], \"scores\": [1, 2]}",
      ": there are 1 labels and 2 scores" },
    { NULL, "a.jsonl", "{\"file_name\": \"a\"}\nx", "a.jsonl:2:1: an object is missing" },
    { NULL, "a.json", "[{\"id\": 1}]", "a.json:1:11: a task whose \"data\"" },
    { NULL, "a.json", "[{\"data\": {\"image\": \"a\"}, \"annotations\": [{\"created_at\": "
      "\"noon\"}]}]", ": this is no date" },
    { NULL, "a.json", "{\"flags\": {\"a\": 1}}", ": something that is not a value" },
    { NULL, "a.xml", "<?xml version=\"1.0\"?>\n<annotations><image name=\"a\"><tag/></image>"
      "</annotations>", ": a tag without a label" },
    { NULL, "a.xml", "<?xml version=\"1.0\"?>\n<annotations>\n <image name=\"a\"></tag>",
      "a.xml:3:" },
    { NULL, "a.xml", "<?xml version=\"1.0\"?>\n<other/>", ": this is no CVAT file" },
    { NULL, "a.xml", "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><annotations>"
      "<image name=\"&b;\"/></annotations>", ": a document type" },
    { NULL, "a.xml", "<?xml version=\"1.0\"?><annotations><image name=\"a\"><tag label=\"b\">"
      "<attribute name=\"score\">high</attribute></tag></image></annotations>",
      ": a score is between 0 and 1, and this is \"high\"" },
    { "xmp", "a.xmp", "<a/>", ": this is no XMP" },
    { "xmp", "a.xmp", "\xff\xfe", "a.xmp:1:1: " },
    { "voc", "ImageSets/Main/a_b.txt", "x 1\ny 2\n", "a_b.txt:2: the line is not" },
    { "voc", "ImageSets/Main/a_b.txt", "x 1\n\n\xff 1\n", "a_b.txt:3: this is not UTF-8" },
    { "txt", "a.txt", "x\n\xff", "a.txt:2: this is not UTF-8" } };

static void test_wrong(gsize number)
{
    const struct wrong_case *c = &wrong[number];
    g_autofree char *folder = g_strdup_printf("%s/wrong%zu", dir, number);
    g_autofree char *path = g_build_filename(folder, c->id ? "" : c->open, NULL);
    const struct file files[] = { { c->open, c->text }, { NULL, NULL } };
    struct dataset_options options = { .layout = c->id };
    g_autoptr(GError) error = NULL;
    put_files(folder, files);
    struct dataset *d = dataset_scan(path, &options, NULL, NULL, &error);
    if (d || !strstr(error->message, c->where)) {
        fprintf(stderr, "%s: wanted \"%s\", got \"%s\"\n", c->text, c->where,
                d ? dataset_summary(d) : error->message);
        exit(1);
    }
}

static void test_unknown_layout(void)
{
    struct dataset_options options = { .layout = "none" };
    g_autoptr(GError) error = NULL;
    REQUIRE(!dataset_open(dir, &options, &error));
    REQUIRE(strstr(error->message, "there is no layout called \"none\""));
}

int main(void)
{
    dir = temp_dir_make("layouts");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        test_case(i);
    }
    test_beside();
    test_stems();
    test_whose_word();
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        test_wrong(i);
    }
    test_unknown_layout();
    temp_dir_remove(dir);
    return 0;
}
