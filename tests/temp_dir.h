/* A folder for a test's files, which goes when the test has passed. */
#pragma once

#include "tests/check.h"

#include <glib.h>

/* name: of the test. To be given to temp_dir_remove. */
static inline char *temp_dir_make(const char *name)
{
    g_autofree char *pattern = g_strdup_printf("taglight-%s-XXXXXX", name);
    char *dir = g_dir_make_tmp(pattern, NULL);
    REQUIRE(dir);
    return dir;
}

/* Also what a test has made read-only. */
static inline void temp_dir_remove(char *dir)
{
    g_autofree char *command = g_strdup_printf("chmod -R u+w '%s'; rm -rf '%s'", dir, dir);
    REQUIRE(system(command) == 0);
    g_free(dir);
}
