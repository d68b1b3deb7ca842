/* The engine: one thread that owns the device and runs a model for the whole program.
 *
 * Every call is asynchronous and may be made from the main thread only; results come on
 * the main context that was the default when the call was made. Jobs wait in one queue
 * by priority, so that a label typed by a person goes before a folder's images. A
 * cancelled job leaves the queue at once, and a running one stops at the next submit.
 *
 * With no model loaded every job fails with TL_ENGINE_ERROR_NO_MODEL. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TL_ENGINE_ERROR (tl_engine_error_quark())
GQuark tl_engine_error_quark(void);

typedef enum {
    TL_ENGINE_ERROR_NO_MODEL,
    TL_ENGINE_ERROR_MODEL,  /* the model's files, or a prompt, are at fault */
    TL_ENGINE_ERROR_DEVICE, /* the device failed and could not be made again */
} TlEngineError;

/* Lower runs first. */
typedef enum {
    TL_PRIORITY_LABEL = 0,   /* a person waits for it */
    TL_PRIORITY_VISIBLE = 10,
    TL_PRIORITY_FOLDER = 20,
} TlPriority;

/* What the rest of the program may know of a loaded model. Immutable, reference counted
 * by tl_model_facts_ref. */
typedef struct {
    char *name;
    char *kind;         /* "clip-decoder", "ml-decoder", "clip" */
    char *fingerprint;
    char *image_key, *text_key; /* of what it makes of images and of texts: token_cache.h */
    char *prompt;       /* with one %s */
    char *about;        /* what it knows and what not, for a person; "" when unsaid */
    char *device;       /* name of the device */
    gboolean software;  /* the device is a processor, not a graphics card */
    gboolean open_vocabulary;
    GStrv labels;       /* of a fixed head; empty otherwise */
    guint token_count, token_width, embedding;
    guint size, resize_size;
    gboolean crop, bicubic;
    float mean[3], std[3];
} TlModelFacts;

TlModelFacts *tl_model_facts_ref(TlModelFacts *facts);
void tl_model_facts_unref(TlModelFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlModelFacts, tl_model_facts_unref)

#define TL_TYPE_ENGINE (tl_engine_get_type())
G_DECLARE_FINAL_TYPE(TlEngine, tl_engine, TL, ENGINE, GObject)

TlEngine *tl_engine_new(void);
/* Fails the jobs that wait as cancelled, lets the running one come to its next submit,
 * frees the device and joins the thread. Must be called before the program exits while
 * work may be under way; later calls do nothing. */
void tl_engine_stop(TlEngine *self);

/* Loads a bundle or checkpoint; replaces the model that was loaded. `device` is an index
 * or a part of a name, or NULL. */
void tl_engine_load_async(TlEngine *self, const char *path, const char *device,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data);
/* Returns facts owned by the caller. */
TlModelFacts *tl_engine_load_finish(TlEngine *self, GAsyncResult *result, GError **error);

/* pixels: F32 [3,S,S] as the preprocessing of the model asks. Gives F32 tokens
 * [token_count, token_width]. */
void tl_engine_encode_image_async(TlEngine *self, GBytes *pixels, TlPriority priority,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
GBytes *tl_engine_encode_image_finish(TlEngine *self, GAsyncResult *result,
                                      GError **error);

/* Full prompts, not bare labels. Gives F32 [n, embedding]. */
void tl_engine_encode_prompts_async(TlEngine *self, const char *const *prompts,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
GBytes *tl_engine_encode_prompts_finish(TlEngine *self, GAsyncResult *result,
                                        GError **error);

/* tokens: F32 [images, token_count, token_width], not copied; embeddings: F32
 * [n, embedding] (NULL for a fixed head).
 * Gives F32 confidences [images, n]. */
void tl_engine_score_async(TlEngine *self, GBytes *tokens, GBytes *embeddings,
                           TlPriority priority, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
GBytes *tl_engine_score_finish(TlEngine *self, GAsyncResult *result, GError **error);

/* Where the head looks for one label: tokens F32 [token_count, token_width] of an image,
 * embedding F32 [embedding] (NULL for a fixed head, of which `label` is the index). Gives
 * F32 [token_count] that sum to 1, row by row over the picture that the encoder saw. Fails
 * with TL_ENGINE_ERROR_MODEL for a model that does not look at parts. */
void tl_engine_attend_async(TlEngine *self, GBytes *tokens, GBytes *embedding, guint label,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data);
GBytes *tl_engine_attend_finish(TlEngine *self, GAsyncResult *result, GError **error);

G_END_DECLS
