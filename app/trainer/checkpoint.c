#include "app/trainer/checkpoint.h"

#include "compute/weights/weights.h"

#include <string.h>

static const char *const slot_names[TRAIN_SLOTS] = { "value", "first", "second", "average" };

struct slot { struct train_step *step; size_t index; enum train_slot slot; };

static gboolean fail(const struct nn_error *failure, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, failure->text);
    return FALSE;
}

static char *slot_name(const struct train_step *step, size_t index, enum train_slot slot)
{
    return g_strconcat(slot_names[slot], ".",
                       train_step_variable(step, index)->entry->name, NULL);
}

/* --- Writing ------------------------------------------------------------------------- */

static enum nn_status read_slot(void *user, void *out, struct nn_error *error)
{
    const struct slot *s = user;
    return train_step_read_slot(s->step, s->index, s->slot, out, error);
}

static size_t list_slots(struct train_step *step, struct slot *slots,
                         struct weights_output *outputs)
{
    size_t n = 0;
    for (size_t i = 0; i < train_step_count(step); i++) {
        const struct state_entry *e = train_step_variable(step, i)->entry;
        for (enum train_slot slot = 0; slot < TRAIN_SLOTS; slot++) {
            if (!train_step_has(step, i, slot)) {
                continue;
            }
            slots[n] = (struct slot){ step, i, slot };
            outputs[n] = (struct weights_output){ .name = slot_name(step, i, slot),
                                                  .type = WEIGHTS_F32, .rank = e->rank,
                                                  .read = read_slot, .user = &slots[n] };
            memcpy(outputs[n].shape, e->shape, sizeof e->shape);
            n++;
        }
    }
    return n;
}

gboolean checkpoint_save(const char *path, struct train_step *step, guint64 done,
                         const struct checkpoint_option *options, GError **error)
{
    size_t most = TRAIN_SLOTS * train_step_count(step);
    g_autofree struct slot *slots = g_new(struct slot, most + 1);
    g_autofree struct weights_output *outputs = g_new(struct weights_output, most + 1);
    size_t n = list_slots(step, slots, outputs);
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct weights_pair));
    g_autofree char *steps = g_strdup_printf("%" G_GUINT64_FORMAT, done);
    struct weights_pair first = { "step", steps };
    g_array_append_val(pairs, first);
    for (; options->name; options++) {
        struct weights_pair pair = { options->name, options->value };
        g_array_append_val(pairs, pair);
    }
    struct nn_error failure = { 0 };
    enum nn_status status =
        weights_save(path, outputs, n, (const struct weights_pair *)(gpointer)pairs->data,
                     pairs->len, &failure);
    for (size_t i = 0; i < n; i++) {
        g_free((char *)outputs[i].name);
    }
    return status == NN_OK || fail(&failure, error);
}

/* --- Reading ------------------------------------------------------------------------- */

gboolean checkpoint_read_step(const char *path, const struct checkpoint_option *options,
                              guint64 *done, GError **error)
{
    struct nn_error failure = { 0 };
    struct weights *file = NULL;
    if (weights_open(&file, path, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    const char *steps = weights_metadata(file, "step");
    gboolean good = steps && g_ascii_string_to_unsigned(steps, 10, 0, G_MAXUINT64 / 2, done,
                                                        NULL);
    if (!good) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "%s: this is no checkpoint of a training", path);
    }
    for (; options->name && good; options++) {
        const char *then = weights_metadata(file, options->name);
        good = g_strcmp0(then, options->value) == 0;
        if (!good) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "%s: the training began with --%s %s, not %s", path, options->name,
                        then ? then : "unset", options->value);
        }
    }
    weights_destroy(&file);
    return good;
}

static gboolean load_slot(const struct weights *file, const struct slot *s, GError **error)
{
    const struct state_entry *e = train_step_variable(s->step, s->index)->entry;
    struct nn_error failure = { 0 };
    g_autofree char *name = slot_name(s->step, s->index, s->slot);
    const struct weights_tensor *t = weights_find(file, name);
    if (!t || t->count != e->count) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "%s: \"%s\" is missing or does not fit the model", weights_path(file),
                    name);
        return FALSE;
    }
    g_autofree float *values = g_new(float, MAX(t->count, 1));
    return (weights_read_f32(file, t, values, &failure) == NN_OK
            && train_step_write_slot(s->step, s->index, s->slot, values, &failure) == NN_OK)
           || fail(&failure, error);
}

gboolean checkpoint_load(const char *path, struct train_step *step, GError **error)
{
    struct nn_error failure = { 0 };
    struct weights *file = NULL;
    if (weights_open(&file, path, &failure) != NN_OK) {
        return fail(&failure, error);
    }
    gboolean good = TRUE;
    for (size_t i = 0; i < train_step_count(step) && good; i++) {
        for (enum train_slot slot = 0; slot < TRAIN_SLOTS && good; slot++) {
            struct slot s = { step, i, slot };
            good = !train_step_has(step, i, slot) || load_slot(file, &s, error);
        }
    }
    weights_destroy(&file);
    return good;
}
