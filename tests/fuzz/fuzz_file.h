/* For targets whose reader takes a path: the input as a file in memory. */
#ifndef TAGLIGHT_TESTS_FUZZ_FILE_H
#define TAGLIGHT_TESTS_FUZZ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Fills path (of 64 bytes); close the returned descriptor afterwards. */
static inline int fuzz_file(const uint8_t *data, size_t size, char *path)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

#endif
