/* The images of a database as a query asks for them: everything that one query needs,
 * read at once. For one thread; the store is not needed after loading. */
#pragma once

#include "app/query/query.h"
#include "app/store/store.h"

G_BEGIN_DECLS

struct catalogue;

/* model: as decisions name it (store_find_model); NULL: no confidence is known. */
struct catalogue *catalogue_load(store *s, const char *model, const struct query *q,
                                 GError **error);
void catalogue_free(struct catalogue **c);
/* Valid while the catalogue is. An image is a path, in the order of paths. */
const struct query_source *catalogue_source(const struct catalogue *c);
/* Borrowed; path: encoding of file names. */
const char *catalogue_path(const struct catalogue *c, guint image);
const char *catalogue_hash(const struct catalogue *c, guint image);

G_END_DECLS
