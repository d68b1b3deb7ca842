/* Files as they arrive in a folder. For one thread, whose default main context it runs while
 * it waits. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

struct watch;

/* Watches a folder and, with `recursive`, those below it. */
struct watch *watch_new(const char *folder, gboolean recursive, GError **error);
/* Waits until an image is whole, at most `wait_ms`. The paths (of char *, owned by the
 * array, which may be empty) of images that were there at the start or came since, and were
 * written and closed, moved there, or have not grown for a second. A file that changes is
 * told again. */
GPtrArray *watch_take(struct watch *w, guint wait_ms);
void watch_free(struct watch *w);

G_END_DECLS
