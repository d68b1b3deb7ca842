#include "app/engine/devices.h"

#include "compute/gpu/gpu.h"

#include <stdlib.h>

GStrv tl_device_names(void)
{
    struct gpu_list_entry *list = NULL;
    size_t n = 0;
    struct nn_error error = { 0 };
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    if (gpu_list(&list, &n, &error) == NN_OK) {
        for (size_t i = 0; i < n; i++) {
            g_strv_builder_add(names, list[i].caps.name);
        }
        free(list);
    }
    return g_strv_builder_end(names);
}
