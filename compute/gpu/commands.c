/* Recordings: descriptor sets, dispatches, barriers, copies and timestamps, made once
 * and replayed. */
#include "compute/gpu/gpu_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS_PER_POOL 256
#define TEXELS_PER_POOL (2 * SETS_PER_POOL)
#define MAX_TIMESTAMPS 4096

struct gpu_commands {
    struct gpu_device *device;
    VkCommandBuffer buffer;
    VkDescriptorPool *pools;
    uint32_t n_pools, sets_left, texels_left; /* of the newest pool */
    VkBufferView *views;
    uint32_t n_views, views_room;
    VkQueryPool queries;
    uint32_t n_timestamps;
    uint64_t value; /* of the last submit */
    bool finished;
    bool bad_copy; /* a copy left its buffers; told at the end */
};

static void full_barrier(struct gpu_commands *c, VkPipelineStageFlags from,
                         VkAccessFlags from_access, VkPipelineStageFlags to,
                         VkAccessFlags to_access)
{
    VkMemoryBarrier barrier = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                .srcAccessMask = from_access,
                                .dstAccessMask = to_access };
    vkCmdPipelineBarrier(c->buffer, from, to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

#define WORK_STAGES                                                                    \
    (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define WORK_WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)
#define WORK_READS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT)

enum nn_status gpu_commands_create(struct gpu_commands **out, struct gpu_device *device,
                                   struct nn_error *error)
{
    enum nn_status status = gpu_check_lost(device, error);
    if (status != NN_OK) {
        return status;
    }
    struct gpu_commands *c = calloc(1, sizeof *c);
    if (!c) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for commands");
    }
    c->device = device;
    VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = device->pool, .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1 };
    VkResult result = vkAllocateCommandBuffers(device->handle, &info, &c->buffer);
    if (result == VK_SUCCESS) {
        VkCommandBufferBeginInfo begin = {
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
        result = vkBeginCommandBuffer(c->buffer, &begin);
    }
    if (result != VK_SUCCESS) {
        gpu_commands_destroy(&c);
        return gpu_vk_fail(device, result, "recording commands", error);
    }
    full_barrier(c, WORK_STAGES | VK_PIPELINE_STAGE_HOST_BIT,
                 WORK_WRITES | VK_ACCESS_HOST_WRITE_BIT, WORK_STAGES,
                 WORK_READS | WORK_WRITES);
    *out = c;
    return NN_OK;
}

void gpu_commands_destroy(struct gpu_commands **commands)
{
    if (!commands || !*commands) {
        return;
    }
    struct gpu_commands *c = *commands;
    VkDevice device = c->device->handle;
    if (c->value && !c->device->lost) {
        gpu_wait_value(c->device, c->value, 2000000000u, NULL);
    }
    for (uint32_t i = 0; i < c->n_views; i++) {
        vkDestroyBufferView(device, c->views[i], NULL);
    }
    for (uint32_t i = 0; i < c->n_pools; i++) {
        vkDestroyDescriptorPool(device, c->pools[i], NULL);
    }
    vkDestroyQueryPool(device, c->queries, NULL);
    if (c->buffer) {
        vkFreeCommandBuffers(device, c->device->pool, 1, &c->buffer);
    }
    free(c->views);
    free(c->pools);
    free(c);
    *commands = NULL;
}

/* --- Descriptors ----------------------------------------------------------------------- */

static enum nn_status add_pool(struct gpu_commands *c, struct nn_error *error)
{
    void *grown = realloc(c->pools, (c->n_pools + 1) * sizeof *c->pools);
    if (!grown) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for commands");
    }
    c->pools = grown;
    VkDescriptorPoolSize sizes[2] = {
        { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, SETS_PER_POOL * GPU_MAX_BINDINGS },
        { VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, TEXELS_PER_POOL } };
    VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = SETS_PER_POOL,
        .poolSizeCount = 2, .pPoolSizes = sizes };
    VkResult result =
        vkCreateDescriptorPool(c->device->handle, &info, NULL, &c->pools[c->n_pools]);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(c->device, result, "making a descriptor pool", error);
    }
    c->n_pools++;
    c->sets_left = SETS_PER_POOL;
    c->texels_left = TEXELS_PER_POOL;
    return NN_OK;
}

static enum nn_status add_view(struct gpu_commands *c, struct gpu_range range, bool half,
                               VkBufferView *out, struct nn_error *error)
{
    if (c->n_views == c->views_room) {
        uint32_t room = c->views_room ? 2 * c->views_room : 64;
        void *grown = realloc(c->views, room * sizeof *c->views);
        if (!grown) {
            return nn_fail(error, NN_ERROR_MEMORY, "out of memory for commands");
        }
        c->views = grown;
        c->views_room = room;
    }
    VkBufferViewCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO, .buffer = range.buffer->handle,
        .format = half ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_R32G32B32A32_SFLOAT,
        .offset = range.offset,
        .range = half ? range.bytes / 8 * 8 : range.bytes / 16 * 16 };
    VkResult result = vkCreateBufferView(c->device->handle, &info, NULL, out);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(c->device, result, "making a buffer view", error);
    }
    c->views[c->n_views++] = *out;
    return NN_OK;
}

static enum nn_status check_binding(const struct gpu_device *device,
                                    const struct gpu_dispatch *dispatch, uint32_t i,
                                    struct nn_error *error)
{
    struct gpu_range range = dispatch->binding[i];
    bool texel = dispatch->kernel->desc.texel_mask >> i & 1;
    const struct gpu_caps *caps = &device->caps;
    uint32_t alignment = texel ? caps->texel_alignment : caps->storage_alignment;
    if (!range.buffer || range.offset > range.buffer->bytes
        || range.bytes > range.buffer->bytes - range.offset || range.bytes == 0
        || range.offset % alignment != 0) {
        return nn_fail(error, NN_ERROR_INVALID, "binding %u of %s lies outside its buffer",
                       i, dispatch->kernel->desc.shader);
    }
    uint32_t texel_bytes = dispatch->kernel->desc.half ? 8 : 16;
    if (texel ? range.bytes / texel_bytes > caps->max_texel_elements
              : range.bytes > caps->max_storage_range) {
        return nn_fail(error, NN_ERROR_DEVICE_MEMORY,
                       "binding %u of %s is larger than %s allows", i,
                       dispatch->kernel->desc.shader, caps->name);
    }
    return NN_OK;
}

static enum nn_status write_set(struct gpu_commands *c, const struct gpu_dispatch *dispatch,
                                VkDescriptorSet set, struct nn_error *error)
{
    const struct gpu_kernel_desc *desc = &dispatch->kernel->desc;
    VkDescriptorBufferInfo buffers[GPU_MAX_BINDINGS];
    VkBufferView views[GPU_MAX_BINDINGS];
    VkWriteDescriptorSet writes[GPU_MAX_BINDINGS];
    for (uint32_t i = 0; i < desc->n_bindings; i++) {
        struct gpu_range range = dispatch->binding[i];
        enum nn_status status = check_binding(c->device, dispatch, i, error);
        bool texel = desc->texel_mask >> i & 1;
        if (status == NN_OK && texel) {
            status = add_view(c, range, desc->half, &views[i], error);
        }
        if (status != NN_OK) {
            return status;
        }
        buffers[i] = (VkDescriptorBufferInfo){ range.buffer->handle, range.offset,
                                               range.bytes };
        writes[i] = (VkWriteDescriptorSet){
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = set,
            .dstBinding = i, .descriptorCount = 1,
            .descriptorType = texel ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                                    : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .pBufferInfo = &buffers[i], .pTexelBufferView = &views[i] };
    }
    vkUpdateDescriptorSets(c->device->handle, desc->n_bindings, writes, 0, NULL);
    return NN_OK;
}

/* A set from the newest pool; from a new one when its sets or its descriptors ran out. */
static enum nn_status take_set(struct gpu_commands *c, const struct gpu_kernel *kernel,
                               VkDescriptorSet *out, struct nn_error *error)
{
    uint32_t texels = 0;
    for (uint32_t i = 0; i < kernel->desc.n_bindings; i++) {
        texels += kernel->desc.texel_mask >> i & 1;
    }
    if (c->sets_left == 0 || c->texels_left < texels) {
        enum nn_status status = add_pool(c, error);
        if (status != NN_OK) {
            return status;
        }
    }
    VkDescriptorSetAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = c->pools[c->n_pools - 1], .descriptorSetCount = 1,
        .pSetLayouts = &kernel->set_layout };
    VkResult result = vkAllocateDescriptorSets(c->device->handle, &info, out);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(c->device, result, "making a descriptor set", error);
    }
    c->sets_left--;
    c->texels_left -= texels;
    return NN_OK;
}

enum nn_status gpu_commands_dispatch(struct gpu_commands *commands,
                                     const struct gpu_dispatch *dispatch,
                                     struct nn_error *error)
{
    struct gpu_commands *c = commands;
    const struct gpu_kernel *kernel = dispatch->kernel;
    if (c->device->lost) {
        return gpu_check_lost(c->device, error);
    }
    for (int i = 0; i < 3; i++) {
        if (dispatch->groups[i] == 0
            || dispatch->groups[i] > c->device->caps.max_groups[i]) {
            return nn_fail(error, NN_ERROR_INVALID, "%s with %u workgroups",
                           kernel->desc.shader, dispatch->groups[i]);
        }
    }
    VkDescriptorSet set;
    enum nn_status status = take_set(c, kernel, &set, error);
    if (status == NN_OK) {
        status = write_set(c, dispatch, set, error);
    }
    if (status != NN_OK) {
        return status;
    }
    vkCmdBindPipeline(c->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->pipeline);
    vkCmdBindDescriptorSets(c->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->layout, 0, 1,
                            &set, 0, NULL);
    if (kernel->desc.push_bytes) {
        vkCmdPushConstants(c->buffer, kernel->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                           kernel->desc.push_bytes, dispatch->push);
    }
    vkCmdDispatch(c->buffer, dispatch->groups[0], dispatch->groups[1],
                  dispatch->groups[2]);
    return NN_OK;
}

static bool inside(struct gpu_range range)
{
    return range.buffer && range.bytes > 0 && range.offset <= range.buffer->bytes
           && range.bytes <= range.buffer->bytes - range.offset;
}

void gpu_commands_barrier(struct gpu_commands *commands)
{
    full_barrier(commands, WORK_STAGES, WORK_WRITES, WORK_STAGES,
                 WORK_READS | WORK_WRITES);
}

void gpu_commands_copy(struct gpu_commands *commands, struct gpu_range dst,
                       struct gpu_range src)
{
    if (!inside(dst) || !inside(src) || dst.bytes != src.bytes) {
        commands->bad_copy = true;
        return;
    }
    VkBufferCopy region = { src.offset, dst.offset, src.bytes };
    vkCmdCopyBuffer(commands->buffer, src.buffer->handle, dst.buffer->handle, 1, &region);
}

void gpu_commands_timestamp(struct gpu_commands *commands)
{
    struct gpu_commands *c = commands;
    if (!c->device->caps.timestamps || c->n_timestamps >= MAX_TIMESTAMPS) {
        return;
    }
    if (!c->queries) {
        VkQueryPoolCreateInfo info = { .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                       .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                       .queryCount = MAX_TIMESTAMPS };
        if (vkCreateQueryPool(c->device->handle, &info, NULL, &c->queries) != VK_SUCCESS) {
            return;
        }
        vkCmdResetQueryPool(c->buffer, c->queries, 0, MAX_TIMESTAMPS);
    }
    vkCmdWriteTimestamp(c->buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, c->queries,
                        c->n_timestamps++);
}

enum nn_status gpu_commands_finish(struct gpu_commands *commands, struct nn_error *error)
{
    enum nn_status status = gpu_check_lost(commands->device, error);
    if (status != NN_OK) {
        return status;
    }
    if (commands->bad_copy) {
        return nn_fail(error, NN_ERROR_INVALID, "a recorded copy leaves its buffers");
    }
    full_barrier(commands, WORK_STAGES, WORK_WRITES,
                 WORK_STAGES | VK_PIPELINE_STAGE_HOST_BIT,
                 WORK_READS | WORK_WRITES | VK_ACCESS_HOST_READ_BIT);
    VkResult result = vkEndCommandBuffer(commands->buffer);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(commands->device, result, "recording commands", error);
    }
    commands->finished = true;
    return NN_OK;
}

enum nn_status gpu_commands_submit(struct gpu_commands *commands, struct nn_error *error)
{
    if (!commands->finished) {
        return nn_fail(error, NN_ERROR_INVALID, "commands were not finished");
    }
    return gpu_submit(commands->device, commands->buffer, &commands->value, error);
}

enum nn_status gpu_commands_wait(struct gpu_commands *commands, struct nn_error *error)
{
    return gpu_wait_value(commands->device, commands->value, UINT64_MAX, error);
}

enum nn_status gpu_commands_times(struct gpu_commands *commands, double *nanoseconds,
                                  uint32_t count, struct nn_error *error)
{
    uint64_t ticks[MAX_TIMESTAMPS];
    enum nn_status status = gpu_check_lost(commands->device, error);
    if (status != NN_OK || count == 0) {
        return status;
    }
    /* Asking before the first submit would wait for ever. */
    if (commands->value == 0) {
        return nn_fail(error, NN_ERROR_INVALID, "commands were not submitted");
    }
    if (count > commands->n_timestamps) {
        return nn_fail(error, NN_ERROR_UNSUPPORTED, "%s takes no timestamps",
                       commands->device->caps.name);
    }
    VkResult result = vkGetQueryPoolResults(
        commands->device->handle, commands->queries, 0, count, count * sizeof ticks[0],
        ticks, sizeof ticks[0], VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
    if (result != VK_SUCCESS) {
        return gpu_vk_fail(commands->device, result, "reading timestamps", error);
    }
    const struct gpu_caps *caps = &commands->device->caps;
    uint64_t valid =
        caps->timestamp_bits < 64 ? (1ull << caps->timestamp_bits) - 1 : UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        nanoseconds[i] = (double)((ticks[i] - ticks[0]) & valid) * caps->timestamp_ns;
    }
    return NN_OK;
}
