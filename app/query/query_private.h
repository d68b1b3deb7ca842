/* Shared by the files of the query: lexer.c (words), parse.c (the tree), match.c (patterns
 * of names), run.c and complete.c. */
#pragma once

#include "app/query/query.h"

G_BEGIN_DECLS

/* --- lexer.c --- */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_COLON, TOKEN_COMPARE,
                  TOKEN_OPEN, TOKEN_CLOSE };
enum compare { COMPARE_LESS, COMPARE_AT_MOST, COMPARE_EQUAL, COMPARE_AT_LEAST,
               COMPARE_MORE, COMPARE_OTHER };

struct token {
    enum token_kind kind;
    gsize begin, end;      /* bytes of the line */
    char *text;            /* of a word; without quotes */
    enum compare compare;
    gboolean open;         /* a quote that is not closed; it goes to the end */
};

/* All tokens of the line (of struct token), the last of kind TOKEN_END. Never fails. */
GArray *query_tokens(const char *text);
/* The column of a byte. */
guint query_column(const char *text, gsize byte);

/* The words of the language. */
enum field { FIELD_NONE, FIELD_NAME, FIELD_FOLDER, FIELD_ACCEPTED, FIELD_REJECTED,
             FIELD_UNDECIDED, FIELD_DECIDED, FIELD_BY, FIELD_WIDTH, FIELD_HEIGHT,
             FIELD_PIXELS, FIELD_SIZE, FIELD_DATE, FIELD_LABEL, FIELD_SORT, FIELD_UNCERTAIN,
             FIELD_AND, FIELD_OR, FIELD_NOT, N_FIELDS };

/* FIELD_NONE when it is none, or stands in quotes. */
enum field query_field(const struct token *token);
const char *query_field_name(enum field field);

/* --- parse.c --- */

enum node_kind { NODE_ALL, NODE_AND, NODE_OR, NODE_NOT, NODE_LABEL, NODE_CONFIDENCE,
                 NODE_VERDICT, NODE_BY, NODE_NAME, NODE_FOLDER, NODE_NUMBER };
/* Any decision but none: what `decided` asks for. */
#define VERDICT_DECIDED 2
#define NO_LABEL G_MAXUINT

struct node {
    enum node_kind kind;
    guint left, right;     /* nodes: of AND and OR both, of NOT the left */
    guint label;           /* number in `labels`, or NO_LABEL */
    int verdict;
    enum field field;      /* of NUMBER */
    enum compare compare;
    double low, high;      /* what is compared with: one number, or all that a date means */
    char *text;            /* pattern or author; NULL: a model */
};

struct sort_key {
    enum field field;      /* FIELD_LABEL and FIELD_UNCERTAIN go by `label` */
    guint label;
    gboolean backwards;
};

struct query {
    GArray *nodes;         /* of struct node */
    guint root;
    GPtrArray *labels;     /* names, with a NULL at the end */
    GArray *columns;       /* guint: where each label is named first */
    GArray *confident;     /* gboolean: whether its confidence is asked for */
    GArray *sort;          /* of struct sort_key */
};

/* --- match.c --- */

/* Whether a text matches a pattern in which * and ? stand for any text and any one
 * character but not for a slash. Case does not count; bytes that are no UTF-8 match
 * themselves. */
gboolean match_whole(const char *pattern, const char *text);
/* The last part of a path against a pattern; one without * and ? may match any part of
 * the name. */
gboolean match_name(const char *pattern, const char *path);
/* One or several folders of a path, one below the other; from the top where the pattern
 * begins with a slash. */
gboolean match_folder(const char *pattern, const char *path);
/* Order of names: numbers by value, case does not count unless all else is equal. */
int compare_names(const char *a, const char *b);

G_END_DECLS
