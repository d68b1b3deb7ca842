/* EXIF data of any bytes. */
#include "app/image/details.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct img_details details = { 0 };
    img_details_parse(data, size, &details);
    img_details_clear(&details);
    return 0;
}
