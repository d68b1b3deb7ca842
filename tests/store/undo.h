/* Undo as the tests of the store ask for it. */
#pragma once

#include "app/store/steps.h"

/* Takes back the last step; the pair of its first decision, which comes last, or zeros when
 * there is none. */
static inline gboolean undo(store *s, gint64 *image, gint64 *label)
{
    g_autoptr(GArray) changes = store_undo(s, NULL);
    const StoreChange *last = changes && changes->len > 0
                                  ? &g_array_index(changes, StoreChange, changes->len - 1)
                                  : NULL;
    *image = last ? last->image : 0;
    *label = last ? last->label : 0;
    return changes != NULL;
}
