/* What a card says, from one pass over the database. */
#include "app/card/card.h"
#include "app/health/health.h"

#include <math.h>
#include <string.h>

/* A decision of the manifest. */
struct line { const char *hash, *label; gboolean accepted; };

struct building {
    Card *card;
    GArray *lines;         /* of struct line */
    GStringChunk *texts;
    GHashTable *labels;    /* name -> GHashTable of prompts */
    GHashTable *authors;   /* "0name" or "1name" -> CardAuthor, borrowed */
    GHashTable *images;    /* ids that were seen */
};

/* --- Shares ----------------------------------------------------------------------- */

CardShare card_share(guint k, guint n)
{
    const double z = 1.959963984540054; /* 97.5 % of a normal distribution */
    CardShare share = { k, n, 0, 1 };
    if (n > 0) {
        double p = (double)k / n, weight = 1 + z * z / n;
        double centre = (p + z * z / (2.0 * n)) / weight;
        double reach = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n)) / weight;
        share.low = k == 0 ? 0 : centre - reach;
        share.high = k == n ? 1 : centre + reach;
    }
    return share;
}

/* --- The manifest ----------------------------------------------------------------- */

/* Tab and line ends part fields and lines. */
static char *escape_label(const char *name)
{
    GString *text = g_string_new(NULL);
    for (const char *c = name; *c; c++) {
        const char *found = strchr("\\\t\n\r", *c);
        if (found) {
            g_string_append_c(text, '\\');
        }
        g_string_append_c(text, found ? "\\tnr"[found - "\\\t\n\r"] : *c);
    }
    return g_string_free(text, FALSE);
}

static int by_line(gconstpointer left, gconstpointer right)
{
    const struct line *a = left, *b = right;
    int order = strcmp(a->hash, b->hash);
    order = order ? order : strcmp(a->label, b->label);
    return order ? order : b->accepted - a->accepted;
}

static char *sum_lines(GArray *lines)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_array_sort(lines, by_line);
    for (guint i = 0; i < lines->len; i++) {
        const struct line *line = &g_array_index(lines, struct line, i);
        g_autofree char *text =
            g_strdup_printf("%s\t%s\t%s\n", line->hash, line->label,
                            line->accepted ? "accepted" : "rejected");
        g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text));
    }
    return g_strdup(g_checksum_get_string(sum));
}

/* --- One pass --------------------------------------------------------------------- */

static void count_author(struct building *b, const StoreTag *tag)
{
    const char *name = tag->by_model ? tag->model : tag->author;
    g_autofree char *key = g_strconcat(tag->by_model ? "1" : "0", name, NULL);
    CardAuthor *author = g_hash_table_lookup(b->authors, key);
    if (!author) {
        author = g_new0(CardAuthor, 1);
        author->name = g_utf8_make_valid(name, -1);
        author->by_model = tag->by_model;
        g_ptr_array_add(b->card->authors, author);
        g_hash_table_insert(b->authors, g_steal_pointer(&key), author);
    }
    author->decisions++;
}

static void keep_time(char **kept, const char *time, int direction)
{
    if (!*kept || strcmp(time, *kept) * direction > 0) {
        g_free(*kept);
        *kept = g_strdup(time);
    }
}

static void note_prompt(struct building *b, const StoreTag *tag)
{
    GHashTable *prompts = g_hash_table_lookup(b->labels, tag->name);
    if (!prompts) {
        prompts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_hash_table_insert(b->labels, g_strdup(tag->name), prompts);
    }
    if (*tag->prompt && !g_hash_table_contains(prompts, tag->prompt)) {
        g_hash_table_add(prompts, g_strdup(tag->prompt));
    }
}

static void note_decision(struct building *b, const char *hash, const StoreTag *tag)
{
    g_autofree char *label = escape_label(tag->name);
    struct line line = { hash, g_string_chunk_insert_const(b->texts, label),
                         tag->verdict == STORE_ACCEPTED };
    g_array_append_val(b->lines, line);
    b->card->accepted += line.accepted ? 1 : 0;
    b->card->rejected += line.accepted ? 0 : 1;
    b->card->by_model += tag->by_model ? 1 : 0;
    count_author(b, tag);
    keep_time(&b->card->first, tag->time, -1);
    keep_time(&b->card->last, tag->time, 1);
}

static gboolean note_item(const StoreItem *item, gpointer user_data, GError **error)
{
    struct building *b = user_data;
    gint64 *id = g_new(gint64, 1);
    *id = item->image;
    b->card->files++;
    if (!g_hash_table_add(b->images, id)) { /* which frees it */
        return TRUE;
    }
    const char *hash = g_string_chunk_insert(b->texts, item->hash);
    b->card->images++;
    for (guint i = 0; i < item->n_tags; i++) {
        note_prompt(b, &item->tags[i]);
        if (item->tags[i].verdict != STORE_CLEARED) {
            note_decision(b, hash, &item->tags[i]);
        }
    }
    return TRUE;
}

/* --- From the set to the card ----------------------------------------------------- */

static int by_text(gconstpointer left, gconstpointer right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int by_author(gconstpointer left, gconstpointer right)
{
    const CardAuthor *a = *(const CardAuthor *const *)left;
    const CardAuthor *b = *(const CardAuthor *const *)right;
    return a->by_model != b->by_model ? a->by_model - b->by_model
                                      : strcmp(a->name, b->name);
}

static GPtrArray *sort_prompts(GHashTable *prompts)
{
    GPtrArray *sorted = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer text;
    if (prompts) {
        g_hash_table_iter_init(&iter, prompts);
        while (g_hash_table_iter_next(&iter, &text, NULL)) {
            g_ptr_array_add(sorted, g_utf8_make_valid(text, -1));
        }
    }
    g_ptr_array_sort(sorted, by_text);
    return sorted;
}

static void add_labels(struct building *b, const HealthSet *set)
{
    for (guint i = 0; i < set->labels->len; i++) {
        const HealthLabel *known = &g_array_index(set->labels, HealthLabel, i);
        CardLabel *label = g_new0(CardLabel, 1);
        label->name = g_utf8_make_valid(known->name, -1);
        label->prompts = sort_prompts(g_hash_table_lookup(b->labels, known->name));
        label->accepted = known->accepted;
        label->rejected = known->rejected;
        label->by_model = known->by_model;
        label->undecided = known->undecided;
        g_ptr_array_add(b->card->labels, label);
    }
}

static void add_shares(Card *card, const HealthSet *set)
{
    for (guint i = 0; i < set->pairs->len; i++) {
        const HealthPair *pair = &g_array_index(set->pairs, HealthPair, i);
        CardLabel *label = card->labels->pdata[pair->label];
        guint reaches = (double)pair->confidence >= card->threshold;
        guint accepted = pair->verdict > 0;
        label->precision.n += reaches;
        label->precision.k += reaches & accepted;
        label->recall.n += accepted;
        label->recall.k += reaches & accepted;
    }
    for (guint i = 0; i < card->labels->len; i++) {
        CardLabel *label = card->labels->pdata[i];
        label->precision = card_share(label->precision.k, label->precision.n);
        label->recall = card_share(label->recall.k, label->recall.n);
    }
}

static void add_splits(Card *card, const HealthSet *set)
{
    for (guint i = 0; i < set->splits->len; i++) {
        CardSplit *split = g_new0(CardSplit, 1);
        split->name = g_strdup(set->splits->pdata[i]);
        g_ptr_array_add(card->splits, split);
    }
    for (guint i = 0; i < set->images->len; i++) {
        const HealthImage *image = &g_array_index(set->images, HealthImage, i);
        card->looked_at += image->hashed ? 1 : 0;
        if (image->split >= 0) {
            ((CardSplit *)card->splits->pdata[image->split])->files++;
        }
    }
}

static void add_groups(Card *card, const HealthSet *set)
{
    g_autoptr(GPtrArray) copies = health_groups(set, FALSE);
    g_autoptr(GPtrArray) near = health_groups(set, TRUE);
    card->copies = copies->len;
    for (guint i = 0; i < near->len; i++) {
        card->near += ((const HealthGroup *)near->pdata[i])->same ? 0 : 1;
    }
}

/* Of a name that a shell takes apart, quoted. */
static char *name_command(const Card *card, const CardOptions *options)
{
    g_autofree char *db = g_shell_quote(card->name);
    g_autofree char *split =
        options->split ? g_strdup_printf(" --split %s --split-seed %" G_GUINT64_FORMAT,
                                         options->split_text, options->split_seed)
                       : g_strdup("");
    return g_strdup_printf("taglight export --db %s --format csv%s --out labels.csv",
                           db, split);
}

static void fill(struct building *b, const HealthSet *set, const CardOptions *options)
{
    Card *card = b->card;
    card->name = g_filename_display_basename(options->db);
    card->model = g_strdup(options->model);
    card->threshold = options->threshold;
    add_labels(b, set);
    add_shares(card, set);
    add_splits(card, set);
    add_groups(card, set);
    g_ptr_array_sort(card->authors, by_author);
    card->manifest = sum_lines(b->lines);
    card->command = name_command(card, options);
}

/* --- Whole ------------------------------------------------------------------------ */

static void free_label(gpointer data)
{
    CardLabel *label = data;
    g_free(label->name);
    g_ptr_array_unref(label->prompts);
    g_free(label);
}

static void free_author(gpointer data)
{
    g_free(((CardAuthor *)data)->name);
    g_free(data);
}

static void free_split(gpointer data)
{
    g_free(((CardSplit *)data)->name);
    g_free(data);
}

Card *card_build(store *s, const CardOptions *options, GError **error)
{
    Card *card = g_new0(Card, 1);
    struct building b = {
        .card = card, .lines = g_array_new(FALSE, FALSE, sizeof(struct line)),
        .texts = g_string_chunk_new(1 << 16),
        .labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify)g_hash_table_unref),
        .authors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .images = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)
    };
    HealthStoreOptions loading = {
        .model = options->model, .split = options->split, .blind = TRUE,
        .split_seed = options->split_seed, .memory = options->memory, .each = note_item,
        .data = &b, .cancellable = options->cancellable };
    HealthSet *set = health_set_new();
    card->labels = g_ptr_array_new_with_free_func(free_label);
    card->authors = g_ptr_array_new_with_free_func(free_author);
    card->splits = g_ptr_array_new_with_free_func(free_split);
    if (health_add_store(set, s, &loading, error)) {
        fill(&b, set, options);
    } else {
        card_free(&card);
    }
    health_set_free(&set);
    g_array_unref(b.lines);
    g_string_chunk_free(b.texts);
    g_hash_table_unref(b.labels);
    g_hash_table_unref(b.authors);
    g_hash_table_unref(b.images);
    return card;
}

void card_free(Card **card)
{
    Card *c = *card;
    if (!c) {
        return;
    }
    char *texts[] = { c->name, c->model, c->first, c->last, c->manifest, c->command };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    g_ptr_array_unref(c->labels);
    g_ptr_array_unref(c->authors);
    g_ptr_array_unref(c->splits);
    g_clear_pointer(card, g_free);
}
