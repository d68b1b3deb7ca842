#include "compute/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void hide_control_characters(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
}

enum nn_status nn_fail(struct nn_error *error, enum nn_status status,
                       const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
        hide_control_characters(error->text);
        error->status = status;
    }
    return status;
}

enum nn_status nn_prefix(struct nn_error *error, enum nn_status status,
                         const char *prefix)
{
    if (!error) {
        return status;
    }
    char text[NN_ERROR_TEXT_SIZE];
    memcpy(text, error->text, sizeof text);
    int length = snprintf(error->text, sizeof error->text, "%s: ", prefix);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (used < sizeof error->text) {
        size_t room = sizeof error->text - used - 1;
        size_t count = strnlen(text, room);
        memcpy(error->text + used, text, count);
        error->text[used + count] = '\0';
    }
    hide_control_characters(error->text);
    return error->status;
}

const char *nn_status_text(enum nn_status status)
{
    switch (status) {
    case NN_OK: return "ok";
    case NN_ERROR_INVALID: return "invalid";
    case NN_ERROR_IO: return "input or output error";
    case NN_ERROR_UNSUPPORTED: return "unsupported";
    case NN_ERROR_MEMORY: return "out of memory";
    case NN_ERROR_DEVICE_MEMORY: return "out of device memory";
    case NN_ERROR_DEVICE_LOST: return "device lost";
    case NN_ERROR_CANCELLED: return "cancelled";
    }
    return "unknown status";
}
