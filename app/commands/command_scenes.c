/* `taglight scenes`: draws labelled pictures to learn from. */
#include "app/commands/commands.h"
#include "app/scenes/dataset.h"

#include <unistd.h>

#define MAX_COUNT 1000000
#define MIN_SIDE 32
#define MAX_SIDE 2048

static int check(const struct dataset_options *o, gint64 seed)
{
    if (o->count < 1 || o->count > MAX_COUNT) {
        return command_fail(COMMAND_MISUSED, "--count is between 1 and %d", MAX_COUNT);
    }
    if (o->side < MIN_SIDE || o->side > MAX_SIDE) {
        return command_fail(COMMAND_MISUSED, "--size is between %d and %d", MIN_SIDE,
                            MAX_SIDE);
    }
    if (o->style.objects < 1 || o->style.objects > SCENE_MAX_OBJECTS
        || !(o->style.scale >= SCENE_MIN_SCALE && o->style.scale <= SCENE_MAX_SCALE)) {
        return command_fail(COMMAND_MISUSED, "--objects is between 1 and %d, --scale between "
                            "%g and %g", SCENE_MAX_OBJECTS, SCENE_MIN_SCALE,
                            SCENE_MAX_SCALE);
    }
    if (seed < 0 || o->jobs < 1 || o->jobs > 256) {
        return command_fail(COMMAND_MISUSED, "--seed is 0 or more, --jobs between 1 "
                            "and 256");
    }
    return COMMAND_DONE;
}

int command_scenes(int argc, char **argv)
{
    struct dataset_options o = { .side = 128, .jobs = (int)g_get_num_processors(),
                                 .style = SCENE_USUAL_STYLE };
    g_autofree char *split = NULL;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        { "count", 'n', 0, G_OPTION_ARG_INT, &o.count, "How many pictures", "N" },
        { "seed", 's', 0, G_OPTION_ARG_INT64, &seed, "Other seeds, other pictures (1)",
          "S" },
        { "size", 0, 0, G_OPTION_ARG_INT, &o.side, "Side of the pictures (128)", "PX" },
        { "split", 0, 0, G_OPTION_ARG_STRING, &split, "Parts of the pictures, as in "
          "train=0.8,val=0.1,test=0.1; what is held out is shown in test only",
          "PARTS" },
        { "held-out", 0, 0, G_OPTION_ARG_NONE, &o.held_out, "Without --split: show "
          "nothing that is held out", NULL },
        { "objects", 0, 0, G_OPTION_ARG_INT, &o.style.objects, "Things in a picture at most "
          "(3)", "N" },
        { "scale", 0, 0, G_OPTION_ARG_DOUBLE, &o.style.scale, "Things are so many times as "
          "large (1)", "X" },
        { "jobs", 'j', 0, G_OPTION_ARG_INT, &o.jobs, "Threads that draw; the pictures "
          "are the same with any number", "N" },
        { 0 } };
    if (!command_parse(&argc, &argv, entries, "OUT - draw labelled pictures",
                       "OUT is a new folder.")) {
        return COMMAND_MISUSED;
    }
    if (argc != 2) {
        return command_fail(COMMAND_MISUSED,
                            "scenes needs the folder to make and --count");
    }
    int status = check(&o, seed);
    if (status != COMMAND_DONE) {
        return status;
    }
    if (split && (o.held_out || !command_parse_split(split, o.split))) {
        return command_fail(COMMAND_MISUSED, "--split is like train=0.8,val=0.1,"
                            "test=0.1 with a sum of 1, and excludes --held-out");
    }
    g_autoptr(GError) error = NULL;
    o.out = argv[1];
    o.seed = (guint64)seed;
    o.progress = isatty(STDERR_FILENO);
    return dataset_write(&o, &error)
               ? COMMAND_DONE
               : command_fail(COMMAND_FAILED, "%s", error->message);
}
