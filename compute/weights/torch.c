/* PyTorch files: the zip form, the legacy form and TorchScript archives. */
#include "compute/weights/pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX_SCRIPT_DEPTH 64

/* Where a storage's bytes are. */
struct storages {
    /* zip form: entries <prefix>data/<key> */
    const struct zip *zip;
    char prefix[512];
    /* legacy form */
    struct storage { const char *key; size_t key_size; uint64_t offset, count; } *list;
    size_t n;
};

struct loader {
    struct weights *w;
    uint32_t file;
    const char *path;
    const struct storages *storages;
    struct nn_error *error;
};

static enum nn_status fail(const struct loader *l, const char *what)
{
    return nn_fail(l->error, NN_ERROR_INVALID, "%s: %s", l->path, what);
}

static enum nn_status check_plain(const struct loader *l, const struct zip_entry *e)
{
    return e->plain ? NN_OK
                    : nn_fail(l->error, NN_ERROR_UNSUPPORTED,
                              "%s: entry \"%.*s\" is compressed or encrypted; PyTorch "
                              "stores its tensors plainly", l->path,
                              (int)(e->name_size < 100 ? e->name_size : 100), e->name);
}

/* --- Storages ----------------------------------------------------------------------------- */

static enum nn_status locate(const struct loader *l, const struct pickle_value *storage,
                             const char *tensor, uint64_t *offset)
{
    const struct storages *s = l->storages;
    size_t element = weights_type_size(storage->storage_type);
    uint64_t need = (uint64_t)storage->integer * element;
    if (!s->zip) {
        for (size_t i = 0; i < s->n; i++) {
            if (s->list[i].key_size == storage->size
                && memcmp(s->list[i].key, storage->text, storage->size) == 0) {
                *offset = s->list[i].offset;
                return s->list[i].count >= (uint64_t)storage->integer
                           ? NN_OK : fail(l, "a storage is shorter than it says");
            }
        }
        return nn_fail(l->error, NN_ERROR_INVALID,
                       "%s: tensor \"%.200s\": its storage is not in the file", l->path,
                       tensor);
    }
    char name[1024];
    int length = storage->size < 256 && !memchr(storage->text, '/', storage->size)
                     ? snprintf(name, sizeof name, "%sdata/%.*s", s->prefix,
                                (int)storage->size, storage->text) : -1;
    const struct zip_entry *entry =
        length > 0 && length < (int)sizeof name ? zip_find(s->zip, name, (size_t)length)
                                                : NULL;
    if (!entry) {
        return nn_fail(l->error, NN_ERROR_INVALID,
                       "%s: tensor \"%.200s\": its storage is not in the archive", l->path,
                       tensor);
    }
    if (check_plain(l, entry) != NN_OK) {
        return NN_ERROR_UNSUPPORTED;
    }
    if ((uint64_t)storage->integer > (1ull << 40) || entry->size < need) {
        return nn_fail(l->error, NN_ERROR_INVALID,
                       "%s: tensor \"%.200s\": its storage is shorter than it says",
                       l->path, tensor);
    }
    *offset = entry->offset;
    return NN_OK;
}

static bool is_contiguous(const struct pickle_value *t)
{
    uint64_t expected = 1;
    for (int i = t->rank; i-- > 0;) {
        if (t->shape[i] != 1 && t->stride[i] != expected) {
            return false;
        }
        expected *= t->shape[i];
    }
    return true;
}

static enum nn_status add_tensor(const struct loader *l, const char *name,
                                 const struct pickle_value *value)
{
    struct weights_tensor t = { .name = name, .type = value->storage->storage_type,
                                .rank = value->rank, .count = value->count };
    struct weights_source s = { .file = l->file, .contiguous = is_contiguous(value) };
    uint64_t base = 0;
    memcpy(t.shape, value->shape, sizeof t.shape);
    memcpy(s.stride, value->stride, sizeof s.stride);
    enum nn_status status = locate(l, value->storage, name, &base);
    if (status != NN_OK) {
        return status;
    }
    s.offset = base + value->offset * weights_type_size(t.type);
    return weights_add(l->w, &t, &s, l->error);
}

/* --- From values to tensors ------------------------------------------------------------------ */

static bool copy_key(const struct pickle_value *key, char *out, size_t room)
{
    if (key->type != PICKLE_TEXT || key->size >= room
        || memchr(key->text, '\0', key->size)) {
        return false;
    }
    memcpy(out, key->text, key->size);
    out[key->size] = '\0';
    return true;
}

/* Tensors of a flat state dict. What is not a tensor is left out. */
static enum nn_status add_dict(const struct loader *l, const struct pickle_value *dict)
{
    char name[WEIGHTS_MAX_NAME];
    for (uint32_t i = 0; i + 1 < dict->size; i += 2) {
        if (dict->items[i + 1]->type != PICKLE_TENSOR
            || !copy_key(dict->items[i], name, sizeof name)) {
            continue;
        }
        enum nn_status status = add_tensor(l, name, dict->items[i + 1]);
        if (status != NN_OK) {
            return status;
        }
    }
    return NN_OK;
}

/* Tensors of a tree of modules, named by the path of attributes. */
static enum nn_status add_object(const struct loader *l, const struct pickle_value *object,
                                 char *name, size_t used, int depth)
{
    if (depth > MAX_SCRIPT_DEPTH) {
        return fail(l, "its modules are nested too deep");
    }
    for (uint32_t i = 0; i + 1 < object->size; i += 2) {
        const struct pickle_value *value = object->items[i + 1];
        if (!copy_key(object->items[i], name + used, WEIGHTS_MAX_NAME - used - 2)) {
            return fail(l, "an attribute's name is too long or no text");
        }
        size_t end = used + strlen(name + used);
        enum nn_status status = NN_OK;
        if (value->type == PICKLE_TENSOR) {
            status = add_tensor(l, name, value);
        } else if (value->type == PICKLE_OBJECT) {
            strcpy(name + end, ".");
            status = add_object(l, value, name, end + 1, depth + 1);
        }
        if (status != NN_OK) {
            return status;
        }
    }
    return NN_OK;
}

static enum nn_status add_labels(const struct loader *l, const struct pickle_value *dict)
{
    char name[WEIGHTS_MAX_NAME];
    for (uint32_t i = 0; i + 1 < dict->size; i += 2) {
        int64_t index = dict->items[i]->integer;
        if (dict->items[i]->type == PICKLE_TEXT && copy_key(dict->items[i], name, 24)) {
            char *end = NULL;
            index = strtoll(name, &end, 10);
            if (*end || end == name) {
                continue;
            }
        } else if (dict->items[i]->type != PICKLE_INT) {
            continue;
        }
        if (copy_key(dict->items[i + 1], name, sizeof name)) {
            enum nn_status status = weights_add_label(l->w, index, name, l->error);
            if (status != NN_OK) {
                return status;
            }
        }
    }
    return NN_OK;
}

/* The dict that holds the weights: the root, or what it has under a usual key. */
static const struct pickle_value *find_state(const struct pickle_value *root)
{
    static const char *const usual[] = { "state_dict", "model", "model_state_dict" };
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        const struct pickle_value *inner = pickle_get(root, usual[i]);
        if (inner && inner != root && inner->type == PICKLE_DICT) {
            return inner;
        }
    }
    return root;
}

static enum nn_status add_root(const struct loader *l, const struct pickle_value *root)
{
    enum nn_status status;
    if (root->type == PICKLE_OBJECT) {
        char name[WEIGHTS_MAX_NAME];
        status = add_object(l, root, name, 0, 0);
    } else if (root->type == PICKLE_DICT) {
        const struct pickle_value *labels = pickle_get(root, "idx_to_class");
        status = add_dict(l, find_state(root));
        if (status == NN_OK && labels && labels->type == PICKLE_DICT) {
            status = add_labels(l, labels);
        }
    } else {
        return fail(l, "the file holds no dictionary of weights");
    }
    if (status == NN_OK && l->w->n == 0) {
        status = fail(l, "the file holds no weights");
    }
    return status;
}

/* --- The zip form ------------------------------------------------------------------------------- */

static bool ends_with(const struct zip_entry *e, const char *suffix)
{
    size_t n = strlen(suffix);
    return e->name_size >= n && memcmp(e->name + e->name_size - n, suffix, n) == 0;
}

/* The entry data.pkl of the only top folder. */
static enum nn_status find_pickle(const struct loader *l, const struct zip *zip,
                                  const struct zip_entry **out)
{
    *out = NULL;
    for (size_t i = 0; i < zip->n; i++) {
        const struct zip_entry *e = &zip->entries[i];
        if (ends_with(e, "/data.pkl")
            && memchr(e->name, '/', e->name_size) == e->name + e->name_size - 9) {
            if (*out) {
                return fail(l, "the archive holds two data.pkl");
            }
            *out = e;
        }
    }
    return *out ? NN_OK : fail(l, "the archive holds no data.pkl, so it is no PyTorch file");
}

static enum nn_status check_byte_order(const struct loader *l, const struct zip *zip,
                                       const char *prefix)
{
    char name[600];
    int length = snprintf(name, sizeof name, "%sbyteorder", prefix);
    const struct zip_entry *e = zip_find(zip, name, (size_t)length);
    const uint8_t *data = l->w->files[l->file].data;
    if (e && (e->size < 6 || memcmp(data + e->offset, "little", 6) != 0)) {
        return nn_fail(l->error, NN_ERROR_UNSUPPORTED,
                       "%s: the file was written in big-endian byte order", l->path);
    }
    return NN_OK;
}

static enum nn_status read_archive(struct loader *l, const struct zip *zip)
{
    const struct weights_file *f = &l->w->files[l->file];
    struct storages storages = { .zip = zip };
    const struct zip_entry *e;
    enum nn_status status = find_pickle(l, zip, &e);
    if (status != NN_OK) {
        return status;
    }
    if ((status = check_plain(l, e)) != NN_OK) {
        return status;
    }
    size_t prefix = e->name_size - 8;
    if (prefix >= sizeof storages.prefix) {
        return fail(l, "the archive's folder has too long a name");
    }
    memcpy(storages.prefix, e->name, prefix);
    status = check_byte_order(l, zip, storages.prefix);
    if (status != NN_OK) {
        return status;
    }
    if (e->size > UINT32_MAX
        || crc32(0, f->data + e->offset, (uInt)e->size) != e->crc) {
        return fail(l, "the checksum of data.pkl is wrong: the file is damaged");
    }
    char constants[600];
    int length = snprintf(constants, sizeof constants, "%sconstants.pkl", storages.prefix);
    bool script = zip_find(zip, constants, (size_t)length) != NULL;
    l->w->container = script ? "TorchScript" : "PyTorch zip";
    struct pickle_params params = {
        .path = l->path, .data = f->data + e->offset, .size = e->size, .base = e->offset,
        .max_count = f->size > 1000000 ? f->size : 1000000, .script = script };
    struct pickle *pickle = NULL;
    uint64_t used;
    status = pickle_read(&pickle, &params, &used, l->error);
    if (status == NN_OK) {
        l->storages = &storages;
        status = add_root(l, pickle_root(pickle));
    }
    pickle_destroy(&pickle);
    return status;
}

/* --- The legacy form ----------------------------------------------------------------------------- */

struct legacy { struct pickle *pickles[5]; uint64_t at; };

/* A pickled integer of ten bytes: 0x1950a86a20f9469cfc6c. */
static bool has_magic(const struct weights_file *f)
{
    static const uint8_t magic[] = { 0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                     0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };
    return f->size > sizeof magic && memcmp(f->data, magic, sizeof magic) == 0;
}

/* After the list of keys: for each an element count and the bytes. Element sizes are
 * known from the storages that the tensors name, so the object is walked for them. */
static size_t element_size(const struct pickle_value *value, const char *key, size_t size,
                           int depth)
{
    if (value->type == PICKLE_TENSOR) {
        const struct pickle_value *s = value->storage;
        return s->size == size && memcmp(s->text, key, size) == 0
                   ? weights_type_size(s->storage_type) : 0;
    }
    size_t found = 0;
    if (depth < 16 && (value->type == PICKLE_DICT || value->type == PICKLE_LIST
                       || value->type == PICKLE_TUPLE)) {
        for (uint32_t i = 0; i < value->size && !found; i++) {
            found = element_size(value->items[i], key, size, depth + 1);
        }
    }
    return found;
}

static enum nn_status read_storages(const struct loader *l, struct storages *storages,
                                    const struct pickle_value *keys,
                                    const struct pickle_value *object, uint64_t at)
{
    const struct weights_file *f = &l->w->files[l->file];
    if (keys->type != PICKLE_LIST || keys->size > 200000) {
        return fail(l, "the list of storages is no list");
    }
    storages->list = calloc(keys->size + 1, sizeof *storages->list);
    if (!storages->list) {
        return fail(l, "out of memory");
    }
    for (uint32_t i = 0; i < keys->size; i++) {
        const struct pickle_value *key = keys->items[i];
        uint64_t count;
        if (key->type != PICKLE_TEXT || f->size - at < 8) {
            return fail(l, "the file ends before its storages");
        }
        memcpy(&count, f->data + at, 8);
        at += 8;
        size_t element = element_size(object, key->text, key->size, 0);
        if (element == 0) {
            return fail(l, "a storage that no tensor names");
        }
        if (count > (f->size - at) / element) {
            return fail(l, "the file ends inside a storage");
        }
        storages->list[storages->n++] =
            (struct storage){ key->text, key->size, at, count };
        at += count * element;
    }
    return NN_OK;
}

static enum nn_status read_legacy(struct loader *l)
{
    const struct weights_file *f = &l->w->files[l->file];
    struct legacy legacy = { 0 };
    struct storages storages = { 0 };
    enum nn_status status = NN_OK;
    l->w->container = "PyTorch legacy";
    /* magic, protocol version, system facts, the object, the storages' keys */
    for (int i = 0; i < 5 && status == NN_OK; i++) {
        struct pickle_params params = {
            .path = l->path, .data = f->data + legacy.at, .size = f->size - legacy.at,
            .base = legacy.at, .max_count = f->size > 1000000 ? f->size : 1000000 };
        uint64_t used = 0;
        status = pickle_read(&legacy.pickles[i], &params, &used, l->error);
        legacy.at += used;
    }
    if (status == NN_OK) {
        const struct pickle_value *object = pickle_root(legacy.pickles[3]);
        status = read_storages(l, &storages, pickle_root(legacy.pickles[4]), object,
                               legacy.at);
        l->storages = &storages;
        if (status == NN_OK) {
            status = add_root(l, object);
        }
    }
    for (int i = 0; i < 5; i++) {
        pickle_destroy(&legacy.pickles[i]);
    }
    free(storages.list);
    return status;
}

enum nn_status weights_read_torch(struct weights *w, uint32_t file,
                                  struct nn_error *error)
{
    const struct weights_file *f = &w->files[file];
    struct loader l = { w, file, f->path, NULL, error };
    w->container = "PyTorch";
    if (has_magic(f)) {
        return read_legacy(&l);
    }
    if (f->size < 4 || memcmp(f->data, "PK", 2) != 0) {
        return fail(&l, "this is neither a safetensors file nor a PyTorch checkpoint");
    }
    struct zip zip = { 0 };
    enum nn_status status = zip_open(&zip, f, error);
    if (status == NN_OK) {
        status = read_archive(&l, &zip);
    }
    zip_close(&zip);
    return status;
}
