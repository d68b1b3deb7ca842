/* Shared by the files of the window: window.c (what it is made of, what it shows) and
 * actions.c (what a person can do, keys). */
#pragma once

#include "ui/find.h"
#include "ui/grid.h"
#include "ui/heat.h"
#include "ui/labels.h"
#include "ui/viewer.h"
#include "ui/window.h"

struct _TlWindow {
    AdwApplicationWindow parent;
    TlWorkspace *workspace;
    TlThumbnails *thumbnails;
    TlHeat *heat;
    TlGrid *grid;
    TlViewer *viewer;
    TlLabels *labels;
    TlFind *find;
    GtkStack *stack, *pages;  /* empty or work; labels or details */
    GtkBox *left, *right;     /* the viewer stands in either */
    GtkWidget *header;
    AdwToastOverlay *toasts;
    AdwToast *toast;          /* the last one, or NULL; borrowed */
    AdwWindowTitle *title;
    AdwStatusPage *status;
    GtkProgressBar *progress;
    GtkLabel *caption;
    gboolean large;           /* the picture is large, the grid a strip */
    guint inhibited;          /* the cookie while work is under way */
};

/* The picture large, with the grid as a strip, or small beside the grid. */
void window_set_large(TlWindow *self, gboolean large);
/* In place of what was said before. `undo` adds a button. */
void window_say(TlWindow *self, const char *text, gboolean undo);

/* --- actions.c --- */

void actions_install(TlWindowClass *class);
/* Those with a state, and keys that are letters. */
void actions_add(TlWindow *self);
/* The workspace has another order. */
void actions_show_order(TlWindow *self);
