#include "app/words/vocabulary_edit.h"

#include "app/words/prompt_expression.h"

#include <string.h>

void vocabulary_wish_clear(VocabularyWish *wish)
{
    g_free(wish->name);
    g_free(wish->prompt);
    g_free(wish->colour);
    g_free(wish->key);
    g_free(wish->note);
    g_strfreev(wish->synonyms);
    g_strfreev(wish->parents);
    g_strfreev(wish->groups);
    *wish = (VocabularyWish){ 0 };
}

/* --- Text ------------------------------------------------------------------------------ */

static GStrv split(const char *text, const char *signs)
{
    g_auto(GStrv) parts = g_strsplit_set(text ? text : "", signs, -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (char **p = parts; *p; p++) {
        g_strstrip(*p);
        if (**p && !g_ptr_array_find_with_equal_func(names, *p, g_str_equal, NULL)) {
            g_ptr_array_add(names, *p);
        }
    }
    g_ptr_array_add(names, NULL);
    return g_strdupv((char **)names->pdata);
}

GStrv vocabulary_split_names(const char *text)
{
    return split(text, ",");
}

int vocabulary_add_text(store *s, const char *text, GError **error)
{
    gboolean lines = strpbrk(text, "\r\n") != NULL;
    g_auto(GStrv) names = split(text, lines ? "\r\n" : ",");
    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_REFUSED,
                            "this is not UTF-8 text");
        return -1;
    }
    if (!store_begin(s, error)) {
        return -1;
    }
    for (char **n = names; *n; n++) {
        if (!vocabulary_add(s, *n, error)) {
            store_rollback(s);
            return -1;
        }
    }
    return store_commit(s, error) ? (int)g_strv_length(names) : -1;
}

/* --- Changes --------------------------------------------------------------------------- */

static gboolean has(const GStrv names, const char *name)
{
    return names && g_strv_contains((const char *const *)names, name);
}

static gboolean set_synonyms(store *s, const VocabularyEntry *now, const VocabularyWish *wish,
                             const char *name, GError **error)
{
    gboolean good = TRUE;
    for (char **n = now->synonyms; good && *n; n++) {
        good = has(wish->synonyms, *n) || strcmp(*n, name) == 0
               || vocabulary_split(s, *n, error);
    }
    for (char **n = wish->synonyms; good && n && *n; n++) {
        good = has(now->synonyms, *n) || strcmp(*n, name) == 0
               || vocabulary_add_synonym(s, now->label, *n, error);
    }
    return good;
}

static gboolean set_parents(store *s, const VocabularyEntry *now, const VocabularyWish *wish,
                            GError **error)
{
    gboolean good = TRUE;
    for (char **n = now->parents; good && *n; n++) {
        good = has(wish->parents, *n)
               || vocabulary_remove_parent(s, now->label, store_find_label(s, *n), error);
    }
    for (char **n = wish->parents; good && n && *n; n++) {
        if (!has(now->parents, *n)) {
            gint64 parent = store_find_label(s, *n);
            parent = parent ? parent : vocabulary_add(s, *n, error);
            good = parent && vocabulary_add_parent(s, now->label, parent, error);
        }
    }
    return good;
}

static gboolean set_groups(store *s, const VocabularyEntry *now, const VocabularyWish *wish,
                           GError **error)
{
    gboolean good = TRUE;
    for (char **n = now->groups; good && *n; n++) {
        good = has(wish->groups, *n)
               || vocabulary_remove_from_group(s, now->label, *n, error);
    }
    for (char **n = wish->groups; good && n && *n; n++) {
        good = has(now->groups, *n) || vocabulary_add_to_group(s, now->label, *n, error);
    }
    return good;
}

static gboolean set_text(store *s, const VocabularyEntry *now, VocabularyField field,
                         const char *before, const char *text, GError **error)
{
    const char *wished = text && *text ? text : NULL;
    return g_strcmp0(before, wished) == 0
           || vocabulary_set(s, now->label, field, wished, error);
}

static gboolean can_ask(const char *name, const char *prompt, GError **error)
{
    struct prompt_expression *e =
        prompt && *prompt ? prompt_expression_new(name, prompt, "%s", error) : NULL;
    gboolean good = !prompt || !*prompt || e;
    prompt_expression_free(e);
    return good;
}

static gboolean set_fields(store *s, const VocabularyEntry *now, const VocabularyWish *wish,
                           const char *name, GError **error)
{
    return can_ask(name, wish->prompt, error)
           && set_text(s, now, VOCABULARY_PROMPT, now->prompt, wish->prompt, error)
           && set_text(s, now, VOCABULARY_COLOUR, now->colour, wish->colour, error)
           && set_text(s, now, VOCABULARY_KEY, now->key, wish->key, error)
           && set_text(s, now, VOCABULARY_NOTE, now->note, wish->note, error)
           && (wish->favourite == now->favourite
               || vocabulary_set_favourite(s, now->label, wish->favourite, error))
           && (wish->listed == now->listed
               || (wish->listed ? vocabulary_add(s, name, error) != 0
                                : store_hide_label(s, name, error)));
}

static gboolean edit(store *s, gint64 label, const VocabularyWish *wish, GError **error)
{
    g_autoptr(GPtrArray) entries = vocabulary_load(s, error);
    const VocabularyEntry *now = entries ? vocabulary_entry(entries, label) : NULL;
    g_autofree char *name = g_strstrip(g_strdup(wish->name ? wish->name : ""));
    if (entries && !now) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_REFUSED,
                            "the label is no longer there");
    }
    return now && (strcmp(now->name, name) == 0
                   || vocabulary_rename(s, label, name, error))
           && set_synonyms(s, now, wish, name, error) && set_parents(s, now, wish, error)
           && set_groups(s, now, wish, error) && set_fields(s, now, wish, name, error);
}

gint64 vocabulary_edit(store *s, const VocabularyWish *wish, GError **error)
{
    g_autofree char *name = g_strstrip(g_strdup(wish->name ? wish->name : ""));
    if (!*name) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_REFUSED, "a label needs a name");
        return 0;
    }
    if (!wish->label && store_find_label(s, name)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_REFUSED,
                    "there is a label \"%s\" already", name);
        return 0;
    }
    if (!store_begin(s, error)) {
        return 0;
    }
    gint64 label = wish->label ? wish->label : vocabulary_add(s, name, error);
    if (!label || !edit(s, label, wish, error)) {
        store_rollback(s);
        return 0;
    }
    return store_commit(s, error) ? label : 0;
}
