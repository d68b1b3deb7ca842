/* The devices that a model can run on. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Names, best first; empty when there is none or no Vulkan at all. To be freed. */
GStrv tl_device_names(void);

G_END_DECLS
