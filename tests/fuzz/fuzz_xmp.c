/* XMP sidecars: what can be read can be joined with a keyword and be read again, with
 * all keywords as they were. */
#include "app/formats/xmp.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(gboolean good)
{
    if (!good) {
        abort();
    }
}

static void require_same(const GPtrArray *a, const GPtrArray *b)
{
    require(a->len == b->len);
    for (guint i = 0; i < a->len; i++) {
        require(g_str_equal(a->pdata[i], b->pdata[i]));
    }
}

static void add_and_read(struct xmp *xmp, enum xmp_field field)
{
    gsize size;
    GPtrArray *keywords = xmp_keywords(xmp, field);
    g_ptr_array_add(keywords, g_strdup("x <&> y"));
    xmp_set_keywords(xmp, field, keywords);
    char *text = xmp_text(xmp, &size);
    struct xmp *again = xmp_parse(text, size, NULL);
    require(again != NULL);
    GPtrArray *got = xmp_keywords(again, field);
    require_same(keywords, got);
    g_ptr_array_unref(got);
    g_ptr_array_unref(keywords);
    xmp_free(&again);
    g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xmp *xmp = xmp_parse((const char *)data, size, NULL);
    for (int field = 0; xmp && field < XMP_FIELDS; field++) {
        add_and_read(xmp, field);
    }
    xmp_free(&xmp);
    return 0;
}
