/* Which kernels and which precision a plan uses: decided here, in one place, from the
 * facts of the device and what the caller asks. */
#include "compute/gpu/gpu_internal.h"

#include <string.h>

static const char *const precision_names[] = {
    [GPU_PRECISION_DEVICE] = "device", [GPU_PRECISION_F32] = "f32",
    [GPU_PRECISION_F16] = "f16" };

const char *gpu_precision_name(enum gpu_precision precision)
{
    return precision_names[precision];
}

bool gpu_precision_parse(const char *name, enum gpu_precision *out)
{
    for (int p = GPU_PRECISION_F32; p <= GPU_PRECISION_F16; p++) {
        if (strcmp(name, precision_names[p]) == 0) {
            *out = (enum gpu_precision)p;
            return true;
        }
    }
    return false;
}

static bool can_be_direct(const struct gpu_caps *caps)
{
    return caps->subgroup_size == 8 && caps->subgroup_shuffle && caps->int64;
}

static enum gpu_matrix best_matrix(const struct gpu_caps *caps)
{
    return caps->matrix_khr ? GPU_MATRIX_KHR
                            : caps->matrix_nv ? GPU_MATRIX_NV : GPU_MATRIX_OFF;
}

static void settle(struct gpu_caps *caps)
{
    caps->cooperative_matrix = caps->family == GPU_FAMILY_TILED
                               && caps->choice.precision == GPU_PRECISION_F16
                               && caps->choice.matrix != GPU_MATRIX_OFF;
    if (caps->choice.no_subgroups) {
        caps->subgroup_arithmetic = false;
    }
}

void gpu_choose(struct gpu_caps *caps)
{
    /* A software device gains nothing from f16: it widens every value to compute, and
     * what it calls a matrix unit is a loop. */
    bool software = caps->type == GPU_SOFTWARE;
    caps->family = software && can_be_direct(caps) ? GPU_FAMILY_DIRECT : GPU_FAMILY_TILED;
    caps->choice = (struct gpu_choice){
        .precision = !software && caps->storage_16bit ? GPU_PRECISION_F16
                                                      : GPU_PRECISION_F32,
        .matrix = software ? GPU_MATRIX_OFF : best_matrix(caps) };
    settle(caps);
}

static enum nn_status choose_family(struct gpu_caps *caps, int family,
                                    struct nn_error *error)
{
    if (family > GPU_FAMILY_DIRECT) {
        return nn_fail(error, NN_ERROR_INVALID, "the device has no kernel family %d",
                       family);
    }
    if (family == GPU_FAMILY_DIRECT && !can_be_direct(caps)) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "the direct kernels need subgroups of 8 and 64-bit integers, %s "
                       "has subgroups of %u%s", caps->name, caps->subgroup_size,
                       caps->int64 ? "" : " and no such integers");
    }
    caps->family = family >= 0 ? (enum gpu_family)family : caps->family;
    return NN_OK;
}

static enum nn_status choose_matrix(struct gpu_caps *caps, enum gpu_matrix matrix,
                                    struct nn_error *error)
{
    if ((matrix == GPU_MATRIX_KHR && !caps->matrix_khr)
        || (matrix == GPU_MATRIX_NV && !caps->matrix_nv)) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "%s has no cooperative matrices of 16x16x16 in f16 that this build "
                       "can use", caps->name);
    }
    caps->choice.matrix = matrix != GPU_MATRIX_DEVICE ? matrix : caps->choice.matrix;
    return NN_OK;
}

enum nn_status gpu_choose_as_asked(struct gpu_caps *caps,
                                   const struct gpu_device_params *params,
                                   struct nn_error *error)
{
    const struct gpu_choice *ask = &params->choice;
    if (ask->precision > GPU_PRECISION_F16 || ask->tile > GPU_TILE_LARGE
        || ask->matrix > GPU_MATRIX_PLAIN) {
        return nn_fail(error, NN_ERROR_INVALID, "there is no such precision, tile or matrix");
    }
    if (ask->precision == GPU_PRECISION_F16 && !caps->storage_16bit) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "%s cannot store 16-bit numbers: use f32", caps->name);
    }
    if (ask->precision != GPU_PRECISION_DEVICE) {
        caps->choice.precision = ask->precision;
    }
    caps->choice.tile = ask->tile;
    caps->choice.no_split = ask->no_split;
    caps->choice.no_winograd = ask->no_winograd;
    caps->choice.no_subgroups = ask->no_subgroups;
    enum nn_status status = choose_matrix(caps, ask->matrix, error);
    if (status == NN_OK) {
        status = choose_family(caps, params->family, error);
    }
    settle(caps);
    return status;
}
