/* decide DATABASE: decides without end and says so after each decision: "IMAGE VERDICT". For
 * the test that kills it. */
#include "app/store/store.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    store *s = argc == 2 ? store_open(argv[1], STORE_CREATE, NULL) : NULL;
    gint64 label = s ? store_put_label(s, "cat", NULL, NULL) : 0;
    StoreSource source = { .confidence = -1, .threshold = -1 };
    if (!label) {
        return 1;
    }
    for (int i = 0;; i++) {
        StoreVerdict verdict = rand() % 2 ? STORE_ACCEPTED : STORE_REJECTED;
        g_autofree char *name = g_strdup_printf("%d", i % 50);
        StoreImage image = { name, name, 1, 1, 1, 1 };
        gint64 row = store_put_image(s, &image, NULL);
        if (!row || !store_decide(s, row, label, verdict, &source, NULL)) {
            return 1;
        }
        printf("%s %d\n", name, verdict);
        fflush(stdout);
    }
}
