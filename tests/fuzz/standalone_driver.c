/* Replays files and folders through a fuzz target when no fuzzing engine is linked. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replayed;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0) {
        exit(1);
    }
    uint8_t *data = malloc((size_t)info.st_size + 1);
    size_t size = fread(data, 1, (size_t)info.st_size, file);
    /* Whole, and cut at several places: a damaged file is the common case. */
    for (int part = 8; part >= 1; part--) {
        LLVMFuzzerTestOneInput(data, size * (size_t)part / 8);
    }
    free(data);
    fclose(file);
    replayed++;
}

static void replay(const char *path)
{
    struct stat info;
    DIR *dir = stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    if (!dir) {
        replay_file(path);
        return;
    }
    for (struct dirent *e; (e = readdir(dir));) {
        char child[2048];
        snprintf(child, sizeof child, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.') {
            replay(child);
        }
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%d files replayed\n", replayed);
    return replayed ? 0 : 1;
}
