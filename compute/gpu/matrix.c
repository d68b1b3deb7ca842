/* Cooperative matrices: whether a device offers the one shape that our kernel is made
 * of, through either extension, and how it is asked for.
 *
 * Offered is not enough. The kernel must be in this build (glslc may not know the
 * extension), its index arithmetic wants full subgroups of 32, and its factors are f16. */
#include "compute/gpu/gpu_internal.h"

#include "shaders/registry.h"

#include <stdlib.h>

#define SIDE 16
#define LANES 32

static bool offers_nv(VkInstance instance, VkPhysicalDevice physical)
{
    PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesNV read =
        (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesNV)vkGetInstanceProcAddr(
            instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesNV");
    uint32_t count = 0;
    if (!read || read(physical, &count, NULL) != VK_SUCCESS) {
        return false;
    }
    VkCooperativeMatrixPropertiesNV *list = calloc(count + 1, sizeof *list);
    for (uint32_t i = 0; list && i < count; i++) {
        list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV;
    }
    bool found = false;
    if (list && read(physical, &count, list) == VK_SUCCESS) {
        for (uint32_t i = 0; i < count && !found; i++) {
            const VkCooperativeMatrixPropertiesNV *p = &list[i];
            found = p->MSize == SIDE && p->NSize == SIDE && p->KSize == SIDE
                    && p->AType == VK_COMPONENT_TYPE_FLOAT16_NV
                    && p->BType == VK_COMPONENT_TYPE_FLOAT16_NV
                    && p->CType == VK_COMPONENT_TYPE_FLOAT32_NV
                    && p->DType == VK_COMPONENT_TYPE_FLOAT32_NV
                    && p->scope == VK_SCOPE_SUBGROUP_NV;
        }
    }
    free(list);
    return found;
}

static bool has_nv(VkInstance instance, VkPhysicalDevice physical)
{
    VkPhysicalDeviceCooperativeMatrixFeaturesNV matrix = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV };
    VkPhysicalDeviceFeatures2 features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &matrix };
    if (!shader_find("tiled_matrix_nv_half")
        || !gpu_has_extension(physical, VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
        return false;
    }
    vkGetPhysicalDeviceFeatures2(physical, &features);
    return matrix.cooperativeMatrix && offers_nv(instance, physical);
}

#ifdef VK_KHR_cooperative_matrix
static bool offers_khr(VkInstance instance, VkPhysicalDevice physical)
{
    PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR read =
        (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)vkGetInstanceProcAddr(
            instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    uint32_t count = 0;
    if (!read || read(physical, &count, NULL) != VK_SUCCESS) {
        return false;
    }
    VkCooperativeMatrixPropertiesKHR *list = calloc(count + 1, sizeof *list);
    for (uint32_t i = 0; list && i < count; i++) {
        list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
    }
    bool found = false;
    if (list && read(physical, &count, list) == VK_SUCCESS) {
        for (uint32_t i = 0; i < count && !found; i++) {
            const VkCooperativeMatrixPropertiesKHR *p = &list[i];
            found = p->MSize == SIDE && p->NSize == SIDE && p->KSize == SIDE
                    && p->AType == VK_COMPONENT_TYPE_FLOAT16_KHR
                    && p->BType == VK_COMPONENT_TYPE_FLOAT16_KHR
                    && p->CType == VK_COMPONENT_TYPE_FLOAT32_KHR
                    && p->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR
                    && !p->saturatingAccumulation && p->scope == VK_SCOPE_SUBGROUP_KHR;
        }
    }
    free(list);
    return found;
}

static bool has_khr(VkInstance instance, VkPhysicalDevice physical)
{
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR };
    VkPhysicalDeviceFeatures2 features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &matrix };
    if (!shader_find("tiled_matrix_khr_half")
        || !gpu_has_extension(physical, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
        return false;
    }
    vkGetPhysicalDeviceFeatures2(physical, &features);
    return matrix.cooperativeMatrix && offers_khr(instance, physical);
}
#endif

/* Whether every subgroup of a kernel can be had with exactly LANES lanes. */
static bool has_lanes(const struct gpu_caps *caps)
{
    return caps->subgroup_size_control && caps->full_subgroups
           && caps->min_subgroup_size <= LANES && caps->max_subgroup_size >= LANES;
}

void gpu_read_matrix(VkInstance instance, VkPhysicalDevice physical,
                     struct gpu_caps *caps)
{
    if (!caps->storage_16bit || !caps->float16 || !caps->memory_model
        || !has_lanes(caps)) {
        return;
    }
    caps->matrix_nv = has_nv(instance, physical);
#ifdef VK_KHR_cooperative_matrix
    caps->matrix_khr = has_khr(instance, physical);
#endif
}

void gpu_request_matrix(enum gpu_matrix matrix, void *next,
                        struct gpu_matrix_request *out)
{
    *out = (struct gpu_matrix_request){ .chain = next };
    if (matrix == GPU_MATRIX_NV) {
        out->extension = VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME;
        out->nv = (VkPhysicalDeviceCooperativeMatrixFeaturesNV){
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV,
            .pNext = next, .cooperativeMatrix = VK_TRUE };
        out->chain = &out->nv;
    }
#ifdef VK_KHR_cooperative_matrix
    if (matrix == GPU_MATRIX_KHR) {
        out->extension = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
        out->khr = (VkPhysicalDeviceCooperativeMatrixFeaturesKHR){
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
            .pNext = next, .cooperativeMatrix = VK_TRUE };
        out->chain = &out->khr;
    }
#endif
}
