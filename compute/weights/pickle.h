/* A reader of the pickles in PyTorch files (spec 5.2). It builds values and never calls
 * anything: the few classes and functions that state dicts need are known by name, and
 * everything else is refused with its name and byte position. */
#ifndef TAGLIGHT_COMPUTE_PICKLE_H
#define TAGLIGHT_COMPUTE_PICKLE_H

#include "compute/weights/weights_private.h"

enum pickle_type {
    PICKLE_NONE, PICKLE_BOOL, PICKLE_INT, PICKLE_FLOAT, PICKLE_TEXT, PICKLE_TUPLE,
    PICKLE_LIST, PICKLE_DICT, PICKLE_GLOBAL, PICKLE_STORAGE, PICKLE_TENSOR,
    PICKLE_OBJECT, /* an instance of a TorchScript class; `items` of its state */
    PICKLE_BIG,    /* an integer beyond 64 bits */
    PICKLE_OPAQUE, /* something allowed that carries no weights */
};

enum pickle_global {
    GLOBAL_OPAQUE_CALL, GLOBAL_ORDERED_DICT, GLOBAL_TENSOR, GLOBAL_TENSOR_OLD,
    GLOBAL_PARAMETER, GLOBAL_SIZE, GLOBAL_STORAGE, GLOBAL_SCRIPT_CLASS,
};

struct pickle_value {
    enum pickle_type type;
    int64_t integer;             /* INT, BOOL; GLOBAL: enum pickle_global */
    double number;               /* FLOAT */
    const char *text;            /* TEXT (not terminated) */
    uint32_t size;               /* bytes of text, or number of items */
    uint32_t room;
    struct pickle_value **items; /* TUPLE, LIST; DICT: keys and values in turn */
    /* STORAGE: text is the key, integer the number of elements, offset its view's. */
    enum weights_type storage_type;
    uint64_t offset;             /* TENSOR: elements into its storage */
    struct pickle_value *storage;
    int rank;                    /* TENSOR */
    uint64_t shape[WEIGHTS_MAX_RANK], stride[WEIGHTS_MAX_RANK], count;
};

struct pickle;

struct pickle_params {
    const char *path;     /* for messages */
    const uint8_t *data;
    uint64_t size;
    uint64_t base;        /* position of data in the file, for messages */
    uint64_t max_count;   /* the most elements that one tensor may expand to */
    bool script;          /* allow classes under __torch__ */
};

/* Reads one pickle; *used is its length. The root and all that hangs on it live until
 * pickle_destroy. */
enum nn_status pickle_read(struct pickle **out, const struct pickle_params *params,
                           uint64_t *used, struct nn_error *error);
void pickle_destroy(struct pickle **pickle);
struct pickle_value *pickle_root(const struct pickle *pickle);
/* The value of a text key of a dict or object, or NULL. */
struct pickle_value *pickle_get(const struct pickle_value *dict, const char *key);

#endif
