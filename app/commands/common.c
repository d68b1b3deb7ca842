#include "app/commands/commands.h"

#include "config.h"

#include <errno.h>
#include <gio/gio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

gboolean command_parse(int *argc, char ***argv, const GOptionEntry *entries,
                       const char *usage, const char *summary)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(usage);
    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        command_fail(COMMAND_MISUSED, "%s", error->message);
        return FALSE;
    }
    return TRUE;
}

int command_fail(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_printerr("taglight: %s\n", text);
    return status;
}

gboolean command_put_file(const char *path, const char *text, GError **error)
{
    if (strcmp(path, "-") != 0) {
        return g_file_set_contents(path, text, -1, error);
    }
    if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "standard output: %s",
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

gboolean command_read_precision(const char *text, enum gpu_precision *out)
{
    if (text && !gpu_precision_parse(text, out)) {
        command_fail(COMMAND_MISUSED, "there is no precision \"%s\"; use f32 or f16", text);
        return FALSE;
    }
    return TRUE;
}

gboolean command_parse_split(const char *text, double split[3])
{
    static const char *const names[] = { "train", "val", "test" };
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    double sum = 0;
    for (char **p = parts; *p; p++) {
        g_auto(GStrv) pair = g_strsplit(g_strstrip(*p), "=", -1);
        char *end = NULL;
        int s = 0;
        while (s < 3 && !(pair[0] && strcmp(pair[0], names[s]) == 0)) {
            s++;
        }
        if (g_strv_length(pair) != 2 || s == 3 || split[s] > 0) {
            return FALSE;
        }
        split[s] = g_ascii_strtod(pair[1], &end);
        if (end == pair[1] || *end || !(split[s] > 0 && split[s] <= 1)) {
            return FALSE;
        }
        sum += split[s];
    }
    return fabs(sum - 1) < 1e-6;
}

char *command_models_dir(void)
{
    return g_build_filename(g_get_user_data_dir(), "taglight", "models", NULL);
}

char *command_find_model(const char *name)
{
    if (!strchr(name, G_DIR_SEPARATOR)) {
        g_autofree char *dir = command_models_dir();
        g_autofree char *installed = g_build_filename(dir, name, NULL);
        if (g_file_test(installed, G_FILE_TEST_IS_DIR)) {
            return g_steal_pointer(&installed);
        }
        g_autofree char *data = g_build_filename("models", name, NULL);
        char *own = g_file_test(name, G_FILE_TEST_EXISTS) ? NULL : command_data(data);
        if (own) {
            return own;
        }
    }
    return g_strdup(name);
}

char *command_data(const char *name)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = program ? g_path_get_dirname(program) : NULL;
    g_autofree char *built = folder ? g_build_filename(folder, "data", NULL) : NULL;
    g_autofree char *moved = folder ? g_build_filename(folder, "..", "share", "taglight",
                                                       NULL) : NULL;
    const char *const folders[] = { built, moved, DATA_DIR };
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        char *path = folders[i] ? g_build_filename(folders[i], name, NULL) : NULL;
        if (path && g_file_test(path, G_FILE_TEST_EXISTS)) {
            return path;
        }
        g_free(path);
    }
    return NULL;
}

char *command_default_model(void)
{
    char *set = command_setting("model");
    return set ? set : command_data("models/" COMMAND_STARTER);
}

char *command_cache_dir(void)
{
    char *dir = g_build_filename(g_get_user_cache_dir(), "taglight", NULL);
    g_mkdir_with_parents(dir, 0700);
    return dir;
}

char *command_setting(const char *key)
{
    g_autofree char *path =
        g_build_filename(g_get_user_config_dir(), "taglight", "settings.ini", NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return NULL;
    }
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error)) {
        command_fail(COMMAND_FAILED, "%s: %s", path, error->message);
        return NULL;
    }
    return g_key_file_get_string(file, "taglight", key, NULL);
}
