/* Prompts as text; for code that must not see compute/. */
#pragma once

#include <glib.h>

/* The prompt of a label: the template's %s replaced by it; a template without %s gives
 * the label itself. */
char *prompts_fill(const char *template, const char *label);
