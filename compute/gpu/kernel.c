/* Pipelines, found by their description. */
#include "compute/gpu/gpu_internal.h"

#include "shaders/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Apart from the shader. */
static bool same(const struct gpu_kernel_desc *a, const struct gpu_kernel_desc *b)
{
    return a->n_bindings == b->n_bindings && a->texel_mask == b->texel_mask
           && a->half == b->half && a->n_spec == b->n_spec
           && memcmp(a->spec, b->spec, a->n_spec * sizeof a->spec[0]) == 0
           && a->push_bytes == b->push_bytes && a->subgroup_size == b->subgroup_size;
}

static VkResult create_layouts(struct gpu_device *device, struct gpu_kernel *kernel)
{
    const struct gpu_kernel_desc *desc = &kernel->desc;
    VkDescriptorSetLayoutBinding bindings[GPU_MAX_BINDINGS];
    for (uint32_t i = 0; i < desc->n_bindings; i++) {
        bindings[i] = (VkDescriptorSetLayoutBinding){
            .binding = i, .descriptorCount = 1,
            .descriptorType = desc->texel_mask >> i & 1
                                  ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                                  : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT };
    }
    VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = desc->n_bindings, .pBindings = bindings };
    VkResult result =
        vkCreateDescriptorSetLayout(device->handle, &set, NULL, &kernel->set_layout);
    if (result != VK_SUCCESS) {
        return result;
    }
    VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, desc->push_bytes };
    VkPipelineLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = 1, .pSetLayouts = &kernel->set_layout,
        .pushConstantRangeCount = desc->push_bytes ? 1 : 0, .pPushConstantRanges = &push };
    return vkCreatePipelineLayout(device->handle, &layout, NULL, &kernel->layout);
}

static VkResult create_pipeline(struct gpu_device *device, struct gpu_kernel *kernel)
{
    const struct shader_blob *blob = kernel->blob;
    const struct gpu_kernel_desc *desc = &kernel->desc;
    VkShaderModuleCreateInfo module_info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = blob->bytes,
        .pCode = blob->words };
    VkShaderModule module;
    VkResult result = vkCreateShaderModule(device->handle, &module_info, NULL, &module);
    if (result != VK_SUCCESS) {
        return result;
    }
    VkSpecializationMapEntry entries[GPU_MAX_SPEC];
    for (uint32_t i = 0; i < desc->n_spec; i++) {
        entries[i] = (VkSpecializationMapEntry){ i, i * 4, 4 };
    }
    VkSpecializationInfo spec = { desc->n_spec, entries, desc->n_spec * 4, desc->spec };
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT size = {
        .sType =
            VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT,
        .requiredSubgroupSize = desc->subgroup_size };
    bool require = desc->subgroup_size && device->caps.subgroup_size_control;
    VkPipelineShaderStageCreateFlags full =
        require && device->caps.full_subgroups
            ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT_EXT
            : 0;
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                   .pNext = require ? &size : NULL, .flags = full,
                   .stage = VK_SHADER_STAGE_COMPUTE_BIT, .module = module,
                   .pName = "main", .pSpecializationInfo = &spec },
        .layout = kernel->layout };
    result = vkCreateComputePipelines(device->handle, device->cache, 1, &info, NULL,
                                      &kernel->pipeline);
    vkDestroyShaderModule(device->handle, module, NULL);
    return result;
}

static void destroy(struct gpu_device *device, struct gpu_kernel *kernel)
{
    vkDestroyPipeline(device->handle, kernel->pipeline, NULL);
    vkDestroyPipelineLayout(device->handle, kernel->layout, NULL);
    vkDestroyDescriptorSetLayout(device->handle, kernel->set_layout, NULL);
    free(kernel);
}

static enum nn_status add(struct gpu_device *device, struct gpu_kernel *kernel,
                          struct nn_error *error)
{
    if (device->n_kernels == device->kernels_room) {
        uint32_t room = device->kernels_room ? 2 * device->kernels_room : 32;
        void *grown = realloc(device->kernels, room * sizeof *device->kernels);
        if (!grown) {
            return nn_fail(error, NN_ERROR_MEMORY, "out of memory for kernels");
        }
        device->kernels = grown;
        device->kernels_room = room;
    }
    device->kernels[device->n_kernels++] = kernel;
    return NN_OK;
}

/* NULL when there is none of that name in that precision. */
static const struct shader_blob *find_blob(const struct gpu_kernel_desc *desc)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", desc->shader, desc->half ? "_half" : "");
    return shader_find(name);
}

static enum nn_status check_desc(const struct gpu_device *device,
                                 const struct gpu_kernel_desc *desc,
                                 const struct shader_blob *blob, struct nn_error *error)
{
    const struct gpu_caps *caps = &device->caps;
    if (!blob || desc->n_bindings > GPU_MAX_BINDINGS || desc->n_spec > GPU_MAX_SPEC
        || desc->push_bytes > GPU_MAX_PUSH || desc->push_bytes % 4 != 0) {
        return nn_fail(error, NN_ERROR_INVALID, "there is no such kernel as %s",
                       desc->shader);
    }
    uint32_t size = desc->subgroup_size;
    bool fits = (size & (size - 1)) == 0 && size >= caps->min_subgroup_size
                && size <= caps->max_subgroup_size
                && (caps->subgroup_size_control
                    || caps->min_subgroup_size == caps->max_subgroup_size);
    if (size != 0 && !fits) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED,
                       "%s needs subgroups of %u, which %s cannot promise", desc->shader,
                       size, caps->name);
    }
    return NN_OK;
}

static const struct gpu_kernel *find(const struct gpu_device *device,
                                     const struct gpu_kernel_desc *desc)
{
    const struct shader_blob *blob = find_blob(desc);
    for (uint32_t i = 0; i < device->n_kernels; i++) {
        if (device->kernels[i]->blob == blob && same(&device->kernels[i]->desc, desc)) {
            return device->kernels[i];
        }
    }
    return NULL;
}

/* A kernel on its way from description to pipeline. */
struct making {
    struct gpu_kernel *kernel;
    VkResult result;
};

static enum nn_status begin_making(struct making *out, const struct gpu_device *device,
                                   const struct gpu_kernel_desc *desc,
                                   struct nn_error *error)
{
    const struct shader_blob *blob = find_blob(desc);
    *out = (struct making){ 0 };
    enum nn_status status = check_desc(device, desc, blob, error);
    if (status != NN_OK) {
        return status;
    }
    out->kernel = calloc(1, sizeof *out->kernel);
    if (!out->kernel) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for kernels");
    }
    out->kernel->desc = *desc;
    out->kernel->desc.shader = blob->name;
    out->kernel->blob = blob;
    return NN_OK;
}

/* The slow part; any thread. */
static void make(struct gpu_device *device, struct making *m)
{
    m->result = create_layouts(device, m->kernel);
    if (m->result == VK_SUCCESS) {
        m->result = create_pipeline(device, m->kernel);
    }
}

/* Gives the kernel to the device, or frees it. */
static enum nn_status end_making(struct gpu_device *device, struct making *m,
                                 struct nn_error *error)
{
    enum nn_status status =
        m->result == VK_SUCCESS
            ? add(device, m->kernel, error)
            : gpu_vk_fail(device, m->result, "compiling a kernel", error);
    if (status != NN_OK) {
        destroy(device, m->kernel);
        return status;
    }
    const struct gpu_kernel *kernel = m->kernel;
    const char *name = kernel->blob->name;
    gpu_name_object(device, VK_OBJECT_TYPE_PIPELINE, (uint64_t)kernel->pipeline, name);
    gpu_name_object(device, VK_OBJECT_TYPE_PIPELINE_LAYOUT, (uint64_t)kernel->layout,
                    name);
    gpu_name_object(device, VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT,
                    (uint64_t)kernel->set_layout, name);
    device->cache_grew = true;
    return NN_OK;
}

enum nn_status gpu_kernel_get(const struct gpu_kernel **out, struct gpu_device *device,
                              const struct gpu_kernel_desc *desc, struct nn_error *error)
{
    enum nn_status status = gpu_check_lost(device, error);
    if (status != NN_OK) {
        return status;
    }
    *out = find(device, desc);
    if (*out) {
        return NN_OK;
    }
    struct making m;
    status = begin_making(&m, device, desc, error);
    if (status == NN_OK) {
        make(device, &m);
        status = end_making(device, &m, error);
    }
    *out = status == NN_OK ? m.kernel : NULL;
    return status;
}

/* --- Many at once ------------------------------------------------------------------------ */

#define MAX_MAKERS 16

struct workshop {
    struct gpu_device *device;
    struct making *items;
    uint32_t n;
    atomic_uint next;
};

static void *make_items(void *data)
{
    struct workshop *w = data;
    uint32_t i;
    while ((i = atomic_fetch_add(&w->next, 1)) < w->n) {
        make(w->device, &w->items[i]);
    }
    return NULL;
}

/* The calling thread works too; a thread that cannot be had is done without. */
static void make_all(struct workshop *w)
{
    pthread_t threads[MAX_MAKERS];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t n = 0;
    while (n < MAX_MAKERS && n + 1 < w->n && (long)n + 1 < processors
           && pthread_create(&threads[n], NULL, make_items, w) == 0) {
        n++;
    }
    make_items(w);
    for (uint32_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
}

static bool is_listed(const struct workshop *w, const struct gpu_kernel_desc *desc)
{
    const struct shader_blob *blob = find_blob(desc);
    for (uint32_t i = 0; i < w->n; i++) {
        const struct gpu_kernel *kernel = w->items[i].kernel;
        if (kernel->blob == blob && same(&kernel->desc, desc)) {
            return true;
        }
    }
    return false;
}

enum nn_status gpu_kernels_prepare(struct gpu_device *device,
                                   const struct gpu_kernel_desc *const *descs, uint32_t n,
                                   struct nn_error *error)
{
    struct workshop w = { .device = device, .items = calloc(n + 1, sizeof *w.items) };
    if (!w.items) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for kernels");
    }
    enum nn_status status = gpu_check_lost(device, error);
    for (uint32_t i = 0; i < n && status == NN_OK; i++) {
        if (!find(device, descs[i]) && !is_listed(&w, descs[i])) {
            status = begin_making(&w.items[w.n], device, descs[i], error);
            w.n += status == NN_OK;
        }
    }
    if (status == NN_OK) {
        make_all(&w);
    }
    for (uint32_t i = 0; i < w.n; i++) {
        if (status == NN_OK) {
            status = end_making(device, &w.items[i], error);
        } else {
            destroy(device, w.items[i].kernel);
        }
    }
    free(w.items);
    return status;
}

void gpu_kernels_destroy(struct gpu_device *device)
{
    for (uint32_t i = 0; i < device->n_kernels; i++) {
        destroy(device, device->kernels[i]);
    }
    free(device->kernels);
    device->kernels = NULL;
    device->n_kernels = 0;
    vkDestroyPipelineCache(device->handle, device->cache, NULL);
}
