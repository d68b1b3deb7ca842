/* The JSON reader: every token of what parses must be readable. */
#include "compute/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json = NULL;
    if (json_parse(&json, (const char *)data, size, "fuzz", NULL) != NN_OK) {
        return 0;
    }
    uint32_t n = json_token(json, 0)->next;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t integer;
        double number;
        size_t length;
        free(json_string(json, i, &length));
        json_u64(json, i, &integer);
        json_double(json, i, &number);
    }
    json_get(json, 0, "weight_map");
    json_destroy(&json);
    return 0;
}
