/* Private to compute/gpu/: the only folder that includes Vulkan's header. */
#ifndef TAGLIGHT_COMPUTE_GPU_INTERNAL_H
#define TAGLIGHT_COMPUTE_GPU_INTERNAL_H

#include "compute/gpu/gpu.h"

#include <vulkan/vulkan.h>

struct shader_blob;

struct gpu_instance {
    VkInstance handle;
    VkDebugUtilsMessengerEXT messenger;
    bool debug_utils;
};

struct gpu_kernel {
    struct gpu_kernel_desc desc;
    const struct shader_blob *blob;
    VkPipeline pipeline;
    VkPipelineLayout layout;
    VkDescriptorSetLayout set_layout;
};

struct gpu_device {
    struct gpu_caps caps;
    struct gpu_instance instance;
    VkPhysicalDevice physical;
    VkDevice handle;
    VkQueue queue;
    uint32_t queue_family;
    VkPhysicalDeviceMemoryProperties memory;
    VkCommandPool pool;
    VkSemaphore timeline;
    uint64_t submitted; /* the last value that a submit will signal */
    VkPipelineCache cache;
    char *cache_path;   /* NULL when nothing is kept */
    bool cache_grew;
    struct gpu_kernel **kernels;
    uint32_t n_kernels, kernels_room;
    struct gpu_buffer *staging; /* host-visible; NULL on unified memory */
    uint64_t bytes;             /* held by buffers */
    bool lost;
    uint32_t validation_count;
    uint32_t fail_submit_after, fail_alloc_after;
    void (*log)(void *user, const char *text);
    void *log_user;
};

struct gpu_buffer {
    struct gpu_device *device;
    VkBuffer handle;
    VkDeviceMemory memory;
    uint64_t bytes;
    void *map;
};

#define GPU_STAGING_BYTES (16u << 20)

/* --- instance.c ------------------------------------------------------------------- */

/* With `owner` given, validation messages are counted and logged there. */
enum nn_status gpu_instance_create(struct gpu_instance *out, bool validate,
                                   struct gpu_device *owner, struct nn_error *error);
void gpu_instance_destroy(struct gpu_instance *instance);
void gpu_log(struct gpu_device *device, const char *text);
/* Facts of a physical device; false when it cannot serve (no Vulkan 1.2, no compute). */
bool gpu_read_caps(VkInstance instance, VkPhysicalDevice physical, struct gpu_caps *caps,
                   uint32_t *queue_family);
bool gpu_has_extension(VkPhysicalDevice physical, const char *name);
/* Fills handles[i] and caps[i] with usable devices, best first; returns their number. */
uint32_t gpu_sorted_devices(VkInstance instance, VkPhysicalDevice *handles,
                            struct gpu_caps *caps, uint32_t *families, uint32_t room);

/* --- choice.c --------------------------------------------------------------------- */

/* What a plan chooses by itself, from the facts in `caps`. */
void gpu_choose(struct gpu_caps *caps);
/* The same as `params` asks; UNSUPPORTED or INVALID where that cannot be. */
enum nn_status gpu_choose_as_asked(struct gpu_caps *caps,
                                   const struct gpu_device_params *params,
                                   struct nn_error *error);

/* --- matrix.c --------------------------------------------------------------------- */

/* Fills matrix_nv and matrix_khr; the other facts must be there. */
void gpu_read_matrix(VkInstance instance, VkPhysicalDevice physical,
                     struct gpu_caps *caps);
/* What opening a device takes for the matrices that were chosen: the extension's name,
 * and its feature structure with `next` chained behind. NULL name when there are none. */
struct gpu_matrix_request {
    const char *extension;
    void *chain;
#ifdef VK_KHR_cooperative_matrix
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR khr;
#endif
    VkPhysicalDeviceCooperativeMatrixFeaturesNV nv;
};
void gpu_request_matrix(enum gpu_matrix matrix, void *next,
                        struct gpu_matrix_request *out);

/* --- device.c --------------------------------------------------------------------- */

/* Turns a failed call into a status and a message, and marks a lost device. */
enum nn_status gpu_vk_fail(struct gpu_device *device, VkResult result, const char *what,
                           struct nn_error *error);
enum nn_status gpu_check_lost(const struct gpu_device *device, struct nn_error *error);
void gpu_name_object(struct gpu_device *device, VkObjectType type, uint64_t handle,
                     const char *name);
/* Waits until the timeline reaches `value`, at most `timeout_ns` (UINT64_MAX: as long as
 * the device lives). */
enum nn_status gpu_wait_value(struct gpu_device *device, uint64_t value,
                              uint64_t timeout_ns, struct nn_error *error);
enum nn_status gpu_submit(struct gpu_device *device, VkCommandBuffer commands,
                          uint64_t *out_value, struct nn_error *error);

/* --- memory.c --------------------------------------------------------------------- */

enum nn_status gpu_staging_create(struct gpu_device *device, struct nn_error *error);

/* --- kernel.c and pipeline_cache.c -------------------------------------------------- */

void gpu_kernels_destroy(struct gpu_device *device);
void gpu_cache_load(struct gpu_device *device, const char *dir);
void gpu_cache_save(struct gpu_device *device);

#endif
