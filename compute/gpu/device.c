/* Choosing and opening a device, submitting and waiting, and what happens when it is
 * lost. */
#include "compute/gpu/gpu_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEVICES 32

enum nn_status gpu_vk_fail(struct gpu_device *device, VkResult result, const char *what,
                           struct nn_error *error)
{
    switch (result) {
    case VK_ERROR_DEVICE_LOST:
        device->lost = true;
        return nn_fail(error, NN_ERROR_DEVICE_LOST, "%s was lost in %s", device->caps.name,
                       what);
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTED_POOL:
        return nn_fail(error, NN_ERROR_DEVICE_MEMORY, "%s is out of memory in %s",
                       device->caps.name, what);
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory in %s", what);
    default:
        return nn_fail(error, NN_ERROR_UNSUPPORTED, "%s failed on %s (Vulkan error %d)",
                       what, device->caps.name, (int)result);
    }
}

enum nn_status gpu_check_lost(const struct gpu_device *device, struct nn_error *error)
{
    return device->lost ? nn_fail(error, NN_ERROR_DEVICE_LOST, "%s was lost",
                                  device->caps.name)
                        : NN_OK;
}

void gpu_name_object(struct gpu_device *device, VkObjectType type, uint64_t handle,
                     const char *name)
{
    if (!device->instance.debug_utils) {
        return;
    }
    PFN_vkSetDebugUtilsObjectNameEXT set =
        (PFN_vkSetDebugUtilsObjectNameEXT)vkGetInstanceProcAddr(
            device->instance.handle, "vkSetDebugUtilsObjectNameEXT");
    if (set) {
        VkDebugUtilsObjectNameInfoEXT info = {
            .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
            .objectType = type, .objectHandle = handle, .pObjectName = name };
        set(device->handle, &info);
    }
}

/* --- Choice ------------------------------------------------------------------------- */

static bool contains_ignoring_case(const char *text, const char *part)
{
    for (; *text; text++) {
        size_t i = 0;
        while (part[i]
               && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) {
            i++;
        }
        if (!part[i]) {
            return true;
        }
    }
    return false;
}

/* The chosen index, or -1. */
static int choose(const char *select, const struct gpu_caps *caps, uint32_t n)
{
    if (!select || !*select) {
        return n > 0 ? 0 : -1;
    }
    char *end = NULL;
    long index = strtol(select, &end, 10);
    if (*end == '\0') {
        return index >= 0 && index < (long)n ? (int)index : -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (contains_ignoring_case(caps[i].name, select)) {
            return (int)i;
        }
    }
    return -1;
}

static enum nn_status choose_device(struct gpu_device *device, const char *select,
                                    struct nn_error *error)
{
    VkPhysicalDevice handles[MAX_DEVICES];
    uint32_t families[MAX_DEVICES];
    struct gpu_caps *caps = calloc(MAX_DEVICES + 1, sizeof *caps);
    if (!caps) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory");
    }
    uint32_t n = gpu_sorted_devices(device->instance.handle, handles, caps, families,
                                    MAX_DEVICES);
    int index = choose(select, caps, n);
    enum nn_status status = NN_OK;
    if (n == 0) {
        status = nn_fail(error, NN_ERROR_UNSUPPORTED,
                         "no Vulkan 1.2 device was found: install a driver; "
                         "mesa-vulkan-drivers has one for every processor");
    } else if (index < 0) {
        status = nn_fail(error, NN_ERROR_INVALID,
                         "no device is called \"%s\"; see `taglight devices`", select);
    } else {
        device->physical = handles[index];
        device->queue_family = families[index];
        device->caps = caps[index];
    }
    free(caps);
    return status;
}

/* --- Opening ------------------------------------------------------------------------ */

static enum nn_status open_device(struct gpu_device *device, struct nn_error *error)
{
    VkPhysicalDeviceSubgroupSizeControlFeaturesEXT control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
        .subgroupSizeControl = VK_TRUE };
    const struct gpu_caps *caps = &device->caps;
    control.computeFullSubgroups = caps->full_subgroups;
    struct gpu_matrix_request matrix;
    gpu_request_matrix(caps->cooperative_matrix ? caps->choice.matrix : GPU_MATRIX_OFF,
                       caps->subgroup_size_control ? &control : NULL, &matrix);
    VkPhysicalDeviceVulkan12Features v12 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .pNext = matrix.chain, .timelineSemaphore = VK_TRUE,
        .shaderFloat16 = caps->float16, .vulkanMemoryModel = caps->memory_model };
    VkPhysicalDeviceVulkan11Features v11 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &v12,
        .storageBuffer16BitAccess = caps->storage_16bit };
    float priority = 1;
    VkDeviceQueueCreateInfo queue = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = device->queue_family, .queueCount = 1,
        .pQueuePriorities = &priority };
    const char *extensions[2];
    uint32_t n_extensions = 0;
    if (caps->subgroup_size_control) {
        extensions[n_extensions++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
    }
    if (matrix.extension) {
        extensions[n_extensions++] = matrix.extension;
    }
    VkPhysicalDeviceFeatures enabled = { .shaderInt64 = caps->int64 };
    VkDeviceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &v11,
        .pEnabledFeatures = &enabled, .queueCreateInfoCount = 1, .pQueueCreateInfos = &queue,
        .enabledExtensionCount = n_extensions,
        .ppEnabledExtensionNames = extensions };
    VkResult result = vkCreateDevice(device->physical, &info, NULL, &device->handle);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(device, result, "opening the device", error);
    }
    vkGetDeviceQueue(device->handle, device->queue_family, 0, &device->queue);
    vkGetPhysicalDeviceMemoryProperties(device->physical, &device->memory);

    VkCommandPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                     .queueFamilyIndex = device->queue_family };
    result = vkCreateCommandPool(device->handle, &pool, NULL, &device->pool);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(device, result, "making a command pool", error);
    }
    VkSemaphoreTypeCreateInfo type = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE };
    VkSemaphoreCreateInfo semaphore = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type };
    result = vkCreateSemaphore(device->handle, &semaphore, NULL, &device->timeline);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(device, result, "making a semaphore", error);
    }
    gpu_name_object(device, VK_OBJECT_TYPE_SEMAPHORE, (uint64_t)device->timeline,
                    "timeline");
    gpu_name_object(device, VK_OBJECT_TYPE_COMMAND_POOL, (uint64_t)device->pool,
                    "commands");
    return NN_OK;
}

enum nn_status gpu_device_create(struct gpu_device **out,
                                 const struct gpu_device_params *params,
                                 struct nn_error *error)
{
    static const struct gpu_device_params defaults = { .family = -1 };
    params = params ? params : &defaults;
    struct gpu_device *device = calloc(1, sizeof *device);
    if (!device) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a device");
    }
    device->log = params->log;
    device->log_user = params->log_user;
    const char *env = getenv("TAGLIGHT_VALIDATE");
    bool validate = params->validate || (env && strcmp(env, "1") == 0);
    enum nn_status status = gpu_instance_create(&device->instance, validate, device, error);
    if (status == NN_OK) {
        status = choose_device(device, params->select, error);
    }
    if (status == NN_OK) {
        status = gpu_choose_as_asked(&device->caps, params, error);
    }
    if (status == NN_OK) {
        status = open_device(device, error);
    }
    if (status == NN_OK && !device->caps.unified_memory) {
        status = gpu_staging_create(device, error);
    }
    if (status != NN_OK) {
        gpu_device_destroy(&device);
        return status;
    }
    gpu_cache_load(device, params->cache_dir);
    device->fail_submit_after = params->fail_submit_after;
    device->fail_alloc_after = params->fail_alloc_after;
    *out = device;
    return NN_OK;
}

void gpu_device_destroy(struct gpu_device **device)
{
    if (!device || !*device) {
        return;
    }
    struct gpu_device *d = *device;
    if (d->handle) {
        if (!d->lost) {
            gpu_wait_value(d, d->submitted, 2000000000u, NULL);
        }
        gpu_buffer_destroy(&d->staging);
        gpu_cache_save(d);
        gpu_kernels_destroy(d);
        vkDestroySemaphore(d->handle, d->timeline, NULL);
        vkDestroyCommandPool(d->handle, d->pool, NULL);
        vkDestroyDevice(d->handle, NULL);
    }
    gpu_instance_destroy(&d->instance);
    free(d->cache_path);
    free(d);
    *device = NULL;
}

const struct gpu_caps *gpu_device_caps(const struct gpu_device *device)
{
    return &device->caps;
}

bool gpu_device_lost(const struct gpu_device *device)
{
    return device->lost;
}

uint32_t gpu_device_validation_count(const struct gpu_device *device)
{
    return device->validation_count;
}

uint64_t gpu_device_bytes(const struct gpu_device *device)
{
    return device->bytes;
}

/* --- Submitting ------------------------------------------------------------------------ */

enum nn_status gpu_submit(struct gpu_device *device, VkCommandBuffer commands,
                          uint64_t *out_value, struct nn_error *error)
{
    enum nn_status status = gpu_check_lost(device, error);
    if (status != NN_OK) {
        return status;
    }
    if (device->fail_submit_after > 0 && --device->fail_submit_after == 0) {
        return gpu_vk_fail(device, VK_ERROR_DEVICE_LOST, "a submit (injected)", error);
    }
    uint64_t value = device->submitted + 1;
    VkTimelineSemaphoreSubmitInfo timeline = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .signalSemaphoreValueCount = 1, .pSignalSemaphoreValues = &value };
    VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pNext = &timeline,
                          .commandBufferCount = 1, .pCommandBuffers = &commands,
                          .signalSemaphoreCount = 1,
                          .pSignalSemaphores = &device->timeline };
    VkResult result = vkQueueSubmit(device->queue, 1, &info, VK_NULL_HANDLE);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(device, result, "a submit", error);
    }
    device->submitted = *out_value = value;
    return NN_OK;
}

enum nn_status gpu_wait_value(struct gpu_device *device, uint64_t value,
                              uint64_t timeout_ns, struct nn_error *error)
{
    enum nn_status status = gpu_check_lost(device, error);
    if (status != NN_OK || value == 0) {
        return status;
    }
    VkSemaphoreWaitInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                 .semaphoreCount = 1, .pSemaphores = &device->timeline,
                                 .pValues = &value };
    VkResult result = VK_TIMEOUT;
    uint64_t slice = 1000000000u, waited = 0;
    while (result == VK_TIMEOUT && waited < timeout_ns) {
        uint64_t left = timeout_ns - waited;
        result = vkWaitSemaphores(device->handle, &info, left < slice ? left : slice);
        waited += slice;
    }
    return result == VK_SUCCESS ? NN_OK
                                : gpu_vk_fail(device, result, "waiting for work", error);
}
