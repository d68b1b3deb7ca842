#include "ui/settings.h"

#include <gio/gio.h>

#define SCHEMA "io.github.taglight.Taglight"

/* GSettings ends the program when the schema, or the key in an older one, is missing. */
static GSettings *open_settings(const char *key)
{
    GSettingsSchemaSource *source = g_settings_schema_source_get_default();
    g_autoptr(GSettingsSchema) schema =
        source ? g_settings_schema_source_lookup(source, SCHEMA, TRUE) : NULL;
    return schema && g_settings_schema_has_key(schema, key) ? g_settings_new(SCHEMA) : NULL;
}

char *settings_get(const char *key)
{
    g_autoptr(GSettings) settings = open_settings(key);
    g_autofree char *value = settings ? g_settings_get_string(settings, key) : NULL;
    return value && *value ? g_steal_pointer(&value) : NULL;
}

void settings_set(const char *key, const char *value)
{
    g_autoptr(GSettings) settings = open_settings(key);
    if (settings) {
        g_settings_set_string(settings, key, value);
    }
}

double settings_get_number(const char *key, double otherwise)
{
    g_autoptr(GSettings) settings = open_settings(key);
    return settings ? g_settings_get_double(settings, key) : otherwise;
}

void settings_set_number(const char *key, double value)
{
    g_autoptr(GSettings) settings = open_settings(key);
    if (settings) {
        g_settings_set_double(settings, key, value);
    }
}
