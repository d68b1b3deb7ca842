/* A folder at work: its images, the labels, live confidences and decisions. Joins the
 * library, the engine and the store for a window or any other front end.
 *
 * Everything is for the main thread; scanning, decoding and SQLite run on threads of the
 * workspace, the device on the engine's. */
#pragma once

#include "app/engine/engine.h"
#include "app/store/store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define TL_TYPE_IMAGE (tl_image_get_type())
G_DECLARE_FINAL_TYPE(TlImage, tl_image, TL, IMAGE, GObject)

const char *tl_image_path(TlImage *self);      /* encoding of file names */
const char *tl_image_name(TlImage *self);      /* for a person */
const char *tl_image_error(TlImage *self);     /* NULL, or why it cannot be read */
/* Confidence of label `index` in 0..1, or -1 when it is not known yet. */
double tl_image_confidence(TlImage *self, guint index);
StoreVerdict tl_image_verdict(TlImage *self, guint index);

/* Signals: "changed" (TlImage, or NULL for all): confidences or decisions; "labels";
 * "status": what tl_workspace_status and tl_workspace_learning return; "learnt": another
 * model is used from now on; "failed" (const char *): for a person. */
#define TL_TYPE_WORKSPACE (tl_workspace_get_type())
G_DECLARE_FINAL_TYPE(TlWorkspace, tl_workspace, TL, WORKSPACE, GObject)

/* The store is opened (made when missing) at `db_path`. */
TlWorkspace *tl_workspace_new(const char *db_path, GError **error);
void tl_workspace_load_model(TlWorkspace *self, const char *path, const char *device);
void tl_workspace_open_folder(TlWorkspace *self, const char *path);
/* Stops all work: what was decided is written, threads are joined. Before the program
 * exits; the workspace is of no use afterwards. */
void tl_workspace_stop(TlWorkspace *self);
GListModel *tl_workspace_images(TlWorkspace *self);      /* of TlImage; borrowed */
const TlModelFacts *tl_workspace_model(TlWorkspace *self); /* NULL while none */
gboolean tl_workspace_loading(TlWorkspace *self);
const char *tl_workspace_status(TlWorkspace *self);      /* "12 of 38 images", "" */
double tl_workspace_fraction(TlWorkspace *self);         /* of images that are scored */

guint tl_workspace_n_labels(TlWorkspace *self);
const char *tl_workspace_label(TlWorkspace *self, guint index);
/* Adds a label in plain words and scores every image for it; the seen one first. */
void tl_workspace_add_label(TlWorkspace *self, const char *text);
void tl_workspace_remove_label(TlWorkspace *self, guint index);
/* What a label asks the model (app/words/prompt_expression.h); NULL: its name. */
const char *tl_workspace_wording(TlWorkspace *self, guint index);
/* Stores it and scores every image again; NULL or "" for the name. */
void tl_workspace_set_wording(TlWorkspace *self, guint index, const char *text);
/* Scores this image before the others. */
void tl_workspace_focus(TlWorkspace *self, TlImage *image);

void tl_workspace_decide(TlWorkspace *self, TlImage *image, guint label,
                         StoreVerdict verdict);
void tl_workspace_undo(TlWorkspace *self);
/* Learning: the model's head is tuned on everything that was decided, from cached tokens,
 * on a thread of its own. The new model is made in `models_dir`, takes the place of the old
 * one, and names it as the one to go back to. */
void tl_workspace_learn(TlWorkspace *self, const char *models_dir);
void tl_workspace_stop_learning(TlWorkspace *self);
/* What is done of it in 0..1; below 0 while nothing is learnt. */
double tl_workspace_learning(TlWorkspace *self);
/* The path of the model that this one was tuned from, or NULL. */
const char *tl_workspace_earlier_model(TlWorkspace *self);
void tl_workspace_go_back(TlWorkspace *self);
const char *tl_workspace_model_path(TlWorkspace *self); /* NULL while none was asked for */

/* Where the model looked for a label: [rows,columns], row by row, 0 to 1 for the place that
 * it looked at most. */
typedef struct {
    guint rows, columns;
    float *values;
    double covered; /* share of the shorter side that was seen, from the middle; 0: the whole
                     * image was */
} TlExplanation;
void tl_explanation_free(TlExplanation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlExplanation, tl_explanation_free)
/* What the grid covers of an image of that size, as parts of its sides. */
void tl_explanation_area(const TlExplanation *self, int width, int height, double *x,
                         double *y, double *w, double *h);
/* Fails where an image was not encoded yet, and for models that do not look at parts. */
void tl_workspace_explain_async(TlWorkspace *self, TlImage *image, guint label,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
TlExplanation *tl_workspace_explain_finish(TlWorkspace *self, GAsyncResult *result,
                                           GError **error);

/* Orders the images by a label's confidence, best first. */
void tl_workspace_rank(TlWorkspace *self, guint label);

G_END_DECLS
