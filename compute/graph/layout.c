#include "compute/graph/plan_private.h"

#include "compute/half.h"

#include <string.h>

static uint32_t last_dim(struct nn_shape shape)
{
    return shape.rank == 0 ? 1 : shape.dim[shape.rank - 1];
}

static uint64_t row_count(struct nn_shape shape)
{
    uint64_t rows = 1;
    for (int i = 0; i + 1 < shape.rank; i++) {
        rows *= shape.dim[i];
    }
    return rows;
}

uint64_t nn_layout_values(enum nn_layout layout, struct nn_shape shape)
{
    uint64_t values = 0;
    switch (layout) {
    case NN_LAYOUT_MAP:
        values = (uint64_t)shape.dim[0] * ((shape.dim[1] + 3) / 4) * 4 * shape.dim[2]
                 * shape.dim[3];
        break;
    case NN_LAYOUT_ROWS:
        values = row_count(shape) * ((last_dim(shape) + 3) / 4) * 4;
        break;
    case NN_LAYOUT_INDEX:
        values = (nn_shape_count(shape) + 3) / 4 * 4;
        break;
    }
    return values;
}

uint64_t nn_layout_bytes(enum nn_layout layout, struct nn_shape shape, bool half)
{
    uint64_t values = nn_layout_values(layout, shape);
    return half && layout != NN_LAYOUT_INDEX ? values * 2 : values * 4;
}

#define BLOCK 1024

/* Through blocks of their own, which the compiler can turn into vector code. Values go to
 * the front, never past the block being read. */
void nn_layout_narrow(void *values, uint64_t count)
{
    float wide[BLOCK];
    uint16_t half[BLOCK];
    char *at = values;
    for (uint64_t done = 0; done < count; done += BLOCK) {
        size_t n = count - done < BLOCK ? (size_t)(count - done) : BLOCK;
        memcpy(wide, at + done * 4, n * 4);
        for (size_t i = 0; i < n; i++) {
            half[i] = nn_half_from_float(wide[i]);
        }
        memcpy(at + done * 2, half, n * 2);
    }
}

/* From the last value on, whose place is free. */
void nn_layout_widen(void *values, uint64_t count)
{
    char *at = values;
    for (uint64_t i = count; i-- > 0;) {
        uint16_t half;
        memcpy(&half, at + i * 2, 2);
        float wide = nn_half_to_float(half);
        memcpy(at + i * 4, &wide, 4);
    }
}

bool nn_layout_is_logical(enum nn_layout layout, struct nn_shape shape)
{
    return layout == NN_LAYOUT_ROWS && last_dim(shape) % 4 == 0;
}

/* One channel plane of one image at a time, so that reads run along memory. */
static void pack_map(struct nn_shape shape, const float *logical, float *device)
{
    size_t pixels = (size_t)shape.dim[2] * shape.dim[3];
    uint32_t groups = (shape.dim[1] + 3) / 4;
    memset(device, 0, nn_layout_bytes(NN_LAYOUT_MAP, shape, false));
    for (uint32_t b = 0; b < shape.dim[0]; b++) {
        for (uint32_t c = 0; c < shape.dim[1]; c++) {
            const float *from = logical + ((size_t)b * shape.dim[1] + c) * pixels;
            float *to = device + ((size_t)b * groups + c / 4) * pixels * 4 + c % 4;
            for (size_t i = 0; i < pixels; i++) {
                to[i * 4] = from[i];
            }
        }
    }
}

static void unpack_map(struct nn_shape shape, const float *device, float *logical)
{
    size_t pixels = (size_t)shape.dim[2] * shape.dim[3];
    uint32_t groups = (shape.dim[1] + 3) / 4;
    for (uint32_t b = 0; b < shape.dim[0]; b++) {
        for (uint32_t c = 0; c < shape.dim[1]; c++) {
            const float *from = device + ((size_t)b * groups + c / 4) * pixels * 4 + c % 4;
            float *to = logical + ((size_t)b * shape.dim[1] + c) * pixels;
            for (size_t i = 0; i < pixels; i++) {
                to[i] = from[i * 4];
            }
        }
    }
}

void nn_layout_pack(enum nn_layout layout, struct nn_shape shape, const void *logical,
                    void *device)
{
    if (layout == NN_LAYOUT_MAP) {
        pack_map(shape, logical, device);
        return;
    }
    if (layout == NN_LAYOUT_INDEX) {
        memset(device, 0, nn_layout_bytes(layout, shape, false));
        memcpy(device, logical, nn_shape_count(shape) * 4);
        return;
    }
    size_t width = last_dim(shape), padded = (width + 3) / 4 * 4;
    for (uint64_t row = 0; row < row_count(shape); row++) {
        float *to = (float *)device + row * padded;
        memcpy(to, (const float *)logical + row * width, width * sizeof(float));
        memset(to + width, 0, (padded - width) * sizeof(float));
    }
}

void nn_layout_unpack(enum nn_layout layout, struct nn_shape shape, const void *device,
                      void *logical)
{
    if (layout == NN_LAYOUT_MAP) {
        unpack_map(shape, device, logical);
        return;
    }
    if (layout == NN_LAYOUT_INDEX) {
        memcpy(logical, device, nn_shape_count(shape) * 4);
        return;
    }
    size_t width = last_dim(shape), padded = (width + 3) / 4 * 4;
    for (uint64_t row = 0; row < row_count(shape); row++) {
        memcpy((float *)logical + row * width, (const float *)device + row * padded,
               width * sizeof(float));
    }
}
