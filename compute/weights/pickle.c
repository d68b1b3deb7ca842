#include "compute/weights/pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUES 8000000u
#define CHUNK 1024u

struct chunk { struct chunk *next; uint32_t used; struct pickle_value values[CHUNK]; };

struct memo_slot { uint32_t key; struct pickle_value *value; };

struct pickle {
    struct pickle_params params;
    uint64_t at;
    struct chunk *chunks;
    uint32_t n_values;
    struct pickle_value **stack; /* NULL stands for a mark */
    uint32_t depth, stack_room;
    struct memo_slot *memo;      /* open addressing; empty slots have no value */
    uint32_t memo_used, memo_room;
    struct pickle_value *root;
    struct nn_error *error;
};

static bool fail(struct pickle *p, const char *what)
{
    nn_fail(p->error, NN_ERROR_INVALID, "%s: byte %llu: %s", p->params.path,
            (unsigned long long)(p->params.base + p->at), what);
    return false;
}

/* --- Values ------------------------------------------------------------------------- */

static struct pickle_value *new_value(struct pickle *p, enum pickle_type type)
{
    if (!p->chunks || p->chunks->used == CHUNK) {
        struct chunk *chunk =
            p->n_values < MAX_VALUES ? calloc(1, sizeof *chunk) : NULL;
        if (!chunk) {
            fail(p, "the pickle holds too many values");
            return NULL;
        }
        chunk->next = p->chunks;
        p->chunks = chunk;
    }
    p->n_values++;
    struct pickle_value *value = &p->chunks->values[p->chunks->used++];
    value->type = type;
    return value;
}

static bool add_item(struct pickle *p, struct pickle_value *list,
                     struct pickle_value *item)
{
    if (list->size == list->room) {
        uint32_t room = list->room ? 2 * list->room : 4;
        void *grown = room < 4 * MAX_VALUES
                          ? realloc(list->items, room * sizeof *list->items) : NULL;
        if (!grown) {
            return fail(p, "out of memory");
        }
        list->items = grown;
        list->room = room;
    }
    list->items[list->size++] = item;
    return true;
}

static bool push(struct pickle *p, struct pickle_value *value)
{
    if (p->depth == p->stack_room) {
        uint32_t room = p->stack_room ? 2 * p->stack_room : 256;
        void *grown = room <= 4 * MAX_VALUES
                          ? realloc(p->stack, room * sizeof *p->stack) : NULL;
        if (!grown) {
            return fail(p, "the stack grows too large");
        }
        p->stack = grown;
        p->stack_room = room;
    }
    p->stack[p->depth++] = value;
    return true;
}

static bool push_new(struct pickle *p, enum pickle_type type, int64_t integer)
{
    struct pickle_value *value = new_value(p, type);
    if (!value) {
        return false;
    }
    value->integer = integer;
    return push(p, value);
}

/* NULL, with the error set, on underflow or when a mark lies on top. */
static struct pickle_value *pop(struct pickle *p)
{
    if (p->depth == 0 || !p->stack[p->depth - 1]) {
        fail(p, "the stack is empty");
        return NULL;
    }
    return p->stack[--p->depth];
}

static struct pickle_value *top(struct pickle *p)
{
    if (p->depth == 0 || !p->stack[p->depth - 1]) {
        fail(p, "the stack is empty");
        return NULL;
    }
    return p->stack[p->depth - 1];
}

static bool find_mark(struct pickle *p, uint32_t *out)
{
    uint32_t i = p->depth;
    while (i > 0 && p->stack[i - 1]) {
        i--;
    }
    if (i == 0) {
        return fail(p, "a mark is missing");
    }
    *out = i; /* the first item above the mark */
    return true;
}

/* --- Memo ------------------------------------------------------------------------------ */

static struct memo_slot *memo_slot(struct pickle *p, uint32_t key)
{
    uint32_t at = (key * 0x9e3779b1u) & (p->memo_room - 1);
    while (p->memo[at].value && p->memo[at].key != key) {
        at = (at + 1) & (p->memo_room - 1);
    }
    return &p->memo[at];
}

static bool memo_put(struct pickle *p, uint32_t key)
{
    struct pickle_value *value = top(p);
    if (!value) {
        return false;
    }
    if (2 * (p->memo_used + 1) > p->memo_room) {
        struct memo_slot *old = p->memo;
        uint32_t old_room = p->memo_room, room = old_room ? 2 * old_room : 1024;
        p->memo = room <= 4 * MAX_VALUES ? calloc(room, sizeof *p->memo) : NULL;
        if (!p->memo) {
            p->memo = old;
            return fail(p, "the memo grows too large");
        }
        p->memo_room = room;
        for (uint32_t i = 0; i < old_room; i++) {
            if (old[i].value) {
                *memo_slot(p, old[i].key) = old[i];
            }
        }
        free(old);
    }
    struct memo_slot *slot = memo_slot(p, key);
    p->memo_used += !slot->value;
    *slot = (struct memo_slot){ key, value };
    return true;
}

static bool memo_get(struct pickle *p, uint32_t key)
{
    struct memo_slot *slot = p->memo_room ? memo_slot(p, key) : NULL;
    return slot && slot->value ? push(p, slot->value)
                               : fail(p, "a memo slot is used before it is set");
}

/* --- Bytes ------------------------------------------------------------------------------- */

static const uint8_t *take(struct pickle *p, uint64_t count)
{
    if (count > p->params.size - p->at) {
        fail(p, "the pickle ends early");
        return NULL;
    }
    const uint8_t *bytes = p->params.data + p->at;
    p->at += count;
    return bytes;
}

/* `width` bytes, little-endian. */
static bool take_number(struct pickle *p, int width, uint64_t *out)
{
    const uint8_t *bytes = take(p, (uint64_t)width);
    *out = 0;
    for (int i = 0; bytes && i < width; i++) {
        *out |= (uint64_t)bytes[i] << (8 * i);
    }
    return bytes != NULL;
}

static bool push_text(struct pickle *p, int width)
{
    uint64_t size;
    if (!take_number(p, width, &size)) {
        return false;
    }
    const uint8_t *bytes = take(p, size);
    struct pickle_value *value =
        bytes && size < UINT32_MAX ? new_value(p, PICKLE_TEXT) : NULL;
    if (!value) {
        return bytes ? fail(p, "a text is too long") : false;
    }
    value->text = (const char *)bytes;
    value->size = (uint32_t)size;
    return push(p, value);
}

static bool push_long(struct pickle *p)
{
    uint64_t size, value = 0;
    if (!take_number(p, 1, &size)) {
        return false;
    }
    const uint8_t *bytes = take(p, size);
    if (!bytes) {
        return false;
    }
    if (size > 8) {
        return push_new(p, PICKLE_BIG, (int64_t)size);
    }
    for (uint64_t i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    if (size > 0 && size < 8 && bytes[size - 1] & 0x80) {
        value |= UINT64_MAX << (8 * size);
    }
    return push_new(p, PICKLE_INT, (int64_t)value);
}

static bool push_float(struct pickle *p)
{
    const uint8_t *bytes = take(p, 8);
    struct pickle_value *value = bytes ? new_value(p, PICKLE_FLOAT) : NULL;
    if (!value) {
        return false;
    }
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++) {
        bits = bits << 8 | bytes[i];
    }
    memcpy(&value->number, &bits, 8);
    return push(p, value);
}

/* --- Globals ------------------------------------------------------------------------------ */

static const struct { const char *module, *name; enum pickle_global global; } globals[] = {
    { "collections", "OrderedDict", GLOBAL_ORDERED_DICT },
    { "collections", "Counter", GLOBAL_OPAQUE_CALL },
    { "_codecs", "encode", GLOBAL_OPAQUE_CALL },
    { "torch._utils", "_rebuild_tensor_v2", GLOBAL_TENSOR },
    { "torch._utils", "_rebuild_tensor", GLOBAL_TENSOR_OLD },
    { "torch._utils", "_rebuild_parameter", GLOBAL_PARAMETER },
    { "torch.nn.parameter", "Parameter", GLOBAL_PARAMETER },
    { "torch", "Size", GLOBAL_SIZE },
    { "torch", "device", GLOBAL_OPAQUE_CALL },
};

static const struct { const char *name; enum weights_type type; } storages[] = {
    { "FloatStorage", WEIGHTS_F32 },  { "DoubleStorage", WEIGHTS_F64 },
    { "HalfStorage", WEIGHTS_F16 },   { "BFloat16Storage", WEIGHTS_BF16 },
    { "LongStorage", WEIGHTS_I64 },   { "IntStorage", WEIGHTS_I32 },
    { "ShortStorage", WEIGHTS_I16 },  { "CharStorage", WEIGHTS_I8 },
    { "ByteStorage", WEIGHTS_U8 },    { "BoolStorage", WEIGHTS_BOOL },
};

static bool is_text(const char *text, size_t size, const char *want)
{
    return strlen(want) == size && memcmp(text, want, size) == 0;
}

static bool push_global(struct pickle *p, const char *module, size_t module_size,
                        const char *name, size_t name_size)
{
    struct pickle_value *value = new_value(p, PICKLE_GLOBAL);
    if (!value) {
        return false;
    }
    for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
        if (is_text(module, module_size, globals[i].module)
            && is_text(name, name_size, globals[i].name)) {
            value->integer = globals[i].global;
            return push(p, value);
        }
    }
    for (size_t i = 0; i < sizeof storages / sizeof storages[0]; i++) {
        if (is_text(module, module_size, "torch")
            && is_text(name, name_size, storages[i].name)) {
            value->integer = GLOBAL_STORAGE;
            value->storage_type = storages[i].type;
            return push(p, value);
        }
    }
    bool script = module_size >= 9 && memcmp(module, "__torch__", 9) == 0;
    bool script_list = is_text(module, module_size, "torch.jit._pickle");
    if (p->params.script && (script || script_list)) {
        value->integer = script ? GLOBAL_SCRIPT_CLASS : GLOBAL_OPAQUE_CALL;
        return push(p, value);
    }
    nn_fail(p->error, NN_ERROR_INVALID,
            "%s: byte %llu: the pickle asks for %.*s.%.*s, which is not allowed in a "
            "checkpoint; nothing was run", p->params.path,
            (unsigned long long)(p->params.base + p->at),
            (int)(module_size < 60 ? module_size : 60), module,
            (int)(name_size < 60 ? name_size : 60), name);
    return false;
}

static bool read_global(struct pickle *p)
{
    const char *line[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        const uint8_t *start = p->params.data + p->at;
        const uint8_t *end = memchr(start, '\n', p->params.size - p->at);
        if (!end) {
            return fail(p, "the pickle ends early");
        }
        line[i] = (const char *)start;
        size[i] = (size_t)(end - start);
        p->at += size[i] + 1;
    }
    return push_global(p, line[0], size[0], line[1], size[1]);
}

static bool stack_global(struct pickle *p)
{
    struct pickle_value *name = pop(p), *module = name ? pop(p) : NULL;
    if (!module) {
        return false;
    }
    if (name->type != PICKLE_TEXT || module->type != PICKLE_TEXT) {
        return fail(p, "a global's name is not text");
    }
    return push_global(p, module->text, module->size, name->text, name->size);
}

/* --- Building --------------------------------------------------------------------------------- */

/* The items above the mark become a tuple or list; the mark goes. */
static bool collect(struct pickle *p, enum pickle_type type)
{
    uint32_t first;
    struct pickle_value *value = find_mark(p, &first) ? new_value(p, type) : NULL;
    if (!value) {
        return false;
    }
    for (uint32_t i = first; i < p->depth; i++) {
        if (!add_item(p, value, p->stack[i])) {
            return false;
        }
    }
    p->depth = first - 1;
    return push(p, value);
}

static bool small_tuple(struct pickle *p, uint32_t n)
{
    struct pickle_value *items[3], *value = new_value(p, PICKLE_TUPLE);
    for (uint32_t i = n; value && i-- > 0;) {
        if (!(items[i] = pop(p))) {
            return false;
        }
    }
    for (uint32_t i = 0; value && i < n; i++) {
        if (!add_item(p, value, items[i])) {
            return false;
        }
    }
    return value && push(p, value);
}

/* Moves the items above the mark into the container under it. */
static bool extend(struct pickle *p, enum pickle_type type)
{
    uint32_t first;
    if (!find_mark(p, &first)) {
        return false;
    }
    struct pickle_value *into = first >= 2 ? p->stack[first - 2] : NULL;
    if (!into || (into->type != type && into->type != PICKLE_OPAQUE)
        || (type == PICKLE_DICT && (p->depth - first) % 2 != 0)) {
        return fail(p, "items for something that is no container");
    }
    for (uint32_t i = first; i < p->depth; i++) {
        if (into->type == type && !add_item(p, into, p->stack[i])) {
            return false;
        }
    }
    p->depth = first - 1;
    return true;
}

static bool append_one(struct pickle *p, bool dict)
{
    struct pickle_value *value = pop(p), *key = value && dict ? pop(p) : value;
    struct pickle_value *into = key ? top(p) : NULL;
    if (!into) {
        return false;
    }
    if (into->type == PICKLE_OPAQUE) {
        return true;
    }
    if (into->type != (dict ? PICKLE_DICT : PICKLE_LIST)) {
        return fail(p, "items for something that is no container");
    }
    return (!dict || add_item(p, into, key)) && add_item(p, into, value);
}

/* BUILD: the state of a TorchScript object becomes its items; that of a dict (version
 * notes) is dropped. */
static bool build(struct pickle *p)
{
    struct pickle_value *state = pop(p), *object = state ? top(p) : NULL;
    if (!object) {
        return false;
    }
    if (object->type == PICKLE_OBJECT && state->type == PICKLE_DICT) {
        for (uint32_t i = 0; i < state->size; i++) {
            if (!add_item(p, object, state->items[i])) {
                return false;
            }
        }
        return true;
    }
    if (object->type == PICKLE_DICT || object->type == PICKLE_OPAQUE
        || object->type == PICKLE_OBJECT) {
        return true;
    }
    return fail(p, "a state for something that has none");
}

static bool persistent(struct pickle *p)
{
    struct pickle_value *id = pop(p);
    if (!id) {
        return false;
    }
    if (id->type != PICKLE_TUPLE || id->size < 5 || id->items[0]->type != PICKLE_TEXT
        || !is_text(id->items[0]->text, id->items[0]->size, "storage")
        || id->items[1]->type != PICKLE_GLOBAL
        || id->items[1]->integer != GLOBAL_STORAGE || id->items[2]->type != PICKLE_TEXT
        || id->items[4]->type != PICKLE_INT || id->items[4]->integer < 0) {
        return fail(p, "a persistent id that is no storage");
    }
    struct pickle_value *value = new_value(p, PICKLE_STORAGE);
    if (!value) {
        return false;
    }
    value->storage_type = id->items[1]->storage_type;
    value->text = id->items[2]->text;
    value->size = id->items[2]->size;
    value->integer = id->items[4]->integer;
    if (id->size > 5 && id->items[5]->type != PICKLE_NONE) {
        return fail(p, "a storage that is a view of another is not supported");
    }
    return push(p, value);
}

static bool read_dims(const struct pickle_value *tuple, int *rank, uint64_t *out)
{
    if ((tuple->type != PICKLE_TUPLE && tuple->type != PICKLE_LIST)
        || tuple->size > WEIGHTS_MAX_RANK) {
        return false;
    }
    for (uint32_t i = 0; i < tuple->size; i++) {
        if (tuple->items[i]->type != PICKLE_INT || tuple->items[i]->integer < 0) {
            return false;
        }
        out[i] = (uint64_t)tuple->items[i]->integer;
    }
    *rank = (int)tuple->size;
    return true;
}

/* args: storage, offset, size, stride, … */
static bool rebuild_tensor(struct pickle *p, const struct pickle_value *args)
{
    struct pickle_value *t = new_value(p, PICKLE_TENSOR);
    int rank = 0;
    if (!t) {
        return false;
    }
    if (args->size < 4 || args->items[0]->type != PICKLE_STORAGE
        || args->items[1]->type != PICKLE_INT || args->items[1]->integer < 0
        || !read_dims(args->items[2], &t->rank, t->shape)
        || !read_dims(args->items[3], &rank, t->stride) || rank != t->rank
        || !weights_product(t->shape, t->rank, &t->count)) {
        return fail(p, "a tensor with wrong sizes");
    }
    t->storage = args->items[0];
    t->offset = (uint64_t)args->items[1]->integer;
    uint64_t last = t->offset, have = (uint64_t)t->storage->integer;
    for (int i = 0; i < t->rank && t->count > 0; i++) {
        uint64_t step;
        if (__builtin_mul_overflow(t->shape[i] - 1, t->stride[i], &step)
            || __builtin_add_overflow(last, step, &last)) {
            return fail(p, "a tensor with strides that overflow");
        }
    }
    if (t->count > 0 ? last >= have : t->offset > have) {
        return fail(p, "a tensor that leaves its storage");
    }
    if (t->count > p->params.max_count) {
        return fail(p, "a tensor that expands far beyond the file");
    }
    return push(p, t);
}

static bool ordered_dict(struct pickle *p, const struct pickle_value *args)
{
    struct pickle_value *dict = new_value(p, PICKLE_DICT);
    const struct pickle_value *pairs = args->size > 0 ? args->items[0] : NULL;
    if (!dict || (pairs && pairs->type != PICKLE_LIST)) {
        return dict && fail(p, "an OrderedDict made of something else than a list");
    }
    for (uint32_t i = 0; pairs && i < pairs->size; i++) {
        const struct pickle_value *pair = pairs->items[i];
        if ((pair->type != PICKLE_LIST && pair->type != PICKLE_TUPLE) || pair->size != 2) {
            return fail(p, "an OrderedDict with a wrong pair");
        }
        if (!add_item(p, dict, pair->items[0]) || !add_item(p, dict, pair->items[1])) {
            return false;
        }
    }
    return push(p, dict);
}

static bool reduce(struct pickle *p)
{
    struct pickle_value *args = pop(p), *function = args ? pop(p) : NULL;
    if (!function) {
        return false;
    }
    if (function->type != PICKLE_GLOBAL || args->type != PICKLE_TUPLE) {
        return fail(p, "a call of something that is no function");
    }
    switch ((enum pickle_global)function->integer) {
    case GLOBAL_ORDERED_DICT: return ordered_dict(p, args);
    case GLOBAL_TENSOR:
    case GLOBAL_TENSOR_OLD: return rebuild_tensor(p, args);
    case GLOBAL_PARAMETER:
        return args->size > 0 && args->items[0]->type == PICKLE_TENSOR
                   ? push(p, args->items[0]) : fail(p, "a parameter without a tensor");
    case GLOBAL_SIZE:
        return args->size == 1 && args->items[0]->type == PICKLE_TUPLE
                   ? push(p, args->items[0]) : fail(p, "a size that is no tuple");
    case GLOBAL_OPAQUE_CALL: return push_new(p, PICKLE_OPAQUE, 0);
    case GLOBAL_STORAGE:
    case GLOBAL_SCRIPT_CLASS: break;
    }
    return fail(p, "a call of something that is no function");
}

static bool new_object(struct pickle *p)
{
    struct pickle_value *args = pop(p), *class = args ? pop(p) : NULL;
    if (!class) {
        return false;
    }
    if (class->type != PICKLE_GLOBAL || class->integer != GLOBAL_SCRIPT_CLASS) {
        return fail(p, "an object of a class that is not allowed");
    }
    return push_new(p, PICKLE_OBJECT, 0);
}

/* --- Opcodes ---------------------------------------------------------------------------------- */

static bool simple(struct pickle *p, uint8_t op, bool *known)
{
    uint64_t n = 0;
    *known = true;
    switch (op) {
    case 0x80: return take(p, 1) != NULL;                     /* PROTO */
    case 0x95: return take(p, 8) != NULL;                     /* FRAME */
    case 'N': return push_new(p, PICKLE_NONE, 0);
    case 0x88: return push_new(p, PICKLE_BOOL, 1);
    case 0x89: return push_new(p, PICKLE_BOOL, 0);
    case 'J': return take_number(p, 4, &n) && push_new(p, PICKLE_INT, (int32_t)n);
    case 'K': return take_number(p, 1, &n) && push_new(p, PICKLE_INT, (int64_t)n);
    case 'M': return take_number(p, 2, &n) && push_new(p, PICKLE_INT, (int64_t)n);
    case 0x8a: return push_long(p);
    case 'G': return push_float(p);
    case 'X': return push_text(p, 4);
    case 0x8c:                                                /* SHORT_BINUNICODE */
    case 'U': return push_text(p, 1);
    case 'h': return take_number(p, 1, &n) && memo_get(p, (uint32_t)n);
    case 'j': return take_number(p, 4, &n) && memo_get(p, (uint32_t)n);
    case 'q': return take_number(p, 1, &n) && memo_put(p, (uint32_t)n);
    case 'r': return take_number(p, 4, &n) && memo_put(p, (uint32_t)n);
    case 0x94: return memo_put(p, p->memo_used);              /* MEMOIZE */
    default: *known = false; return true;
    }
}

static bool structural(struct pickle *p, uint8_t op)
{
    switch (op) {
    case '(': return push(p, NULL);
    case ')': return push_new(p, PICKLE_TUPLE, 0);
    case ']': return push_new(p, PICKLE_LIST, 0);
    case '}': return push_new(p, PICKLE_DICT, 0);
    case 0x8f: return push_new(p, PICKLE_OPAQUE, 0);          /* EMPTY_SET */
    case 't': return collect(p, PICKLE_TUPLE);
    case 0x85: return small_tuple(p, 1);
    case 0x86: return small_tuple(p, 2);
    case 0x87: return small_tuple(p, 3);
    case 'a': return append_one(p, false);
    case 'e': return extend(p, PICKLE_LIST);
    case 's': return append_one(p, true);
    case 'u': return extend(p, PICKLE_DICT);
    case 'c': return read_global(p);
    case 0x93: return stack_global(p);
    case 'R': return reduce(p);
    case 0x81: return new_object(p);
    case 'b': return build(p);
    case 'Q': return persistent(p);
    default: break;
    }
    p->at--;
    nn_fail(p->error, NN_ERROR_INVALID,
            "%s: byte %llu: pickle opcode 0x%02x is not allowed in a checkpoint; nothing "
            "was run", p->params.path, (unsigned long long)(p->params.base + p->at), op);
    return false;
}

static bool run(struct pickle *p)
{
    for (;;) {
        const uint8_t *op = take(p, 1);
        bool known;
        if (!op) {
            return false;
        }
        if (*op == '.') {
            p->root = pop(p);
            return p->root && (p->depth == 0 || fail(p, "values are left on the stack"));
        }
        if (!simple(p, *op, &known) || (!known && !structural(p, *op))) {
            return false;
        }
    }
}

enum nn_status pickle_read(struct pickle **out, const struct pickle_params *params,
                           uint64_t *used, struct nn_error *error)
{
    struct nn_error local = { 0 };
    struct pickle *p = calloc(1, sizeof *p);
    if (!p) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", params->path);
    }
    p->params = *params;
    p->error = error ? error : &local;
    if (!run(p)) {
        enum nn_status status = p->error->status;
        pickle_destroy(&p);
        return status;
    }
    *used = p->at;
    *out = p;
    return NN_OK;
}

void pickle_destroy(struct pickle **pickle)
{
    if (!pickle || !*pickle) {
        return;
    }
    struct pickle *p = *pickle;
    while (p->chunks) {
        struct chunk *next = p->chunks->next;
        for (uint32_t i = 0; i < p->chunks->used; i++) {
            free(p->chunks->values[i].items);
        }
        free(p->chunks);
        p->chunks = next;
    }
    free(p->stack);
    free(p->memo);
    free(p);
    *pickle = NULL;
}

struct pickle_value *pickle_root(const struct pickle *pickle)
{
    return pickle->root;
}

struct pickle_value *pickle_get(const struct pickle_value *dict, const char *key)
{
    if (dict->type != PICKLE_DICT && dict->type != PICKLE_OBJECT) {
        return NULL;
    }
    for (uint32_t i = 0; i + 1 < dict->size; i += 2) {
        if (dict->items[i]->type == PICKLE_TEXT
            && is_text(dict->items[i]->text, dict->items[i]->size, key)) {
            return dict->items[i + 1];
        }
    }
    return NULL;
}
