/* The pictures of chart.c, each drawn within the frame's corners; its axes are unset. Tables
 * have rows. */
#pragma once

#include "app/look/chart.h"

#include <string.h>

G_BEGIN_DECLS

void chart_counts(const ChartFrame *area, const LookTable *table);
void chart_progress(const ChartFrame *area, const LookTable *table);
void chart_histogram(const ChartFrame *area, const LookTable *table);
void chart_precision(const ChartFrame *area, const LookTable *table);
void chart_calibration(const ChartFrame *area, const LookTable *table);
void chart_together(const ChartFrame *area, const LookTable *table);

G_END_DECLS
