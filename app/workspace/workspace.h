/* A folder at work: its images, the labels, live confidences and decisions. Joins the
 * library, the engine and the store for a window or any other front end.
 *
 * Everything is for the main thread; scanning, decoding and SQLite run on threads of the
 * workspace, the device on the engine's. */
#pragma once

#include "app/engine/engine.h"
#include "app/store/store.h"
#include "app/trust/trust.h"

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
/* The labels of the highest confidences among the first `labels`, accepted ones before
 * others and rejected ones last, to out[most]. Returns how many are known, most at most. */
guint tl_image_strongest(TlImage *self, guint labels, guint most, guint *out);

/* Signals: "changed" (TlImage, or NULL for all): confidences or decisions; "labels";
 * "status": what tl_workspace_status and tl_workspace_learning return; "learnt": another
 * model is used from now on; "failed" (const char *): for a person; "decided" (const char *,
 * gboolean): a step was written, in words for a person, and whether it may be taken back (it
 * was itself undo where not); "filters": those that were saved; "ordered": what
 * tl_workspace_images holds, or its order. */
#define TL_TYPE_WORKSPACE (tl_workspace_get_type())
G_DECLARE_FINAL_TYPE(TlWorkspace, tl_workspace, TL, WORKSPACE, GObject)

/* The store is opened (made when missing) at `db_path`. */
TlWorkspace *tl_workspace_new(const char *db_path, GError **error);
const char *tl_workspace_database(TlWorkspace *self);  /* its path */
/* In the encoding of file names; NULL while none was opened. */
const char *tl_workspace_folder(TlWorkspace *self);
void tl_workspace_load_model(TlWorkspace *self, const char *path, const char *device);
void tl_workspace_open_folder(TlWorkspace *self, const char *path);
/* Stops all work: what was decided is written, threads are joined. Before the program
 * exits; the workspace is of no use afterwards. */
void tl_workspace_stop(TlWorkspace *self);
/* Of TlImage, in the present order, without what it leaves out; borrowed. */
GListModel *tl_workspace_images(TlWorkspace *self);
guint tl_workspace_n_all(TlWorkspace *self);             /* with what it leaves out */
const TlModelFacts *tl_workspace_model(TlWorkspace *self); /* NULL while none */
gboolean tl_workspace_loading(TlWorkspace *self);
const char *tl_workspace_status(TlWorkspace *self);      /* "12 of 38 images", "" */
double tl_workspace_fraction(TlWorkspace *self);         /* of images that are scored */

guint tl_workspace_n_labels(TlWorkspace *self);
const char *tl_workspace_label(TlWorkspace *self, guint index);
/* Names (char *, owned by the array) of all but the one that is being typed. */
GPtrArray *tl_workspace_label_names(TlWorkspace *self);
/* The key that stands for a label: what a person gave it, else the next of these; 0 when
 * there are more labels than keys. Digits come first, then letters that are no command. */
#define TL_WORKSPACE_KEYS "1234567890abcdefghijklmnopqrstuvwxyz"
gunichar tl_workspace_label_key(TlWorkspace *self, guint index);
/* Characters that are commands, of which none is dealt out; the letters that come with the
 * program until this is called. */
void tl_workspace_reserve_keys(TlWorkspace *self, const char *keys);
/* "#rrggbb", or NULL for none. */
const char *tl_workspace_label_colour(TlWorkspace *self, guint index);
/* The first image from position `from` on, round the end, that is open for a label; G_MAXUINT
 * when none is. */
guint tl_workspace_next_open(TlWorkspace *self, guint from, guint label);
/* Adds a label in plain words and scores every image for it; the seen one first. Its index,
 * or that of the label that the words stand for already; G_MAXUINT when it cannot be. */
guint tl_workspace_add_label(TlWorkspace *self, const char *text);
/* Labels with commas between, as `taglight tag --labels` takes them: "boat := a ship" asks
 * so while this workspace lives, and nothing is stored of the wording. */
void tl_workspace_add_labels(TlWorkspace *self, const char *list);
void tl_workspace_remove_label(TlWorkspace *self, guint index);
/* What a label asks the model (app/words/prompt_expression.h); NULL: its name. */
const char *tl_workspace_wording(TlWorkspace *self, guint index);
/* Stores it and scores every image again; NULL or "" for the name. */
void tl_workspace_set_wording(TlWorkspace *self, guint index, const char *text);
/* A label that is being typed: every image is scored for it and the likely ones come first,
 * until tl_workspace_add_label makes it one like others or another text takes its place;
 * "" ends it and brings the order from before back. */
void tl_workspace_preview_label(TlWorkspace *self, const char *text);
/* From which confidence on a label is taken for seen, 0..1. What is set is kept for the
 * model that is loaded. */
double tl_workspace_threshold(TlWorkspace *self, guint index);
void tl_workspace_set_threshold(TlWorkspace *self, guint index, double threshold);
/* Of every label that was not given its own, those included that come later. */
void tl_workspace_set_thresholds(TlWorkspace *self, double threshold);
/* Scores this image before the others. */
void tl_workspace_focus(TlWorkspace *self, TlImage *image);

/* How far the model can be trusted about a label, from what was decided in this folder. */
typedef struct {
    struct trust_counts counts;       /* of images at or above the threshold */
    double probability;               /* that the label holds where its threshold is */
    struct trust_interval interval;   /* of that, 95 % */
    struct trust_threshold wished;    /* the threshold for a wished precision */
} TlTrust;
void tl_workspace_trust(TlWorkspace *self, guint label, double precision, TlTrust *out);

/* On one image. */
void tl_workspace_decide(TlWorkspace *self, TlImage *image, guint label,
                         StoreVerdict verdict);
/* On many images (of TlImage) as one step. */
void tl_workspace_decide_all(TlWorkspace *self, GPtrArray *images, guint label,
                             StoreVerdict verdict);
/* The verdict that was given last, on the same label, for other images. */
void tl_workspace_repeat(TlWorkspace *self, GPtrArray *images);
/* Accepts a label on the images in view that are open and at or above its threshold. */
void tl_workspace_accept_above(TlWorkspace *self, guint label);
/* One step back or forth; without limit, and over restarts. */
void tl_workspace_undo(TlWorkspace *self);
void tl_workspace_redo(TlWorkspace *self);
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

/* Lets only those images through that a filter line finds (app/query/query.h), while theirs
 * is TL_ORDER_FOLDER in the order that it asks for; "" ends it. FALSE with an error for a
 * person, and all stays as it is. */
gboolean tl_workspace_set_filter(TlWorkspace *self, const char *text, GError **error);
/* Candidates for what is being typed, as query_complete. */
GPtrArray *tl_workspace_complete_filter(TlWorkspace *self, const char *text, gsize cursor,
                                        gsize *start, gsize *end);
/* query: NULL takes it away. */
void tl_workspace_save_filter(TlWorkspace *self, const char *name, const char *query);
const char *const *tl_workspace_filter_names(TlWorkspace *self); /* borrowed; ends with NULL */
const char *tl_workspace_saved_filter(TlWorkspace *self, const char *name); /* or NULL */

/* In which order images come, and which. All but the first and the last are about a label,
 * and "open" is what nobody has decided on for it. */
typedef enum {
    TL_ORDER_FOLDER,    /* as files lie */
    TL_ORDER_LIKELY,    /* highest confidence first */
    TL_ORDER_UNCERTAIN, /* open: nearest to the threshold first */
    TL_ORDER_DIVERSE,   /* open: uncertain and unlike one another, some hundreds */
    TL_ORDER_UNDECIDED, /* open, as files lie */
    TL_ORDER_DISAGREE,  /* a person and the model say different things: the widest first */
    TL_ORDER_RANDOM,    /* all, shuffled: a sample of the whole */
    TL_N_ORDERS
} TlOrder;
/* What is decided or scored later stays where it is until this is called again, but for
 * orders by confidence while confidences come. */
void tl_workspace_set_order(TlWorkspace *self, TlOrder order, guint label);
TlOrder tl_workspace_order(TlWorkspace *self);
const char *tl_workspace_order_label(TlWorkspace *self); /* NULL for none */

G_END_DECLS
