#include "app/json/json_out.h"
#include "app/words/vocabulary_file.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define FORMAT "taglight-vocabulary"
#define VERSION_OF_FORMAT 1

/* --- Writing --------------------------------------------------------------------------- */

static void put_text(JsonBuilder *b, const char *name, const char *value)
{
    if (value) {
        json_out_text(b, name, value);
    }
}

static void put_texts(JsonBuilder *b, const char *name, const GStrv values)
{
    if (!values[0]) {
        return;
    }
    json_out_begin_array(b, name);
    for (char **v = values; *v; v++) {
        json_builder_add_string_value(b, *v);
    }
    json_builder_end_array(b);
}

static void put_flag(JsonBuilder *b, const char *name, gboolean value, gboolean usual)
{
    if (value != usual) {
        json_out_flag(b, name, value);
    }
}

static void put_entry(JsonBuilder *b, const VocabularyEntry *e)
{
    json_builder_begin_object(b);
    put_text(b, "name", e->name);
    put_texts(b, "synonyms", e->synonyms);
    put_texts(b, "parents", e->parents);
    put_texts(b, "groups", e->groups);
    put_text(b, "prompt", e->prompt);
    put_text(b, "colour", e->colour);
    put_text(b, "key", e->key);
    put_text(b, "note", e->note);
    put_flag(b, "favourite", e->favourite, FALSE);
    put_flag(b, "listed", e->listed, TRUE);
    json_builder_end_object(b);
}

/* A name of a folder that is no UTF-8 is written as a URI escapes it. */
static void put_folder(JsonBuilder *b, store *s, const char *folder)
{
    g_autofree char *uri = g_uri_escape_bytes((const guint8 *)folder, strlen(folder), "/ ");
    gboolean plain = g_utf8_validate(folder, -1, NULL);
    g_autoptr(GArray) labels = vocabulary_folder(s, folder);
    json_builder_begin_object(b);
    put_text(b, plain ? "folder" : "escaped", plain ? folder : uri);
    json_out_begin_array(b, "labels");
    for (guint i = 0; labels && i < labels->len; i++) {
        g_autofree char *name = vocabulary_name(s, g_array_index(labels, gint64, i));
        json_builder_add_string_value(b, name);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

char *vocabulary_file_write(store *s, GError **error)
{
    g_autoptr(GPtrArray) entries = vocabulary_load(s, error);
    g_autoptr(GPtrArray) folders = entries ? vocabulary_folders(s, error) : NULL;
    if (!folders) {
        return NULL;
    }
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    put_text(b, "format", FORMAT);
    json_out_count(b, "version", VERSION_OF_FORMAT);
    json_out_begin_array(b, "labels");
    for (guint i = 0; i < entries->len; i++) {
        put_entry(b, entries->pdata[i]);
    }
    json_builder_end_array(b);
    json_out_begin_array(b, "folders");
    for (guint i = 0; i < folders->len; i++) {
        put_folder(b, s, folders->pdata[i]);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    g_autofree char *text = json_out_string(b);
    return g_strconcat(text, "\n", NULL);
}

char *vocabulary_file_list(store *s, GError **error)
{
    g_auto(GStrv) names = store_labels(s, error);
    GString *text = names ? g_string_new(NULL) : NULL;
    for (char **name = names; name && *name; name++) {
        g_string_append_printf(text, "%s\n", *name);
    }
    return text ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* --- Reading ------------------------------------------------------------------------------ */

struct reading {
    store *s;
    const char *name;  /* of the file */
    guint labels;
    GError **error;
};

static gboolean fault(const struct reading *r, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static gboolean fault(const struct reading *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(r->error, STORE_ERROR, STORE_ERROR_REFUSED, "%s: %s", r->name, text);
    return FALSE;
}

/* Says where in the file something was refused. */
static gboolean in_label(const struct reading *r, gboolean good, const char *label)
{
    if (!good) {
        g_prefix_error(r->error, "%s: label \"%s\": ", r->name, label);
    }
    return good;
}

/* Its text, or NULL with an error unless `object` has no such member. */
static gboolean get_text(const struct reading *r, JsonObject *object, const char *member,
                         const char **out)
{
    JsonNode *node = json_object_get_member(object, member);
    *out = NULL;
    if (!node || JSON_NODE_HOLDS_NULL(node)) {
        return TRUE;
    }
    if (json_node_get_value_type(node) != G_TYPE_STRING) {
        return fault(r, "\"%s\" is no text", member);
    }
    *out = json_node_get_string(node);
    return TRUE;
}

static gboolean get_flag(const struct reading *r, JsonObject *object, const char *member,
                         gboolean usual, gboolean *out)
{
    JsonNode *node = json_object_get_member(object, member);
    *out = usual;
    if (!node) {
        return TRUE;
    }
    if (json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
        return fault(r, "\"%s\" is neither true nor false", member);
    }
    *out = json_node_get_boolean(node);
    return TRUE;
}

/* An array of texts: out[n] borrowed, ending with NULL, to be freed. */
static const char **get_texts(const struct reading *r, JsonObject *object,
                              const char *member)
{
    JsonNode *node = json_object_get_member(object, member);
    if (node && !JSON_NODE_HOLDS_ARRAY(node)) {
        fault(r, "\"%s\" is no list", member);
        return NULL;
    }
    JsonArray *array = node ? json_node_get_array(node) : NULL;
    guint n = array ? json_array_get_length(array) : 0;
    g_autofree const char **texts = g_new0(const char *, n + 1);
    for (guint i = 0; i < n; i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (json_node_get_value_type(element) != G_TYPE_STRING) {
            fault(r, "\"%s\" holds something that is no text", member);
            return NULL;
        }
        texts[i] = json_node_get_string(element);
    }
    return g_steal_pointer(&texts);
}

/* The label of that name, made when it is missing. */
static gint64 put_label(const struct reading *r, const char *name)
{
    gint64 label = store_find_label(r->s, name);
    return label ? label : vocabulary_add(r->s, name, r->error);
}

static gboolean set_fields(const struct reading *r, JsonObject *object, gint64 label)
{
    static const struct { const char *member; VocabularyField field; } fields[] = {
        { "prompt", VOCABULARY_PROMPT }, { "colour", VOCABULARY_COLOUR },
        { "key", VOCABULARY_KEY }, { "note", VOCABULARY_NOTE } };
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *text;
        if (!get_text(r, object, fields[i].member, &text)
            || (text && !vocabulary_set(r->s, label, fields[i].field, text, r->error))) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The label itself, before what hangs on others. */
static gboolean read_label(struct reading *r, JsonObject *object, const char *name)
{
    gboolean favourite, listed, known = store_find_label(r->s, name) != 0;
    gint64 label = put_label(r, name);
    if (!label || !set_fields(r, object, label)
        || !get_flag(r, object, "favourite", FALSE, &favourite)
        || !get_flag(r, object, "listed", TRUE, &listed)
        || (favourite && !vocabulary_set_favourite(r->s, label, TRUE, r->error))) {
        return FALSE;
    }
    r->labels++;
    return listed || known || store_hide_label(r->s, name, r->error);
}

typedef gboolean (*Hang)(const struct reading *r, gint64 label, const char *text);

static gboolean hang_synonym(const struct reading *r, gint64 label, const char *text)
{
    return vocabulary_add_synonym(r->s, label, text, r->error);
}

static gboolean hang_parent(const struct reading *r, gint64 label, const char *text)
{
    gint64 parent = put_label(r, text);
    return parent && vocabulary_add_parent(r->s, label, parent, r->error);
}

static gboolean hang_group(const struct reading *r, gint64 label, const char *text)
{
    return vocabulary_add_to_group(r->s, label, text, r->error);
}

static gboolean hang_all(const struct reading *r, JsonObject *object, const char *name)
{
    static const struct { const char *member; Hang hang; } lists[] = {
        { "synonyms", hang_synonym }, { "parents", hang_parent }, { "groups", hang_group } };
    gint64 label = store_find_label(r->s, name);
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree const char **texts = get_texts(r, object, lists[i].member);
        gboolean good = texts != NULL;
        for (guint t = 0; good && texts[t]; t++) {
            good = lists[i].hang(r, label, texts[t]);
        }
        if (!good) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean read_folder(const struct reading *r, JsonObject *object)
{
    const char *folder, *escaped;
    g_autofree const char **names = get_texts(r, object, "labels");
    if (!names || !get_text(r, object, "folder", &folder)
        || !get_text(r, object, "escaped", &escaped)) {
        return FALSE;
    }
    g_autofree char *path = folder ? g_strdup(folder)
                            : escaped ? g_uri_unescape_string(escaped, NULL) : NULL;
    if (!path || !g_path_is_absolute(path)) {
        return fault(r, "a set of labels has no whole path of a folder");
    }
    g_autoptr(GArray) labels = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; names[i]; i++) {
        gint64 label = put_label(r, names[i]);
        if (!label) {
            return FALSE;
        }
        g_array_append_val(labels, label);
    }
    return vocabulary_set_folder(r->s, path, (const gint64 *)(gpointer)labels->data,
                                 labels->len, r->error);
}

/* Objects of a list that the file may lack; NULL with an error. */
static GPtrArray *get_objects(const struct reading *r, JsonObject *root, const char *member)
{
    JsonNode *node = json_object_get_member(root, member);
    g_autoptr(GPtrArray) objects = g_ptr_array_new();
    if (node && !JSON_NODE_HOLDS_ARRAY(node)) {
        fault(r, "\"%s\" is no list", member);
        return NULL;
    }
    JsonArray *array = node ? json_node_get_array(node) : NULL;
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_OBJECT(element)) {
            fault(r, "\"%s\" holds something that is no object", member);
            return NULL;
        }
        g_ptr_array_add(objects, json_node_get_object(element));
    }
    return g_steal_pointer(&objects);
}

/* All labels before what hangs on them, so that they keep the order of the file. */
static gboolean read_objects(struct reading *r, JsonObject *root)
{
    g_autoptr(GPtrArray) labels = get_objects(r, root, "labels");
    g_autoptr(GPtrArray) folders = labels ? get_objects(r, root, "folders") : NULL;
    gboolean good = folders != NULL;
    for (int pass = 0; pass < 2; pass++) {
        for (guint i = 0; good && i < labels->len; i++) {
            const char *name;
            good = get_text(r, labels->pdata[i], "name", &name)
                   && (name || fault(r, "a label has no \"name\""))
                   && in_label(r, pass == 0 ? read_label(r, labels->pdata[i], name)
                                            : hang_all(r, labels->pdata[i], name), name);
        }
    }
    for (guint i = 0; good && i < folders->len; i++) {
        good = read_folder(r, folders->pdata[i]);
    }
    return good;
}

static gboolean read_json(struct reading *r, const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) failure = NULL;
    if (!json_parser_load_from_data(parser, text, -1, &failure)) {
        return fault(r, "%s", failure->message);
    }
    JsonNode *root = json_parser_get_root(parser);
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root)
                                                              : NULL;
    JsonNode *version = object ? json_object_get_member(object, "version") : NULL;
    const char *format = NULL;
    if (!object || !get_text(r, object, "format", &format)
        || g_strcmp0(format, FORMAT) != 0 || !version
        || json_node_get_value_type(version) != G_TYPE_INT64) {
        g_clear_error(r->error);
        return fault(r, "this is no vocabulary: \"format\" is not \"%s\"", FORMAT);
    }
    if (json_node_get_int(version) > VERSION_OF_FORMAT) {
        return fault(r, "written by a later version of Taglight");
    }
    return read_objects(r, object);
}

static gboolean read_list(struct reading *r, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        g_strstrip(lines[i]);
        if (*lines[i]) {
            if (!put_label(r, lines[i])) {
                g_prefix_error(r->error, "%s: line %u: ", r->name, i + 1);
                return FALSE;
            }
            r->labels++;
        }
    }
    return TRUE;
}

gboolean vocabulary_file_read(store *s, const char *text, const char *name, guint *labels,
                              GError **error)
{
    struct reading r = { .s = s, .name = name, .error = error };
    if (!g_utf8_validate(text, -1, NULL)) {
        return fault(&r, "this is not UTF-8 text");
    }
    text += g_str_has_prefix(text, "\xef\xbb\xbf") ? 3 : 0;
    if (!store_begin(s, error)) {
        return FALSE;
    }
    gboolean json = text[strspn(text, " \t\r\n")] == '{';
    if (!(json ? read_json(&r, text) : read_list(&r, text))) {
        store_rollback(s);
        return FALSE;
    }
    if (labels) {
        *labels = r.labels;
    }
    return store_commit(s, error);
}
