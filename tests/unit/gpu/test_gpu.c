/* The Vulkan device: list and choice, buffers, kernels, recordings, the pipeline cache on
 * disk and injected faults. With --validate all of it runs under core and synchronization
 * validation and must not cause one message. Skips without a device or the layer. */
#include "compute/gpu/gpu.h"
#include "tests/check.h"

#include <dirent.h>
#include <unistd.h>

#define COUNT 1000u

static bool validate;
static struct nn_error error;
static uint64_t held; /* by the open device before it made anything */

struct fill_push { uint32_t count; float value; };

static struct gpu_device *open_with(struct gpu_device_params params)
{
    struct gpu_device *device = NULL;
    params.family = -1;
    params.validate = validate;
    REQUIRE_OK(gpu_device_create(&device, &params, &error));
    held = gpu_device_bytes(device);
    return device;
}

/* Ends a device: all buffers must be gone and no message may have come. */
static void close_clean(struct gpu_device **device)
{
    REQUIRE_INT(gpu_device_bytes(*device), held);
    REQUIRE_INT(gpu_device_validation_count(*device), 0);
    gpu_device_destroy(device);
    REQUIRE(*device == NULL);
    gpu_device_destroy(device);
}

static struct gpu_kernel_desc fill_desc(void)
{
    return (struct gpu_kernel_desc){ .shader = "fill", .n_bindings = 1, .push_bytes = 8 };
}

static struct gpu_dispatch fill_dispatch(struct gpu_device *device,
                                         struct gpu_range range, float value)
{
    struct gpu_kernel_desc desc = fill_desc();
    struct gpu_dispatch dispatch = { .groups = { 4, 1, 1 }, .label = "fill" };
    struct fill_push push = { (uint32_t)(range.bytes / 4), value };
    REQUIRE_OK(gpu_kernel_get(&dispatch.kernel, device, &desc, &error));
    dispatch.binding[0] = range;
    memcpy(dispatch.push, &push, sizeof push);
    return dispatch;
}

static struct gpu_buffer *buffer_of(struct gpu_device *device, uint64_t bytes)
{
    struct gpu_buffer *buffer = NULL;
    REQUIRE_OK(gpu_buffer_create(&buffer, device, bytes, &error));
    REQUIRE(gpu_buffer_bytes(buffer) >= bytes);
    return buffer;
}

static void run(struct gpu_commands *commands)
{
    REQUIRE_OK(gpu_commands_submit(commands, &error));
    REQUIRE_OK(gpu_commands_wait(commands, &error));
}

static void require_filled(struct gpu_buffer *buffer, float want)
{
    float got[COUNT];
    REQUIRE_OK(gpu_buffer_read(buffer, 0, got, sizeof got, &error));
    for (uint32_t i = 0; i < COUNT; i++) {
        REQUIRE(got[i] == want);
    }
}

/* --- List and choice ------------------------------------------------------------------ */

static int rank_of(enum gpu_device_type type)
{
    static const int ranks[] = { [GPU_DISCRETE] = 0, [GPU_INTEGRATED] = 1,
                                 [GPU_VIRTUAL] = 2, [GPU_OTHER] = 3,
                                 [GPU_SOFTWARE] = 4 };
    return ranks[type];
}

/* False when there is no device. */
static bool test_list(void)
{
    struct gpu_list_entry *list = NULL;
    size_t n = 0;
    if (gpu_list(&list, &n, &error) != NN_OK || n == 0) {
        free(list);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct gpu_caps *caps = &list[i].caps;
        REQUIRE_INT(list[i].index, i);
        REQUIRE(i == 0 || rank_of(list[i - 1].caps.type) <= rank_of(caps->type));
        REQUIRE(caps->name[0] && caps->driver[0]);
        REQUIRE(caps->memory_bytes > 0 && caps->max_allocation > 0);
        REQUIRE(caps->subgroup_size >= 1);
        REQUIRE(caps->min_subgroup_size <= caps->max_subgroup_size);
        REQUIRE(caps->max_groups[0] >= 65535 && caps->max_push_bytes >= GPU_MAX_PUSH);
        REQUIRE(caps->storage_alignment >= 1 && caps->texel_alignment >= 1);
        REQUIRE(caps->family == GPU_FAMILY_TILED || caps->type == GPU_SOFTWARE);
    }
    free(list);
    return true;
}

static void test_choice(void)
{
    struct gpu_device *device = open_with((struct gpu_device_params){ .select = "0" });
    char part[8] = { 0 };
    for (int i = 0; i < 5; i++) {
        char c = gpu_device_caps(device)->name[i];
        part[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    close_clean(&device);
    device = open_with((struct gpu_device_params){ .select = part });
    close_clean(&device);
    static const char *const wrong[] = { "99", "-1", "no such device", "\n" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct gpu_device_params params = { .select = wrong[i], .family = -1 };
        REQUIRE_INT(gpu_device_create(&device, &params, &error), NN_ERROR_INVALID);
        REQUIRE(device == NULL && strstr(error.text, "device"));
        REQUIRE(!strchr(error.text, '\n'));
    }
    struct gpu_device_params params = { .family = 7 };
    REQUIRE_INT(gpu_device_create(&device, &params, &error), NN_ERROR_INVALID);
}

/* --- Memory ----------------------------------------------------------------------------- */

static void test_memory(struct gpu_device *device)
{
    struct gpu_buffer *a = buffer_of(device, 4096);
    uint8_t bytes[300], back[300];
    for (int i = 0; i < 300; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    REQUIRE_OK(gpu_buffer_write(a, 17, bytes, 300, &error));
    REQUIRE_OK(gpu_buffer_read(a, 17, back, 300, &error));
    REQUIRE(memcmp(bytes, back, 300) == 0);
    if (gpu_buffer_map(a)) {
        REQUIRE(memcmp((char *)gpu_buffer_map(a) + 17, bytes, 300) == 0);
    }
    REQUIRE_OK(gpu_buffer_write(a, gpu_buffer_bytes(a), bytes, 0, &error));
    uint64_t end = gpu_buffer_bytes(a);
    REQUIRE_INT(gpu_buffer_write(a, end - 10, bytes, 11, &error), NN_ERROR_INVALID);
    REQUIRE_INT(gpu_buffer_read(a, UINT64_MAX, back, 2, &error), NN_ERROR_INVALID);
    REQUIRE_INT(gpu_buffer_read(a, 1, back, UINT64_MAX, &error), NN_ERROR_INVALID);

    static const uint64_t huge[] = { UINT64_MAX, UINT64_MAX - 255, (uint64_t)1 << 60 };
    for (int i = 0; i < 3; i++) {
        struct gpu_buffer *b = NULL;
        REQUIRE_INT(gpu_buffer_create(&b, device, huge[i], &error),
                    NN_ERROR_DEVICE_MEMORY);
        REQUIRE(b == NULL && strstr(error.text, "MiB"));
    }
    gpu_buffer_destroy(&a);
    gpu_buffer_destroy(&a);
}

/* --- Kernels ---------------------------------------------------------------------------- */

static void test_kernels(struct gpu_device *device)
{
    const struct gpu_kernel *a = NULL, *b = NULL;
    struct gpu_kernel_desc desc = fill_desc();
    REQUIRE_OK(gpu_kernel_get(&a, device, &desc, &error));
    REQUIRE_OK(gpu_kernel_get(&b, device, &desc, &error));
    REQUIRE(a == b);
    desc.shader = "no_such_shader";
    REQUIRE_INT(gpu_kernel_get(&b, device, &desc, &error), NN_ERROR_INVALID);
    REQUIRE(strstr(error.text, "no_such_shader"));
    struct gpu_kernel_desc wrong[4] = { fill_desc(), fill_desc(), fill_desc(),
                                        fill_desc() };
    wrong[0].n_bindings = GPU_MAX_BINDINGS + 1;
    wrong[1].n_spec = GPU_MAX_SPEC + 1;
    wrong[2].push_bytes = GPU_MAX_PUSH + 4;
    wrong[3].push_bytes = 7;
    for (int i = 0; i < 4; i++) {
        REQUIRE_INT(gpu_kernel_get(&b, device, &wrong[i], &error), NN_ERROR_INVALID);
    }
    const struct gpu_caps *caps = gpu_device_caps(device);
    desc = fill_desc();
    desc.subgroup_size = 2 * caps->max_subgroup_size;
    REQUIRE_INT(gpu_kernel_get(&b, device, &desc, &error), NN_ERROR_UNSUPPORTED);
    REQUIRE(strstr(error.text, "subgroup"));
    desc.subgroup_size = caps->subgroup_size;
    if (caps->subgroup_size_control
        || caps->min_subgroup_size == caps->max_subgroup_size) {
        REQUIRE_OK(gpu_kernel_get(&b, device, &desc, &error));
        REQUIRE(a != b);
    }
}

/* --- Recordings ------------------------------------------------------------------------- */

static void test_replay(struct gpu_device *device)
{
    struct gpu_buffer *a = buffer_of(device, COUNT * 4), *b = buffer_of(device, COUNT * 4);
    struct gpu_range ra = { a, 0, COUNT * 4 }, rb = { b, 0, COUNT * 4 };
    struct gpu_commands *commands = NULL;
    REQUIRE_OK(gpu_commands_create(&commands, device, &error));
    double times[3] = { -1, -1, -1 };
    REQUIRE(gpu_commands_submit(commands, &error) == NN_ERROR_INVALID);
    gpu_commands_timestamp(commands);
    struct gpu_dispatch dispatch = fill_dispatch(device, ra, 2);
    REQUIRE_OK(gpu_commands_dispatch(commands, &dispatch, &error));
    gpu_commands_barrier(commands);
    gpu_commands_timestamp(commands);
    dispatch = fill_dispatch(device, ra, 3);
    REQUIRE_OK(gpu_commands_dispatch(commands, &dispatch, &error));
    gpu_commands_barrier(commands);
    gpu_commands_copy(commands, rb, ra);
    gpu_commands_timestamp(commands);
    REQUIRE_OK(gpu_commands_finish(commands, &error));
    REQUIRE(gpu_commands_times(commands, times, 3, &error) != NN_OK);
    float zeros[COUNT] = { 0 };
    for (int round = 0; round < 3; round++) {
        REQUIRE_OK(gpu_buffer_write(a, 0, zeros, sizeof zeros, &error));
        REQUIRE_OK(gpu_buffer_write(b, 0, zeros, sizeof zeros, &error));
        run(commands);
        require_filled(a, 3);
        require_filled(b, 3);
    }
    if (gpu_device_caps(device)->timestamps) {
        REQUIRE_OK(gpu_commands_times(commands, times, 3, &error));
        REQUIRE(times[0] == 0 && times[1] >= 0 && times[2] >= times[1]);
        REQUIRE_OK(gpu_commands_times(commands, times, 0, &error));
    }
    REQUIRE(gpu_commands_times(commands, times, 4, &error) != NN_OK);
    gpu_commands_destroy(&commands);
    gpu_commands_destroy(&commands);
    gpu_buffer_destroy(&a);
    gpu_buffer_destroy(&b);
}

/* Two recordings in flight, the second reading what the first writes. */
static void test_two_submits(struct gpu_device *device)
{
    struct gpu_buffer *a = buffer_of(device, COUNT * 4), *b = buffer_of(device, COUNT * 4);
    struct gpu_range ra = { a, 0, COUNT * 4 }, rb = { b, 0, COUNT * 4 };
    struct gpu_commands *first = NULL, *second = NULL;
    REQUIRE_OK(gpu_commands_create(&first, device, &error));
    struct gpu_dispatch dispatch = fill_dispatch(device, ra, 9);
    REQUIRE_OK(gpu_commands_dispatch(first, &dispatch, &error));
    REQUIRE_OK(gpu_commands_finish(first, &error));
    REQUIRE_OK(gpu_commands_create(&second, device, &error));
    gpu_commands_copy(second, rb, ra);
    REQUIRE_OK(gpu_commands_finish(second, &error));
    REQUIRE_OK(gpu_commands_submit(first, &error));
    REQUIRE_OK(gpu_commands_submit(second, &error));
    REQUIRE_OK(gpu_commands_wait(second, &error));
    require_filled(b, 9);
    gpu_commands_destroy(&first);
    gpu_commands_destroy(&second);
    gpu_buffer_destroy(&a);
    gpu_buffer_destroy(&b);
}

/* More sets than one pool holds, most of their bindings texel buffers. */
static void test_many_sets(struct gpu_device *device)
{
    struct gpu_buffer *a = buffer_of(device, COUNT * 4);
    struct gpu_range range = { a, 0, COUNT * 4 };
    struct gpu_dispatch dispatch = fill_dispatch(device, range, 4);
    struct gpu_kernel_desc desc = fill_desc();
    desc.n_bindings = GPU_MAX_BINDINGS;
    desc.texel_mask = 0xfe;
    REQUIRE_OK(gpu_kernel_get(&dispatch.kernel, device, &desc, &error));
    for (int i = 1; i < GPU_MAX_BINDINGS; i++) {
        dispatch.binding[i] = range;
    }
    struct gpu_commands *commands = NULL;
    REQUIRE_OK(gpu_commands_create(&commands, device, &error));
    for (int i = 0; i < 600; i++) {
        REQUIRE_OK(gpu_commands_dispatch(commands, &dispatch, &error));
        gpu_commands_barrier(commands);
    }
    REQUIRE_OK(gpu_commands_finish(commands, &error));
    run(commands);
    require_filled(a, 4);
    gpu_commands_destroy(&commands);
    gpu_buffer_destroy(&a);
}

static void test_refusals(struct gpu_device *device)
{
    const struct gpu_caps *caps = gpu_device_caps(device);
    struct gpu_buffer *a = buffer_of(device, 4096);
    uint64_t end = gpu_buffer_bytes(a);
    struct gpu_commands *commands = NULL;
    REQUIRE_OK(gpu_commands_create(&commands, device, &error));
    struct gpu_range wrong[] = {
        { NULL, 0, 16 }, { a, 0, 0 }, { a, 0, end + 1 }, { a, end, 16 },
        { a, UINT64_MAX, 16 }, { a, caps->storage_alignment, UINT64_MAX },
        { a, 1, 16 } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct gpu_dispatch dispatch =
            fill_dispatch(device, (struct gpu_range){ a, 0, 16 }, 1);
        dispatch.binding[0] = wrong[i];
        if (i == 6 && caps->storage_alignment == 1) {
            continue;
        }
        REQUIRE_INT(gpu_commands_dispatch(commands, &dispatch, &error),
                    NN_ERROR_INVALID);
        REQUIRE(strstr(error.text, "fill"));
    }
    for (int i = 0; i < 6; i++) {
        struct gpu_dispatch dispatch =
            fill_dispatch(device, (struct gpu_range){ a, 0, 16 }, 1);
        dispatch.groups[i / 2] = i & 1 ? caps->max_groups[i / 2] + 1 : 0;
        REQUIRE_INT(gpu_commands_dispatch(commands, &dispatch, &error),
                    NN_ERROR_INVALID);
    }
    gpu_commands_destroy(&commands);

    /* A copy cannot answer; what is wrong with it comes out at the end. */
    struct gpu_range good = { a, 0, 16 };
    for (size_t i = 0; i < 6; i++) {
        for (int side = 0; side < 2; side++) {
            struct gpu_range from = side ? wrong[i] : good, to = side ? good : wrong[i];
            REQUIRE_OK(gpu_commands_create(&commands, device, &error));
            gpu_commands_copy(commands, to, from);
            REQUIRE_INT(gpu_commands_finish(commands, &error), NN_ERROR_INVALID);
            REQUIRE_INT(gpu_commands_submit(commands, &error), NN_ERROR_INVALID);
            gpu_commands_destroy(&commands);
        }
    }
    gpu_buffer_destroy(&a);
}

/* --- Pipeline cache ---------------------------------------------------------------------- */

struct file { char *data; size_t bytes; };

static struct file load(const char *path)
{
    struct file out = { malloc(1 << 22), 0 };
    FILE *stream = fopen(path, "rb");
    REQUIRE(stream && out.data);
    out.bytes = fread(out.data, 1, 1 << 22, stream);
    fclose(stream);
    return out;
}

static void save(const char *path, const char *data, size_t bytes)
{
    FILE *stream = fopen(path, "wb");
    REQUIRE(stream && fwrite(data, 1, bytes, stream) == bytes);
    REQUIRE(fclose(stream) == 0);
}

static void use_cache(const char *dir)
{
    const struct gpu_kernel *kernel = NULL;
    struct gpu_kernel_desc desc = fill_desc();
    struct gpu_device *device = open_with((struct gpu_device_params){ .cache_dir = dir });
    REQUIRE_OK(gpu_kernel_get(&kernel, device, &desc, &error));
    close_clean(&device);
}

/* The only file of `dir`, whose name must fit; the rest of a write must be gone. */
static void find_only(char *path, size_t room, const char *dir)
{
    DIR *stream = opendir(dir);
    int found = 0;
    REQUIRE(stream);
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_name[0] != '.') {
            REQUIRE(strncmp(entry->d_name, "pipelines-", 10) == 0);
            snprintf(path, room, "%s/%s", dir, entry->d_name);
            found++;
        }
    }
    closedir(stream);
    REQUIRE_INT(found, 1);
}

static void test_cache(void)
{
    char dir[] = "/tmp/taglight-gpu-XXXXXX", path[512];
    REQUIRE(mkdtemp(dir));
    use_cache(dir);
    find_only(path, sizeof path, dir);
    struct file good = load(path);
    REQUIRE(good.bytes > 56 && memcmp(good.data, "TLPIPE1", 8) == 0);
    use_cache(dir);
    /* Byte 0: magic; 9: the driver's UUID; 33: driver version; 37: length; 41: shaders;
     * the last: data. Then cut short, empty, and one byte too long. */
    size_t flips[] = { 0, 9, 33, 37, 41, good.bytes - 1 };
    size_t lengths[] = { 0, 7, 55, 56, good.bytes - 1, good.bytes + 1 };
    char *bad = calloc(1, good.bytes + 1);
    REQUIRE(bad);
    for (size_t i = 0; i < 12; i++) {
        memcpy(bad, good.data, good.bytes);
        if (i < 6) {
            bad[flips[i]] ^= 0x40;
        }
        save(path, bad, i < 6 ? good.bytes : lengths[i - 6]);
        use_cache(dir);
        find_only(path, sizeof path, dir);
        struct file again = load(path);
        REQUIRE(again.bytes > 56 && memcmp(again.data, good.data, 36) == 0);
        REQUIRE(memcmp(again.data + 40, good.data + 40, 8) == 0);
        free(again.data);
    }
    free(bad);
    free(good.data);
    REQUIRE(remove(path) == 0 && rmdir(dir) == 0);
    use_cache(dir); /* a folder that is gone costs only time */
}

/* --- Faults ------------------------------------------------------------------------------ */

static void test_lost(void)
{
    struct gpu_device *device =
        open_with((struct gpu_device_params){ .fail_submit_after = 2 });
    bool unified = gpu_device_caps(device)->unified_memory;
    struct gpu_buffer *a = buffer_of(device, COUNT * 4), *b = NULL;
    struct gpu_range range = { a, 0, COUNT * 4 };
    struct gpu_commands *commands = NULL, *open = NULL, *more = NULL;
    const struct gpu_kernel *kernel = NULL;
    struct gpu_kernel_desc desc = fill_desc();
    struct gpu_dispatch dispatch = fill_dispatch(device, range, 5);
    REQUIRE_OK(gpu_commands_create(&open, device, &error));
    REQUIRE_OK(gpu_commands_create(&commands, device, &error));
    REQUIRE_OK(gpu_commands_dispatch(commands, &dispatch, &error));
    REQUIRE_OK(gpu_commands_finish(commands, &error));
    run(commands);
    if (unified) {
        require_filled(a, 5);
    }
    REQUIRE(!gpu_device_lost(device));
    REQUIRE_INT(gpu_commands_submit(commands, &error), NN_ERROR_DEVICE_LOST);
    REQUIRE(strstr(error.text, "lost"));
    REQUIRE(gpu_device_lost(device));
    float value = 1;
    double time;
    enum nn_status lost[] = {
        gpu_commands_submit(commands, &error), gpu_commands_wait(commands, &error),
        gpu_commands_times(commands, &time, 0, &error),
        gpu_commands_dispatch(open, &dispatch, &error),
        gpu_commands_finish(open, &error), gpu_commands_create(&more, device, &error),
        gpu_buffer_create(&b, device, 16, &error),
        gpu_buffer_write(a, 0, &value, 4, &error),
        gpu_buffer_read(a, 0, &value, 4, &error),
        gpu_kernel_get(&kernel, device, &desc, &error) };
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        if (lost[i] != NN_ERROR_DEVICE_LOST) {
            fprintf(stderr, "call %zu after the loss\n", i);
        }
        REQUIRE_INT(lost[i], NN_ERROR_DEVICE_LOST);
    }
    REQUIRE(!b && !more && !kernel);
    gpu_commands_destroy(&open);
    gpu_commands_destroy(&commands);
    gpu_buffer_destroy(&a);
    close_clean(&device);
    device = open_with((struct gpu_device_params){ 0 }); /* another one serves again */
    test_replay(device);
    close_clean(&device);
}

static void test_out_of_memory(void)
{
    struct gpu_device *device =
        open_with((struct gpu_device_params){ .fail_alloc_after = 2 });
    struct gpu_buffer *a = buffer_of(device, 1024), *b = NULL;
    REQUIRE_INT(gpu_buffer_create(&b, device, 1024, &error), NN_ERROR_DEVICE_MEMORY);
    REQUIRE(!b && strstr(error.text, "out of memory"));
    REQUIRE(strstr(error.text, gpu_device_caps(device)->name));
    REQUIRE(!gpu_device_lost(device));
    b = buffer_of(device, 1024);
    gpu_buffer_destroy(&a);
    gpu_buffer_destroy(&b);
    close_clean(&device);
}

int main(int argc, char **argv)
{
    validate = argc > 1 && strcmp(argv[1], "--validate") == 0;
    if (!test_list()) {
        fprintf(stderr, "skipped: no Vulkan device\n");
        return CHECK_SKIP;
    }
    struct gpu_device *device = NULL;
    struct gpu_device_params params = { .family = -1, .validate = validate };
    enum nn_status status = gpu_device_create(&device, &params, &error);
    if (validate && status == NN_ERROR_UNSUPPORTED && strstr(error.text, "layer")) {
        fprintf(stderr, "skipped: %s\n", error.text);
        return CHECK_SKIP;
    }
    REQUIRE_OK(status);
    held = gpu_device_bytes(device);
    test_memory(device);
    test_kernels(device);
    test_replay(device);
    test_two_submits(device);
    test_many_sets(device);
    test_refusals(device);
    close_clean(&device);
    test_choice();
    test_cache();
    test_lost();
    test_out_of_memory();
    return 0;
}
