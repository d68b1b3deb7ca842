/* What the checks share. */
#pragma once

#include "app/health/health.h"

G_BEGIN_DECLS

typedef struct {
    HealthSet *set;
    const HealthOptions *options;
    HealthReport *report;
} HealthRun;

/* A text of the set. */
const char *health_text(HealthSet *set, const char *text);
guint health_add_image(HealthSet *set, const char *path);
guint health_add_label(HealthSet *set, const char *name);
/* What is known of an image; of a label too, but for further paths of one image. */
void health_mark_image(HealthSet *set, guint image, guint label, gint8 verdict);
void health_decide(HealthSet *set, guint image, guint label, gint8 verdict);

HealthImage *health_image(const HealthSet *set, guint image);
HealthLabel *health_label(const HealthSet *set, guint label);

/* In the language of who asked. */
const char *health_say(const HealthRun *run, const char *text);
/* Adds a finding without paths; borrowed until the report is freed. Its format is English
 * (marked by N_) and is translated. */
HealthFinding *health_find(HealthRun *run, guint check, const char *kind,
                           HealthSeverity severity, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
void health_find_path(HealthFinding *finding, const HealthRun *run, guint image);
void health_pass_over(HealthRun *run, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* FALSE, with an error, when the person has had enough. */
gboolean health_go_on(const HealthRun *run, const char *what, guint done, guint total,
                      GError **error);

/* The checks. The first decodes; it finds faults where `files` asks for them, and looks
 * in any case. */
gboolean health_check_files(HealthRun *run, GError **error);
gboolean health_check_duplicates(HealthRun *run, GError **error);
gboolean health_check_leakage(HealthRun *run, GError **error);
gboolean health_check_disagreement(HealthRun *run, GError **error);
gboolean health_check_balance(HealthRun *run, GError **error);

G_END_DECLS
