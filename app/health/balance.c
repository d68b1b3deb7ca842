/* How often labels are accepted and rejected, which always come together, and images
 * that have none. */
#include "app/health/health_private.h"

#include <glib/gi18n.h>

#define FEW 10           /* images, from which hardly anything can be learnt */
#define UNEVEN 10        /* times as many images of one label as of another */
#define VERY_UNEVEN 100

static void check_counts(HealthRun *run, const HealthLabel *label)
{
    HealthFinding *finding = NULL;
    if (label->elsewhere) {
        return;
    }
    if (label->accepted < FEW) {
        finding = health_find(run, HEALTH_BALANCE, "few-accepted", HEALTH_WARNING,
                              N_("accepted in %u images, fewer than %d"), label->accepted,
                              FEW);
        finding->label = label->name;
    }
    if (label->rejected < FEW) {
        finding = health_find(run, HEALTH_BALANCE, "few-rejected", HEALTH_NOTE,
                              N_("rejected in %u images, fewer than %d"), label->rejected,
                              FEW);
        finding->label = label->name;
    }
}

static void check_evenness(HealthRun *run)
{
    const HealthLabel *least = NULL, *most = NULL;
    for (guint i = 0; i < run->set->labels->len; i++) {
        const HealthLabel *label = health_label(run->set, i);
        if (label->accepted == 0) {
            continue;
        }
        least = !least || label->accepted < least->accepted ? label : least;
        most = !most || label->accepted > most->accepted ? label : most;
    }
    double ratio = least ? (double)most->accepted / least->accepted : 1;
    if (ratio >= UNEVEN) {
        health_find(run, HEALTH_BALANCE, "uneven",
                    ratio >= VERY_UNEVEN ? HEALTH_WARNING : HEALTH_NOTE,
                    N_("\"%s\" is accepted in %u images and \"%s\" in %u, %.0f times as "
                       "many"), most->name, most->accepted, least->name, least->accepted, ratio);
    }
}

/* --- Labels that come together ---------------------------------------------------- */

static void check_together(HealthRun *run)
{
    g_autoptr(GHashTable) first = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < run->set->labels->len; i++) {
        HealthLabel *label = health_label(run->set, i);
        if (label->accepted < FEW) {
            continue;
        }
        const HealthLabel *other = g_hash_table_lookup(first, &label->images);
        if (!other) {
            g_hash_table_insert(first, &label->images, label);
        } else if (other->accepted == label->accepted) {
            HealthFinding *finding = health_find(
                run, HEALTH_BALANCE, "together", HEALTH_NOTE,
                N_("accepted in the same %u images as \"%s\", so that nothing tells the "
                   "two apart"), label->accepted, other->name);
            finding->label = label->name;
        }
    }
}

/* --- Images ----------------------------------------------------------------------- */

static gboolean is_undecided(const HealthImage *image)
{
    return image->accepted + image->rejected == 0;
}

static gboolean is_rejected_only(const HealthImage *image)
{
    return image->accepted == 0 && image->rejected > 0;
}

static void check_images(HealthRun *run, gboolean (*is_so)(const HealthImage *image),
                         const char *kind, const char *what)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < run->set->images->len; i++) {
        if (is_so(health_image(run->set, i))) {
            g_array_append_val(found, i);
        }
    }
    if (found->len > 0) {
        HealthFinding *finding =
            health_find(run, HEALTH_BALANCE, kind, HEALTH_NOTE, N_("%u of %u images: %s"),
                        found->len, run->set->images->len, health_say(run, what));
        for (guint i = 0; i < found->len; i++) {
            health_find_path(finding, run, g_array_index(found, guint, i));
        }
    }
}

gboolean health_check_balance(HealthRun *run, GError **error)
{
    guint n = run->set->labels->len;
    if (n == 0) {
        health_pass_over(run, N_("balance: there are no labels"));
        return TRUE;
    }
    for (guint i = 0; i < n; i++) {
        check_counts(run, health_label(run->set, i));
    }
    check_evenness(run);
    check_together(run);
    check_images(run, is_undecided, "undecided", N_("nothing was decided about them"));
    check_images(run, is_rejected_only, "no-label", N_("no label was accepted"));
    return health_go_on(run, N_("counting"), n, n, error);
}
