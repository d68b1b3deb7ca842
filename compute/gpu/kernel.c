/* Pipelines, found by their description. */
#include "compute/gpu/gpu_internal.h"

#include "shaders/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum nn_status gpu_kernel_get(const struct gpu_kernel **out, struct gpu_device *device,
                              const struct gpu_kernel_desc *desc, struct nn_error *error)
{
    const struct shader_blob *blob = find_blob(desc);
    enum nn_status status = gpu_check_lost(device, error);
    if (status == NN_OK) {
        status = check_desc(device, desc, blob, error);
    }
    if (status != NN_OK) {
        return status;
    }
    for (uint32_t i = 0; i < device->n_kernels; i++) {
        if (device->kernels[i]->blob == blob
            && same(&device->kernels[i]->desc, desc)) {
            *out = device->kernels[i];
            return NN_OK;
        }
    }
    struct gpu_kernel *kernel = calloc(1, sizeof *kernel);
    if (!kernel) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for kernels");
    }
    kernel->desc = *desc;
    kernel->desc.shader = blob->name;
    kernel->blob = blob;
    VkResult result = create_layouts(device, kernel);
    if (result == VK_SUCCESS) {
        result = create_pipeline(device, kernel);
    }
    status = result == VK_SUCCESS
                 ? add(device, kernel, error)
                 : gpu_vk_fail(device, result, "compiling a kernel", error);
    if (status != NN_OK) {
        destroy(device, kernel);
        return status;
    }
    gpu_name_object(device, VK_OBJECT_TYPE_PIPELINE, (uint64_t)kernel->pipeline,
                    blob->name);
    gpu_name_object(device, VK_OBJECT_TYPE_PIPELINE_LAYOUT, (uint64_t)kernel->layout,
                    blob->name);
    gpu_name_object(device, VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT,
                    (uint64_t)kernel->set_layout, blob->name);
    device->cache_grew = true;
    *out = kernel;
    return NN_OK;
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
