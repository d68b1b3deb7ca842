#include "ui/settings.h"

#include <gio/gio.h>

#define SCHEMA "io.github.taglight.Taglight"

/* g_settings_new() ends the program when the schema is missing. */
static GSettings *open_settings(void)
{
    GSettingsSchemaSource *source = g_settings_schema_source_get_default();
    g_autoptr(GSettingsSchema) schema =
        source ? g_settings_schema_source_lookup(source, SCHEMA, TRUE) : NULL;
    return schema ? g_settings_new(SCHEMA) : NULL;
}

char *settings_get(const char *key)
{
    g_autoptr(GSettings) settings = open_settings();
    g_autofree char *value = settings ? g_settings_get_string(settings, key) : NULL;
    return value && *value ? g_steal_pointer(&value) : NULL;
}

void settings_set(const char *key, const char *value)
{
    g_autoptr(GSettings) settings = open_settings();
    if (settings) {
        g_settings_set_string(settings, key, value);
    }
}
