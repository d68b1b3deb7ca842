/* Installed models: what their folders tell, and removing them. */
#include "app/engine/bundles.h"
#include "tests/check.h"

#include <glib/gstdio.h>

static char *dir;

static void put(const char *folder, const char *file, const char *text)
{
    g_autofree char *path = g_build_filename(dir, folder, NULL);
    g_autofree char *name = g_build_filename(path, file, NULL);
    REQUIRE(g_mkdir_with_parents(path, 0700) == 0);
    REQUIRE(g_file_set_contents(name, text, -1, NULL));
}

static gboolean is_there(const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void test_list(void)
{
    g_autoptr(GPtrArray) list = bundles_list(dir);
    REQUIRE_INT(list->len, 3);
    const struct bundle *a = list->pdata[0], *broken = list->pdata[1];
    REQUIRE_STR(a->name, "a");
    REQUIRE_STR(a->licence, "MIT");
    REQUIRE_STR(a->about, "Knows cats.");
    REQUIRE(a->bytes > 10);
    REQUIRE_STR(broken->name, "broken");
    REQUIRE_STR(broken->licence, "");
    g_autoptr(GPtrArray) none = bundles_list("/nowhere");
    REQUIRE_INT(none->len, 0);
}

static void test_remove(void)
{
    static const char *const bad[] = { "", ".", "..", "../models", "none", "no-model", "link",
                                       "a/b" };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        REQUIRE(!bundles_remove(dir, bad[i], &error) && error);
    }
    REQUIRE(is_there("a/model.json") && is_there("no-model/x"));
    REQUIRE(bundles_remove(dir, "a", NULL));
    REQUIRE(!is_there("a"));
    REQUIRE(bundles_remove(dir, "broken", NULL));
    put("deep", "model.json", "{}");
    put("deep/er", "x", "y");
    REQUIRE(!bundles_remove(dir, "deep", NULL)); /* what is not ours stays */
    REQUIRE(is_there("deep/er/x") && is_there("deep/model.json"));
}

int main(void)
{
    dir = g_dir_make_tmp("taglight-XXXXXX", NULL);
    put("a", "model.json", "{\"licence\": \"MIT\", \"about\": \"Knows cats.\"}");
    put("a", "model.safetensors", "0123456789");
    put("broken", "model.json", "{\"licence\": [");
    put("odd", "model.json", "{\"licence\": [1], \"about\": 3}");
    put("no-model", "x", "y");
    g_autofree char *link = g_build_filename(dir, "link", NULL);
    REQUIRE(symlink("/nowhere", link) == 0);
    test_list();
    test_remove();
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", dir);
    return system(remove);
}
