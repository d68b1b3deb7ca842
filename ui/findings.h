/* The findings of a check as a list with headings: the worst first, then by check. */
#pragma once

#include "app/health/health.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TL_TYPE_FINDING (tl_finding_get_type())
G_DECLARE_FINAL_TYPE(TlFinding, tl_finding, TL, FINDING, GObject)

/* NULL for a heading and for what could not be checked. */
const HealthFinding *tl_finding_get(TlFinding *self);

/* Of TlFinding, which borrow the report; to be freed. */
GListModel *findings_new(const HealthReport *report);
/* Rows for a list view of them; to be freed. */
GtkListItemFactory *findings_factory_new(void);

G_END_DECLS
