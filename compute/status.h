/* Status codes and error messages of the compute library.
 *
 * Every function of compute/ that can fail returns `enum nn_status` and takes, as its
 * last argument, a `struct nn_error *` that may be NULL. On failure the struct holds
 * one line of text for a person: it names the file or the object and says what is
 * wrong with it, without a trailing newline. On success it is left as it was.
 *
 * Out-parameters come first and are left untouched on failure, unless a function says
 * otherwise. `x_destroy(struct x **)` frees and nulls; it accepts NULL and a pointer
 * to NULL. All of this is safe from any thread; the objects say their own rules. */
#ifndef TAGLIGHT_COMPUTE_STATUS_H
#define TAGLIGHT_COMPUTE_STATUS_H

#include <stddef.h>

enum nn_status {
    NN_OK = 0,
    NN_ERROR_INVALID,       /* an argument or a file's content is wrong */
    NN_ERROR_IO,            /* the system refused: missing file, permission, disk full */
    NN_ERROR_UNSUPPORTED,   /* well formed, but not something that we can use */
    NN_ERROR_MEMORY,        /* out of host memory */
    NN_ERROR_DEVICE_MEMORY, /* out of device memory; a smaller batch may pass */
    NN_ERROR_DEVICE_LOST,   /* the device is gone; destroy it and create another */
    NN_ERROR_CANCELLED,     /* the caller's cancel flag was seen */
};

#define NN_ERROR_TEXT_SIZE 512

struct nn_error {
    enum nn_status status;
    char text[NN_ERROR_TEXT_SIZE];
};

/* Writes a formatted message (cut at the buffer's end, control characters from files
 * shown as `?`) and returns `status`, so that `return nn_fail(error, …)` reads well. */
enum nn_status nn_fail(struct nn_error *error, enum nn_status status,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts `prefix: ` before the message already in `error`. Returns error's status, or
 * `status` when error is NULL. */
enum nn_status nn_prefix(struct nn_error *error, enum nn_status status,
                         const char *prefix);

/* A constant English word for a status, such as "device lost". Never NULL. */
const char *nn_status_text(enum nn_status status);

#endif
