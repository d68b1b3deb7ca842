/* A label as a person wants it: what differs is changed, all or nothing. */
#include "app/store/browse.h"
#include "app/words/vocabulary_edit.h"
#include "tests/check.h"

static store *s;

static const VocabularyEntry *find(GPtrArray *entries, const char *name)
{
    for (guint i = 0; i < entries->len; i++) {
        if (g_str_equal(((VocabularyEntry *)entries->pdata[i])->name, name)) {
            return entries->pdata[i];
        }
    }
    return NULL;
}

static void require_names(GStrv got, const char *want)
{
    g_autofree char *all = g_strjoinv(",", got);
    REQUIRE_STR(all, want);
}

static VocabularyWish boat(gint64 label)
{
    return (VocabularyWish){ .label = label, .name = g_strdup(" boat "),
                             .prompt = g_strdup("a photo of {}"), .colour = g_strdup("#00FF00"),
                             .key = g_strdup("b"), .note = g_strdup("floats"),
                             .favourite = TRUE, .listed = TRUE,
                             .synonyms = vocabulary_split_names("vessel, ,vessel , skiff"),
                             .parents = vocabulary_split_names("vehicle"),
                             .groups = vocabulary_split_names("kind") };
}

static gint64 test_new(void)
{
    VocabularyWish wish = boat(0);
    gint64 label = vocabulary_edit(s, &wish, NULL);
    REQUIRE(label);
    REQUIRE(!vocabulary_edit(s, &wish, NULL)); /* there is one already */
    g_autoptr(GPtrArray) entries = vocabulary_load(s, NULL);
    const VocabularyEntry *e = find(entries, "boat");
    REQUIRE(e && e->label == label && e->favourite && e->listed);
    REQUIRE_STR(e->prompt, "a photo of {}");
    REQUIRE_STR(e->colour, "#00ff00");
    REQUIRE_STR(e->key, "b");
    REQUIRE_STR(e->note, "floats");
    require_names(e->synonyms, "skiff,vessel");
    require_names(e->parents, "vehicle");
    require_names(e->groups, "kind");
    REQUIRE(find(entries, "vehicle"));
    vocabulary_wish_clear(&wish);
    return label;
}

static void test_change(gint64 label)
{
    VocabularyWish wish = { .label = label, .name = g_strdup("ship"), .listed = FALSE,
                            .synonyms = vocabulary_split_names("skiff"), .key = g_strdup("") };
    REQUIRE(vocabulary_edit(s, &wish, NULL) == label);
    g_autoptr(GPtrArray) entries = vocabulary_load(s, NULL);
    const VocabularyEntry *e = find(entries, "ship");
    REQUIRE(e && !e->prompt && !e->colour && !e->key && !e->note && !e->favourite);
    REQUIRE(!e->listed && !e->parents[0] && !e->groups[0]);
    require_names(e->synonyms, "boat,skiff"); /* the old name goes on standing for it */
    REQUIRE(find(entries, "vessel"));
    vocabulary_wish_clear(&wish);
}

/* A fault in the last field leaves the first as it was. */
static void test_faults(gint64 label)
{
    static const struct { const char *name, *prompt, *colour, *key, *parents; } bad[] = {
        { "x", "\"open", "", "", "" }, { "x", "", "green", "", "" }, { "x", "", "", "ab", "" },
        { "", "", "", "", "" }, { "x", "", "", "", "x" }, { "vehicle", "", "", "", "" } };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        VocabularyWish wish = { .label = label, .name = g_strdup(bad[i].name),
                                .prompt = g_strdup(bad[i].prompt),
                                .colour = g_strdup(bad[i].colour),
                                .key = g_strdup(bad[i].key), .listed = TRUE,
                                .parents = vocabulary_split_names(bad[i].parents) };
        REQUIRE(!vocabulary_edit(s, &wish, &error) && error);
        g_autoptr(GPtrArray) entries = vocabulary_load(s, NULL);
        const VocabularyEntry *e = find(entries, "ship");
        REQUIRE(e && !e->listed);
        require_names(e->synonyms, "boat,skiff");
        vocabulary_wish_clear(&wish);
    }
    VocabularyWish gone = { .label = 12345, .name = g_strdup("gone") };
    REQUIRE(!vocabulary_edit(s, &gone, NULL));
    vocabulary_wish_clear(&gone);
}

static void test_text(void)
{
    REQUIRE_INT(vocabulary_add_text(s, "one, two,one", NULL), 2);
    REQUIRE_INT(vocabulary_add_text(s, "a, b\r\n\nthree\n", NULL), 2);
    REQUIRE_INT(vocabulary_add_text(s, " ", NULL), 0);
    REQUIRE_INT(vocabulary_add_text(s, "four\n\xff", NULL), -1);
    g_autoptr(GPtrArray) entries = vocabulary_load(s, NULL);
    REQUIRE(find(entries, "a, b") && find(entries, "two") && !find(entries, "four"));
}

static void test_count(gint64 label)
{
    StoreImage image = { .hash = "00", .path = "/x.png" };
    StoreSource person = { .confidence = -1, .threshold = -1 };
    gint64 row = store_put_image(s, &image, NULL);
    REQUIRE_INT(store_count_decided(s, label), 0);
    REQUIRE(store_decide(s, row, store_find_label(s, "boat"), STORE_REJECTED, &person, NULL));
    REQUIRE_INT(store_count_decided(s, label), 1);
    REQUIRE(store_decide(s, row, label, STORE_CLEARED, &person, NULL));
    REQUIRE_INT(store_count_decided(s, label), 0);
}

int main(void)
{
    g_autofree char *dir = g_dir_make_tmp("taglight-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a.db", NULL);
    s = store_open(path, STORE_CREATE, NULL);
    REQUIRE(s);
    gint64 label = test_new();
    test_change(label);
    test_faults(label);
    test_text();
    test_count(label);
    store_close(&s);
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", dir);
    return system(remove);
}
