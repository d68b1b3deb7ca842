#include "app/dataset/layouts/claim.h"

#include <string.h>

struct claim claim_new(void)
{
    return (struct claim){ .score = -1, .truth = TRUTH_POSITIVE };
}

double claim_read_score(struct json_stream *json)
{
    double score = -1;
    if (json_stream_peek(json) == 'n') {
        json_stream_skip(json);
    } else {
        json_stream_number(json, &score);
    }
    return score >= 0 && score <= 1 ? score : -1;
}

static gint8 truth_of(const char *state)
{
    return strcmp(state, "rejected") == 0    ? TRUTH_NEGATIVE
           : strcmp(state, "undecided") == 0 ? TRUTH_UNKNOWN
                                             : TRUTH_POSITIVE;
}

void claim_read_attributes(struct json_stream *json, struct claim *claim)
{
    if (json_stream_peek(json) != '{') {
        json_stream_skip(json);
        return;
    }
    json_stream_object(json);
    for (const char *key; (key = json_stream_key(json));) {
        gboolean state = strcmp(key, "state") == 0, source = strcmp(key, "source") == 0;
        char next = json_stream_peek(json);
        if ((state || source) && next == '"') {
            const char *word = json_stream_string(json);
            claim->by_model |= source && word && strcmp(word, "model") == 0;
            claim->truth = state && word ? truth_of(word) : claim->truth;
        } else if (strcmp(key, "score") == 0 && (next == '-' || g_ascii_isdigit(next))) {
            claim->score = claim_read_score(json);
        } else {
            json_stream_skip(json);
        }
    }
}

void claim_add(struct dataset *d, const struct claim *claim)
{
    StoreEvent event = DATASET_EVENT(claim->truth);
    event.source.confidence = claim->score;
    event.source.by_model = claim->by_model;
    dataset_add_event(d, (guint)claim->image, (guint)claim->label, &event);
}

gboolean claims_add(struct dataset *d, const GArray *claims, const char *path,
                    GError **error)
{
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = &g_array_index(claims, struct claim, i);
        if (claim->label < 0 || claim->label >= d->labels->len) {
            g_autofree char *name = g_filename_display_name(path);
            g_set_error(error, DATASET_ERROR, DATASET_ERROR_INVALID,
                        "%s: %s: there is no label %" G_GINT64_FORMAT, name,
                        dataset_image_name(d, (guint)claim->image), claim->label);
            return FALSE;
        }
        claim_add(d, claim);
    }
    return TRUE;
}
