/* Everything that is known of one label, to be changed. */
#pragma once

#include "app/workspace/vocabulary.h"

#include <adwaita.h>

G_BEGIN_DECLS

/* Signal "said" (const char *): for a person, about what was typed. */
#define TL_TYPE_LABEL_FORM (tl_label_form_get_type())
G_DECLARE_FINAL_TYPE(TlLabelForm, tl_label_form, TL, LABEL_FORM, GtkBox)

GtkWidget *tl_label_form_new(TlWorkspace *workspace);
/* NULL: a new label. The entry is copied. */
void tl_label_form_show(TlLabelForm *self, const VocabularyEntry *entry);
/* A new label, whose name is typed next. */
void tl_label_form_start(TlLabelForm *self);
const char *tl_label_form_name(TlLabelForm *self); /* as it stands there; borrowed */
/* The label that is shown, 0 for a new one. */
gint64 tl_label_form_label(TlLabelForm *self);

G_END_DECLS
