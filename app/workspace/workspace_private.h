/* Shared by the files of the workspace: image.c (an image), database.c (what runs on the
 * thread of the store), scoring.c, encoding.c and workspace.c (folders, labels, life).
 * Everything here is for the main thread unless it says otherwise. */
#pragma once

#include "app/engine/token_cache.h"
#include "app/workspace/workspace.h"

struct _TlImage {
    GObject parent;
    char *path, *name, *error;
    gint64 row;          /* in the store; 0 while unknown */
    char *hash;          /* of the content; NULL while unknown */
    GBytes *tokens;      /* F32; only until the cache holds them */
    gboolean cached;     /* the cache holds its tokens */
    gboolean queued;     /* waits for the image encoder */
    gboolean scoring;    /* in a request that is under way */
    GArray *confidence;  /* float by label, -1 unknown */
    GArray *verdict;     /* StoreVerdict by label */
};

typedef struct Learning Learning;
/* words: what a person wrote for it, or NULL; prompt: the key of that expression with the
 * model's own prompt in it, as predictions and decisions have it. */
typedef struct { char *name, *words, *prompt; gint64 row; GBytes *embedding; } Label;

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
    GListStore *images;
    GPtrArray *labels;       /* of Label */
    GCancellable *cancellable; /* of the open folder */
    GQueue pending;          /* images that wait for tokens */
    TlImage *busy;
    Learning *learning;      /* NULL while nothing is learnt */
    guint done;
    char *status, *device, *model_path, *db_path;
    char *earlier;           /* path of the model that this one was tuned from, or NULL */
    /* Scoring: */
    GCancellable *scoring;   /* of the requests under way */
    guint requests;
    gboolean halted;         /* the engine failed; nothing is asked until a model loads */
    Label *urgent;           /* typed last: scored before what else is unknown */
};

enum { CHANGED, LABELS, STATUS, FAILED, LEARNT, N_SIGNALS };
extern guint workspace_signals[N_SIGNALS];

void workspace_report(TlWorkspace *self, const char *text);
/* Says nothing of cancellation. */
void workspace_report_error(TlWorkspace *self, const GError *error);
void workspace_set_status(TlWorkspace *self);
/* -1 when there is none. */
int workspace_find_label(TlWorkspace *self, const char *name);
/* Whether a label of that name can ask the model `words` (NULL: its name); the person is
 * told when it cannot. */
gboolean workspace_check_words(TlWorkspace *self, const char *name, const char *words);
/* Whether a prompt's embedding is here, or none is needed. */
gboolean workspace_can_score(TlWorkspace *self, const Label *label);

/* --- image.c --- */

TlImage *image_new(const char *path);
GPtrArray *image_array(void); /* holds references */
void image_set_confidence(TlImage *self, guint index, float value);
void image_set_verdict(TlImage *self, guint index, StoreVerdict verdict);
/* What an earlier model left. */
void image_forget(TlImage *self);

/* --- database.c --- */

typedef struct DatabaseJob DatabaseJob;
void database_run(gpointer job, gpointer unused);
/* Looks up each image's row, its decisions on the labels from `first` on and whether its
 * tokens are cached; then it is scored or encoded. */
void database_find(TlWorkspace *self, guint first);
/* Writes an image's tokens to the cache, then lets go of them. */
void database_keep(TlWorkspace *self, TlImage *image);
void database_add_label(TlWorkspace *self, const Label *label);
void database_hide_label(TlWorkspace *self, const char *name);
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
/* Asks for what is unknown, as long as few requests are under way. Any time. */
void scoring_pump(TlWorkspace *self);
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
