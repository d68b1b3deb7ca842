/* Copies of one file, and pictures that look nearly the same. */
#include "app/health/health_private.h"

#include <glib/gi18n.h>

static void add_paths(HealthRun *run, HealthFinding *finding, const HealthGroup *group)
{
    for (guint i = 0; i < group->images->len; i++) {
        health_find_path(finding, run, g_array_index(group->images, guint, i));
    }
}

/* Whether the images of a group have the same labels, as far as they were decided. */
static gboolean is_labelled_alike(const HealthSet *set, const HealthGroup *group)
{
    const HealthImage *first = NULL;
    for (guint i = 0; i < group->images->len; i++) {
        const HealthImage *image =
            health_image(set, g_array_index(group->images, guint, i));
        if (image->accepted + image->rejected == 0) {
            continue;
        }
        if (first && first->labels != image->labels) {
            return FALSE;
        }
        first = image;
    }
    return TRUE;
}

static void tell_copies(HealthRun *run, const HealthGroup *group)
{
    gboolean alike = is_labelled_alike(run->set, group);
    const char *kind = alike ? "same-content" : "same-content-labels";
    HealthFinding *finding =
        health_find(run, HEALTH_DUPLICATES, kind, alike ? HEALTH_WARNING : HEALTH_ERROR,
                    alike ? N_("%u files of the same content")
                          : N_("%u files of the same content have different labels"),
                    group->images->len);
    add_paths(run, finding, group);
}

gboolean health_check_duplicates(HealthRun *run, GError **error)
{
    guint n = run->set->images->len;
    if (!health_go_on(run, N_("comparing"), 0, n, error)) {
        return FALSE;
    }
    g_autoptr(GPtrArray) copies = health_groups(run->set, FALSE);
    for (guint i = 0; i < copies->len; i++) {
        tell_copies(run, copies->pdata[i]);
    }
    g_autoptr(GPtrArray) groups = health_groups(run->set, TRUE);
    for (guint i = 0; i < groups->len; i++) {
        const HealthGroup *group = groups->pdata[i];
        if (!group->same) {
            add_paths(run, health_find(run, HEALTH_DUPLICATES, "near", HEALTH_NOTE,
                                       N_("%u pictures look nearly the same"),
                                       group->images->len), group);
        }
    }
    return health_go_on(run, N_("comparing"), n, n, error);
}
