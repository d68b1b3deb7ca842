/* Label embeddings from a file of word vectors, as GloVe's and word2vec's text files: a line
 * for each word, the word and its numbers with blanks between. What the zero-shot
 * ML-Decoder was published with (Ben-Baruch et al., arXiv 2111.12933), to be compared with
 * a text encoder. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Writes to out[n,width] the mean of the vectors of each text's words, in lower case and
 * without other signs than letters, digits and apostrophes. The file is read once, whatever
 * its size. Fails with the line of a vector of another width, and with the words that have
 * none. Any thread. */
gboolean word_vectors_embed(const char *path, const char *const *texts, guint n,
                            guint width, float *out, GError **error);

G_END_DECLS
