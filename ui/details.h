/* The side page that tells what is known of the present image. */
#pragma once

#include "app/workspace/workspace.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TL_TYPE_DETAILS (tl_details_get_type())
G_DECLARE_FINAL_TYPE(TlDetails, tl_details, TL, DETAILS, GtkBox)

GtkWidget *tl_details_new(void);
/* NULL for none. */
void tl_details_set_image(TlDetails *self, TlImage *image);

G_END_DECLS
