/* Images that look like another to a model. Plain arithmetic; any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct similar_match { guint image; float cosine; };

/* The mean of tokens [tokens,width], out [width]. */
void similar_mean(const float *values, guint tokens, guint width, float *out);
/* features [images,width]: by mean tokens. Images by their cosine to `like` [width], nearest
 * first; equal ones in order. At most `most`, owned by the caller. A feature of zeros is
 * at cosine 0 to all. */
GArray *similar_rank(const float *features, guint images, guint width, const float *like,
                     guint most);

G_END_DECLS
