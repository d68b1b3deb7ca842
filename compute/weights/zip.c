/* The part of the zip format that PyTorch writes: stored entries, zip64 when large. The
 * central directory is the authority; each local header must agree with it. */
#include "compute/weights/weights_private.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES 1000000u

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t get32(const uint8_t *p) { return get16(p) | (uint32_t)get16(p + 2) << 16; }
static uint64_t get64(const uint8_t *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

struct directory { uint64_t offset, size, count; };

static enum nn_status fail(const struct weights_file *f, const char *what,
                           struct nn_error *error)
{
    return nn_fail(error, NN_ERROR_INVALID, "%s: the zip archive is damaged: %s", f->path,
                   what);
}

/* The end record, from the back; a comment of up to 64 KiB may follow it. */
static enum nn_status find_directory(const struct weights_file *f, struct directory *out,
                                     struct nn_error *error)
{
    uint64_t limit = f->size > 65557 ? f->size - 65557 : 0;
    for (uint64_t at = f->size < 22 ? 0 : f->size - 22 + 1; at-- > limit;) {
        const uint8_t *p = f->data + at;
        if (f->size - at < 22 || get32(p) != 0x06054b50u
            || get16(p + 20) != f->size - at - 22) {
            continue;
        }
        *out = (struct directory){ get32(p + 16), get32(p + 12), get16(p + 10) };
        bool big = out->offset == UINT32_MAX || out->size == UINT32_MAX
                   || out->count == UINT16_MAX;
        if (at >= 20 && get32(p - 20) == 0x07064b50u) {
            uint64_t end64 = get64(p - 20 + 8);
            if (end64 > f->size - 56 || f->size < 56
                || get32(f->data + end64) != 0x06064b50u) {
                return fail(f, "its zip64 end record is not there", error);
            }
            struct directory full = { get64(f->data + end64 + 48),
                                      get64(f->data + end64 + 40),
                                      get64(f->data + end64 + 32) };
            if ((out->offset != UINT32_MAX && out->offset != full.offset)
                || (out->size != UINT32_MAX && out->size != full.size)
                || (out->count != UINT16_MAX && out->count != full.count)) {
                return fail(f, "its two end records differ", error);
            }
            *out = full;
        } else if (big) {
            return fail(f, "its zip64 end record is missing", error);
        }
        if (out->offset > at || out->size > at - out->offset) {
            return fail(f, "its directory lies outside the file", error);
        }
        return NN_OK;
    }
    return fail(f, "it has no end record, so it was cut short", error);
}

/* Sizes and offset from the zip64 extra field where the directory says 2^32-1. */
static bool read_zip64(const uint8_t *extra, size_t size, uint64_t *full, uint64_t *packed,
                       uint64_t *offset)
{
    while (size >= 4) {
        uint32_t id = get16(extra), length = get16(extra + 2);
        if (length > size - 4) {
            return false;
        }
        if (id == 1) {
            const uint8_t *p = extra + 4;
            uint64_t *fields[3] = { full, packed, offset };
            for (int i = 0; i < 3; i++) {
                if (*fields[i] == UINT32_MAX) {
                    if (length < 8) {
                        return false;
                    }
                    *fields[i] = get64(p);
                    p += 8;
                    length -= 8;
                }
            }
            return true;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
    return true;
}

/* The entry whose directory record is at `at`; *next is where the following one is. */
static enum nn_status read_entry(const struct weights_file *f, uint64_t at, uint64_t end,
                                 struct zip_entry *out, uint64_t *next,
                                 struct nn_error *error)
{
    const uint8_t *p = f->data + at;
    if (end - at < 46 || get32(p) != 0x02014b50u) {
        return fail(f, "its directory is shorter than it says", error);
    }
    uint32_t name = get16(p + 28), extra = get16(p + 30), comment = get16(p + 32);
    if ((uint64_t)name + extra + comment > end - at - 46) {
        return fail(f, "its directory is shorter than it says", error);
    }
    uint64_t packed = get32(p + 20), full = get32(p + 24), local = get32(p + 42);
    if (!read_zip64(p + 46 + name, extra, &full, &packed, &local)) {
        return fail(f, "a zip64 field is wrong", error);
    }
    bool plain = get16(p + 10) == 0 && packed == full && !(get16(p + 8) & 1);
    if (local > f->size || f->size - local < 30
        || get32(f->data + local) != 0x04034b50u) {
        return fail(f, "an entry's header is not where the directory says", error);
    }
    const uint8_t *l = f->data + local;
    uint64_t data = local + 30 + get16(l + 26) + get16(l + 28);
    if (data > f->size || packed > f->size - data) {
        return fail(f, "an entry lies outside the file", error);
    }
    if (get16(l + 26) != name || memcmp(l + 30, p + 46, name) != 0) {
        return fail(f, "an entry's header and the directory name it differently", error);
    }
    *out = (struct zip_entry){ (const char *)p + 46, name, data, packed, get32(p + 16),
                               plain };
    *next = at + 46 + name + extra + comment;
    return NN_OK;
}

static int compare_names(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : a_size < b_size ? -1 : a_size > b_size;
}

static int by_name(const void *left, const void *right)
{
    const struct zip_entry *a = left, *b = right;
    return compare_names(a->name, a->name_size, b->name, b->name_size);
}

enum nn_status zip_open(struct zip *out, const struct weights_file *file,
                        struct nn_error *error)
{
    struct directory d = { 0 };
    enum nn_status status = find_directory(file, &d, error);
    if (status != NN_OK) {
        return status;
    }
    if (d.count > MAX_ENTRIES || d.count > d.size / 46) {
        return fail(file, "its directory is shorter than it says", error);
    }
    struct zip zip = { calloc(d.count + 1, sizeof(struct zip_entry)), 0 };
    if (!zip.entries) {
        return nn_fail(error, NN_ERROR_MEMORY, "%s: out of memory", file->path);
    }
    uint64_t at = d.offset;
    while (zip.n < d.count && status == NN_OK) {
        status = read_entry(file, at, d.offset + d.size, &zip.entries[zip.n], &at, error);
        zip.n += status == NN_OK;
    }
    qsort(zip.entries, zip.n, sizeof *zip.entries, by_name);
    for (size_t i = 1; i < zip.n && status == NN_OK; i++) {
        if (by_name(&zip.entries[i - 1], &zip.entries[i]) == 0) {
            status = fail(file, "an entry occurs twice", error);
        }
    }
    if (status != NN_OK) {
        zip_close(&zip);
        return status;
    }
    *out = zip;
    return NN_OK;
}

void zip_close(struct zip *zip)
{
    free(zip->entries);
    *zip = (struct zip){ 0 };
}

const struct zip_entry *zip_find(const struct zip *zip, const char *name, size_t size)
{
    size_t low = 0, high = zip->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct zip_entry *e = &zip->entries[middle];
        int order = compare_names(name, size, e->name, e->name_size);
        if (order == 0) {
            return e;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
