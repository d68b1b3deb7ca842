/* Where the images of a data set are here: by the path that the files say, by name, or by
 * content. What is written in files of another machine, or before a folder was moved, is
 * found again so. */
#pragma once

#include "app/dataset/dataset.h"
#include "app/library/identity.h"

G_BEGIN_DECLS

enum { PLACES_BY_PATH = 1, PLACES_BY_NAME = 2, PLACES_BY_CONTENT = 4 };

struct place {
    int how;                  /* one of the above; 0: not found */
    char *path;               /* NULL: not found, or found in the store by content only */
    struct identity known;    /* what is there; its row, or its hash when it is new */
    char *why;                /* not found because of this; may be NULL */
};

struct places_params {
    int how;            /* which ways to try, in the order above */
    const char *folder; /* where to look for names and contents, with the folders in it */
    void (*progress)(guint done, gpointer user_data); /* may be NULL */
    gpointer user_data;
};

/* One place for each image of `d`, struct place. Reads the store and writes nothing.
 *
 * A name stands for the image whose path agrees with it in most of its last parts, below
 * the folder, else among the images of the store; two names never stand for one image.
 * Where the files say the content and it may be used, a path or a name with another
 * content is not the image. */
GArray *places_find(store *s, const struct dataset *d, const struct places_params *params,
                    GError **error);
void places_free(GArray **places);

G_END_DECLS
