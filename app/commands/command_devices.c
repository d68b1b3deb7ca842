#include "app/commands/commands.h"
#include "app/json/json_out.h"
#include "compute/gpu/gpu.h"

#include <stdlib.h>

static const char *type_text(enum gpu_device_type type)
{
    switch (type) {
    case GPU_DISCRETE: return "discrete";
    case GPU_INTEGRATED: return "integrated";
    case GPU_VIRTUAL: return "virtual";
    case GPU_SOFTWARE: return "software";
    case GPU_OTHER: break;
    }
    return "other";
}

static const char *matrix_text(const struct gpu_caps *caps)
{
    return !caps->cooperative_matrix                 ? "none"
           : caps->choice.matrix == GPU_MATRIX_KHR ? "khr"
                                                   : "nv";
}

static const char *family_text(enum gpu_family family)
{
    return family == GPU_FAMILY_DIRECT ? "direct" : "tiled";
}

static void add_device(JsonBuilder *b, const struct gpu_list_entry *e)
{
    const struct gpu_caps *c = &e->caps;
    g_autofree char *api =
        g_strdup_printf("%u.%u.%u", c->api_version >> 22, c->api_version >> 12 & 0x3ff,
                        c->api_version & 0xfff);
    json_builder_begin_object(b);
    json_out_count(b, "index", e->index);
    json_out_text(b, "name", c->name);
    json_out_text(b, "type", type_text(c->type));
    json_out_text(b, "driver", c->driver);
    json_out_text(b, "api", api);
    json_out_count(b, "memory_bytes", (gint64)c->memory_bytes);
    json_out_flag(b, "unified_memory", c->unified_memory);
    json_out_count(b, "subgroup_size", c->subgroup_size);
    json_out_count(b, "max_storage_range", (gint64)c->max_storage_range);
    json_out_count(b, "max_allocation", (gint64)c->max_allocation);
    json_out_count(b, "max_shared_bytes", c->max_shared_bytes);
    json_out_count(b, "max_invocations", c->max_invocations);
    json_out_flag(b, "float16", c->float16);
    json_out_flag(b, "storage_16bit", c->storage_16bit);
    json_out_flag(b, "cooperative_matrix", c->cooperative_matrix);
    json_out_text(b, "kernels", family_text(c->family));
    json_out_text(b, "matrix_kernels", matrix_text(c));
    json_out_text(b, "precision", gpu_precision_name(c->choice.precision));
    json_builder_end_object(b);
}

static void print_json(const struct gpu_list_entry *list, size_t n)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_array(b);
    for (size_t i = 0; i < n; i++) {
        add_device(b, &list[i]);
    }
    json_builder_end_array(b);
    g_autofree char *text = json_out_string(b);
    g_print("%s\n", text);
}

static void print_table(const struct gpu_list_entry *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct gpu_caps *c = &list[i].caps;
        g_print("%d  %s\n   %s%s, %s, Vulkan %u.%u\n", list[i].index, c->name,
                type_text(c->type),
                c->type == GPU_SOFTWARE ? " (runs on the processor)" : "", c->driver,
                c->api_version >> 22, c->api_version >> 12 & 0x3ff);
        g_print("   memory %.1f GiB%s, subgroups of %u, buffers to %.0f MiB, shared %u "
                "KiB\n", c->memory_bytes / 1073741824.0,
                c->unified_memory ? " (shared with the host)" : "", c->subgroup_size,
                c->max_storage_range / 1048576.0, c->max_shared_bytes / 1024);
        g_print("   16-bit storage %s, arithmetic %s; cooperative matrix %s\n",
                c->storage_16bit ? "yes" : "no", c->float16 ? "yes" : "no",
                c->cooperative_matrix ? "yes" : "no");
        g_print("   precision: %s unless --precision says otherwise, kernels: %s%s\n",
                gpu_precision_name(c->choice.precision), family_text(c->family),
                c->cooperative_matrix ? " with cooperative matrices" : "");
    }
}

int command_devices(int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL }, { 0 } };
    if (!command_parse(&argc, &argv, entries, "- list Vulkan devices",
                       "The first is used unless --device says otherwise.")) {
        return COMMAND_MISUSED;
    }
    if (argc > 1) {
        return command_fail(COMMAND_MISUSED, "devices takes no arguments");
    }
    struct gpu_list_entry *list = NULL;
    size_t n = 0;
    struct nn_error error = { 0 };
    if (gpu_list(&list, &n, &error) != NN_OK) {
        return command_fail(COMMAND_FAILED, "%s", error.text);
    }
    if (json) {
        print_json(list, n);
    } else {
        print_table(list, n);
    }
    free(list);
    return n > 0 ? COMMAND_DONE
                 : command_fail(COMMAND_FAILED, "no Vulkan 1.2 device was found: install a "
                                "driver; mesa-vulkan-drivers has one for every processor");
}
