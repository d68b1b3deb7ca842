/* Images that are in one split and, or nearly so, in another: what is learnt from the
 * one is then measured on the other. */
#include "app/health/health_private.h"

#include <glib/gi18n.h>
#include <string.h>

/* How many of a group are in each split, [splits]; how many splits that are. */
static guint count_splits(const HealthSet *set, const HealthGroup *group, guint *counts)
{
    guint n = 0;
    memset(counts, 0, set->splits->len * sizeof *counts);
    for (guint i = 0; i < group->images->len; i++) {
        int split = health_image(set, g_array_index(group->images, guint, i))->split;
        n += split >= 0 && counts[split]++ == 0;
    }
    return n;
}

/* Says nothing of a group that is in one split only. */
static void tell_group(HealthRun *run, const HealthGroup *group, gboolean same,
                       guint *counts)
{
    const HealthSet *set = run->set;
    g_autoptr(GString) where = g_string_new(NULL);
    if (count_splits(set, group, counts) < 2) {
        return;
    }
    for (guint i = 0; i < set->splits->len; i++) {
        if (counts[i]) {
            g_string_append(where, where->len ? ", " : "");
            g_string_append_printf(where, health_say(run, N_("%u in %s")), counts[i],
                                   (const char *)set->splits->pdata[i]);
        }
    }
    HealthFinding *finding = health_find(
        run, HEALTH_LEAKAGE, same ? "same-in-splits" : "near-in-splits",
        same ? HEALTH_ERROR : HEALTH_WARNING,
        same ? N_("the same file is in several splits: %s")
             : N_("pictures that look nearly the same are in several splits: %s"),
        where->str);
    for (guint i = 0; i < group->images->len; i++) {
        guint image = g_array_index(group->images, guint, i);
        if (health_image(set, image)->split >= 0) {
            health_find_path(finding, run, image);
        }
    }
}

gboolean health_check_leakage(HealthRun *run, GError **error)
{
    const HealthSet *set = run->set;
    if (set->splits->len < 2) {
        health_pass_over(run, N_("leakage: the images are in no splits"));
        return TRUE;
    }
    if (!health_go_on(run, N_("comparing splits"), 0, set->images->len, error)) {
        return FALSE;
    }
    g_autofree guint *counts = g_new(guint, set->splits->len);
    g_autoptr(GPtrArray) copies = health_groups(set, FALSE);
    g_autoptr(GPtrArray) near = health_groups(set, TRUE);
    for (guint i = 0; i < copies->len; i++) {
        tell_group(run, copies->pdata[i], TRUE, counts);
    }
    for (guint i = 0; i < near->len; i++) {
        const HealthGroup *group = near->pdata[i];
        if (!group->same) {
            tell_group(run, group, FALSE, counts);
        }
    }
    return TRUE;
}
