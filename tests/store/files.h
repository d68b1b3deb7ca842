/* What the tests of the store share: a folder for their files, and shorter calls. */
#pragma once

#include "app/store/store.h"
#include "tests/temp_dir.h"
#include "tests/store/undo.h"

static char *dir;

static char *file(const char *name)
{
    return g_build_filename(dir, name, NULL);
}

static store *open_new(const char *name)
{
    g_autofree char *path = file(name);
    g_autoptr(GError) error = NULL;
    store *s = store_open(path, STORE_CREATE, &error);
    if (!s) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    return s;
}

static inline gint64 put_image(store *s, const char *hash, const char *path)
{
    StoreImage image = { hash, path, 10, 20, 640, 480 };
    gint64 id = store_put_image(s, &image, NULL);
    REQUIRE(id > 0);
    return id;
}

static void make_dir(void)
{
    dir = temp_dir_make("store");
}

static void remove_dir(void)
{
    temp_dir_remove(dir);
}
