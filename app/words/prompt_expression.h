/* What a label asks the model, as a person writes it.
 *
 *   boat                              words, which go into the model's own prompt
 *   a photo of {} | a drawing of {}   whole prompts in which {} is the label's name; what
 *                                     | stands between is averaged
 *   boat + night - 2:harbour          a sum; signs have blanks on both sides, a number with
 *                                     a colon is a weight
 *   "rock + roll"                     in quotes: words as they stand; \" and \\ are a quote
 *                                     and a backslash
 *
 * A single term is taken as it is written, so that "16:9" and "t-shirt" are plain labels.
 * | binds closer than + and -.
 *
 * Plain arithmetic and text; any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PROMPT_EXPRESSION_ERROR (prompt_expression_error_quark())
GQuark prompt_expression_error_quark(void);

typedef enum {
    PROMPT_EXPRESSION_ERROR_SYNTAX,   /* the message names the column */
    PROMPT_EXPRESSION_ERROR_CANCELLED_OUT, /* the parts of a sum leave nothing */
} PromptExpressionError;

struct prompt_part {
    char *prompt;   /* as the text encoder gets it */
    double weight;  /* of its term; below 0: taken away */
    guint term;     /* parts of one term are averaged */
};

struct prompt_expression {
    struct prompt_part *parts; /* [n], terms in order */
    guint n, terms;
    char *key; /* the same for what has the same embedding in every model: the prompt
                * itself where there is one only. Names the embedding in caches,
                * predictions and decisions */
};

/* name: of the label. text: what a person wrote for it; NULL: the name is that too.
 * template: the model's prompt, with one %s. NULL with an error when it cannot be read. */
struct prompt_expression *prompt_expression_new(const char *name, const char *text,
                                                const char *template, GError **error);
void prompt_expression_free(struct prompt_expression *e);

/* From the embeddings [n,width] of the parts to that of the label, out [width]. One part
 * is copied as it is. Otherwise every part gets length 1, the parts of a term are averaged
 * to length 1, the terms are added by weight, and the sum gets the mean length of the
 * parts: to a cosine its length is nothing, but the queries of an ML-Decoder have the
 * length that the text encoder gives. FALSE when the terms leave nothing. */
gboolean prompt_expression_combine(const struct prompt_expression *e,
                                   const float *embeddings, guint width, float *out,
                                   GError **error);

/* The labels of a list with commas between; a comma in quotes is part of a label. */
GPtrArray *prompt_expression_split(const char *list);
/* "boat := a photo of {} | a drawing of {}": what follows the sign is what the label is to
 * ask. Cuts it from the labels (of char *) and returns it for each, NULL where there is
 * none. Labels that come twice are left in once. */
GPtrArray *prompt_expression_take_wordings(GPtrArray *labels);

G_END_DECLS
