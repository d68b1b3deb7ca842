/* Buffers: one allocation each (the engine makes few and large ones), mapped where the
 * memory is unified, reached through a staging buffer where it is not. */
#include "compute/gpu/gpu_internal.h"

#include <stdlib.h>
#include <string.h>

/* The first memory type with all of `flags` among `allowed`, or UINT32_MAX. */
static uint32_t find_type(const struct gpu_device *device, uint32_t allowed,
                          VkMemoryPropertyFlags flags)
{
    for (uint32_t i = 0; i < device->memory.memoryTypeCount; i++) {
        if ((allowed >> i & 1)
            && (device->memory.memoryTypes[i].propertyFlags & flags) == flags) {
            return i;
        }
    }
    return UINT32_MAX;
}

static uint32_t choose_type(const struct gpu_device *device, uint32_t allowed, bool host)
{
    VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    VkMemoryPropertyFlags mapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
                                   | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkMemoryPropertyFlags wishes[4] = {
        mapped | VK_MEMORY_PROPERTY_HOST_CACHED_BIT | (host ? 0 : local),
        mapped | (host ? 0 : local), local, 0 };
    int first = host || device->caps.unified_memory ? 0 : 2;
    int last = host ? 2 : 4;
    for (int i = first; i < last; i++) {
        uint32_t type = find_type(device, allowed, wishes[i]);
        if (type != UINT32_MAX) {
            return type;
        }
    }
    return UINT32_MAX;
}

static enum nn_status too_large(const struct gpu_device *device, uint64_t bytes,
                                struct nn_error *error)
{
    return nn_fail(error, NN_ERROR_DEVICE_MEMORY, "%s cannot hold a buffer of %.1f MiB",
                   device->caps.name, (double)bytes / 1048576.0);
}

static enum nn_status allocate(struct gpu_buffer *buffer, bool host,
                               struct nn_error *error)
{
    struct gpu_device *device = buffer->device;
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(device->handle, buffer->handle, &needs);
    uint32_t type = choose_type(device, needs.memoryTypeBits, host);
    if (type == UINT32_MAX || needs.size > device->caps.max_allocation) {
        return too_large(device, needs.size, error);
    }
    VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                  .allocationSize = needs.size, .memoryTypeIndex = type };
    VkResult result = vkAllocateMemory(device->handle, &info, NULL, &buffer->memory);
    if (result == VK_SUCCESS) {
        result = vkBindBufferMemory(device->handle, buffer->handle, buffer->memory, 0);
    }
    VkMemoryPropertyFlags flags = device->memory.memoryTypes[type].propertyFlags;
    VkMemoryPropertyFlags mapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
                                   | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if (result == VK_SUCCESS && (host || device->caps.unified_memory)
        && (flags & mapped) == mapped) {
        result = vkMapMemory(device->handle, buffer->memory, 0, VK_WHOLE_SIZE, 0,
                             &buffer->map);
    }
    return result == VK_SUCCESS ? NN_OK
                                : gpu_vk_fail(device, result, "allocating memory", error);
}

static enum nn_status create(struct gpu_buffer **out, struct gpu_device *device,
                             uint64_t bytes, bool host, struct nn_error *error)
{
    enum nn_status status = gpu_check_lost(device, error);
    if (status != NN_OK) {
        return status;
    }
    if (device->fail_alloc_after > 0 && --device->fail_alloc_after == 0) {
        return gpu_vk_fail(device, VK_ERROR_OUT_OF_DEVICE_MEMORY,
                           "allocating memory (injected)", error);
    }
    if (bytes > UINT64_MAX - 255 || bytes > device->caps.max_allocation) {
        return too_large(device, bytes, error);
    }
    struct gpu_buffer *buffer = calloc(1, sizeof *buffer);
    if (!buffer) {
        return nn_fail(error, NN_ERROR_MEMORY, "out of memory for a buffer");
    }
    buffer->device = device;
    VkBufferUsageFlags usage =
        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (!host) {
        usage |= VK_BUFFER_USAGE_STORAGE_BUFFER_BIT
                 | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT;
    }
    VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                .size = (bytes + 255) / 256 * 256 + (bytes == 0 ? 256 : 0),
                                .usage = usage };
    VkResult result = vkCreateBuffer(device->handle, &info, NULL, &buffer->handle);
    status = result == VK_SUCCESS ? allocate(buffer, host, error)
                                  : gpu_vk_fail(device, result, "making a buffer", error);
    if (status != NN_OK) {
        gpu_buffer_destroy(&buffer);
        return status;
    }
    buffer->bytes = info.size;
    device->bytes += info.size;
    gpu_name_object(device, VK_OBJECT_TYPE_BUFFER, (uint64_t)buffer->handle,
                    host ? "staging" : "buffer");
    gpu_name_object(device, VK_OBJECT_TYPE_DEVICE_MEMORY, (uint64_t)buffer->memory,
                    host ? "staging memory" : "buffer memory");
    *out = buffer;
    return NN_OK;
}

enum nn_status gpu_buffer_create(struct gpu_buffer **out, struct gpu_device *device,
                                 uint64_t bytes, struct nn_error *error)
{
    return create(out, device, bytes, false, error);
}

enum nn_status gpu_staging_create(struct gpu_device *device, struct nn_error *error)
{
    return create(&device->staging, device, GPU_STAGING_BYTES, true, error);
}

void gpu_buffer_destroy(struct gpu_buffer **buffer)
{
    if (!buffer || !*buffer) {
        return;
    }
    struct gpu_buffer *b = *buffer;
    vkDestroyBuffer(b->device->handle, b->handle, NULL);
    vkFreeMemory(b->device->handle, b->memory, NULL);
    b->device->bytes -= b->bytes;
    free(b);
    *buffer = NULL;
}

uint64_t gpu_buffer_bytes(const struct gpu_buffer *buffer)
{
    return buffer->bytes;
}

void *gpu_buffer_map(struct gpu_buffer *buffer)
{
    return buffer->map;
}

/* --- Copies ------------------------------------------------------------------------- */

/* Unified memory may still come in a type that cannot be mapped. */
static enum nn_status need_staging(struct gpu_device *device, struct nn_error *error)
{
    return device->staging ? NN_OK : gpu_staging_create(device, error);
}

static enum nn_status copy_now(struct gpu_device *device, struct gpu_range dst,
                               struct gpu_range src, struct nn_error *error)
{
    struct gpu_commands *commands = NULL;
    enum nn_status status = gpu_commands_create(&commands, device, error);
    if (status == NN_OK) {
        gpu_commands_copy(commands, dst, src);
        status = gpu_commands_finish(commands, error);
    }
    if (status == NN_OK) {
        status = gpu_commands_submit(commands, error);
    }
    if (status == NN_OK) {
        status = gpu_commands_wait(commands, error);
    }
    gpu_commands_destroy(&commands);
    return status;
}

static enum nn_status check_range(const struct gpu_buffer *buffer, uint64_t offset,
                                  uint64_t bytes, struct nn_error *error)
{
    if (offset > buffer->bytes || bytes > buffer->bytes - offset) {
        return nn_fail(error, NN_ERROR_INVALID, "a copy leaves its buffer");
    }
    return gpu_check_lost(buffer->device, error);
}

enum nn_status gpu_buffer_write(struct gpu_buffer *buffer, uint64_t offset,
                                const void *src, uint64_t bytes, struct nn_error *error)
{
    enum nn_status status = check_range(buffer, offset, bytes, error);
    if (status == NN_OK && buffer->map) {
        memcpy((char *)buffer->map + offset, src, bytes);
        return NN_OK;
    }
    if (status == NN_OK && bytes > 0) {
        status = need_staging(buffer->device, error);
    }
    struct gpu_buffer *staging = buffer->device->staging;
    for (uint64_t done = 0; done < bytes && status == NN_OK;) {
        uint64_t part = bytes - done < staging->bytes ? bytes - done : staging->bytes;
        memcpy(staging->map, (const char *)src + done, part);
        status = copy_now(buffer->device,
                          (struct gpu_range){ buffer, offset + done, part },
                          (struct gpu_range){ staging, 0, part }, error);
        done += part;
    }
    return status;
}

enum nn_status gpu_buffer_read(struct gpu_buffer *buffer, uint64_t offset, void *dst,
                               uint64_t bytes, struct nn_error *error)
{
    enum nn_status status = check_range(buffer, offset, bytes, error);
    if (status == NN_OK && buffer->map) {
        memcpy(dst, (const char *)buffer->map + offset, bytes);
        return NN_OK;
    }
    if (status == NN_OK && bytes > 0) {
        status = need_staging(buffer->device, error);
    }
    struct gpu_buffer *staging = buffer->device->staging;
    for (uint64_t done = 0; done < bytes && status == NN_OK;) {
        uint64_t part = bytes - done < staging->bytes ? bytes - done : staging->bytes;
        status = copy_now(buffer->device, (struct gpu_range){ staging, 0, part },
                          (struct gpu_range){ buffer, offset + done, part }, error);
        if (status == NN_OK) {
            memcpy((char *)dst + done, staging->map, part);
        }
        done += part;
    }
    return status;
}
