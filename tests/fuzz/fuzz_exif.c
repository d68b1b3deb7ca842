/* Exif of any bytes: as a segment, and as the start of a JPEG. What is read keeps its
 * promises whatever stands there. */
#include "app/image/exif.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct img_exif *exif)
{
    gboolean dated = strlen(exif->date) == 19 && exif->date[4] == '-';
    if ((*exif->date && !dated) || (exif->orientation && !exif->turns)
        || !g_utf8_validate(exif->date, -1, NULL) || !g_utf8_validate(exif->camera, -1, NULL)
        || !(fabs(exif->latitude) <= 90) || !(fabs(exif->longitude) <= 180)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct img_exif exif;
    guint width, height;
    /* In memory of its own size, so that a read beyond it is seen. */
    g_autofree guint8 *own = g_memdup2(data, size);
    img_exif_parse(own, size, &exif);
    check(&exif);
    img_exif_of_jpeg(own, size, &exif, &width, &height);
    check(&exif);
    return 0;
}
