/* The Vulkan instance, its validation messages, and the facts of physical devices. */
#include "compute/gpu/gpu_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gpu_log(struct gpu_device *device, const char *text)
{
    if (device && device->log) {
        device->log(device->log_user, text);
    } else {
        fprintf(stderr, "taglight: %s\n", text);
    }
}

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(
    VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
    struct gpu_device *device = user;
    if (types & VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT) {
        device->validation_count++;
        gpu_log(device, data->pMessage);
    }
    return VK_FALSE;
}

static bool has_layer(const char *name)
{
    uint32_t count = 0;
    VkLayerProperties *layers = NULL;
    vkEnumerateInstanceLayerProperties(&count, NULL);
    layers = calloc(count + 1, sizeof *layers);
    bool found = false;
    if (layers && vkEnumerateInstanceLayerProperties(&count, layers) == VK_SUCCESS) {
        for (uint32_t i = 0; i < count && !found; i++) {
            found = strcmp(layers[i].layerName, name) == 0;
        }
    }
    free(layers);
    return found;
}

static bool has_extension(const char *layer, const char *name)
{
    uint32_t count = 0;
    VkExtensionProperties *list = NULL;
    vkEnumerateInstanceExtensionProperties(layer, &count, NULL);
    list = calloc(count + 1, sizeof *list);
    bool found = false;
    if (list
        && vkEnumerateInstanceExtensionProperties(layer, &count, list) == VK_SUCCESS) {
        for (uint32_t i = 0; i < count && !found; i++) {
            found = strcmp(list[i].extensionName, name) == 0;
        }
    }
    free(list);
    return found;
}

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

enum nn_status gpu_instance_create(struct gpu_instance *out, bool validate,
                                   struct gpu_device *owner, struct nn_error *error)
{
    static const char *const layers[] = { VALIDATION_LAYER };
    static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
                                              VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME };
    if (validate && !has_layer(VALIDATION_LAYER)) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "the Vulkan validation layer is not installed (Debian: "
                       "vulkan-validationlayers)");
    }
    /* Without these the layer's messages would go uncounted. */
    for (int i = 0; validate && i < 2; i++) {
        if (!has_extension(NULL, extensions[i])
            && !has_extension(VALIDATION_LAYER, extensions[i])) {
            return nn_fail(error, NN_ERROR_UNSUPPORTED,
                           "the Vulkan validation layer lacks %s", extensions[i]);
        }
    }
    VkValidationFeatureEnableEXT enable[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT };
    VkValidationFeaturesEXT features = {
        .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
        .enabledValidationFeatureCount = 1, .pEnabledValidationFeatures = enable };
    VkDebugUtilsMessengerCreateInfoEXT messages = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .pNext = &features,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
                           | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message, .pUserData = owner };
    VkApplicationInfo app = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                              .pApplicationName = "taglight",
                              .apiVersion = VK_API_VERSION_1_2 };
    bool debug = validate;
    VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pNext = validate ? &messages : NULL, .pApplicationInfo = &app,
        .enabledLayerCount = validate ? 1 : 0, .ppEnabledLayerNames = layers,
        .enabledExtensionCount = debug ? 2 : 0, .ppEnabledExtensionNames = extensions };
    VkResult result = vkCreateInstance(&info, NULL, &out->handle);
    if (result != VK_SUCCESS) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "Vulkan cannot start (error %d): install a driver; "
                       "mesa-vulkan-drivers has one for every processor", (int)result);
    }
    out->debug_utils = debug;
    if (debug) {
        PFN_vkCreateDebugUtilsMessengerEXT create =
            (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
                out->handle, "vkCreateDebugUtilsMessengerEXT");
        messages.pNext = NULL;
        if (!create || create(out->handle, &messages, NULL, &out->messenger)
                           != VK_SUCCESS) {
            gpu_instance_destroy(out);
            return nn_fail(error, NN_ERROR_UNSUPPORTED,
                           "the Vulkan validation layer takes no messenger");
        }
    }
    return NN_OK;
}

void gpu_instance_destroy(struct gpu_instance *instance)
{
    if (!instance->handle) {
        return;
    }
    PFN_vkDestroyDebugUtilsMessengerEXT destroy =
        (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
            instance->handle, "vkDestroyDebugUtilsMessengerEXT");
    if (instance->messenger && destroy) {
        destroy(instance->handle, instance->messenger, NULL);
    }
    vkDestroyInstance(instance->handle, NULL);
    instance->handle = VK_NULL_HANDLE;
}

/* --- Facts ------------------------------------------------------------------------- */

static enum gpu_device_type type_of(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return GPU_DISCRETE;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return GPU_INTEGRATED;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return GPU_VIRTUAL;
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return GPU_SOFTWARE;
    default: return GPU_OTHER;
    }
}

static bool find_queue(VkPhysicalDevice physical, uint32_t *family,
                       uint32_t *timestamp_bits)
{
    uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, NULL);
    VkQueueFamilyProperties *families = calloc(count + 1, sizeof *families);
    if (!families) {
        return false;
    }
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families);
    bool found = false;
    for (uint32_t i = 0; i < count && !found; i++) {
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) {
            *family = i;
            *timestamp_bits = families[i].timestampValidBits;
            found = true;
        }
    }
    free(families);
    return found;
}

static void read_memory(VkPhysicalDevice physical, struct gpu_caps *caps)
{
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    for (uint32_t i = 0; i < memory.memoryTypeCount; i++) {
        VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
        uint64_t size = memory.memoryHeaps[memory.memoryTypes[i].heapIndex].size;
        if (!(flags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)) {
            continue;
        }
        caps->memory_bytes = size > caps->memory_bytes ? size : caps->memory_bytes;
        /* A small window into a card's memory does not make the memory unified. */
        VkMemoryPropertyFlags mapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
                                       | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        if ((flags & mapped) == mapped && caps->type != GPU_DISCRETE) {
            caps->unified_memory = true;
        }
    }
}

static void read_limits(const VkPhysicalDeviceLimits *limits, struct gpu_caps *caps)
{
    caps->max_storage_range = limits->maxStorageBufferRange;
    caps->max_texel_elements = limits->maxTexelBufferElements;
    caps->max_shared_bytes = limits->maxComputeSharedMemorySize;
    caps->max_invocations = limits->maxComputeWorkGroupInvocations;
    caps->max_push_bytes = limits->maxPushConstantsSize;
    memcpy(caps->max_groups, limits->maxComputeWorkGroupCount, sizeof caps->max_groups);
    caps->storage_alignment = (uint32_t)limits->minStorageBufferOffsetAlignment;
    caps->texel_alignment = (uint32_t)limits->minTexelBufferOffsetAlignment;
    caps->timestamp_ns = limits->timestampPeriod;
}

bool gpu_has_extension(VkPhysicalDevice physical, const char *name)
{
    uint32_t count = 0;
    vkEnumerateDeviceExtensionProperties(physical, NULL, &count, NULL);
    VkExtensionProperties *list = calloc(count + 1, sizeof *list);
    bool found = false;
    if (list
        && vkEnumerateDeviceExtensionProperties(physical, NULL, &count, list)
               == VK_SUCCESS) {
        for (uint32_t i = 0; i < count && !found; i++) {
            found = strcmp(list[i].extensionName, name) == 0;
        }
    }
    free(list);
    return found;
}

static void read_features(VkPhysicalDevice physical, struct gpu_caps *caps)
{
    VkPhysicalDeviceVulkan12Features v12 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES };
    VkPhysicalDeviceVulkan11Features v11 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &v12 };
    VkPhysicalDeviceSubgroupSizeControlFeaturesEXT control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT };
    bool can_control =
        gpu_has_extension(physical, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
    if (can_control) {
        v12.pNext = &control;
    }
    VkPhysicalDeviceFeatures2 features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &v11 };
    vkGetPhysicalDeviceFeatures2(physical, &features);
    caps->int64 = features.features.shaderInt64;
    caps->storage_16bit = v11.storageBuffer16BitAccess;
    caps->float16 = v12.shaderFloat16;
    caps->memory_model = v12.vulkanMemoryModel;
    caps->subgroup_size_control = can_control && control.subgroupSizeControl;
    caps->full_subgroups = can_control && control.computeFullSubgroups;
}

static void read_properties(VkPhysicalDevice physical, struct gpu_caps *caps)
{
    VkPhysicalDeviceVulkan12Properties v12 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES };
    VkPhysicalDeviceVulkan11Properties v11 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES, .pNext = &v12 };
    VkPhysicalDeviceSubgroupSizeControlPropertiesEXT control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES_EXT };
    if (caps->subgroup_size_control) {
        v12.pNext = &control;
    }
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &v11 };
    vkGetPhysicalDeviceProperties2(physical, &properties);
    snprintf(caps->driver, sizeof caps->driver, "%.120s %.120s", v12.driverName,
             v12.driverInfo);
    memcpy(caps->pipeline_cache_uuid, properties.properties.pipelineCacheUUID, 16);
    caps->max_allocation = v11.maxMemoryAllocationSize;
    caps->subgroup_size = v11.subgroupSize;
    caps->min_subgroup_size = caps->max_subgroup_size = v11.subgroupSize;
    if (caps->subgroup_size_control) {
        caps->min_subgroup_size = control.minSubgroupSize;
        caps->max_subgroup_size = control.maxSubgroupSize;
        caps->subgroup_size_control =
            control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT;
    }
    bool compute = v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT;
    VkSubgroupFeatureFlags ops = v11.subgroupSupportedOperations;
    caps->subgroup_arithmetic = compute && (ops & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT);
    caps->subgroup_shuffle = compute && (ops & VK_SUBGROUP_FEATURE_SHUFFLE_BIT);
    /* A subgroup whose size may vary cannot be taken for one workgroup. */
    if (caps->min_subgroup_size != caps->max_subgroup_size
        && !caps->subgroup_size_control) {
        caps->subgroup_arithmetic = caps->subgroup_shuffle = false;
    }
}

bool gpu_read_caps(VkInstance instance, VkPhysicalDevice physical, struct gpu_caps *caps,
                   uint32_t *queue_family)
{
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    if (properties.apiVersion < VK_API_VERSION_1_2) {
        return false;
    }
    memset(caps, 0, sizeof *caps);
    if (!find_queue(physical, queue_family, &caps->timestamp_bits)) {
        return false;
    }
    caps->timestamps = caps->timestamp_bits > 0;
    snprintf(caps->name, sizeof caps->name, "%s", properties.deviceName);
    caps->vendor_id = properties.vendorID;
    caps->device_id = properties.deviceID;
    caps->driver_version = properties.driverVersion;
    caps->api_version = properties.apiVersion;
    caps->type = type_of(properties.deviceType);
    read_limits(&properties.limits, caps);
    read_memory(physical, caps);
    read_features(physical, caps);
    read_properties(physical, caps);
    gpu_read_matrix(instance, physical, caps);
    gpu_choose(caps);
    return caps->max_push_bytes >= GPU_MAX_PUSH && caps->max_invocations >= 256;
}

static int rank_of(enum gpu_device_type type)
{
    switch (type) {
    case GPU_DISCRETE: return 0;
    case GPU_INTEGRATED: return 1;
    case GPU_VIRTUAL: return 2;
    case GPU_OTHER: return 3;
    case GPU_SOFTWARE: break;
    }
    return 4;
}

uint32_t gpu_sorted_devices(VkInstance instance, VkPhysicalDevice *handles,
                            struct gpu_caps *caps, uint32_t *families, uint32_t room)
{
    VkPhysicalDevice found[32];
    uint32_t count = 32, n = 0;
    VkResult result = vkEnumeratePhysicalDevices(instance, &count, found);
    if (result != VK_SUCCESS && result != VK_INCOMPLETE) {
        return 0;
    }
    for (int rank = 0; rank <= 4; rank++) {
        for (uint32_t i = 0; i < count && n < room; i++) {
            if (gpu_read_caps(instance, found[i], &caps[n], &families[n])
                && rank_of(caps[n].type) == rank) {
                handles[n++] = found[i];
            }
        }
    }
    return n;
}

enum nn_status gpu_list(struct gpu_list_entry **out, size_t *count,
                        struct nn_error *error)
{
    struct gpu_instance instance = { 0 };
    enum nn_status status = gpu_instance_create(&instance, false, NULL, error);
    if (status != NN_OK) {
        return status;
    }
    VkPhysicalDevice handles[32];
    uint32_t families[32];
    struct gpu_caps *caps = calloc(33, sizeof *caps);
    struct gpu_list_entry *list = calloc(33, sizeof *list);
    uint32_t n = 0;
    if (!caps || !list) {
        status = nn_fail(error, NN_ERROR_MEMORY, "out of memory");
        free(list);
    } else {
        n = gpu_sorted_devices(instance.handle, handles, caps, families, 32);
        for (uint32_t i = 0; i < n; i++) {
            list[i] = (struct gpu_list_entry){ (int)i, caps[i] };
        }
        *out = list;
        *count = n;
    }
    free(caps);
    gpu_instance_destroy(&instance);
    return status;
}
