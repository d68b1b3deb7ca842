#include "app/tagger/tag_job.h"

#include "app/store/vocabulary.h"

#include <glib/gstdio.h>
#include <string.h>

#define COMMIT_IMAGES 64
#define COMMIT_US 200000

/* An image that waits for the next commit. */
struct waiting {
    char *path;
    struct identity identity;
    float *confidence; /* [labels]; NULL when it only has to be remembered */
    gboolean known;    /* its confidences are in the database */
};

struct tag_job {
    struct tag_job_params params;
    store *writer;        /* of the running thread */
    GMutex lock;          /* guards `reader`, which the decoding threads share */
    store *reader;
    gint64 *labels;       /* rows */
    StoreQuestion question;
    GPtrArray *waiting;   /* of struct waiting */
    gint64 waiting_since; /* µs */
    float *known;         /* [labels], for answers from the database */
    struct tag_job_stats *stats;
};

guint tag_job_shard(const char *hash, guint shards)
{
    g_autofree char *head = g_strndup(hash, 16);
    return (guint)(g_ascii_strtoull(head, NULL, 16) % shards) + 1;
}

static gboolean is_elsewhere(const tag_job *job, const char *hash)
{
    const struct tag_job_params *p = &job->params;
    return p->shards > 0 && tag_job_shard(hash, p->shards) != p->shard;
}

/* --- On the decoding threads ------------------------------------------------------ */

/* Whether everything is known about a content. */
static gboolean is_done(tag_job *job, const struct identity *id)
{
    g_autofree float *known = g_new(float, job->question.n);
    gint64 image = id->row ? id->row : store_find_content(job->reader, id->hash);
    return image && store_predicted(job->reader, image, &job->question, known);
}

static gboolean look(const char *path, GCancellable *cancellable, struct identity *out,
                     gpointer data)
{
    tag_job *job = data;
    g_mutex_lock(&job->lock);
    gboolean known = identity_look_up(job->reader, path, out);
    g_mutex_unlock(&job->lock);
    if (!known && !identity_read(path, cancellable, out, NULL)) {
        return TRUE; /* decoding it will say why */
    }
    if (is_elsewhere(job, out->hash)) {
        return FALSE;
    }
    if (job->params.again) {
        return TRUE;
    }
    g_mutex_lock(&job->lock);
    gboolean done = is_done(job, out);
    g_mutex_unlock(&job->lock);
    return !done;
}

/* --- Writing ---------------------------------------------------------------------- */

static void waiting_free(gpointer data)
{
    struct waiting *w = data;
    g_free(w->path);
    identity_clear(&w->identity);
    g_free(w->confidence);
    g_free(w);
}

static gboolean accept(tag_job *job, gint64 image, const float *confidence, GError **error)
{
    const StoreQuestion *q = &job->question;
    StoreSource source = { .by_model = TRUE, .model = q->model,
                           .threshold = job->params.accept_above };
    for (guint i = 0; job->params.accept_above >= 0 && i < q->n; i++) {
        gboolean added = FALSE;
        source.prompt = q->prompts[i];
        source.confidence = confidence[i];
        if (source.confidence >= source.threshold
            && !vocabulary_accept_once(job->writer, image, q->labels[i], &source, &added,
                                       error)) {
            return FALSE;
        }
        job->stats->accepted += added;
    }
    return TRUE;
}

static gboolean write_one(tag_job *job, const struct waiting *w, GError **error)
{
    gint64 image = identity_put(job->writer, w->path, &w->identity, error);
    if (!image || !w->confidence) {
        return image != 0;
    }
    return (w->known || store_predict(job->writer, image, &job->question, w->confidence,
                                      job->params.again, error))
           && accept(job, image, w->confidence, error);
}

static gboolean write_waiting(tag_job *job, GError **error)
{
    if (job->waiting->len == 0) {
        return TRUE;
    }
    guint accepted = job->stats->accepted;
    gboolean good = store_begin(job->writer, error);
    if (!good) {
        return FALSE;
    }
    for (guint i = 0; good && i < job->waiting->len; i++) {
        good = write_one(job, job->waiting->pdata[i], error);
    }
    if (!good) {
        store_rollback(job->writer);
    }
    good = good && store_commit(job->writer, error);
    if (!good) {
        job->stats->accepted = accepted;
        return FALSE;
    }
    for (guint i = 0; i < job->waiting->len; i++) {
        const struct waiting *w = job->waiting->pdata[i];
        job->stats->tagged += w->confidence && !w->known;
        job->stats->before += w->confidence && w->known;
        job->stats->elsewhere += !w->confidence;
    }
    job->stats->done += job->waiting->len;
    g_ptr_array_set_size(job->waiting, 0);
    return TRUE;
}

static gboolean wait_for_commit(tag_job *job, const struct tagger_item *item,
                                const float *confidence, gboolean known, GError **error)
{
    struct waiting *w = g_new0(struct waiting, 1);
    w->path = g_strdup(item->path);
    w->identity = *item->identity;
    w->identity.hash = g_strdup(item->identity->hash);
    w->confidence = confidence
                        ? g_memdup2(confidence, job->question.n * sizeof *confidence) : NULL;
    w->known = known;
    if (job->waiting->len == 0) {
        job->waiting_since = g_get_monotonic_time();
    }
    g_ptr_array_add(job->waiting, w);
    return job->waiting->len < COMMIT_IMAGES || write_waiting(job, error);
}

/* --- Results ---------------------------------------------------------------------- */

static gboolean show(tag_job *job, const char *path, const float *confidence,
                     const GError *failure, GError **error)
{
    const struct tag_job_params *p = &job->params;
    return !p->show || p->show(path, confidence, failure, p->data, error);
}

/* An image that was done before, or that is not of this shard. What the database does not
 * know of it, its path perhaps, is put there. */
static gboolean take_skipped(tag_job *job, const struct tagger_item *item, GError **error)
{
    const struct tag_job_params *p = &job->params;
    gint64 row = item->identity->row;
    if (is_elsewhere(job, item->identity->hash)) {
        job->stats->elsewhere += row != 0;
        job->stats->done += row != 0;
        return row || wait_for_commit(job, item, NULL, TRUE, error);
    }
    gint64 image = row ? row : store_find_content(job->writer, item->identity->hash);
    gboolean asked = (p->show && p->show_known) || p->accept_above >= 0 || !row;
    if (!asked) {
        job->stats->before++;
        job->stats->done++;
        return TRUE;
    }
    store_predicted(job->writer, image, &job->question, job->known);
    return (!p->show_known || show(job, item->path, job->known, NULL, error))
           && wait_for_commit(job, item, job->known, TRUE, error);
}

static gboolean take(tag_job *job, const struct tagger_item *item, GError **error)
{
    if (item->error) {
        job->stats->broken++;
        job->stats->done++;
        return show(job, item->path, NULL, item->error, error);
    }
    if (!item->confidence) {
        return take_skipped(job, item, error);
    }
    return show(job, item->path, item->confidence, NULL, error)
           && wait_for_commit(job, item, item->confidence, FALSE, error);
}

static gboolean put_batch(const struct tagger_item *items, guint n,
                          const struct tagger_stats *stats, gpointer data, GError **error)
{
    tag_job *job = data;
    job->stats->run = *stats;
    for (guint i = 0; i < n; i++) {
        if (!take(job, &items[i], error)) {
            return FALSE;
        }
    }
    if (job->waiting->len > 0 && g_get_monotonic_time() - job->waiting_since > COMMIT_US
        && !write_waiting(job, error)) {
        return FALSE;
    }
    if (job->params.progress) {
        job->params.progress(job->stats, job->params.data);
    }
    return TRUE;
}

/* --- The job ---------------------------------------------------------------------- */

gboolean tag_job_wordings(const char *db, const GPtrArray *labels, GPtrArray **out,
                          GError **error)
{
    GStatBuf info;
    *out = NULL;
    /* An empty file is a database that somebody begins. */
    if (!db || g_stat(db, &info) != 0 || info.st_size == 0) {
        return TRUE;
    }
    store *s = store_open(db, STORE_READ_ONLY, error);
    *out = s ? vocabulary_prompts(s, labels, error) : NULL;
    store_close(&s);
    return *out != NULL;
}

static gboolean put_labels(tag_job *job, GError **error)
{
    const struct tag_model *m = job->params.model;
    job->labels = g_new(gint64, m->labels->len);
    job->known = g_new(float, m->labels->len);
    job->question = (StoreQuestion){ m->mark, job->labels,
                                     (const char *const *)m->prompts->pdata,
                                     m->labels->len };
    gboolean good = store_begin(job->writer, error);
    for (guint i = 0; good && i < m->labels->len; i++) {
        job->labels[i] = store_put_label(job->writer, m->labels->pdata[i], NULL, error);
        good = job->labels[i] != 0;
    }
    if (!good) {
        store_rollback(job->writer);
    }
    return good && store_commit(job->writer, error);
}

tag_job *tag_job_new(const struct tag_job_params *params, GError **error)
{
    tag_job *job = g_new0(tag_job, 1);
    job->params = *params;
    job->waiting = g_ptr_array_new_with_free_func(waiting_free);
    g_mutex_init(&job->lock);
    job->writer = store_open(params->db, STORE_CREATE, error);
    job->reader = job->writer ? store_open(params->db, STORE_READ_ONLY, error) : NULL;
    if (!job->reader || !put_labels(job, error)) {
        tag_job_free(job);
        return NULL;
    }
    return job;
}

void tag_job_free(tag_job *job)
{
    if (job) {
        store_close(&job->reader);
        store_close(&job->writer);
        g_mutex_clear(&job->lock);
        g_ptr_array_unref(job->waiting);
        g_free(job->labels);
        g_free(job->known);
        g_free(job);
    }
}

store *tag_job_store(tag_job *job) { return job->writer; }

gboolean tag_job_run(tag_job *job, const GPtrArray *paths, struct tag_job_stats *stats,
                     GError **error)
{
    const struct tag_job_params *p = &job->params;
    struct tagger_params params = { .model = p->model->model, .session = p->model->session,
                                    .embeddings = p->model->embeddings,
                                    .n_labels = job->question.n, .cache = p->model->cache,
                                    .jobs = p->jobs, .stop = p->stop, .look = look,
                                    .put = put_batch, .data = job };
    *stats = (struct tag_job_stats){ .total = paths->len };
    job->stats = stats;
    gboolean good = tagger_run(&params, paths, &stats->run, error);
    /* What the device gave before it failed is kept. */
    good = write_waiting(job, good ? error : NULL) && good;
    g_ptr_array_set_size(job->waiting, 0);
    if (p->progress) {
        p->progress(stats, p->data);
    }
    return good;
}
