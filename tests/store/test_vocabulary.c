/* The vocabulary: names, what hangs together, what follows from a decision; thresholds. */
#include "app/store/browse.h"
#include "app/store/merge.h"
#include "app/store/thresholds.h"
#include "app/store/vocabulary.h"
#include "tests/temp_dir.h"
#include "tests/store/undo.h"

static char *dir;
static const StoreSource person = { .confidence = -1, .threshold = -1 };
static const StoreSource machine = { .by_model = TRUE, .model = "m#1", .prompt = "p",
                                     .confidence = 0.9, .threshold = 0.6 };

static store *open_new(const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    store *s = store_open(path, STORE_CREATE, NULL);
    REQUIRE(s);
    return s;
}

static gint64 put_image(store *s, const char *hash)
{
    StoreImage image = { hash, hash, 10, 20, 640, 480 };
    return store_put_image(s, &image, NULL);
}

static gint64 put(store *s, const char *name)
{
    gint64 label = store_put_label(s, name, NULL, NULL);
    REQUIRE(label > 0);
    return label;
}

/* What a call refuses, and that it says why. */
#define REQUIRE_REFUSED(call, part)                                        \
    do {                                                                   \
        g_autoptr(GError) error = NULL;                                    \
        REQUIRE(!(call));                                                  \
        REQUIRE(g_error_matches(error, STORE_ERROR, STORE_ERROR_REFUSED)); \
        REQUIRE(strstr(error->message, part));                             \
    } while (0)

static gboolean see_decision(const StoreRow *row, gpointer user_data)
{
    g_string_append_printf(user_data, "%s:%s=%d ", row->path, row->name, row->verdict);
    return TRUE;
}

static char *decisions(store *s)
{
    GString *text = g_string_new(NULL);
    REQUIRE(store_each_decision(s, see_decision, text, NULL));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void require_decisions(store *s, const char *want)
{
    g_autofree char *got = decisions(s);
    REQUIRE_STR(got, want);
}

static void require_names(store *s, const char *want)
{
    g_auto(GStrv) names = store_labels(s, NULL);
    g_autofree char *joined = g_strjoinv(",", names);
    REQUIRE_STR(joined, want);
}

static void test_rename(void)
{
    store *s = open_new("rename.db");
    gint64 pier = put(s, "pier"), boat = put(s, "boat"), image = put_image(s, "a");
    REQUIRE(store_decide(s, image, pier, STORE_ACCEPTED, &person, NULL));
    REQUIRE(vocabulary_rename(s, pier, " quay ", NULL));
    require_decisions(s, "a:quay=1 ");
    require_names(s, "quay,boat");
    REQUIRE_INT(store_find_label(s, "pier"), pier);
    REQUIRE_INT(put(s, "pier"), pier); /* the old name is no new label */
    REQUIRE(vocabulary_rename(s, pier, "pier", NULL)); /* and back */
    require_decisions(s, "a:pier=1 ");
    REQUIRE_INT(store_find_label(s, "quay"), pier);
    REQUIRE_REFUSED(vocabulary_rename(s, boat, "pier", &error), "merge them");
    REQUIRE_REFUSED(vocabulary_rename(s, boat, "quay", &error), "merge them");
    REQUIRE_REFUSED(vocabulary_rename(s, boat, "  ", &error), "must have a name");
    REQUIRE_REFUSED(vocabulary_rename(s, boat, "a\nb", &error), "one line");
    REQUIRE_REFUSED(vocabulary_rename(s, boat, "\xff", &error), "UTF-8");
    REQUIRE_REFUSED(vocabulary_rename(s, 99, "x", &error), "99");
    store_close(&s);
}

static void test_merge(void)
{
    store *s = open_new("merge.db");
    gint64 quay = put(s, "quay"), pier = put(s, "pier"), jetty = put(s, "jetty");
    gint64 a = put_image(s, "a"), b = put_image(s, "b"), who, what;
    REQUIRE(vocabulary_add_synonym(s, pier, "wharf", NULL));
    REQUIRE(store_decide(s, a, quay, STORE_ACCEPTED, &person, NULL));
    REQUIRE(store_decide(s, a, pier, STORE_REJECTED, &person, NULL)); /* the later */
    REQUIRE(store_decide(s, b, pier, STORE_ACCEPTED, &person, NULL));
    REQUIRE(vocabulary_merge(s, pier, quay, NULL));
    require_names(s, "quay,jetty");
    require_decisions(s, "a:quay=-1 b:quay=1 ");
    REQUIRE_INT(store_verdict(s, b, quay), STORE_ACCEPTED);
    REQUIRE_INT(store_find_label(s, "wharf"), quay);
    REQUIRE_REFUSED(vocabulary_merge(s, pier, quay, &error), "already");

    /* What is decided now is the newest, and undoing finds what held before. */
    REQUIRE(store_decide(s, a, quay, STORE_ACCEPTED, &person, NULL));
    require_decisions(s, "a:quay=1 b:quay=1 ");
    REQUIRE(undo(s, &who, &what));
    REQUIRE(who == a && what == quay);
    require_decisions(s, "a:quay=-1 b:quay=1 ");

    REQUIRE(vocabulary_merge(s, quay, jetty, NULL)); /* names of names */
    require_decisions(s, "a:jetty=-1 b:jetty=1 ");
    REQUIRE_INT(store_find_label(s, "wharf"), jetty);
    REQUIRE(vocabulary_split(s, "quay", NULL));
    REQUIRE(vocabulary_split(s, "pier", NULL)); /* no event was changed */
    require_decisions(s, "a:quay=-1 a:pier=-1 b:pier=1 ");
    REQUIRE_REFUSED(vocabulary_split(s, "pier", &error), "a label itself");
    REQUIRE_REFUSED(vocabulary_split(s, "nothing", &error), "no name");
    REQUIRE_REFUSED(vocabulary_add_synonym(s, quay, "pier", &error), "merge them");
    REQUIRE_REFUSED(vocabulary_add_synonym(s, quay, "wharf", &error), "stands for");
    store_close(&s);
}

static void test_circles(void)
{
    store *s = open_new("circles.db");
    gint64 car = put(s, "car"), vehicle = put(s, "vehicle"), thing = put(s, "thing");
    gint64 kitchen = put(s, "kitchen"), indoors = put(s, "indoors");
    gint64 outdoors = put(s, "outdoors");
    REQUIRE(vocabulary_add_parent(s, car, vehicle, NULL));
    REQUIRE(vocabulary_add_parent(s, vehicle, thing, NULL));
    REQUIRE_REFUSED(vocabulary_add_parent(s, thing, car, &error), "above and below");
    REQUIRE_REFUSED(vocabulary_add_parent(s, car, car, &error), "own parent");
    REQUIRE_REFUSED(vocabulary_merge(s, car, thing, &error), "above and below");
    REQUIRE_INT(store_find_label(s, "car"), car); /* nothing was left half done */
    REQUIRE(vocabulary_merge(s, car, vehicle, NULL)); /* a parent may take in its child */
    REQUIRE(vocabulary_split(s, "car", NULL));
    REQUIRE(vocabulary_add_to_group(s, indoors, "place", NULL));
    REQUIRE(vocabulary_add_to_group(s, outdoors, "place", NULL));
    REQUIRE(vocabulary_add_parent(s, kitchen, indoors, NULL));
    REQUIRE_REFUSED(vocabulary_add_parent(s, kitchen, outdoors, &error), "several");
    REQUIRE_REFUSED(vocabulary_add_to_group(s, kitchen, "place", &error), "several");
    REQUIRE_REFUSED(vocabulary_add_parent(s, outdoors, kitchen, &error), "several");
    REQUIRE(vocabulary_remove_from_group(s, outdoors, "place", NULL));
    REQUIRE(vocabulary_add_parent(s, kitchen, outdoors, NULL));
    REQUIRE_REFUSED(vocabulary_add_to_group(s, outdoors, "place", &error), "kitchen");
    REQUIRE(vocabulary_remove_parent(s, kitchen, outdoors, NULL));
    REQUIRE(vocabulary_add_to_group(s, outdoors, "place", NULL));
    store_close(&s);
}

/* kitchen implies indoors implies place; of indoors and outdoors only one may hold. */
static store *open_house(const char *name, gint64 *image)
{
    store *s = open_new(name);
    gint64 kitchen = put(s, "kitchen"), indoors = put(s, "indoors"), place = put(s, "place");
    gint64 outdoors = put(s, "outdoors"), beach = put(s, "beach");
    *image = put_image(s, "x");
    REQUIRE(vocabulary_add_parent(s, kitchen, indoors, NULL));
    REQUIRE(vocabulary_add_parent(s, indoors, place, NULL));
    REQUIRE(vocabulary_add_parent(s, beach, outdoors, NULL));
    REQUIRE(vocabulary_add_to_group(s, indoors, "where", NULL));
    REQUIRE(vocabulary_add_to_group(s, outdoors, "where", NULL));
    return s;
}

static GArray *decide(store *s, gint64 image, const char *name, StoreVerdict verdict,
                      const StoreSource *source)
{
    GArray *changes = vocabulary_decide(s, image, store_find_label(s, name), verdict,
                                        source, NULL);
    REQUIRE(changes);
    return changes;
}

static void test_consequences(void)
{
    gint64 image, who, what;
    store *s = open_house("house.db", &image);
    g_autoptr(GArray) beach = decide(s, image, "beach", STORE_ACCEPTED, &person);
    REQUIRE_INT(beach->len, 3);
    require_decisions(s, "x:indoors=-1 x:outdoors=1 x:beach=1 ");
    g_autoptr(GArray) kitchen = decide(s, image, "kitchen", STORE_ACCEPTED, &person);
    require_decisions(s, "x:kitchen=1 x:indoors=1 x:place=1 x:outdoors=-1 x:beach=-1 ");
    const VocabularyChange *first = &g_array_index(kitchen, VocabularyChange, 0);
    REQUIRE(first->label == store_find_label(s, "kitchen") && first->because == 0);
    REQUIRE(first->before == STORE_CLEARED && first->after == STORE_ACCEPTED);
    for (guint i = 1; i < kitchen->len; i++) {
        REQUIRE_INT(g_array_index(kitchen, VocabularyChange, i).because, first->label);
    }
    g_autoptr(GArray) again = decide(s, image, "kitchen", STORE_ACCEPTED, &person);
    REQUIRE_INT(again->len, 1); /* what holds already is not said again */
    REQUIRE(undo(s, &who, &what));

    REQUIRE(undo(s, &who, &what)); /* a decision and all that followed */
    REQUIRE_INT(what, first->label);
    require_decisions(s, "x:indoors=-1 x:outdoors=1 x:beach=1 ");
    REQUIRE(undo(s, &who, &what));
    require_decisions(s, "");

    g_autoptr(GArray) child = decide(s, image, "kitchen", STORE_ACCEPTED, &person);
    g_autoptr(GArray) parent = decide(s, image, "place", STORE_REJECTED, &person);
    require_decisions(s, "x:kitchen=-1 x:indoors=-1 x:place=-1 x:outdoors=-1 ");
    g_autoptr(GArray) clear = decide(s, image, "kitchen", STORE_CLEARED, &person);
    REQUIRE_INT(clear->len, 1);
    store_close(&s);
}

/* What follows from a model's word is a model's word, and stands over no person's. */
static void test_consequences_of_models(void)
{
    gint64 image, who, what;
    store *s = open_house("models.db", &image);
    g_autoptr(GArray) no = decide(s, image, "place", STORE_REJECTED, &person);
    g_autoptr(GArray) yes = decide(s, image, "kitchen", STORE_ACCEPTED, &machine);
    REQUIRE_INT(yes->len, 3);
    require_decisions(s, "x:kitchen=1 x:indoors=1 x:place=-1 x:outdoors=-1 ");
    g_autoptr(GArray) mine = decide(s, image, "kitchen", STORE_REJECTED, &person);
    g_autoptr(GArray) ignored = decide(s, image, "kitchen", STORE_ACCEPTED, &machine);
    REQUIRE_INT(ignored->len, 0);
    REQUIRE_INT(store_verdict(s, image, store_find_label(s, "kitchen")), STORE_REJECTED);
    REQUIRE(undo(s, &who, &what));
    REQUIRE_INT(what, store_find_label(s, "kitchen")); /* not what a model said */
    store_close(&s);
}

static void test_entries(void)
{
    store *s = open_new("entries.db");
    gint64 boat = put(s, "boat"), ship = put(s, "Tall Ship"), car = put(s, "car");
    REQUIRE(vocabulary_set(s, boat, VOCABULARY_COLOUR, "#12ABef", NULL));
    REQUIRE(vocabulary_set(s, boat, VOCABULARY_KEY, "b", NULL));
    REQUIRE(vocabulary_set(s, ship, VOCABULARY_KEY, "b", NULL)); /* a key has one label */
    REQUIRE(vocabulary_set(s, ship, VOCABULARY_NOTE, "with masts", NULL));
    REQUIRE(vocabulary_set(s, ship, VOCABULARY_PROMPT, "a photo of {}", NULL));
    REQUIRE(vocabulary_set_favourite(s, ship, TRUE, NULL));
    REQUIRE(vocabulary_add_synonym(s, ship, "vessel", NULL));
    REQUIRE(vocabulary_add_synonym(s, ship, "bark", NULL));
    REQUIRE(vocabulary_add_parent(s, ship, boat, NULL));
    REQUIRE(store_hide_label(s, "car", NULL));
    REQUIRE_REFUSED(vocabulary_set(s, car, VOCABULARY_COLOUR, "red", &error), "#rrggbb");
    REQUIRE_REFUSED(vocabulary_set(s, car, VOCABULARY_KEY, "ab", &error), "one character");
    g_autoptr(GPtrArray) all = vocabulary_load(s, NULL);
    REQUIRE_INT(all->len, 3);
    const VocabularyEntry *b = vocabulary_entry(all, boat), *t = vocabulary_entry(all, ship);
    REQUIRE_STR(b->colour, "#12abef");
    REQUIRE(!b->key && b->listed && !b->synonyms[0]);
    REQUIRE_STR(t->key, "b");
    REQUIRE_STR(t->prompt, "a photo of {}");
    REQUIRE_STR(t->synonyms[0], "bark");
    REQUIRE_STR(t->synonyms[1], "vessel");
    REQUIRE_STR(t->parents[0], "boat");
    REQUIRE(!vocabulary_entry(all, car)->listed && !vocabulary_entry(all, 77));
    g_autoptr(GPtrArray) found = vocabulary_search(all, "SH", 10);
    REQUIRE(found->len == 1 && found->pdata[0] == t);
    g_autoptr(GPtrArray) many = vocabulary_search(all, "", 2);
    REQUIRE(many->len == 2 && many->pdata[0] == t); /* favourites first */
    g_autoptr(GPtrArray) by_name = vocabulary_search(all, "ba", 10);
    REQUIRE(by_name->len == 1 && by_name->pdata[0] == t);
    REQUIRE(vocabulary_set(s, ship, VOCABULARY_NOTE, "", NULL));
    store_close(&s);
}

static void test_folders(void)
{
    store *s = open_new("folders.db");
    gint64 labels[2] = { put(s, "b"), put(s, "a") };
    REQUIRE(!vocabulary_folder(s, "/photos/2024/day1"));
    REQUIRE(vocabulary_set_folder(s, "/photos/2024/", labels, 2, NULL));
    REQUIRE(vocabulary_set_folder(s, "/photos", labels + 1, 1, NULL));
    g_autoptr(GArray) near = vocabulary_folder(s, "/photos/2024/day1");
    g_autoptr(GArray) far = vocabulary_folder(s, "/photos/2023");
    REQUIRE(near && near->len == 2 && g_array_index(near, gint64, 0) == labels[0]);
    REQUIRE(far && far->len == 1 && g_array_index(far, gint64, 0) == labels[1]);
    REQUIRE(vocabulary_set_folder(s, "/photos/2024", NULL, 0, NULL));
    g_autoptr(GArray) gone = vocabulary_folder(s, "/photos/2024/day1");
    REQUIRE(gone && gone->len == 1);
    g_autoptr(GPtrArray) folders = vocabulary_folders(s, NULL);
    REQUIRE_INT(folders->len, 1);
    store_close(&s);
}

static gboolean see_judged(const StoreJudged *j, gpointer user_data)
{
    g_string_append_printf(user_data, "%d:%s=%.1f:%d%s ", (int)j->image, j->prompt,
                           j->confidence, j->verdict, j->by_model ? "m" : "");
    return TRUE;
}

static void test_thresholds(void)
{
    store *s = open_new("thresholds.db");
    gint64 quay = put(s, "quay"), pier = put(s, "pier"), a = put_image(s, "a");
    gint64 b = put_image(s, "b"), c = put_image(s, "c");
    const char *const prompts[] = { "q" };
    const float said[] = { 0.3f };
    StoreQuestion question = { "m#1", &quay, prompts, 1 };
    REQUIRE(store_threshold(s, "m#1", quay) < 0);
    REQUIRE(store_set_threshold(s, "m#1", quay, 0.7, NULL));
    REQUIRE(store_set_threshold(s, "m#2", quay, 0.2, NULL));
    REQUIRE(store_threshold(s, "m#1", quay) == 0.7 && store_threshold(s, "m#1", pier) < 0);
    REQUIRE(vocabulary_merge(s, pier, quay, NULL));
    REQUIRE(store_threshold(s, "m#1", pier) == 0.7);
    REQUIRE(store_set_threshold(s, "m#1", pier, -1, NULL));
    REQUIRE(store_threshold(s, "m#1", quay) < 0);

    REQUIRE(store_predict(s, a, &question, said, TRUE, NULL));
    REQUIRE(store_decide(s, a, pier, STORE_REJECTED, &person, NULL));
    REQUIRE(store_predict(s, b, &question, said, TRUE, NULL));
    REQUIRE(store_decide(s, c, quay, STORE_ACCEPTED, &machine, NULL));
    g_autoptr(GString) text = g_string_new(NULL);
    REQUIRE(store_each_judged(s, "m#1", pier, see_judged, text, NULL));
    REQUIRE_STR(text->str, "1:q=0.3:-1 2:q=0.3:0 3:p=0.9:1m ");
    g_string_truncate(text, 0);
    REQUIRE(store_each_judged(s, NULL, quay, see_judged, text, NULL));
    REQUIRE(strstr(text->str, "1:=-1.0:-1") && strstr(text->str, "3:p=-1.0:1m"));
    g_auto(GStrv) models = store_models(s, NULL);
    REQUIRE_STR(models[0], "m#1");
    REQUIRE(!models[1]);

    REQUIRE(store_save_filter(s, "open boats", "undecided:boat", NULL));
    REQUIRE(store_save_filter(s, "open boats", "undecided:boat sort:boat", NULL));
    g_autofree char *saved = store_filter(s, "open boats");
    REQUIRE_STR(saved, "undecided:boat sort:boat");
    REQUIRE(store_save_filter(s, "open boats", NULL, NULL));
    g_auto(GStrv) none = store_filters(s, NULL);
    REQUIRE(none && !none[0] && !store_filter(s, "open boats"));
    store_close(&s);
}

/* What stands for another name in one database does in the joined one; where two say the
 * opposite, both stay labels. No decision is lost either way. */
static void test_joined(void)
{
    store *a = open_new("a.db"), *b = open_new("b.db"), *c = open_new("c.db");
    gint64 x = put_image(a, "x"), y = put_image(b, "y");
    gint64 old = put(a, "pier"), oak = put(a, "oak"), tree = put(a, "tree");
    REQUIRE(store_decide(a, x, old, STORE_ACCEPTED, &person, NULL));
    REQUIRE(vocabulary_rename(a, old, "quay", NULL));
    REQUIRE(vocabulary_merge(a, oak, tree, NULL));
    REQUIRE(store_decide(b, y, put(b, "pier"), STORE_ACCEPTED, &person, NULL));
    REQUIRE(store_decide(b, y, put(b, "oak"), STORE_ACCEPTED, &person, NULL));
    REQUIRE(vocabulary_merge(b, put(b, "tree"), put(b, "oak"), NULL));
    REQUIRE(vocabulary_add_synonym(c, put(c, "pier"), "mole", NULL));
    store_close(&a);
    store_close(&b);
    g_autofree char *first = g_build_filename(dir, "a.db", NULL);
    g_autofree char *second = g_build_filename(dir, "b.db", NULL);
    MergeSource sources[] = { { .path = first }, { .path = second } };
    MergeCounts counts;
    for (int i = 0; i < 2; i++) { /* the second time changes nothing */
        REQUIRE(merge_run(c, sources, 2, &counts, NULL, NULL));
        require_decisions(c, "x:quay=1 y:oak=1 y:quay=1 ");
    }
    REQUIRE_INT(store_find_label(c, "mole"), store_find_label(c, "quay"));
    REQUIRE(store_find_label(c, "oak") != store_find_label(c, "tree"));
    store_close(&c);
}

int main(void)
{
    dir = temp_dir_make("vocabulary");
    test_rename();
    test_merge();
    test_circles();
    test_consequences();
    test_consequences_of_models();
    test_entries();
    test_folders();
    test_thresholds();
    test_joined();
    temp_dir_remove(dir);
    return 0;
}
