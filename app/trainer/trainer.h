/* Training of a CLIP-Decoder on a labelled data set: from files to a bundle.
 *
 * While a training runs, its folder is OUT.training: the tokenizer of a new model,
 * checkpoint.safetensors, training.csv and training.svg. At the end the model's files and
 * training.json are added, and the folder is renamed to OUT. The same options give the
 * same model bit for bit on one device, also when the training was stopped in between and
 * whatever the number of threads. */
#pragma once

#include "app/trainer/augment.h"
#include "app/trainer/training_set.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* TRAINER_DECODER is the head without what makes tokens of an image: the tokens that the
 * window and `tag` have cached stay good, and are what it learns from. */
enum trainer_scope { TRAINER_ALL, TRAINER_HEAD, TRAINER_HEAD_TEXT, TRAINER_DECODER };
/* What L_c is of the losses of all pairs: their sum, the sum of an image (the mean over the
 * batch), or their mean. */
enum trainer_reduction { TRAINER_SUM, TRAINER_SUM_OF_IMAGE, TRAINER_MEAN };
enum trainer_optimizer { TRAINER_ADAM, TRAINER_ADAMW };

#define TRAINER_AUTO (-1.0) /* chosen by trainer_run; see docs/training.md */

struct trainer_options {
    /* The model: one of the two. `config` is a JSON file of struct network_config. */
    const char *model, *config;
    const char *encoder;           /* bundle whose image encoder a new model begins with; or
                                    * NULL */
    const char *text_encoder;      /* the same of its text encoder and tokenizer */
    const char *prompt;            /* with one %s; NULL: the model's own */
    const char *words;             /* file of lines whose words the tokenizer of a new model
                                    * knows beside those of the labels; or NULL */
    const char *word_vectors;      /* file of word vectors in place of the text encoder, which
                                    * is not trained then (word_vectors.h); or NULL */
    struct training_set_params set;
    const char *out;               /* the bundle to make, which must not exist */
    const char *about, *licence;   /* for the bundle; NULL: the model's own */
    const char *command;           /* the command line, for the record; or NULL */
    enum trainer_scope scope;
    /* The loss: alpha L_clip + beta L_c. */
    double alpha, beta, gamma_negative, gamma_positive, clip;
    double auxiliary;              /* of L_c of an auxiliary classifier; may be TRAINER_AUTO */
    enum trainer_reduction reduction;
    double dropout;
    guint labels_per_step;         /* at most; 0: no limit */
    guint caption_labels;          /* of a caption, drawn by chance; 0: all */
    gboolean keep;                 /* TRAINER_DECODER: of pairs that are unknown the model
                                    * goes on to say what it said before */
    /* The steps. */
    enum trainer_optimizer optimizer;
    double lr, decay, warmup, ema, max_norm; /* lr and ema may be TRAINER_AUTO */
    guint batch, epochs;
    guint64 steps;                 /* 0: of `epochs` */
    guint64 seed;
    struct augment augment;
    gboolean mixed;                /* f16 activations */
    gboolean recompute;            /* activations, instead of keeping them */
    gboolean half;                 /* store the model with 16 bits */
    const char *validation;        /* split that is measured after each epoch; or NULL */
    /* The machine; changes nothing in the result. */
    const char *device, *cache_dir;
    guint jobs;                    /* decoding threads; 0: one less than cores */
    guint64 memory;                /* bytes of pictures, or of encoded ones, to keep */
    double checkpoint_seconds;     /* between checkpoints; 0: only at a stop */
    gboolean resume;
};

void trainer_options_init(struct trainer_options *options);

/* The options for tuning a model on the decisions of a person: few pictures, few labels,
 * seconds; what was not decided stays as it was. */
void trainer_options_for_decisions(struct trainer_options *options);
/* Deletes what a training that was not finished left of the bundle `out`. */
void trainer_discard(const char *out);

struct trainer_progress {
    guint64 step, steps;
    double epoch, loss, clip, labels, lr;
    double images_per_second, seconds_left;
};

/* Called on the thread of trainer_run; any may be NULL. A note is one line for a person. */
struct trainer_calls {
    void (*progress)(const struct trainer_progress *progress, gpointer data);
    /* Before the first step, while a frozen encoder goes over the pictures. */
    void (*encoded)(guint done, guint total, gpointer data);
    void (*note)(const char *text, gpointer data);
    gpointer data;
};

enum trainer_end { TRAINER_DONE, TRAINER_STOPPED };

/* Blocks until the bundle is there, or, when it is cancelled, a checkpoint and the model
 * until then (neither, before the first step). FALSE after a
 * failure; the latest checkpoint is still there then to go on from, and nothing is left
 * of a training that failed before its first step. */
gboolean trainer_run(const struct trainer_options *options,
                     const struct trainer_calls *calls, GCancellable *cancellable,
                     enum trainer_end *end, GError **error);

G_END_DECLS
