/* The pipeline cache on disk.
 *
 * File: a header (below), then the driver's data. A header that does not match this
 * driver, this build's shaders or the data's checksum makes the file as good as absent:
 * it is ignored and written anew. Losing it costs time only, so its errors are silent. */
#include "compute/gpu/gpu_internal.h"

#include "shaders/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_CACHE_BYTES (256u << 20)

struct cache_header {
    char magic[8]; /* "TLPIPE1" */
    uint8_t uuid[16];
    uint32_t vendor_id, device_id, driver_version, bytes;
    uint64_t shaders;  /* hash of every module */
    uint64_t checksum; /* of the data */
};

static uint64_t fnv1a(const void *data, size_t bytes, uint64_t hash)
{
    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3u;
    }
    return hash;
}

static struct cache_header header_for(const struct gpu_device *device, const void *data,
                                      size_t bytes)
{
    struct cache_header header = { "TLPIPE1", { 0 }, device->caps.vendor_id,
                                   device->caps.device_id, device->caps.driver_version,
                                   (uint32_t)bytes, 0xcbf29ce484222325u, 0 };
    memcpy(header.uuid, device->caps.pipeline_cache_uuid, sizeof header.uuid);
    for (size_t i = 0; i < shader_blob_count; i++) {
        header.shaders =
            fnv1a(&shader_blobs[i].hash, sizeof shader_blobs[i].hash, header.shaders);
    }
    header.checksum = fnv1a(data, bytes, 0xcbf29ce484222325u);
    return header;
}

/* The data of a fitting file, malloc'ed, or NULL. */
static void *read_file(const struct gpu_device *device, size_t *bytes)
{
    FILE *file = fopen(device->cache_path, "rb");
    if (!file) {
        return NULL;
    }
    struct cache_header header;
    void *data = NULL;
    if (fread(&header, sizeof header, 1, file) == 1 && header.bytes <= MAX_CACHE_BYTES) {
        data = malloc(header.bytes + 1);
        if (data && fread(data, 1, header.bytes, file) == header.bytes
            && fgetc(file) == EOF) {
            struct cache_header fitting = header_for(device, data, header.bytes);
            if (memcmp(&fitting, &header, sizeof header) == 0) {
                *bytes = header.bytes;
                fclose(file);
                return data;
            }
        }
    }
    free(data);
    fclose(file);
    return NULL;
}

void gpu_cache_load(struct gpu_device *device, const char *dir)
{
    size_t bytes = 0;
    void *data = NULL;
    if (dir) {
        char name[64];
        const uint8_t *u = device->caps.pipeline_cache_uuid;
        snprintf(name, sizeof name, "/pipelines-%02x%02x%02x%02x%02x%02x%02x%02x.bin",
                 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7]);
        size_t size = strlen(dir) + strlen(name) + 1;
        device->cache_path = malloc(size);
        if (device->cache_path) {
            snprintf(device->cache_path, size, "%s%s", dir, name);
            data = read_file(device, &bytes);
        }
    }
    VkPipelineCacheCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = bytes,
        .pInitialData = data };
    if (vkCreatePipelineCache(device->handle, &info, NULL, &device->cache) != VK_SUCCESS) {
        device->cache = VK_NULL_HANDLE;
    }
    free(data);
}

static bool write_file(const char *path, const struct cache_header *header,
                       const void *data, size_t bytes)
{
    size_t size = strlen(path) + 24;
    char *temporary = malloc(size);
    if (!temporary) {
        return false;
    }
    snprintf(temporary, size, "%s.%ld", path, (long)getpid());
    FILE *file = fopen(temporary, "wb");
    bool good = file && fwrite(header, sizeof *header, 1, file) == 1
                && fwrite(data, 1, bytes, file) == bytes;
    good = (!file || fclose(file) == 0) && good;
    good = good && rename(temporary, path) == 0;
    if (!good && file) {
        remove(temporary);
    }
    free(temporary);
    return good;
}

void gpu_cache_save(struct gpu_device *device)
{
    size_t bytes = 0;
    if (!device->cache_path || !device->cache || !device->cache_grew || device->lost
        || vkGetPipelineCacheData(device->handle, device->cache, &bytes, NULL)
               != VK_SUCCESS
        || bytes == 0 || bytes > MAX_CACHE_BYTES) {
        return;
    }
    void *data = malloc(bytes);
    if (data
        && vkGetPipelineCacheData(device->handle, device->cache, &bytes, data)
               == VK_SUCCESS) {
        struct cache_header header = header_for(device, data, bytes);
        write_file(device->cache_path, &header, data, bytes);
    }
    free(data);
}
