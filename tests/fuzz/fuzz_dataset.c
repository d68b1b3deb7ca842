/* Data sets and scores: whatever is opened must be readable to the last pair. */
#define _GNU_SOURCE
#include "app/dataset/dataset.h"
#include "app/dataset/scores.h"
#include "tests/fuzz/fuzz_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct dataset *d)
{
    gint8 *truth = g_new(gint8, dataset_n_labels(d) + 1);
    for (guint i = 0; i < dataset_n_images(d); i++) {
        dataset_truth(d, i, truth);
        g_free(dataset_image_path(d, i));
        if (dataset_find_image(d, dataset_image_name(d, i)) != (int)i) {
            abort();
        }
    }
    g_free(truth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = fuzz_file(data, size, path);
    struct dataset *d = dataset_open(path, NULL, NULL);
    if (d) {
        read_all(d);
    }
    dataset_close(&d);
    struct scores *s = scores_read(path, NULL);
    for (guint i = 0; s && i < s->images->len; i++) {
        for (guint j = 0; j < s->labels->len; j++) {
            scores_get(s, i, j);
        }
    }
    scores_free(&s);
    close(fd);
    return 0;
}
