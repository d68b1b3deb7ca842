/* Opening, the tensor list and reading values; the containers have files of their own. */
#include "compute/weights/weights_private.h"

#include "compute/half.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASE_BYTES (1u << 16)

static const struct { const char *name; size_t size; } types[] = {
    [WEIGHTS_F32] = { "F32", 4 },   [WEIGHTS_F64] = { "F64", 8 },
    [WEIGHTS_F16] = { "F16", 2 },   [WEIGHTS_BF16] = { "BF16", 2 },
    [WEIGHTS_I64] = { "I64", 8 },   [WEIGHTS_I32] = { "I32", 4 },
    [WEIGHTS_I16] = { "I16", 2 },   [WEIGHTS_I8] = { "I8", 1 },
    [WEIGHTS_U64] = { "U64", 8 },   [WEIGHTS_U32] = { "U32", 4 },
    [WEIGHTS_U16] = { "U16", 2 },   [WEIGHTS_U8] = { "U8", 1 },
    [WEIGHTS_BOOL] = { "BOOL", 1 }, [WEIGHTS_OPAQUE] = { "opaque", 0 },
};

size_t weights_type_size(enum weights_type type)
{
    return types[type].size;
}

const char *weights_type_name(enum weights_type type)
{
    return types[type].name;
}

bool weights_product(const uint64_t *shape, int rank, uint64_t *out)
{
    uint64_t product = 1;
    bool zero = false;
    for (int i = 0; i < rank; i++) {
        zero = zero || shape[i] == 0;
        if (shape[i] > (1ull << 40)) {
            return false;
        }
    }
    for (int i = 0; i < rank && !zero; i++) {
        if (__builtin_mul_overflow(product, shape[i], &product)
            || product > (1ull << 40)) {
            return false;
        }
    }
    *out = zero ? 0 : product;
    return true;
}

char *weights_copy_text(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

char *weights_sibling(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
    char *out = malloc(dir + strlen(name) + 1);
    if (out) {
        memcpy(out, path, dir);
        strcpy(out + dir, name);
    }
    return out;
}

/* --- Files ---------------------------------------------------------------------------- */

enum nn_status weights_add_file(struct weights *w, const char *path, uint32_t *out,
                                struct nn_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0) {
        int code = errno;
        if (fd >= 0) {
            close(fd);
        }
        return nn_fail(error, NN_ERROR_IO, "%s: %s", path, strerror(code));
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        close(fd);
        return nn_fail(error, NN_ERROR_INVALID, "%s: %s", path,
                       S_ISREG(info.st_mode) ? "the file is empty"
                                             : "this is not a regular file");
    }
    void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int code = errno;
    close(fd);
    if (data == MAP_FAILED) {
        return nn_fail(error, NN_ERROR_IO, "%s: %s", path, strerror(code));
    }
    void *grown = realloc(w->files, (w->n_files + 1) * sizeof *w->files);
    char *copy = weights_copy_text(path, strlen(path));
    w->files = grown ? grown : w->files;
    if (!grown || !copy) {
        munmap(data, (size_t)info.st_size);
        free(copy);
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    }
    w->files[w->n_files] =
        (struct weights_file){ copy, data, (uint64_t)info.st_size };
    *out = w->n_files++;
    return NN_OK;
}

enum nn_status weights_add(struct weights *w, const struct weights_tensor *tensor,
                           const struct weights_source *source, struct nn_error *error)
{
    const char *path = w->files[source->file].path;
    if (w->n >= WEIGHTS_MAX_TENSORS) {
        return nn_fail(error, NN_ERROR_INVALID, "%s: too many tensors", path);
    }
    if (w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 256;
        void *tensors = realloc(w->tensors, room * sizeof *w->tensors);
        w->tensors = tensors ? tensors : w->tensors;
        void *sources = realloc(w->sources, room * sizeof *w->sources);
        w->sources = sources ? sources : w->sources;
        if (!tensors || !sources) {
            return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
        }
        w->room = room;
    }
    struct weights_tensor copy = *tensor;
    copy.name = weights_copy_text(tensor->name, strlen(tensor->name));
    copy.location[0] = w->n;
    if (!copy.name) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    }
    w->sources[w->n] = *source;
    w->tensors[w->n++] = copy;
    return NN_OK;
}

enum nn_status weights_add_label(struct weights *w, int64_t index, const char *name,
                                 struct nn_error *error)
{
    if (w->n_labels == w->labels_room) {
        size_t room = w->labels_room ? 2 * w->labels_room : 64;
        void *grown = room <= 4000000 ? realloc(w->labels, room * sizeof *w->labels) : NULL;
        if (!grown) {
            return nn_fail(error, NN_ERROR_MEMORY, "%s: too many labels", w->path);
        }
        w->labels = grown;
        w->labels_room = room;
    }
    char *copy = weights_copy_text(name, strlen(name));
    if (!copy) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", w->path);
    }
    w->labels[w->n_labels++] = (struct weights_label){ index, copy };
    return NN_OK;
}

/* --- Opening ---------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static bool begins_with(const struct weights_file *file, const char *text)
{
    size_t n = strlen(text);
    return file->size >= n && memcmp(file->data, text, n) == 0;
}

/* Files that people often have in place of a checkpoint. */
static enum nn_status check_impostor(const struct weights_file *file,
                                     struct nn_error *error)
{
    if (begins_with(file, "version https://git-lfs")) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "%s: this is a Git LFS pointer, not the file itself; fetch it with "
                       "`git lfs pull`", file->path);
    }
    if (begins_with(file, "<!DOCTYPE") || begins_with(file, "<!doctype")
        || begins_with(file, "<html") || begins_with(file, "<HTML")) {
        return nn_fail(error, NN_ERROR_INVALID,
                       "%s: this is a web page, not a checkpoint", file->path);
    }
    return NN_OK;
}

static enum nn_status read_container(struct weights *w, uint32_t file,
                                     struct nn_error *error)
{
    const struct weights_file *f = &w->files[file];
    enum nn_status status = check_impostor(f, error);
    if (status != NN_OK) {
        return status;
    }
    if (ends_with(f->path, ".json")) {
        w->container = "safetensors (sharded)";
        return weights_read_shards(w, file, error);
    }
    if (begins_with(f, "PK")) {
        return weights_read_torch(w, file, error);
    }
    if (ends_with(f->path, ".safetensors")
        || (f->size > 8 && f->data[8] == '{' && f->data[7] == 0 && f->data[6] == 0)) {
        w->container = "safetensors";
        return weights_read_safetensors(w, file, error);
    }
    return weights_read_torch(w, file, error);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct weights_tensor *)left)->name,
                  ((const struct weights_tensor *)right)->name);
}

static int by_index(const void *left, const void *right)
{
    int64_t a = ((const struct weights_label *)left)->index;
    int64_t b = ((const struct weights_label *)right)->index;
    return a < b ? -1 : a > b;
}

/* `module.` is what a parallel wrapper leaves; it is taken off when every name has it. */
static void strip_module_prefix(struct weights *w)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strncmp(w->tensors[i].name, "module.", 7) != 0) {
            return;
        }
    }
    for (size_t i = 0; i < w->n; i++) {
        char *name = (char *)w->tensors[i].name;
        memmove(name, name + 7, strlen(name + 7) + 1);
    }
}

static enum nn_status finish(struct weights *w, struct nn_error *error)
{
    strip_module_prefix(w);
    if (w->n > 0) {
        qsort(w->tensors, w->n, sizeof *w->tensors, by_name);
    }
    if (w->n_labels > 0) {
        qsort(w->labels, w->n_labels, sizeof *w->labels, by_index);
    }
    for (size_t i = 1; i < w->n; i++) {
        if (strcmp(w->tensors[i].name, w->tensors[i - 1].name) == 0) {
            return nn_fail(error, NN_ERROR_INVALID, "%s: two tensors are called \"%.200s\"",
                           w->path, w->tensors[i].name);
        }
    }
    return NN_OK;
}

/* The checkpoint of a folder: a usual name, or the only file of a usual kind. */
static char *find_in_folder(const char *path, struct nn_error *error)
{
    static const char *const usual[] = {
        "model.safetensors", "model.safetensors.index.json",
        "open_clip_model.safetensors", "pytorch_model.bin",
        "open_clip_pytorch_model.bin", "model.pth", "model.pt" };
    size_t size = strlen(path) + 300;
    char *file = malloc(size);
    for (size_t i = 0; file && i < sizeof usual / sizeof usual[0]; i++) {
        snprintf(file, size, "%s/%s", path, usual[i]);
        if (access(file, F_OK) == 0) {
            return file;
        }
    }
    DIR *dir = file ? opendir(path) : NULL;
    int found = 0;
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (ends_with(e->d_name, ".safetensors") || ends_with(e->d_name, ".pth")
            || ends_with(e->d_name, ".pt") || ends_with(e->d_name, ".bin")) {
            snprintf(file, size, "%s/%.255s", path, e->d_name);
            found++;
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (found == 1) {
        return file;
    }
    free(file);
    nn_fail(error, NN_ERROR_INVALID, found ? "%s: the folder holds several checkpoints; "
            "name one" : "%s: the folder holds no checkpoint", path);
    return NULL;
}

static enum nn_status open_path(struct weights *w, const char *path,
                                struct nn_error *error)
{
    struct stat info;
    char *inner = NULL;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        inner = find_in_folder(path, error);
        if (!inner) {
            return NN_ERROR_INVALID;
        }
    }
    uint32_t file;
    w->path = weights_copy_text(inner ? inner : path, strlen(inner ? inner : path));
    free(inner);
    if (!w->path) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    }
    enum nn_status status = weights_add_file(w, w->path, &file, error);
    if (status == NN_OK) {
        status = read_container(w, file, error);
    }
    return status == NN_OK ? finish(w, error) : status;
}

enum nn_status weights_open(struct weights **out, const char *path,
                            struct nn_error *error)
{
    struct weights *w = calloc(1, sizeof *w);
    if (!w) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", path);
    }
    enum nn_status status = open_path(w, path, error);
    if (status != NN_OK) {
        weights_destroy(&w);
        return status;
    }
    *out = w;
    return NN_OK;
}

static enum nn_status copy_tensors(struct weights *w, const struct weights_tensor *tensors,
                                   size_t n, struct nn_error *error)
{
    w->tensors = calloc(n + 1, sizeof *w->tensors);
    if (!w->path || !w->tensors) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a list of tensors");
    }
    for (; w->n < n; w->n++) {
        struct weights_tensor *t = &w->tensors[w->n];
        *t = tensors[w->n];
        t->type = WEIGHTS_F32;
        t->name = weights_copy_text(t->name, strlen(t->name));
        if (!t->name) {
            return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", w->path);
        }
        if (!weights_product(t->shape, t->rank, &t->count)) {
            w->n++; /* its name is freed with the others */
            return nn_fail(error, NN_ERROR_INVALID, "%s: \"%.200s\" is too large", w->path,
                           t->name);
        }
    }
    return finish(w, error);
}

enum nn_status weights_make(struct weights **out, const char *name,
                            const struct weights_tensor *tensors, size_t n,
                            weights_fill fill, const void *user, size_t user_bytes,
                            struct nn_error *error)
{
    struct weights *w = calloc(1, sizeof *w);
    if (!w) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", name);
    }
    w->path = weights_copy_text(name, strlen(name));
    w->container = "formula";
    w->fill = fill;
    w->fill_user = malloc(user_bytes + 1);
    if (w->fill_user && user_bytes > 0) {
        memcpy(w->fill_user, user, user_bytes);
    }
    enum nn_status status =
        w->fill_user ? copy_tensors(w, tensors, n, error)
                     : nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", name);
    if (status != NN_OK) {
        weights_destroy(&w);
        return status;
    }
    *out = w;
    return NN_OK;
}

void weights_destroy(struct weights **weights)
{
    if (!weights || !*weights) {
        return;
    }
    struct weights *w = *weights;
    for (uint32_t i = 0; i < w->n_files; i++) {
        munmap((void *)w->files[i].data, (size_t)w->files[i].size);
        free(w->files[i].path);
    }
    for (size_t i = 0; i < w->n; i++) {
        free((char *)w->tensors[i].name);
    }
    for (size_t i = 0; i < w->n_labels; i++) {
        free((char *)w->labels[i].name);
    }
    for (size_t i = 0; i < w->n_metadata; i++) {
        free((char *)w->metadata[i].key);
        free((char *)w->metadata[i].value);
    }
    free(w->files);
    free(w->tensors);
    free(w->sources);
    free(w->labels);
    free(w->metadata);
    free(w->fill_user);
    free(w->path);
    free(w);
    *weights = NULL;
}

/* --- The list --------------------------------------------------------------------------- */

const char *weights_path(const struct weights *weights)
{
    return weights->path;
}

const char *weights_container(const struct weights *weights)
{
    return weights->container;
}

size_t weights_count(const struct weights *weights)
{
    return weights->n;
}

const struct weights_tensor *weights_at(const struct weights *weights, size_t index)
{
    return &weights->tensors[index];
}

const struct weights_tensor *weights_find(const struct weights *weights,
                                          const char *name)
{
    struct weights_tensor key = { .name = name };
    return weights->n ? bsearch(&key, weights->tensors, weights->n,
                                sizeof *weights->tensors, by_name) : NULL;
}

const struct weights_label *weights_labels(const struct weights *weights, size_t *count)
{
    *count = weights->n_labels;
    return weights->labels;
}

const char *weights_metadata(const struct weights *weights, const char *key)
{
    for (size_t i = 0; i < weights->n_metadata; i++) {
        if (strcmp(weights->metadata[i].key, key) == 0) {
            return weights->metadata[i].value;
        }
    }
    return NULL;
}

/* --- Values -------------------------------------------------------------------------------- */

/* Calls for every element in row-major order would be slow; runs along the last
 * dimension are handed over instead. */
typedef void (*run_function)(const uint8_t *from, uint64_t count, uint64_t stride_bytes,
                             size_t element, void *to);

static void walk(const struct weights *w, const struct weights_tensor *t, size_t out_size,
                 run_function run, void *out)
{
    if (w->fill) { /* always F32, so no reader asks for anything else */
        w->fill(w->fill_user, t, out);
        return;
    }
    const struct weights_source *s = &w->sources[t->location[0]];
    const uint8_t *base = w->files[s->file].data + s->offset;
    size_t element = types[t->type].size;
    if (t->count == 0) {
        return;
    }
    if (s->contiguous || t->rank == 0) {
        run(base, t->count, element, element, out);
        return;
    }
    uint64_t index[WEIGHTS_MAX_RANK] = { 0 };
    int last = t->rank - 1;
    char *to = out;
    for (;;) {
        uint64_t at = 0;
        for (int i = 0; i < last; i++) {
            at += index[i] * s->stride[i];
        }
        run(base + at * element, t->shape[last], s->stride[last] * element, element, to);
        to += t->shape[last] * out_size;
        int i = last - 1;
        while (i >= 0 && ++index[i] == t->shape[i]) {
            index[i--] = 0;
        }
        if (i < 0) {
            return;
        }
    }
}

static void copy_raw(const uint8_t *from, uint64_t count, uint64_t stride, size_t element,
                     void *to)
{
    if (stride == element) {
        memcpy(to, from, count * element);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        memcpy((char *)to + i * element, from + i * stride, element);
    }
}

static float bfloat_to_float(uint16_t b)
{
    uint32_t bits = (uint32_t)b << 16;
    float out;
    memcpy(&out, &bits, 4);
    return out;
}

/* NAME(function, stored type, value to output type, output type) */
#define RUN(name, stored, expression, output)                                          \
    static void name(const uint8_t *from, uint64_t count, uint64_t stride,             \
                     size_t element, void *to)                                         \
    {                                                                                  \
        output *y = to;                                                                \
        for (uint64_t i = 0; i < count; i++) {                                         \
            stored v;                                                                  \
            memcpy(&v, from + i * stride, sizeof v);                                   \
            y[i] = (output)(expression);                                               \
        }                                                                              \
    }

RUN(f32_of_f32, float, v, float)
RUN(f32_of_f64, double, v, float)
RUN(f32_of_f16, uint16_t, nn_half_to_float(v), float)
RUN(f32_of_bf16, uint16_t, bfloat_to_float(v), float)
RUN(f32_of_i64, int64_t, v, float)
RUN(f32_of_i32, int32_t, v, float)
RUN(f32_of_i16, int16_t, v, float)
RUN(f32_of_i8, int8_t, v, float)
RUN(f32_of_u64, uint64_t, v, float)
RUN(f32_of_u32, uint32_t, v, float)
RUN(f32_of_u16, uint16_t, v, float)
RUN(f32_of_u8, uint8_t, v, float)
RUN(i64_of_i64, int64_t, v, int64_t)
RUN(i64_of_i32, int32_t, v, int64_t)
RUN(i64_of_i16, int16_t, v, int64_t)
RUN(i64_of_i8, int8_t, v, int64_t)
RUN(i64_of_u64, uint64_t, v, int64_t)
RUN(i64_of_u32, uint32_t, v, int64_t)
RUN(i64_of_u16, uint16_t, v, int64_t)
RUN(i64_of_u8, uint8_t, v, int64_t)

static const struct { run_function f32, i64; } runs[] = {
    [WEIGHTS_F32] = { f32_of_f32, NULL },        [WEIGHTS_F64] = { f32_of_f64, NULL },
    [WEIGHTS_F16] = { f32_of_f16, NULL },        [WEIGHTS_BF16] = { f32_of_bf16, NULL },
    [WEIGHTS_I64] = { f32_of_i64, i64_of_i64 },  [WEIGHTS_I32] = { f32_of_i32, i64_of_i32 },
    [WEIGHTS_I16] = { f32_of_i16, i64_of_i16 },  [WEIGHTS_I8] = { f32_of_i8, i64_of_i8 },
    [WEIGHTS_U64] = { f32_of_u64, i64_of_u64 },  [WEIGHTS_U32] = { f32_of_u32, i64_of_u32 },
    [WEIGHTS_U16] = { f32_of_u16, i64_of_u16 },  [WEIGHTS_U8] = { f32_of_u8, i64_of_u8 },
    [WEIGHTS_BOOL] = { f32_of_u8, i64_of_u8 },   [WEIGHTS_OPAQUE] = { NULL, NULL },
};

static enum nn_status wrong_type(const struct weights *w, const struct weights_tensor *t,
                                 const char *want, struct nn_error *error)
{
    return nn_fail(error, NN_ERROR_INVALID, "%s: tensor \"%.200s\" is %s, not %s", w->path,
                   t->name, types[t->type].name, want);
}

/* Lets go of the mapped pages of a large tensor, which is rarely read twice: resident
 * memory does not hold a model's file beside the copy that was made of it. */
static void release_pages(const struct weights *w, const struct weights_tensor *t)
{
    if (w->fill) {
        return; /* made by a function, not mapped */
    }
    const struct weights_source *s = &w->sources[t->location[0]];
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t first = (s->offset + page - 1) / page * page;
    uint64_t last = (s->offset + t->count * types[t->type].size) / page * page;
    if (s->contiguous && last > first && last - first >= RELEASE_BYTES) {
        madvise((void *)(w->files[s->file].data + first), last - first, MADV_DONTNEED);
    }
}

void weights_release(const struct weights *weights)
{
    for (size_t i = 0; i < weights->n_files; i++) {
        madvise((void *)weights->files[i].data, (size_t)weights->files[i].size,
                MADV_DONTNEED);
    }
}

enum nn_status weights_read_f32(const struct weights *weights,
                                const struct weights_tensor *tensor, float *out,
                                struct nn_error *error)
{
    if (!runs[tensor->type].f32) {
        return wrong_type(weights, tensor, "a number", error);
    }
    walk(weights, tensor, sizeof *out, runs[tensor->type].f32, out);
    release_pages(weights, tensor);
    return NN_OK;
}

bool weights_read_rows_f32(const struct weights *weights,
                           const struct weights_tensor *tensor, const int32_t *rows,
                           uint32_t n, float *out)
{
    run_function run = runs[tensor->type].f32;
    if (weights->fill || tensor->rank != 2 || !run) {
        return false;
    }
    const struct weights_source *s = &weights->sources[tensor->location[0]];
    const uint8_t *base = weights->files[s->file].data + s->offset;
    size_t element = types[tensor->type].size;
    uint64_t width = tensor->shape[1];
    for (uint32_t i = 0; i < n && s->contiguous; i++, out += width) {
        if (rows[i] < 0 || (uint64_t)rows[i] >= tensor->shape[0]) {
            memset(out, 0, width * sizeof *out);
        } else {
            run(base + (uint64_t)rows[i] * width * element, width, element, element, out);
        }
    }
    return s->contiguous;
}

enum nn_status weights_read_i64(const struct weights *weights,
                                const struct weights_tensor *tensor, int64_t *out,
                                struct nn_error *error)
{
    if (!runs[tensor->type].i64) {
        return wrong_type(weights, tensor, "an integer", error);
    }
    walk(weights, tensor, sizeof *out, runs[tensor->type].i64, out);
    return NN_OK;
}

enum nn_status weights_read_raw(const struct weights *weights,
                                const struct weights_tensor *tensor, void *out,
                                struct nn_error *error)
{
    if (tensor->type == WEIGHTS_OPAQUE) {
        return wrong_type(weights, tensor, "a type with a size", error);
    }
    walk(weights, tensor, types[tensor->type].size, copy_raw, out);
    return NN_OK;
}
