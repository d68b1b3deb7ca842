/* A label's confidence: what is decided as a sign, name, number, and a bar with a mark at
 * the threshold. None of it depends on colour; a screen reader is told the same. */
#pragma once

#include "app/store/store.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TL_TYPE_METER (tl_meter_get_type())
G_DECLARE_FINAL_TYPE(TlMeter, tl_meter, TL, METER, GtkWidget)

/* What is shown. `confidence` in 0..1, below 0 while it is not known; `key` 0 for none. */
typedef struct {
    const char *label; /* copied */
    gunichar key;
    double confidence, threshold;
    StoreVerdict verdict;
} TlMeterValue;

/* A small one is for cells of a grid. */
GtkWidget *tl_meter_new(gboolean small);
void tl_meter_set(TlMeter *self, const TlMeterValue *value);

G_END_DECLS
