/* Shared by the files of the workspace: image.c and list.c (images), database.c (what runs
 * on the thread of the store), folder.c, decisions.c, order.c, filter.c, thresholds.c,
 * scoring.c, encoding.c and workspace.c (labels, life).
 * Everything here is for the main thread unless it says otherwise. */
#pragma once

#include "app/engine/token_cache.h"
#include "app/query/query.h"
#include "app/store/vocabulary.h"
#include "app/workspace/workspace.h"

struct _TlImage {
    GObject parent;
    char *path, *name, *error;
    gint64 row;          /* in the store; 0 while unknown */
    gint64 bytes, mtime; /* 0 while unknown, and so are the sides */
    int width, height;
    char *hash;          /* of the content; NULL while unknown */
    GBytes *tokens;      /* F32; only until the cache holds them */
    gboolean cached;     /* the cache holds its tokens */
    gboolean queued;     /* waits for the image encoder */
    gboolean gone;       /* no longer in the folder */
    gboolean sought;     /* the store was asked for it, or is being */
    gboolean scoring;    /* in a request that is under way */
    GArray *confidence;  /* float by label, -1 unknown; NULL while all are */
    GArray *verdict;     /* StoreVerdict by label; NULL while all are open */
};

typedef struct Learning Learning;
/* words: what a person wrote for it, or NULL; prompt: the key of that expression with the
 * model's own prompt in it, as predictions and decisions have it. */
typedef struct {
    char *name, *words, *prompt;
    gint64 row;
    GBytes *embedding;
    double threshold;
    gboolean own_threshold; /* the store has, or will have, one for it */
    gboolean preview;    /* is being typed: not in the store */
    gboolean words_once; /* `words` are not those of the store */
    gunichar own_key, key; /* what a person gave it, and what it has; 0: none */
    char *colour;        /* "#rrggbb" or NULL */
} Label;

#define IMAGE_TYPE_LIST (image_list_get_type())
G_DECLARE_FINAL_TYPE(ImageList, image_list, IMAGE, LIST, GObject)
struct _ImageList {
    GObject parent;
    GPtrArray *items;    /* of TlImage, owned */
};

struct _TlWorkspace {
    GObject parent;
    store *store;            /* the database thread's own after construction */
    token_cache *kept;       /* the same; of the model that a job names */
    token_cache *read;       /* the reading thread's own */
    GThreadPool *database;   /* one thread, in order */
    GThreadPool *reader;     /* one thread, in order: tokens and queries from the cache */
    TlEngine *engine;
    TlModelFacts *model;
    gboolean loading;
    ImageList *images;       /* all of the folder, in its order */
    ImageList *shown;        /* what the order lets through */
    GPtrArray *labels;       /* of Label */
    GCancellable *cancellable; /* of the open folder */
    GQueue pending;          /* images that wait for tokens */
    TlImage *busy;
    Learning *learning;      /* NULL while nothing is learnt */
    guint done;
    guint status_timeout;    /* the status is told of soon; 0: it is not */
    guint find_at, find_first, find_jobs; /* of database_find */
    char *status, *device, *model_path, *db_path;
    char *earlier;           /* path of the model that this one was tuned from, or NULL */
    char *reserved;          /* keys that no label gets by itself */
    /* The folder: */
    char *folder;            /* NULL while none was opened */
    GPtrArray *entries;      /* the vocabulary, as read last */
    GArray *folder_set;      /* rows of the labels used there; NULL: all */
    GHashTable *watched;     /* path -> GFileMonitor */
    GHashTable *changed;     /* paths whose content changed since the last scan */
    guint settle_timeout;
    /* Scoring: */
    GCancellable *scoring;   /* of the requests under way */
    guint requests;
    gboolean halted;         /* the engine failed; nothing is asked until a model loads */
    Label *urgent;           /* typed last: scored before what else is unknown */
    guint score_from;        /* no image before this one lacks anything */
    guint pump_idle;
    /* The order: */
    TlOrder order, order_before; /* before a label was typed */
    char *order_label, *order_label_before;
    guint order_timeout, seed;
    double threshold;        /* of labels without their own */
    guint keep_timeout;      /* thresholds are written soon */
    struct query *filter;    /* NULL: all images are in view */
    GStrv filter_names, filter_queries; /* that were saved */
    GCancellable *diverse;
    /* The last verdict that was given: */
    char *last_label;
    StoreVerdict last_verdict;
};

enum { CHANGED, LABELS, STATUS, FAILED, LEARNT, DECIDED, ORDERED, FILTERS, VOCABULARY,
       COUNTED, N_SIGNALS };
extern guint workspace_signals[N_SIGNALS];

void workspace_report(TlWorkspace *self, const char *text);
/* Says nothing of cancellation. */
void workspace_report_error(TlWorkspace *self, const GError *error);
/* Counts again, and tells of it soon: many changes are one. */
void workspace_set_status(TlWorkspace *self);
/* A label that was only being typed is one like others from now on. */
void workspace_keep_label(TlWorkspace *self, Label *label);
/* A label of the list, not in it yet. */
Label *workspace_label_new(TlWorkspace *self, const char *name);
/* Out of the list; the store is not told, and neither is anyone. */
void workspace_drop_label(TlWorkspace *self, guint index);
/* After the list changed: keys are dealt out again. */
void workspace_tell_labels(TlWorkspace *self);
/* -1 when there is none. */
int workspace_find_label(TlWorkspace *self, const char *name);
/* Whether a label of that name can ask the model `words` (NULL: its name); the person is
 * told when it cannot. */
gboolean workspace_check_words(TlWorkspace *self, const char *name, const char *words);
/* Whether a name says what to ask, as half of what is being typed may not. */
gboolean workspace_can_read(const char *name);
/* From now on the label asks `words`, NULL for its name; every image is scored again.
 * Nothing is stored. */
void workspace_ask(TlWorkspace *self, guint index, const char *words);
/* The same words: they have another meaning. */
void workspace_ask_again(TlWorkspace *self, guint index);
/* Whether a prompt's embedding is here, or none is needed. */
gboolean workspace_can_score(TlWorkspace *self, const Label *label);

/* --- image.c --- */

TlImage *image_new(const char *path);
GPtrArray *image_array(void); /* holds references */
void image_set_confidence(TlImage *self, guint index, float value);
void image_set_verdict(TlImage *self, guint index, StoreVerdict verdict);
/* What an earlier model left. */
void image_forget(TlImage *self);
/* The labels behind it move up. */
void image_drop_label(TlImage *self, guint index);

/* --- list.c --- */

/* Takes over an array of images; tells of what differs. */
void image_list_take(ImageList *self, GPtrArray *items);

/* --- folder.c --- */

void folder_init(TlWorkspace *self);
/* Watches no longer. */
void folder_forget(TlWorkspace *self);

/* --- filter.c --- */

/* Numbers of the images that the filter finds, in its order; NULL without one. */
GArray *filter_run(TlWorkspace *self);
void filter_load_saved(TlWorkspace *self);

/* --- thresholds.c --- */

/* Those of the model that was loaded. */
void thresholds_read(TlWorkspace *self);
/* Now, if they are to be written soon. */
void thresholds_write(TlWorkspace *self);

/* --- vocabulary.c --- */

void vocabulary_take_looks(Label *label, const VocabularyEntry *e);
/* A label that was typed is used in the open folder from now on. */
void vocabulary_join_folder(TlWorkspace *self, gint64 row);
/* The name of the label that `name` stands for, or itself; borrowed. */
const char *vocabulary_stands_for(TlWorkspace *self, const char *name);

/* --- order.c --- */

/* Orders the images anew, after asking the filter which are in view. */
void order_apply(TlWorkspace *self);
/* The same where that is known: found [n] of guint, numbers of the images in view, borrowed;
 * NULL for all. */
void order_show(TlWorkspace *self, const GArray *found);
/* Orders them anew soon when the order is by that label's confidences. */
void order_follow(TlWorkspace *self, const char *label);

/* --- database.c --- */

typedef struct DatabaseJob DatabaseJob;
void database_run(gpointer job, gpointer unused);
/* Looks up each image's row, its decisions on the labels from `first` on and whether its
 * tokens are cached; then it is scored or encoded. */
void database_find(TlWorkspace *self, guint first);
/* The same for images that were not looked up yet. */
void database_find_new(TlWorkspace *self);
/* Writes an image's tokens to the cache, then lets go of them. */
void database_keep(TlWorkspace *self, TlImage *image);
void database_add_label(TlWorkspace *self, const Label *label);
void database_hide_label(TlWorkspace *self, const char *name);
/* How decisions and predictions name a model; NULL for none. To be freed. Any thread. */
char *database_model_mark(const TlModelFacts *model);
/* A job of another file: `work` on the thread of the store, then `done` on the main thread,
 * after an error was told; the data are freed in the end, or when the workspace stops. */
typedef struct {
    void (*work)(store *s, gpointer data, GError **error);
    void (*done)(TlWorkspace *self, gpointer data, gboolean good);
    GDestroyNotify free;
} DatabaseTask;
void database_do(TlWorkspace *self, const DatabaseTask *task, gpointer data);
/* Makes the day's backup when one is due. */
void database_back_up(TlWorkspace *self);
/* Calls `then` on the main thread when everything that was asked for before is written. */
void database_after_writes(TlWorkspace *self, void (*then)(TlWorkspace *));
/* Stores what `model` said: values [images,labels], labels by name; -1 is left out. */
void database_predict(TlWorkspace *self, TlModelFacts *model, GPtrArray *images,
                      GStrv labels, const float *values);

void database_set_words(TlWorkspace *self, const Label *label);

/* --- scoring.c --- */

/* On the reading thread: a job of scoring.c. */
void scoring_read(gpointer job, gpointer unused);
/* Finds embeddings for labels without one, in the cache or by the text encoder, and
 * scores the images. A single label is taken for one that a person has just typed. */
void scoring_encode_labels(TlWorkspace *self, Label *const *labels, guint n);
/* Asks for what is unknown, as long as few requests are under way: when the main loop is
 * next idle, so that many changes cost one search. */
void scoring_pump(TlWorkspace *self);
/* Images anywhere may lack something again. */
void scoring_search_all(TlWorkspace *self);
/* Cancels the requests under way; what they leave unknown is asked for again. */
void scoring_cancel(TlWorkspace *self);
/* The cache of the model, for the thread that owns *cache; NULL when there is none. Any
 * thread. */
token_cache *scoring_cache(token_cache **cache, const TlModelFacts *model);

/* --- learning.c --- */

/* Sets `earlier` by what the model's bundle says. */
void learning_find_earlier(TlWorkspace *self);

/* --- encoding.c --- */

/* Puts an image without tokens in the queue of the image encoder. */
void encoding_enqueue(TlWorkspace *self, TlImage *image, gboolean first);
void encoding_next(TlWorkspace *self);
void encoding_drop(TlWorkspace *self);
