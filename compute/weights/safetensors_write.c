/* Writing safetensors files. */
#include "compute/weights/weights_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text { char *data; size_t size, room; bool failed; };

static void put(struct text *t, const char *data, size_t size)
{
    if (t->size + size + 1 > t->room) {
        size_t room = 2 * t->room + size + 256;
        char *grown = realloc(t->data, room);
        if (!grown) {
            t->failed = true;
            return;
        }
        t->data = grown;
        t->room = room;
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
}

static void put_text(struct text *t, const char *data)
{
    put(t, data, strlen(data));
}

static void put_number(struct text *t, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    put_text(t, number);
}

static void put_quoted(struct text *t, const char *value)
{
    put_text(t, "\"");
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        char escape[8];
        if (*c == '"' || *c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)*c;
            put(t, escape, 2);
        } else if (*c < 0x20) {
            snprintf(escape, sizeof escape, "\\u%04x", *c);
            put_text(t, escape);
        } else {
            put(t, (const char *)c, 1);
        }
    }
    put_text(t, "\"");
}

static uint64_t count_of(const struct weights_output *o)
{
    uint64_t count = 0;
    return weights_product(o->shape, o->rank, &count) ? count : UINT64_MAX;
}

static int by_layout(const void *left, const void *right)
{
    const struct weights_output *a = *(const struct weights_output *const *)left;
    const struct weights_output *b = *(const struct weights_output *const *)right;
    size_t size_a = weights_type_size(a->type), size_b = weights_type_size(b->type);
    if (size_a != size_b) {
        return size_a < size_b ? 1 : -1;
    }
    return strcmp(a->name, b->name);
}

static void put_header(struct text *t, const struct weights_output *const *order, size_t n,
                       const struct weights_pair *metadata, size_t n_metadata)
{
    uint64_t at = 0;
    put_text(t, "{");
    if (n_metadata > 0) {
        put_text(t, "\"__metadata__\":{");
        for (size_t i = 0; i < n_metadata; i++) {
            put_text(t, i ? "," : "");
            put_quoted(t, metadata[i].key);
            put_text(t, ":");
            put_quoted(t, metadata[i].value);
        }
        put_text(t, n ? "}," : "}");
    }
    for (size_t i = 0; i < n; i++) {
        put_text(t, i ? "," : "");
        put_quoted(t, order[i]->name);
        put_text(t, ":{\"dtype\":\"");
        put_text(t, weights_type_name(order[i]->type));
        put_text(t, "\",\"shape\":[");
        for (int d = 0; d < order[i]->rank; d++) {
            put_text(t, d ? "," : "");
            put_number(t, order[i]->shape[d]);
        }
        put_text(t, "],\"data_offsets\":[");
        put_number(t, at);
        at += count_of(order[i]) * weights_type_size(order[i]->type);
        put_text(t, ",");
        put_number(t, at);
        put_text(t, "]}");
    }
    put_text(t, "}");
    while (t->size % 8 != 0 && !t->failed) {
        put_text(t, " ");
    }
}

static enum nn_status write_tensor(FILE *file, const struct weights_output *o,
                                   struct nn_error *error)
{
    size_t bytes = (size_t)count_of(o) * weights_type_size(o->type);
    if (!o->read) {
        return fwrite(o->values, 1, bytes, file) == bytes
                   ? NN_OK : nn_fail(error, NN_ERROR_IO, "%s", strerror(errno));
    }
    void *values = malloc(bytes + 1);
    enum nn_status status = values ? o->read(o->user, values, error)
                                   : nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    if (status == NN_OK && fwrite(values, 1, bytes, file) != bytes) {
        status = nn_fail(error, NN_ERROR_IO, "%s", strerror(errno));
    }
    free(values);
    return status;
}

static enum nn_status write_all(FILE *file, const struct weights_output *const *order,
                                size_t n, const struct text *header,
                                struct nn_error *error)
{
    uint64_t size = header->size;
    if (fwrite(&size, 8, 1, file) != 1
        || fwrite(header->data, 1, header->size, file) != header->size) {
        return nn_fail(error, NN_ERROR_IO, "%s", strerror(errno));
    }
    for (size_t i = 0; i < n; i++) {
        enum nn_status status = write_tensor(file, order[i], error);
        if (status != NN_OK) {
            return status;
        }
    }
    if (fflush(file) != 0 || fsync(fileno(file)) != 0) {
        return nn_fail(error, NN_ERROR_IO, "%s", strerror(errno));
    }
    return NN_OK;
}

enum nn_status weights_save(const char *path, const struct weights_output *tensors,
                            size_t n_tensors, const struct weights_pair *metadata,
                            size_t n_metadata, struct nn_error *error)
{
    const struct weights_output **order = malloc((n_tensors + 1) * sizeof *order);
    size_t size = strlen(path) + 32;
    char *temporary = malloc(size);
    struct text header = { 0 };
    enum nn_status status = NN_OK;
    if (order && temporary) {
        for (size_t i = 0; i < n_tensors; i++) {
            order[i] = &tensors[i];
        }
        qsort(order, n_tensors, sizeof *order, by_layout);
        put_header(&header, order, n_tensors, metadata, n_metadata);
    }
    FILE *file = NULL;
    if (!order || !temporary || header.failed) {
        status = nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    } else {
        snprintf(temporary, size, "%s.%ld.part", path, (long)getpid());
        file = fopen(temporary, "wb");
        status = file ? write_all(file, order, n_tensors, &header, error)
                      : nn_fail(error, NN_ERROR_IO, "%s", strerror(errno));
    }
    if (file && fclose(file) != 0 && status == NN_OK) {
        status = nn_fail(error, NN_ERROR_IO, "%s", strerror(errno));
    }
    if (status == NN_OK && rename(temporary, path) != 0) {
        status = nn_fail(error, NN_ERROR_IO, "%s", strerror(errno));
    }
    if (status != NN_OK) {
        if (file) {
            unlink(temporary);
        }
        nn_prefix(error, status, path);
    }
    free(header.data);
    free(temporary);
    free(order);
    return status;
}
